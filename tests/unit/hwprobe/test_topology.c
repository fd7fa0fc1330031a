/* Sockets, cores, NUMA nodes, clocks, CPUs that are off: what only the full format shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"

/* Two sockets of two cores; both number their cores 0 and 1; CPU 3 is off and has no topology folder. */
static void test_sockets_and_nodes(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, CPU "present", "0-4\n", CPU "online", "0-2,4\n",
		   CPU "cpu0/topology/physical_package_id", "0\n", CPU "cpu0/topology/core_id",
		   "0\n", CPU "cpu1/topology/physical_package_id", "0\n",
		   CPU "cpu1/topology/core_id", "1\n", CPU "cpu2/topology/physical_package_id",
		   "1\n", CPU "cpu2/topology/core_id", "0\n",
		   CPU "cpu4/topology/physical_package_id", "1\n", CPU "cpu4/topology/core_id",
		   "0\n", CPU "cpu3/online", "0\n", CPU "cpufreq/policy0/base_frequency",
		   "2100000\n", CPU "cpufreq/policy0/cpuinfo_max_freq", "3900000\n", NODE "online",
		   "0,2\n", NODE "node0/cpulist", "0-1\n", NODE "node0/meminfo",
		   "\nNode 0 MemTotal:       1024 kB\nNode 0 MemFree: 512 kB\n",
		   NODE "node0/hugepages/hugepages-2048kB/nr_hugepages", "8\n",
		   NODE "node0/hugepages/hugepages-2048kB/free_hugepages", "3\n",
		   NODE "node2/cpulist", "2-4\n", NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
	const struct hwp_cpu *c = hwp_get_cpu(inv);
	assert_int_equal(c->count.v, 5);
	assert_int_equal(c->offline.v, 1);
	assert_string_equal(c->offline_cpus.s, "3");
	assert_int_equal(c->sockets.v, 2);
	assert_int_equal(c->cores.v, 3);
	assert_int_equal(c->threads.v, 4);
	assert_true(c->base_mhz.v == 2100 && c->frequency_mhz.v == 3900);
	assert_int_equal(c->numa_nodes.v, 2);
	assert_int_equal(c->numa_count, 2);
	assert_int_equal(c->numa[0].memory_bytes.v, 1024 * 1024);
	assert_int_equal(c->numa[0].memory_free_bytes.v, 512 * 1024);
	assert_int_equal(c->numa[0].hugepages_count, 1);
	assert_int_equal(c->numa[0].hugepages[0].total.v, 8);
	assert_int_equal(c->numa[0].hugepages[0].free.v, 3);
	assert_null(c->numa[0].hugepages[0].reserved.source);
	assert_int_equal(c->numa[1].hugepages_count, 0);
	assert_int_equal(c->numa[1].id.v, 2);
	assert_string_equal(c->numa[1].cpus.s, "2-4");
	assert_string_equal(c->numa[1].cpus.source, NODE "node2/cpulist");
	assert_null(c->numa[1].memory_bytes.source);
	hwp_unref(inv);
	tree_done(&t);
}

/* Clocks without cpufreq: CPUID leaf 0x16, then SMBIOS; a hybrid machine has several policies. */
static void test_clocks(void **state)
{
	static const uint8_t smbios[] = {
		4, 0x18, 1, 0, 0,    3,    0, 0, 0, 0, 0,   0, 0, 0, 0, 0,
		0, 0,    0, 0, 0xa0, 0x0f, 0, 0, 0, 0, 127, 4, 2, 0, 0, 0
	};
	static const struct {
		const char *files[10];
		double base, max;
	} cases[] = {
		{ { CPU "cpufreq/policy0/base_frequency", "2600000\n",
		    CPU "cpufreq/policy0/cpuinfo_max_freq", "5000000\n",
		    CPU "cpufreq/policy8/base_frequency", "1900000\n",
		    CPU "cpufreq/policy8/cpuinfo_max_freq", "3700000\n" },
		  2600,
		  5000 },
		/* cpufreq of old kernels */
		{ { CPU "cpu1/cpufreq/cpuinfo_max_freq", "2900000\n", CPU "cpu0/online", "1\n" },
		  0,
		  2900 },
		{ { "cpuid.txt", "1 16 0 0 0 => 708 ce4 64 0\n" }, 1800, 3300 },
		{ { "cpuid.txt", "1 16 0 0 0 => 0 0 0 0\n" }, 0, 4000 },
		{ { NULL }, 0, 4000 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		print_message("case %zu\n", i);
		tree_init(&t);
		tree_write(&t, "sys/firmware/dmi/tables/DMI", smbios, sizeof(smbios));
		tree_add(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
		assert_true(hwp_get_cpu(inv)->base_mhz.v == cases[i].base);
		assert_true(hwp_get_cpu(inv)->max_mhz.v == cases[i].max);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* In full what all CPUs can do, on the wire what the first one can. */
static void test_flags(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "proc/cpuinfo",
		  "processor : 0\nflags : fpu avx512f lm\nprocessor : 1\nflags : fpu lm\n");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
	const struct hwp_cpu *c = hwp_get_cpu(inv);
	assert_int_equal(c->flags.n, 3);
	assert_int_equal(c->common_flags.n, 2);
	assert_string_equal(c->common_flags.v[1], "lm");
	char *text = hwp_to_json(inv, HWP_JSON_FULL, 0);
	assert_non_null(strstr(text, "\"flags\":{\"value\":[\"fpu\",\"lm\"],"));
	assert_null(strstr(text, "avx512f"));
	free(text);
	text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	assert_non_null(strstr(text, "\"flags\":[\"fpu\",\"avx512f\",\"lm\"]"));
	free(text);
	assert_int_equal(hwp_explain(inv, "cpu.flags", &text), 0);
	assert_non_null(strstr(text, "all CPUs"));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* Dies number their cores from 0, too. */
static void test_dies(void **state)
{
	struct tree t;
	tree_init(&t);
	for (int cpu = 0; cpu < 4; cpu++) {
		char path[128], text[8];
		snprintf(path, sizeof(path), CPU "cpu%d/topology/physical_package_id", cpu);
		tree_file(&t, path, "0\n");
		snprintf(path, sizeof(path), CPU "cpu%d/topology/die_id", cpu);
		snprintf(text, sizeof(text), "%d\n", cpu / 2);
		tree_file(&t, path, text);
		snprintf(path, sizeof(path), CPU "cpu%d/topology/core_id", cpu);
		tree_file(&t, path, "0\n");
	}
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
	assert_int_equal(hwp_get_cpu(inv)->sockets.v, 1);
	assert_int_equal(hwp_get_cpu(inv)->cores.v, 2);
	assert_int_equal(hwp_get_cpu(inv)->threads.v, 4);
	hwp_unref(inv);
	tree_done(&t);
}

/* Some platforms keep the folder of a CPU that is off, with numbers that mean nothing. */
static void test_offline_with_folder(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, CPU "present", "0-1\n", CPU "online", "0\n",
		   CPU "cpu0/topology/physical_package_id", "0\n", CPU "cpu0/topology/core_id",
		   "0\n", CPU "cpu1/topology/physical_package_id", "-1\n",
		   CPU "cpu1/topology/core_id", "-1\n", NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
	const struct hwp_cpu *c = hwp_get_cpu(inv);
	assert_int_equal(c->count.v, 2);
	assert_int_equal(c->sockets.v, 1);
	assert_int_equal(c->cores.v, 1);
	assert_int_equal(c->threads.v, 1);
	hwp_unref(inv);
	tree_done(&t);
}

/* Every second CPU of 4096 is off, and in another node: the lists are longer than a page. */
static void test_long_lists(void **state)
{
	enum { CPUS = 4096 };
	static char even[CPUS * 3];
	size_t n = 0;
	struct tree t;
	tree_init(&t);
	for (int i = 0; i < CPUS; i += 2)
		n += (size_t)snprintf(even + n, sizeof(even) - n, "%s%d", i ? "," : "", i);
	tree_files(&t, CPU "present", "0-4095\n", CPU "online", even, NODE "node0/cpulist", even,
		   NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_CPU);
	const struct hwp_cpu *c = hwp_get_cpu(inv);
	assert_int_equal(c->count.v, CPUS);
	assert_int_equal(c->offline.v, CPUS / 2);
	assert_true(n > 4096);
	assert_string_equal(c->numa[0].cpus.s, even);
	assert_int_equal(strncmp(c->offline_cpus.s, "1,3,5,", 6), 0);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets_and_nodes),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_offline_with_folder),
		cmocka_unit_test(test_long_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
