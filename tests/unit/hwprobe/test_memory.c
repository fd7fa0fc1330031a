/* How much memory there is, and by which method that is known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/memory.h"
#include "tests/unit/hwprobe/tree.h"

#define BLOCKS "sys/devices/system/memory/"
#define DMI_ID "run/udev/data/+dmi:id"

static void test_memory_methods(void **state)
{
	static const struct {
		const char *files[14];
		int64_t physical;
		const char *method;
	} cases[] = {
		{ { NULL }, 0, "" },
		{ { "proc/meminfo", "MemTotal: 1000 kB\n" }, 1024000, "meminfo" },
		{ { "proc/meminfo", "MemTotal: 1000\n" }, 0, "" },
		{ { BLOCKS "block_size_bytes", "8000000", BLOCKS "memory0/state", "online",
		    BLOCKS "memory1/state", "offline", BLOCKS "memory7/state", "online",
		    BLOCKS "probe", "" },
		  2LL << 27,
		  "ghw" },
		{ { BLOCKS "block_size_bytes", "8000000", BLOCKS "memory0/online", "1",
		    BLOCKS "memory1/online", "0" },
		  1LL << 27,
		  "ghw" },
		{ { BLOCKS "block_size_bytes", "-1", "proc/meminfo", "MemTotal: 1 kB\n" },
		  1024,
		  "meminfo" },
		{ { "run/udev/data/+dmi:id",
		    "E:MEMORY_ARRAY_NUM_DEVICES=2\nE:MEMORY_DEVICE_0_SIZE=4294967296\nE:MEMORY_DEVICE_1_SIZE=1\n" },
		  4294967297,
		  "dmidecode" },
		/* A flash chip is no memory, an empty slot neither, and of persistent memory the volatile part only. */
		{ { DMI_ID,
		    "E:MEMORY_ARRAY_NUM_DEVICES=7\nE:MEMORY_DEVICE_0_SIZE=1073741824\n"
		    "E:MEMORY_DEVICE_0_TYPE=DDR4\nE:MEMORY_DEVICE_0_MEMORY_TECHNOLOGY=DRAM\n"
		    "E:MEMORY_DEVICE_1_PRESENT=0\nE:MEMORY_DEVICE_1_TYPE=Unknown\n"
		    "E:MEMORY_DEVICE_2_SIZE=4194304\nE:MEMORY_DEVICE_2_TYPE=Flash\n"
		    "E:MEMORY_DEVICE_3_SIZE=8388608\nE:MEMORY_DEVICE_3_TYPE=Logical non-volatile device\n"
		    "E:MEMORY_DEVICE_4_SIZE=137438953472\nE:MEMORY_DEVICE_4_TYPE=DDR4\n"
		    "E:MEMORY_DEVICE_4_MEMORY_TECHNOLOGY=Intel Optane DC persistent memory\n"
		    "E:MEMORY_DEVICE_4_NON_VOLATILE_SIZE=137438953472\n"
		    "E:MEMORY_DEVICE_5_SIZE=2147483648\nE:MEMORY_DEVICE_5_TYPE=DDR4\n"
		    "E:MEMORY_DEVICE_5_MEMORY_TECHNOLOGY=NVDIMM-P\nE:MEMORY_DEVICE_5_VOLATILE_SIZE=1048576\n" },
		  1073741824 + 1048576,
		  "dmidecode" },
		/* a module whose size nobody knows */
		{ { DMI_ID,
		    "E:MEMORY_ARRAY_NUM_DEVICES=2\nE:MEMORY_DEVICE_0_SIZE=1073741824\nE:MEMORY_DEVICE_1_TYPE=DDR4\n",
		    "proc/meminfo", "MemTotal: 8 kB\n" },
		  8192,
		  "meminfo" },
		{ { DMI_ID,
		    "E:MEMORY_ARRAY_NUM_DEVICES=2\nE:MEMORY_DEVICE_0_SIZE=18446744073709551614\nE:MEMORY_DEVICE_1_SIZE=9\n",
		    "proc/meminfo", "MemTotal: 8 kB\n" },
		  8192,
		  "meminfo" },
		{ { DMI_ID, "E:MEMORY_ARRAY_NUM_DEVICES=99999999999\n", "proc/meminfo",
		    "MemTotal: 8 kB\n" },
		  8192,
		  "meminfo" },
		/* less than the kernel has: start-up memory only */
		{ { "run/udev/data/+dmi:id",
		    "E:MEMORY_ARRAY_NUM_DEVICES=1\nE:MEMORY_DEVICE_0_SIZE=1024\n", "proc/meminfo",
		    "MemTotal: 8 kB\n" },
		  8192,
		  "meminfo" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_add(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_MEMORY);
		const struct hwp_memory *m = hwp_get_memory(inv);
		print_message("case %zu\n", i);
		assert_int_equal(m->physical_bytes.v, cases[i].physical);
		assert_string_equal(m->physical_bytes_method.s ? m->physical_bytes_method.s : "",
				    cases[i].method);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_zones(void **state)
{
	assert_int_equal(
		zoneinfo_present(
			"Node 0, zone      DMA\n  pages free 1\n        spanned  4095\n        present  3998\n"
			"Node 0, zone    DMA32\n        present  1000\n      nr_present 5\nNode 1, zone   Device\n        present  7\n"
			"Node 1, zone   Normal\n        present  2"),
		5000);
	assert_int_equal(zoneinfo_present(""), 0);
	assert_int_equal(zoneinfo_present(NULL), 0);
}

/* What was not good enough is told, too. */
static void test_tried(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char *text = NULL;
	tree_init(&t);
	tree_file(&t, "proc/meminfo", "MemTotal: 8 kB\n");
	assert_int_equal(tree_try(&t,
				  (struct hwp_options){ .parts = HWP_MEMORY, .flags = HWP_EXPLAIN },
				  &inv),
			 0);
	assert_int_equal(hwp_explain(inv, "memory.physical_bytes", &text), 0);
	const char *dmi = strstr(text, "smbios type 17"), *udev = strstr(text, "udev +dmi:id"),
		   *used = strstr(text, "proc/meminfo MemTotal: used");
	if (!dmi || !udev || !used || dmi > udev || udev > used)
		fail_msg("%s", text);
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_methods),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
