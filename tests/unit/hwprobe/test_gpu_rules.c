/* Which PCI functions are GPUs: the default, and rules from a file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "hwprobe/gpu_rules.h"
#include "tests/unit/hwprobe/tree.h"

static void test_default(void **state)
{
	static const struct {
		uint16_t class;
		bool is_gpu;
	} tests[] = { { 0x0300, true }, { 0x0301, false }, { 0x0302, true },  { 0x0380, true },
		      { 0x1200, true }, { 0x1201, false }, { 0x0200, false }, { 0, false } };
	const struct gpu_rules none = { 0 };
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		assert_int_equal(gpu_rules_match(&none, tests[i].class, 0x10de, 1),
				 tests[i].is_gpu);
}

static void test_rules(void **state)
{
	static const char text[] = "---\n# ours\nclasses: [ \"0300\", 0302 ]\nVendors:\n"
				   "  - \"0380 10de\"\n  - 12001DA3   # Habana\nmodels:\n"
				   "- '0b40 1da3 1060'\n\n";
	static const struct {
		uint16_t class, vendor, device;
		bool is_gpu;
	} tests[] = {
		{ 0x0300, 1, 1, true },           { 0x0302, 1, 1, true },
		{ 0x0380, 0x10de, 1, true },      { 0x0380, 0x1002, 1, false },
		{ 0x1200, 0x1da3, 1, true },      { 0x1200, 0x10de, 1, false },
		{ 0x0b40, 0x1da3, 0x1060, true }, { 0x0b40, 0x1da3, 0x1061, false },
	};
	struct gpu_rules r;
	assert_int_equal(gpu_rules_parse(&r, text, NULL), 0);
	assert_int_equal(r.n, 5);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (gpu_rules_match(&r, tests[i].class, tests[i].vendor, tests[i].device) !=
		    tests[i].is_gpu)
			fail_msg("case %zu", i);
	gpu_rules_done(&r);
	gpu_rules_done(&r);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} tests[] = {
		{ "", "no rule" },
		{ "classes: []\n", "no rule" },
		{ "classes: [ 0300\n", "line 1: a list must end" },
		{ "classes: [ 0300 ] x\n", "line 1" },
		{ "classes: 0300\n", "line 1: not a list" },
		{ "- 0300\n", "line 1" },
		{ "classes:\n- 030\n", "line 2" },
		{ "classes:\n- 03000\n", "line 2" },
		{ "vendors:\n- 0300\n", "line 2" },
		{ "classes:\n- 03g0\n", "line 2" },
		{ "drivers:\n- nvidia\n", "line 1: no such section" },
		{ "nonsense\n", "line 1: neither" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct fault err = FAULT_INIT;
		struct gpu_rules r = { 0 };
		if (gpu_rules_parse(&r, tests[i].text, &err) != -EBADMSG ||
		    !strstr(fault_text(&err), tests[i].says))
			fail_msg("case %zu: %s", i, fault_text(&err));
		assert_null(r.v);
	}
}

static void test_limit(void **state)
{
	static char text[16 + (GPU_RULES_MAX + 1) * 7 + 1] = "classes:\n";
	struct gpu_rules r = { 0 };
	for (int i = 0; i < GPU_RULES_MAX; i++)
		strcat(text, "- 0300\n");
	assert_int_equal(gpu_rules_parse(&r, text, NULL), 0);
	gpu_rules_done(&r);
	strcat(text, "- 0300\n");
	assert_int_equal(gpu_rules_parse(&r, text, NULL), -EBADMSG);
}

/* In a probe: a network card that rules call a GPU, and a file that is none stops everything, by name. */
static void test_probe(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char path[128];
	tree_init(&t);
	tree_files(&t, "sys/bus/pci/devices/0000:01:00.0/class", "0x020000\n",
		   "sys/bus/pci/devices/0000:01:00.0/vendor", "0x15b3\n",
		   "sys/bus/pci/devices/0000:02:00.0/class", "0x030000\n", "rules",
		   "vendors:\n- 0200 15b3\n", "broken", "vendors:\n- x\n", NULL);
	snprintf(path, sizeof(path), "%s/rules", t.dir);
	struct hwp_options opt = { .parts = HWP_GPUS, .gpu_rules = path };
	assert_int_equal(tree_try(&t, opt, &inv), 0);
	assert_int_equal(hwp_gpu_count(inv), 1);
	assert_string_equal(hwp_gpu_at(inv, 0)->address.s, "0000:01:00.0");
	hwp_unref(inv);
	snprintf(path, sizeof(path), "%s/broken", t.dir);
	assert_int_equal(tree_try(&t, opt, &inv), -EBADMSG);
	assert_non_null(strstr(t.log, "/broken: line 2"));
	snprintf(path, sizeof(path), "%s/none", t.dir);
	assert_int_equal(tree_try(&t, opt, &inv), -ENOENT);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default), cmocka_unit_test(test_rules),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_probe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
