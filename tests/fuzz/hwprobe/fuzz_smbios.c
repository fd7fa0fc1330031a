#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	pass_init(&p);
	p.s.has_read_smbios = true;
	if (smbios_init(&p.s.smbios, pass_copy(&p, data, size), size) == 0) {
		probe_system.run(&p.s);
		probe_memory.run(&p.s);
		probe_cpu.run(&p.s);
		probe_bmc.run(&p.s);
	}
	pass_done(&p);
	return 0;
}
