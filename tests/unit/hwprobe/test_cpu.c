/* The CPU's values and where they come from when better sources are missing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/cpuinfo.h"
#include "hwprobe/cpulist.h"
#include "tests/unit/hwprobe/tree.h"

static void test_cpulist(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 1 },
		{ "0-3", 4 },
		{ "0-3,8,10-12", 8 },
		{ "5-5", 1 },
		{ "0-1048575", 1 << 20 },
		{ "0-1048576", -EINVAL },
		{ "1048576", -EINVAL },
		{ "3-1", -EINVAL },
		{ "a", -EINVAL },
		{ "1,", -EINVAL },
		{ ",1", -EINVAL },
		{ "1-", -EINVAL },
		{ "-1", -EINVAL },
		{ "1 2", -EINVAL },
		{ "0-1000000,0-1000000", -EINVAL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cpulist_count(cases[i].text) != cases[i].want)
			fail_msg("%s: %lld", cases[i].text,
				 (long long)cpulist_count(cases[i].text));
}

static void test_cpuinfo_keys(void **state)
{
	struct arena a = { 0 };
	const char *text =
		"no colon\nmodel name\t: A  B \nmodel name\t: second\ncpu MHz : 12.5\ncpu MHz : 99.25\ncpu MHz : x\nempty\t:\nprocessor 3: x\nprocessor : 0";
	assert_string_equal(cpuinfo_get(&a, text, "model name"), "A  B");
	assert_null(cpuinfo_get(&a, text, "model"));
	assert_null(cpuinfo_get(&a, text, "empty"));
	assert_true(cpuinfo_max(text, "cpu MHz") == 99.25);
	assert_true(cpuinfo_max(text, "nothing") == 0);
	assert_int_equal(cpuinfo_processors(text), 2);
	assert_int_equal(cpuinfo_processors(NULL), 0);
	arena_done(&a);
}

#define ARM(part) "CPU implementer : 0x41\nCPU part : " part "\n"

static void test_arm_model(void **state)
{
	struct arena a = { 0 };
	assert_string_equal(cpu_arm_model(&a, ARM("0xd0c") ARM("0xd0c")), "Neoverse-N1");
	assert_string_equal(cpu_arm_model(&a, ARM("0xd03") ARM("0xd08") ARM("0xd08")),
			    "Cortex-A72");
	assert_string_equal(cpu_arm_model(&a, ARM("0xd03") ARM("0xd08")),
			    "Cortex-A53"); /* a draw: the first */
	assert_null(cpu_arm_model(&a, ARM("0x001")));
	assert_null(cpu_arm_model(&a, "flags : fpu\n"));
	arena_done(&a);
}

struct cpu_case {
	const char *files[10];
	int64_t count;
	double mhz;
	const char *model, *architecture;
};

#define CPU0 "sys/devices/system/cpu/"

static const struct cpu_case cases[] = {
	{ { NULL }, 0, 0, NULL, NULL },
	{ { "uname", "Linux\n\n\n\nx86_64\n", CPU0 "present", "0-7\n", "proc/cpuinfo",
	    "processor : 0\n" },
	  8,
	  0,
	  NULL,
	  "x86_64" },
	{ { "uname", "Linux\n\n\n\ni686\n", "proc/sys/kernel/arch", "x86_64\n" },
	  0,
	  0,
	  NULL,
	  "x86_64" },
	{ { "proc/cpuinfo", "processor : 0\nmodel name : N @ 2.60GHz\nprocessor : 1\n" },
	  2,
	  2600,
	  "N @ 2.60GHz",
	  NULL },
	{ { "proc/cpuinfo", "model name : N @ 800MHz\n" }, 0, 800, "N @ 800MHz", NULL },
	{ { "proc/cpuinfo", "model name : N @ fast\n" }, 0, 0, "N @ fast", NULL },
	{ { "proc/cpuinfo", "model name : N @ 2GHz\ncpu MHz : 1200.5\n" },
	  0,
	  1200.5,
	  "N @ 2GHz",
	  NULL },
	{ { "proc/cpuinfo", "cpu MHz : 1000\n", CPU0 "cpufreq/policy0/cpuinfo_max_freq",
	    "3000000\n", CPU0 "cpufreq/policy4/cpuinfo_max_freq", "3187200\n" },
	  0,
	  3187.2,
	  NULL,
	  NULL },
	{ { CPU0 "cpu0/cpufreq/cpuinfo_max_freq", "2667000\n", CPU0 "cpu1/cpufreq/cpuinfo_max_freq",
	    "2700000\n", CPU0 "cpuidle/x", "" },
	  0,
	  2700,
	  NULL,
	  NULL },
	{ { "proc/cpuinfo", "cpu MHz static : 5200\ncpu MHz : 100\n" }, 0, 5200, NULL, NULL },
	{ { "cpuid.txt", "1 16 0 0 0 => 708 ce4 64 0\n" }, 0, 3300, NULL, NULL },
	{ { "proc/cpuinfo", "cpu : POWER9\nclock : 3000MHz\n" }, 0, 0, "POWER9", NULL },
	{ { CPU0 "cpu0/online", "0", CPU0 "cpu1/cpufreq/cpuinfo_max_freq", "2700000\n" },
	  0,
	  2700,
	  NULL,
	  NULL },
	{ { "proc/cpuinfo", "Model Name : Loongson-3C5000L-LL\nCPU MHz : 2200.00\n" },
	  0,
	  2200,
	  "Loongson-3C5000L-LL",
	  NULL },
	{ { "proc/cpuinfo",
	    "model name : ARMv7 Processor rev 4 (v7l)\nCPU implementer : 0x41\nCPU part : 0xc07\n" },
	  0,
	  0,
	  "Cortex-A7",
	  NULL },
	{ { "proc/cpuinfo",
	    "model name : ARMv8 Processor\nCPU implementer : 0x99\nCPU part : 0x1\n" },
	  0,
	  0,
	  "ARMv8 Processor",
	  NULL },
	{ { "proc/cpuinfo", "hart : 0\nisa : rv64imafdc\nuarch : sifive,u74-mc\n" },
	  0,
	  0,
	  "sifive,u74-mc",
	  NULL },
	{ { CPU0 "present", "nonsense" }, 0, 0, NULL, NULL },
};

static void test_fallbacks(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		for (int k = 0; cases[i].files[k]; k += 2)
			tree_file(&t, cases[i].files[k], cases[i].files[k + 1]);
		struct hwp_inventory *inv = tree_probe(&t, HWP_CPU);
		const struct hwp_cpu *cpu = hwp_get_cpu(inv);
		print_message("case %zu\n", i);
		assert_int_equal(cpu->count.v, cases[i].count);
		assert_true(cpu->frequency_mhz.v > cases[i].mhz - 0.001 &&
			    cpu->frequency_mhz.v < cases[i].mhz + 0.001);
		assert_int_equal(cpu->model_name.s != NULL, cases[i].model != NULL);
		if (cases[i].model)
			assert_string_equal(cpu->model_name.s, cases[i].model);
		assert_int_equal(cpu->architecture.s != NULL, cases[i].architecture != NULL);
		if (cases[i].architecture)
			assert_string_equal(cpu->architecture.s, cases[i].architecture);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpulist),
		cmocka_unit_test(test_cpuinfo_keys),
		cmocka_unit_test(test_arm_model),
		cmocka_unit_test(test_fallbacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
