#include "hwprobe/mountinfo.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	struct mount_table t;
	pass_init(&p);
	mountinfo_parse(&t, &p.tmp, pass_copy(&p, data, size));
	for (size_t i = 0; i < t.n; i++) {
		put_strs(&p.s, &p.s.inv->cpu.flags, t.v[i].point, "mountinfo");
		put_strs(&p.s, &p.s.inv->cpu.flags, t.v[i].source, "mountinfo");
	}
	p.s.mounts = &t;
	probe_boot.run(&p.s);
	pass_done(&p);
	return 0;
}
