/* Which disks are listed, and the one that stands for all of an appliance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static const struct disk_case cases[] = {
	{ "plain", "sda 8:0", { NULL }, "sda", "HDD", "" },
	{ "optical drives are asked nothing",
	  "sr0 11:0",
	  { "sys/block/sr0/queue/rotational", "0" },
	  "sr0",
	  "ODD",
	  "installation-media" },
	{ "hidden",
	  "nvme0c0n1 259:0",
	  { "sys/block/nvme0c0n1/hidden", "1" },
	  "nvme0c0n1",
	  NULL,
	  NULL },
	{ "loop", "loop0 7:0", { NULL }, "loop0", NULL, NULL },
	{ "ram", "ram0 1:0", { NULL }, "ram0", NULL, NULL },
	{ "map without uuid", "dm-0 253:0", { NULL }, "dm-0", NULL, NULL },
	{ "LUKS", "dm-0 253:0", { "sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-x" }, "dm-0", NULL, NULL },
	{ "partition of multipath",
	  "dm-0 253:0",
	  { "sys/block/dm-0/dm/uuid", "part1-mpath-x" },
	  "dm-0",
	  NULL,
	  NULL },
	{ "empty reader",
	  NULL,
	  { "sys/block/sdb/size", "0", "sys/block/sdb/removable", "1" },
	  "sdb",
	  NULL,
	  NULL },
	{ "empty drive",
	  NULL,
	  { "sys/block/sr0/size", "0", "sys/block/sr0/removable", "1" },
	  "sr0",
	  "ODD",
	  NULL },
	{ "size is no number", NULL, { "sys/block/sda/size", "x" }, "sda", "HDD", "" },
};

static void test_cases(void **state)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_appliance(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	add_disks(&t, "sda 8:0 dm-0 253:0");
	tree_file(&t, "sys/block/dm-0/dm/name", "agentboot");
	inv = tree_probe(&t, HWP_DISKS);
	assert_int_equal(hwp_disk_count(inv), 1);
	assert_string_equal(hwp_disk_at(inv, 0)->name.s, "dm-0");
	assert_string_equal(hwp_disk_at(inv, 0)->drive_type.s, "SSD");
	assert_int_equal(hwp_disk_at(inv, 0)->size_bytes.v, 100LL << 30);
	assert_int_equal(hwp_disk_at(inv, 0)->reason_count, 0);
	hwp_unref(inv);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_DISKS, .flags = HWP_NO_APPLIANCE },
			 &inv),
		0);
	assert_int_equal(hwp_disk_count(inv), 1);
	assert_string_equal(hwp_disk_at(inv, 0)->name.s, "sda");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_appliance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
