#include "hwprobe/udev_db.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	struct udev_record r;
	size_t pos = 0;
	pass_init(&p);
	udev_record_parse(&r, p.s.tmp, pass_copy(&p, data, size), size);
	put_str(&p.s, &p.s.inv->hostname, udev_get(&r, "ID_MODEL"), "udev");
	for (const char *link; (link = udev_next_link(&r, &pos));)
		put_strs(&p.s, &p.s.inv->cpu.flags, link, "udev");
	pass_done(&p);
	return 0;
}
