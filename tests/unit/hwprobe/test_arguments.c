/* Which options go together. Every pair is judged here, so that a new option cannot be forgotten in silence. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/arguments.c"
#include "tests/unit/hwprobe/tree.h"

enum {
	O_FULL,
	O_TEXT,
	O_ASSISTED,
	O_SYSROOT,
	O_RECORD,
	O_SCRUB,
	O_EXPLAIN,
	O_WATCH,
	O_MAX,
	O_MIN,
	O_TIMEOUT,
	O_SETTLE,
	O_LLDP_TIMEOUT,
	O_SMART,
	O_GPU_RULES,
	O_PCI_IDS,
	OPTIONS
};

static void give(struct arguments *a, int option)
{
	a->has_format |= option <= O_ASSISTED;
	a->format = option == O_FULL ? HWP_JSON_FULL : option == O_TEXT ? HWP_TEXT : a->format;
	a->opt.sysroot = option == O_SYSROOT ? "d" : a->opt.sysroot;
	a->record = option == O_RECORD ? "d" : a->record;
	a->opt.flags |= option == O_SCRUB ? HWP_SCRUB : option == O_SMART ? HWP_SMART : 0;
	a->explain = option == O_EXPLAIN ? "cpu" : a->explain;
	a->is_watching |= option == O_WATCH;
	a->max_bytes = option == O_MAX ? 4096 : a->max_bytes;
	a->opt.disk_min_bytes = option == O_MIN ? 4096 : a->opt.disk_min_bytes;
	a->opt.total_timeout_ms = option == O_TIMEOUT ? 1000 : a->opt.total_timeout_ms;
	a->opt.settle_ms = option == O_SETTLE ? 10 : a->opt.settle_ms;
	a->opt.lldp_timeout_ms = option == O_LLDP_TIMEOUT ? 10 : a->opt.lldp_timeout_ms;
	a->opt.gpu_rules = option == O_GPU_RULES ? "f" : a->opt.gpu_rules;
	a->opt.pci_ids = option == O_PCI_IDS ? "f" : a->opt.pci_ids;
}

/* '.' = goes together, 'x' = refused; the upper half. --smart, --scrub and --lldp-timeout are refused alone, too. */
static const struct {
	const char *name, *with;
} pairs[OPTIONS] = {
	/*                 FTA SRSE WMMT SLS GP */
	[O_FULL] = { "--format=full", "... ..xx xx.. .x. .." },
	[O_TEXT] = { "--format=text", " .. ..xx xx.. .x. .." },
	[O_ASSISTED] = { "--format=assisted", "  . ..xx .... .xx .." },
	[O_SYSROOT] = { "--sysroot", "    .xx. x... xxx .." },
	[O_RECORD] = { "--record", "     ... x... .x. .." },
	[O_SCRUB] = { "--scrub", "      xx xxxx xxx xx" },
	[O_EXPLAIN] = { "--explain", "       . xx.. .x. .." },
	[O_WATCH] = { "--watch", "         .x.. .xx .." },
	[O_MAX] = { "--output-max-size", "          ... .xx .." },
	[O_MIN] = { "--disk-min-size", "           .. .xx .." },
	[O_TIMEOUT] = { "--timeout", "            . .xx .." },
	[O_SETTLE] = { "--settle", "              .xx .." },
	[O_LLDP_TIMEOUT] = { "--lldp-timeout", "               xx xx" },
	[O_SMART] = { "--smart", "                x xx" },
	[O_GPU_RULES] = { "--gpu-rules", "                  .." },
	[O_PCI_IDS] = { "--pci-ids", "                   ." },
};

/* The column of an option in a row: groups are set off by blanks. */
static int column(int option)
{
	static const int columns[OPTIONS] = {
		0, 1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 18, 19
	};
	return columns[option];
}

static void test_pairs(void **state)
{
	for (int i = 0; i < OPTIONS; i++)
		for (int k = i; k < OPTIONS; k++) {
			struct arguments a = { .format = HWP_JSON_ASSISTED };
			give(&a, i);
			give(&a, k);
			char want = pairs[i].with[column(k)];
			const char *text = arguments_contradiction(&a);
			if (want != (text ? 'x' : '.'))
				fail_msg("%s %s: %s", pairs[i].name, pairs[k].name,
					 text ? text : "goes together");
		}
}

/* Parts that what is asked for is not about. */
static void test_parts(void **state)
{
	static const struct {
		unsigned parts;
		int option, more;
		bool is_refused;
	} tests[] = {
		{ HWP_CPU, O_MIN, -1, true },
		{ HWP_CPU | HWP_DISKS, O_MIN, -1, false },
		{ HWP_ALL, O_MIN, -1, false },
		{ HWP_CPU, O_SETTLE, -1, true },
		{ HWP_NICS, O_SETTLE, -1, false },
		{ HWP_LLDP, O_SETTLE, O_FULL, false },
		{ HWP_CPU, O_SMART, O_FULL, true },
		{ HWP_DISKS, O_SMART, O_FULL, false },
		{ HWP_DISKS, O_SMART, O_EXPLAIN, false },
		{ HWP_DISKS, O_GPU_RULES, -1, true },
		{ HWP_GPUS, O_GPU_RULES, -1, false },
		{ HWP_CPU, O_PCI_IDS, -1, true },
		{ HWP_DISKS, O_PCI_IDS, -1, false },
		{ HWP_LLDP, O_ASSISTED, -1, true },
		{ HWP_LLDP, O_FULL, -1, false },
		{ HWP_LLDP, O_RECORD, -1, false },
		{ HWP_LLDP, O_WATCH, -1, true },
		{ HWP_LLDP, O_LLDP_TIMEOUT, O_FULL, false },
		{ HWP_LLDP, O_LLDP_TIMEOUT, O_ASSISTED, true },
		{ HWP_LLDP, O_LLDP_TIMEOUT, O_SYSROOT, true },
		{ HWP_CPU | HWP_CLOCK, O_ASSISTED, -1, true },
		{ HWP_CPU | HWP_CLOCK, O_TEXT, -1, false },
		{ HWP_CPU | HWP_CLOCK, O_WATCH, -1, true },
		{ HWP_ALL, O_WATCH, -1, false },
		{ HWP_ALL | HWP_LLDP, O_FULL, -1, false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct arguments a = { .format = HWP_JSON_ASSISTED };
		a.opt.parts = tests[i].parts;
		give(&a, tests[i].option);
		if (tests[i].more >= 0)
			give(&a, tests[i].more);
		const char *text = arguments_contradiction(&a);
		if (!text != !tests[i].is_refused)
			fail_msg("case %zu: %s", i, text ? text : "goes together");
	}
}

/* None is in vain: each sentence is the answer to something. */
static void test_each_contradiction(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++)
		for (size_t k = 0; k < i; k++)
			if ((contradictions[k].all & contradictions[i].all) ==
				    contradictions[k].all &&
			    !(contradictions[k].none & ~contradictions[i].none))
				fail_msg("\"%s\" is never said", contradictions[i].text);
}

static void test_sysroot(void **state)
{
	static const char *const layers[] = { "sys/x",           "proc/x", "dev/x",
					      "netlink/link.nl", "uname",  "ipmi.txt" };
	struct fault err = FAULT_INIT;
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		struct tree t;
		tree_init(&t);
		assert_int_equal(arguments_check_sysroot(t.dir, &err), -ENOENT);
		assert_non_null(strstr(fault_text(&err), "no machine is recorded there"));
		tree_file(&t, layers[i], "x");
		assert_int_equal(arguments_check_sysroot(t.dir, NULL), 0);
		tree_done(&t);
		assert_int_equal(arguments_check_sysroot(t.dir, &err), -ENOENT);
		assert_non_null(strstr(fault_text(&err), t.dir));
	}
	assert_int_equal(arguments_check_sysroot("/dev/null", &err), -ENOTDIR);
	assert_non_null(strstr(fault_text(&err), "--sysroot=/dev/null: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_each_contradiction),
		cmocka_unit_test(test_sysroot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
