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

/* A size that no disk has is told: the disk stands there with none. */
static void test_absurd_sizes(void **state)
{
	static const struct {
		const char *size, *detail;
		int err; /* 0 = none */
		int64_t bytes;
	} tests[] = {
		{ "-1", "-1 sectors are not the size of a disk", ERANGE, 0 },
		{ "-9223372036854775808", "-9223372036854775808 sectors are not the size of a disk",
		  ERANGE, 0 },
		{ "9223372036854775807", "9223372036854775807 sectors are not the size of a disk",
		  ERANGE, 0 },
		/* 2^54: its bytes are the first that do not fit */
		{ "18014398509481984", "18014398509481984 sectors are not the size of a disk",
		  ERANGE, 0 },
		{ "18014398509481983", NULL, 0, 18014398509481983LL * 512 },
		{ "9223372036854775808", "not a number", EBADMSG, 0 }, /* 2^63 */
		{ "0x800", "not a number", EBADMSG, 0 },
		{ "0", NULL, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		const struct hwp_error *errors;
		tree_init(&t);
		tree_file(&t, "sys/block/sda/size", tests[i].size);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		print_message("%s\n", tests[i].size);
		assert_int_equal(hwp_disk_count(inv), 1);
		assert_int_equal(hwp_disk_at(inv, 0)->size_bytes.v, tests[i].bytes);
		assert_int_equal(hwp_errors(inv, &errors), tests[i].err != 0);
		if (tests[i].err) {
			assert_string_equal(errors->source, "sys/block/sda/size");
			assert_string_equal(errors->detail, tests[i].detail);
			assert_int_equal(errors->err, tests[i].err);
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_appliance),
		cmocka_unit_test(test_absurd_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
