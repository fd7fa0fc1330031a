#include "hwprobe/gpu_rules.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	struct gpu_rules r = { 0 };
	pass_init(&p);
	if (gpu_rules_parse(&r, pass_copy(&p, data, size), NULL) == 0 &&
	    (!r.n || r.n > GPU_RULES_MAX || r.v[0].n < 1 || r.v[0].n > 3))
		abort();
	(void)gpu_rules_match(&r, 0x0300, 0x10de, 1);
	gpu_rules_done(&r);
	pass_done(&p);
	return 0;
}
