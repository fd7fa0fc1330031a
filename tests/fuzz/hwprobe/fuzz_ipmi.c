#include "hwprobe/bmc.h"
#include "tests/fuzz/hwprobe/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	struct ipmi i;
	struct bmc_info info;
	pass_init(&p);
	ipmi_open_record(&i, pass_copy(&p, data, size));
	if (bmc_ask(&i, true, &info) < 0) /* a record always answers */
		abort();
	if (info.has_v6 && !info.channel)
		abort();
	pass_done(&p);
	return 0;
}
