/* The medium that the system was booted from: nothing of it needs to be mounted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

enum { PVD_AT = 32768, PVD_BYTES = 2048 };

static void add_iso(struct tree *t, const char *name, const char *label)
{
	static char image[PVD_AT + PVD_BYTES];
	memset(image, 0, sizeof(image));
	memcpy(image + PVD_AT, "\1CD001\1", 7);
	memset(image + PVD_AT + 40, ' ', 32);
	memcpy(image + PVD_AT + 40, label, strlen(label));
	tree_write(t, name, image, sizeof(image));
}

static void test_boot_medium(void **state)
{
	static const struct {
		const char *label, *udev, *cmdline;
		bool is_medium;
	} tests[] = {
		{ "SLIPWAY", NULL, "quiet", true },
		{ "OTHER", NULL, "quiet", false },
		{ "LIVE-9", NULL, "root=live:CDLABEL=LIVE-9 quiet", true },
		{ "LIVE-9", NULL, "coreos.liveiso=LIVE-9", true },
		{ "LIVE", NULL, "root=live:CDLABEL=LIVE-9 quiet", false },
		{ "quiet", NULL, "quiet", false },
		{ "OTHER", "I:1\nE:ID_FS_TYPE=iso9660\nE:ID_FS_LABEL=SLIPWAY\n", "", true },
		{ "SLIPWAY", "I:1\nE:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=SLIPWAY\n", "", false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_files(&t, "sys/block/sdb/size", "1000000", "sys/block/sdb/dev", "8:16",
			   "proc/cmdline", tests[i].cmdline, NULL);
		add_iso(&t, "dev/sdb", tests[i].label);
		if (tests[i].udev)
			tree_file(&t, "run/udev/data/b8:16", tests[i].udev);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		if (disk(inv, "sdb")->is_installation_media.v != tests[i].is_medium)
			fail_msg("case %zu: label %s", i, tests[i].label);
		assert_int_equal(disk(inv, "sdb")->reason_count, tests[i].is_medium);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* The label alone is nothing: it must be that of an ISO file system. And a value on the command line is a whole word. */
static void test_words(void **state)
{
	static const struct {
		const char *label, *cmdline;
		bool is_medium;
	} tests[] = {
		{ "LIVE-9", "inst.stage2=hd:LABEL=LIVE-9 quiet", true },
		{ "LIVE-9", "root=live:CDLABEL=LIVE-90", false },
		{ "LIVE-9", "LIVE-9", false },
		{ "LIVE-9", "x=XLIVE-9", false },
		{ "LIVE-9", "x=LIVE-9\n", true },
		{ "LIVE-9", "a=LIVE-90 b=LIVE-9", true },
		{ "", "a= b", false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char record[128];
		tree_init(&t);
		add_disks(&t, "sdb 8:16");
		snprintf(record, sizeof(record), "I:1\nE:ID_FS_TYPE=iso9660\nE:ID_FS_LABEL=%s\n",
			 tests[i].label);
		tree_files(&t, "run/udev/data/b8:16", record, "proc/cmdline", tests[i].cmdline,
			   NULL);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		if (disk(inv, "sdb")->is_installation_media.v != tests[i].is_medium)
			fail_msg("case %zu: %s in %s", i, tests[i].label, tests[i].cmdline);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_medium),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
