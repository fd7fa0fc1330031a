#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	pass_init(&p);
	p.s.has_read_cpuinfo = true;
	p.s.cpuinfo = pass_copy(&p, data, size);
	probe_cpu.run(&p.s);
	probe_system.run(&p.s);
	pass_done(&p);
	return 0;
}
