/* The CPU's values and where they come from when better sources are missing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

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
		cmocka_unit_test(test_fallbacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
