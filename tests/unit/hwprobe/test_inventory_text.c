#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static void test_text(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, "proc/sys/kernel/hostname", "node\n", "uname", "Linux\n\n\n\nx86_64\n",
		   "sys/devices/system/cpu/present", "0-3", "proc/cpuinfo",
		   "model name : Some CPU\ncpu MHz : 2000\n", "proc/meminfo",
		   "MemTotal: 2097152 kB\n", "sys/block/sda/size", "2000000", "sys/block/sda/dev",
		   "8:0", "sys/block/sda/serial", "A\tB", "sys/block/nvme0n1/size", "2",
		   "sys/block/nvme0n1/dev", "259:0", "proc/self/mountinfo",
		   "1 1 8:0 / / rw - ext4 /dev/sda rw\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
	char *text = hwp_to_text(inv, 0);
	assert_string_equal(
		text, "Host name        node\n"
		      "Virtual machine  no\n"
		      "Processors       4 x Some CPU (x86_64, 2000 MHz)\n"
		      "Memory           2.0 GiB (2.0 GiB usable)\n"
		      "Boot             bios, secure boot: NotSupported\n"
		      "TPM              none\n"
		      "\n"
		      "DISK       SIZE  TYPE  MODEL  SERIAL  INSTALL\n"
		      "nvme0n1  1.0 kB  SSD   -      -       yes\n"
		      "sda      1.0 GB  HDD   -      A B     no: The whole disk is mounted at /\n"
		      "total    1.0 GB\n");
	free(text);
	text = hwp_to_text(inv, 20);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_true(end - line <= 20);
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_topology(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char name[128], value[16];
	tree_init(&t);
	/* two packages of two cores of two threads; core numbers repeat; cpu8 is offline */
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/topology/physical_package_id", i);
		snprintf(value, sizeof(value), "%d\n", i / 4);
		tree_file(&t, name, value);
		snprintf(name, sizeof(name), "sys/devices/system/cpu/cpu%d/topology/core_id", i);
		snprintf(value, sizeof(value), "%d\n", i / 2 % 2);
		tree_file(&t, name, value);
	}
	tree_files(&t, "sys/devices/system/cpu/cpu8/online", "0", "sys/devices/system/cpu/present",
		   "0-8", "sys/devices/system/cpu/online", "0-7", "sys/devices/system/node/online",
		   "0-1", NULL);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_CPU, .flags = HWP_MORE }, &inv), 0);
	const struct hwp_cpu *cpu = hwp_get_cpu(inv);
	assert_int_equal(cpu->sockets.v, 2);
	assert_int_equal(cpu->cores.v, 4);
	assert_int_equal(cpu->threads.v, 8);
	assert_int_equal(cpu->offline.v, 1);
	assert_int_equal(cpu->numa_nodes.v, 2);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text),
					    cmocka_unit_test(test_topology) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
