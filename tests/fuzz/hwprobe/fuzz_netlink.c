#include "hwprobe/netdump_live.h"
#include "tests/fuzz/hwprobe/pass.h"

/* The same bytes stand for every dump: messages of the wrong kind must be skipped. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pass p;
	pass_init(&p);
	for (int i = 0; i < NETDUMP_KINDS; i++) {
		p.dumps[i].is_there = true;
		p.dumps[i].data = pass_copy(&p, data, size);
		p.dumps[i].len = size;
	}
	/* The running kernel's datagrams are looked through before they are kept. */
	struct netdump_result r = { 0 };
	(void)netdump_scan(p.copy[0], size, &r);
	probe_nics.run(&p.s);
	probe_routes.run(&p.s);
	pass_done(&p);
	return 0;
}
