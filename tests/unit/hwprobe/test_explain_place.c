/* Which paths name a value, and which do not, whatever stands in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

static const struct {
	const char *path, *starts; /* NULL = there is no such place */
} cases[] = {
	{ "hostname", "hostname: \"h\"\n" },
	{ ".hostname", "hostname: \"h\"\n" },
	{ "hostname.value", "hostname: \"h\"\n" },
	{ "hostname.source", "hostname: \"h\"\n" },
	{ "hostname.placeholder", NULL },
	{ "hostname.value.value", NULL },
	{ "hostname.valu", NULL },
	{ "hostname.valuex", NULL },
	{ "hostname[0]", NULL },
	{ "system_vendor.manufacturer.placeholder",
	  "system_vendor.manufacturer: \"To Be Filled By O.E.M.\"\n"
	  "  source: sys/class/dmi/id/sys_vendor\n  placeholder: what firmware says instead of one\n" },
	{ "cpu.flags[1]", "cpu.flags[1]: \"lm\"\n  source: proc/cpuinfo, all CPUs\n"
			  "cpu.flags[1] (in the assisted format): \"avx\"\n" },
	{ "cpu.flags[2]", "cpu.flags[2]: absent\n"
			  "cpu.flags[2] (in the assisted format): \"lm\"\n" },
	{ "cpu.flags.value[0]", "cpu.flags[0]: \"fpu\"\n" },
	{ "cpu.flags[3]", NULL },
	{ "cpu.flags[0][0]", NULL },
	{ "cpu.flags[0].value", NULL },
	{ "interfaces.bond0.100.name", "interfaces[0].name: \"bond0.100\"\n" },
	{ "interfaces[0].name", "interfaces[0].name: \"bond0.100\"\n" },
	{ "interfaces[00].name", "interfaces[0].name: \"bond0.100\"\n" },
	{ "interfaces.bond0.name", NULL },
	{ "interfaces[-0].name", NULL },
	{ "interfaces[ 0].name", NULL },
	{ "interfaces[+0].name", NULL },
	{ "interfaces[0x0].name", NULL },
	{ "interfaces[18446744073709551616].name", NULL },
	{ "interfaces[99999999999999999999999].name", NULL },
	{ "interfaces[0]name", NULL },
	{ "interfacesbond0.100", NULL },
	{ "interfaces..name", NULL },
	{ "disks",
	  "disks: [] (nothing)\n  looked at proc/self/mountinfo: No such file or directory\n" },
	{ "disks[0]", NULL },
	{ "errors", "errors: [] (nothing)\n  source: " },
	{ "schema", "schema: \"slipway.hwprobe/1\"\n" },
	{ "truncation", "truncation: absent\n" },
	{ "tpm_present_without_driver", "tpm_present_without_driver: absent\n" },
	{ "degraded", "degraded: [] (nothing)\n" },
	{ "clock.realtime", "clock.realtime: absent\n" },
};

static struct hwp_inventory *inventory(struct tree *t, unsigned parts)
{
	struct hwp_inventory *inv = NULL;
	struct dump links = { 0 };
	tree_init(t);
	tree_files(t, "proc/sys/kernel/hostname", "h\n", "sys/class/dmi/id/sys_vendor",
		   "To Be Filled By O.E.M.\n", "proc/cpuinfo",
		   "processor : 0\nflags : fpu avx lm\nprocessor : 1\nflags : fpu lm\n", NULL);
	dump_add(&links, link_message(2, "bond0.100"));
	dump_write(&links, t, "netlink/link.nl");
	struct hwp_options opt = { .parts = parts, .flags = HWP_EXPLAIN | HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	return inv;
}

static void test_places(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t, HWP_ALL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		int rc = hwp_explain(inv, cases[i].path, &text);
		if (rc != (cases[i].starts ? 0 : -ENOENT))
			fail_msg("%s: %s\n%s", cases[i].path, strerror(-rc), text ? text : "");
		if (text && strncmp(text, cases[i].starts, strlen(cases[i].starts)))
			fail_msg("%s:\n%s", cases[i].path, text);
		free(text);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* What nobody asked for is not merely absent. */
static void test_other_parts(void **state)
{
	static const char *const paths[] = { "disks",       "memory.usable_bytes", "gpus",
					     "tpm_version", "bmc_address",         "interfaces" };
	struct tree t;
	struct hwp_inventory *inv = inventory(&t, HWP_CPU);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = NULL;
		assert_int_equal(hwp_explain(inv, paths[i], &text), 0);
		if (!strstr(text, "\n  the part ") || !strstr(text, " was not asked for\n"))
			fail_msg("%s:\n%s", paths[i], text);
		free(text);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* Longer than any name: refused, not cut. */
static void test_long_paths(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t, HWP_CPU);
	char path[8192] = "cpu", *text = NULL;
	while (strlen(path) + 8 < sizeof(path))
		strcat(path, ".flags");
	assert_int_equal(hwp_explain(inv, path, &text), -ENOENT);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_other_parts),
		cmocka_unit_test(test_long_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
