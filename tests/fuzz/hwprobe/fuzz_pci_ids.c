#include "hwprobe/pci_ids.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	char *vendor, *device;
	pass_init(&p);
	struct pci_ids ids = { .text = pass_copy(&p, data, size), .len = size };
	pci_ids_find(&ids, &p.tmp, "10de", "1eb8", &vendor, &device);
	put_str(&p.s, &p.s.inv->hostname, device ? device : vendor, "pci.ids");
	pass_done(&p);
	return 0;
}
