/* What is kept of each device: links and holders of the disk and of its partitions, its place in the inventory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/cleanup.h"
#include "hwprobe/disk_facts.h"
#include "tests/unit/hwprobe/disks.h"

static void expect_list(char *const *list, size_t n, const char *want)
{
	char text[256] = "";
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 list[i]);
	assert_string_equal(text, want);
}

static void test_facts(void **state)
{
	static const struct {
		const char *name;
		long disk;
		const char *links, *holders, *id_path;
		bool has_udev, is_shared;
	} rows[] = {
		{ "cciss!c0d0", 0, "", "", NULL, false, false },
		{ "sda", -1, "", "", NULL, true, false },
		{ "sdb", 1, "disk/by-id/wwn-b disk/by-id/wwn-b-part1", "dm-0 md0", "pci-b", true,
		  false },
		{ "sdc", 2, "", "", NULL, false, true },
	};
	struct tree t;
	tree_init(&t);
	tree_files(&t, "sys/block/sda/size", "0\n", "sys/block/sda/removable", "1\n",
		   "sys/block/sda/dev", "8:0\n", "run/udev/data/b8:0", "I:1\n",
		   "sys/block/sdb/sdb1/partition", "1\n", "sys/block/sdb/sdb1/dev", "8:17\n",
		   "sys/block/sdb/sdb1/holders/md0", "", "sys/block/sdb/holders/dm-0", "",
		   "run/udev/data/b8:16",
		   "I:1\nE:ID_PATH=pci-b\nS:disk/by-id/wwn-b\nS:disk/by-id/ata-x\n",
		   "run/udev/data/b8:17", "I:1\nE:ID_PATH=pci-b\nS:disk/by-id/wwn-b-part1\n",
		   "sys/devices/session1/block/sdc/size", "8\n", "sys/block/loop0/size", "8\n",
		   NULL);
	tree_link(&t, "sys/block/sdc", "../devices/session1/block/sdc");
	add_disk(&t, "sdb", "8:16");
	add_disk(&t, "cciss!c0d0", "104:0");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);

	assert_non_null(inv->facts);
	assert_int_equal(inv->facts->n, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct disk_fact *f = disk_facts_find(inv->facts, rows[i].name);
		assert_non_null(f);
		assert_ptr_equal(f, &inv->facts->v[i]);
		assert_int_equal(f->disk, rows[i].disk);
		expect_list(f->links, f->link_count, rows[i].links);
		expect_list(f->holders, f->holder_count, rows[i].holders);
		assert_int_equal(f->id_path != NULL, rows[i].id_path != NULL);
		if (f->id_path)
			assert_string_equal(f->id_path, rows[i].id_path);
		assert_int_equal(f->has_udev, rows[i].has_udev);
		assert_int_equal(f->is_shared, rows[i].is_shared);
	}
	assert_null(disk_facts_find(inv->facts, "loop0"));
	assert_null(disk_facts_find(inv->facts, "sdb1"));
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
