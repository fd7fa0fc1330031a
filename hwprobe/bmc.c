#include "hwprobe/probe.h"

/* What the API calls "none"; the suffix of the IPv6 value is part of it. */
#define BMC_NO_ADDRESS "0.0.0.0"
#define BMC_NO_V6ADDRESS "::/0"

static void run(struct survey *s)
{
	put_str(s, &s->inv->bmc_address, BMC_NO_ADDRESS, "default");
	put_str(s, &s->inv->bmc_v6address, BMC_NO_V6ADDRESS, "default");
}

const struct probe probe_bmc = { .name = "bmc", .part = HWP_BMC, .run = run };
