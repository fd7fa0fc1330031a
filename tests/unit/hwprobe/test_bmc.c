#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include "tests/unit/hwprobe/tree.h"

struct bmc_case {
	const char *name, *record, *v4, *v6;
};

/* netfn cmd data > completion code, data. 06 42: channel info (medium in the second byte); 0c 02: LAN parameters. */
static const struct bmc_case cases[] = {
	{ "no record", NULL, "0.0.0.0", "::/0" },
	{ "garbage", "hello\n> > >\n06 42 01\n06 42 01 > zz\n", "0.0.0.0", "::/0" },
	{ "channel 2 is the LAN",
	  "06 42 01 > 00 01 05 81\n06 42 02 > 00 02 04 81\n0c 02 02 03 00 00 > 00 11 c0 00 02 07\n",
	  "192.0.2.7", "::/0" },
	{ "first address that is set",
	  "06 42 01 > 00 01 04 81\n0c 02 01 03 00 00 > 00 11 00 00 00 00\n06 42 08 > 00 08 06 81\n"
	  "0c 02 08 03 00 00 > 00 11 c6 33 64 09\n",
	  "198.51.100.9", "::/0" },
	{ "answer too short", "06 42 01 > 00 01 04\n0c 02 01 03 00 00 > 00 11 c0 00\n", "0.0.0.0",
	  "::/0" },
	{ "refused", "06 42 01 > d4\n06 42 02 > 00 02 04\n0c 02 02 03 00 00 > 80\n", "0.0.0.0",
	  "::/0" },
	{ "v6 only: dynamic sets first, inactive and link-local ones left out",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 01\n0c 02 01 37 00 00 > 00 11 01 03 00\n"
	  "0c 02 01 3b 00 00 > 00 11 00 01 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 40 01\n"
	  "0c 02 01 3b 01 00 > 00 11 01 01 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01 40 00\n"
	  "0c 02 01 3b 02 00 > 00 11 02 02 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 80 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "2001:db8::2" },
	{ "static set",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 02\n0c 02 01 37 00 00 > 00 11 01 00 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "2001:db8::3" },
	{ "v6 not enabled",
	  "06 42 01 > 00 01 04 81\n0c 02 01 33 00 00 > 00 11 00\n0c 02 01 37 00 00 > 00 11 01 00 00\n"
	  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
	  "0.0.0.0", "::/0" },
};

static void test_addresses(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		if (cases[i].record)
			tree_file(&t, "ipmi.txt", cases[i].record);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BMC);
		print_message("%s\n", cases[i].name);
		assert_string_equal(hwp_get_bmc_address(inv, AF_INET), cases[i].v4);
		assert_string_equal(hwp_get_bmc_address(inv, AF_INET6), cases[i].v6);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
