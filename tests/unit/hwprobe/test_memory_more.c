/* Memory modules, huge pages, swap: what only the full format shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

#define HUGE "sys/kernel/mm/hugepages/"

static void test_modules_and_pages(void **state)
{
	static const uint8_t table[] = {
		/* array: system memory, multi-bit ECC */
		16, 0x0f, 0, 0x10, 3, 3, 6, 0, 0, 0, 2, 0xfe, 0xff, 2, 0, 0, 0,
		/* a module of 16 GiB, DDR4, 3200 MT/s */
		17, 0x1b, 1, 0x11, 0, 0x10, 0xfe, 0xff, 72, 0, 64, 0, 0, 0x40, 9, 0, 1, 2, 0x1a, 0,
		0, 0x80, 0x0c, 3, 4, 0, 5, 'A', '1', 0, 'P', '0', 0, 'A', 'C', 'M', 'E', 0, 'S',
		'N', '7', 0, 'P', 'N', ' ', ' ', 0, 0,
		/* an empty slot, of which a vendor says "NO DIMM" */
		17, 0x1b, 2, 0x11, 0, 0x10, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 2, 0, 0, 0, 0,
		2, 2, 0, 2, 'B', '1', 0, 'N', 'O', ' ', 'D', 'I', 'M', 'M', 0, 0, 127, 4, 3, 0x11,
		0, 0
	};
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", table, sizeof(table));
	tree_files(&t, "proc/meminfo",
		   "MemTotal: 1024 kB\nSwapTotal:  2048 kB\nHugepagesize:  2048 kB\n",
		   HUGE "hugepages-2048kB/nr_hugepages", "8\n",
		   HUGE "hugepages-2048kB/free_hugepages", "5\n", HUGE "hugepages-x/nr_hugepages",
		   "8\n", HUGE "hugepages-1048576kB/nr_hugepages", "0\n", NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_MEMORY);
	const struct hwp_memory *m = hwp_get_memory(inv);
	assert_string_equal(m->error_correction.s, "multi-bit ECC");
	assert_int_equal(m->swap_bytes.v, 2048 * 1024);
	assert_int_equal(m->default_hugepage_bytes.v, 2048 * 1024);
	assert_int_equal(m->dimm_count, 2);
	assert_int_equal(m->dimms[0].size_bytes.v, 16LL << 30);
	assert_int_equal(m->dimms[0].speed_mts.v, 3200);
	assert_string_equal(m->dimms[0].type.s, "DDR4");
	assert_string_equal(m->dimms[0].locator.s, "A1");
	assert_string_equal(m->dimms[0].bank.s, "P0");
	assert_string_equal(m->dimms[0].manufacturer.s, "ACME");
	assert_string_equal(m->dimms[0].serial_number.s, "SN7");
	assert_string_equal(m->dimms[0].part_number.s, "PN");
	assert_string_equal(m->dimms[1].locator.s, "B1");
	assert_int_equal(m->dimms[1].size_bytes.v, 0);
	assert_null(m->dimms[1].manufacturer.s);
	assert_int_equal(m->hugepages_count, 2);
	assert_int_equal(m->hugepages[0].size_bytes.v, 2 << 20);
	assert_int_equal(m->hugepages[0].free.v, 5);
	assert_null(m->hugepages[0].surplus.source);
	assert_int_equal(m->hugepages[1].size_bytes.v, 1 << 30);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_swap(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "proc/swaps",
		  "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		  "/dev/sda2                               partition\t2097148\t\t1024\t\t-2\n"
		  "/var/swap\\040file                        file\t\t1024\t\t0\t\t5\n"
		  "none partition 1 0 0\n/dev/sdb partition 1 2 0\n/dev/sdc partition\n");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_MEMORY);
	const struct hwp_memory *m = hwp_get_memory(inv);
	assert_int_equal(m->swap_count, 2);
	assert_string_equal(m->swap[0].name.s, "/dev/sda2");
	assert_string_equal(m->swap[0].type.s, "partition");
	assert_int_equal(m->swap[0].size_bytes.v, 2097148LL * 1024);
	assert_int_equal(m->swap[0].used_bytes.v, 1024 * 1024);
	assert_int_equal(m->swap[0].priority.v, -2);
	assert_string_equal(m->swap[1].name.s, "/var/swap file");
	assert_string_equal(m->swap[1].name.source, "proc/swaps");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modules_and_pages),
		cmocka_unit_test(test_swap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
