/* Who uses a disk, at any depth, and what of it is only a warning. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static void test_users(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 md0 9:0 dm-0 253:0 dm-1 253:1 bcache0 251:0");
	tree_files(&t, "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
		   "sys/block/sda/sda1/holders/md0/x", "", "sys/block/sda/sda2/partition", "2",
		   "sys/block/sda/sda2/dev", "8:2", "sys/block/sda/sda2/holders/bcache0/x", "",
		   "sys/block/md0/md0p1/partition", "1", "sys/block/md0/md0p1/dev", "259:1",
		   "sys/block/md0/md0p2/partition", "2", "sys/block/md0/md0p2/dev", "259:2",
		   "sys/block/md0/md0p1/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid",
		   "CRYPT-LUKS2-x", "sys/block/dm-0/dm/name", "luks",
		   "sys/block/dm-0/holders/dm-1/x", "", "sys/block/dm-1/dm/uuid", "LVM-x",
		   "sys/block/dm-1/dm/name", "vg-swap",
		   /* a circle */
		   "sys/block/dm-1/holders/md0/x", "", "proc/swaps",
		   "Filename Type\n/dev/mapper/vg-swap partition 1 0 1\n", "proc/self/mountinfo",
		   "1 0 259:2 / /srv rw - ext4 x rw\n2 0 259:2 / /mnt rw - ext4 x rw\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *d = disk(inv, "sda");
	static const struct {
		const char *name, *label, *on, *kind;
		bool is_swap;
		size_t mounts;
	} want[] = {
		{ "md0", NULL, "sda1", "md", false, 0 },
		{ "dm-0", "luks", "md0p1", "crypt", false, 0 },
		{ "dm-1", "vg-swap", "dm-0", "lvm", true, 0 },
		{ "md0p2", NULL, "md0", "md", false, 2 },
		{ "bcache0", NULL, "sda2", "bcache", false, 0 },
	};
	assert_int_equal(d->user_count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < d->user_count; i++) {
		const struct hwp_user *u = &d->users[i];
		assert_string_equal(u->name.s, want[i].name);
		assert_string_equal(u->on.s, want[i].on);
		assert_string_equal(u->kind.s, want[i].kind);
		assert_int_equal(u->swap.v, want[i].is_swap);
		assert_int_equal(u->mounts.n, want[i].mounts);
		if (want[i].label)
			assert_string_equal(u->label.s, want[i].label);
		else
			assert_null(u->label.s);
	}
	assert_string_equal(d->users[3].mounts.v[1], "/mnt");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_warnings(void **state)
{
	static const struct {
		const char *files[8], *codes;
	} tests[] = {
		{ { "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=linux_raid_member\n" },
		  "raid-member" },
		{ { "run/udev/data/b8:1", "I:1\nE:ID_FS_TYPE=isw_raid_member\n" }, "raid-member" },
		{ { "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=LVM2_member\n" }, "" }, /* unused */
		{ { "run/udev/data/b8:1", "I:1\nE:ID_FS_TYPE=LVM2_member\n",
		    "sys/block/sda/sda1/holders/dm-0/x", "" },
		  "pv-in-use" },
		/* without a word of udev's */
		{ { "sys/block/sda/sda1/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "LVM-x" },
		  "pv-in-use" },
		{ { "sys/block/sda/holders/md0/x", "", "sys/block/md0/size", "8" }, "raid-member" },
		{ { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "mpath-x" },
		  "multipath-member" },
		{ { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "CRYPT-x" },
		  "in-use" },
		{ { "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=mpath_member\n" },
		  "multipath-member" },
		{ { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "part1-mpath-x" },
		  "" },
		{ { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "part1-mpath-x",
		    "sys/block/dm-0/holders/dm-1/x", "", "sys/block/dm-1/dm/uuid", "LVM-x" },
		  "pv-in-use" },
		/* said once, and only of what stands right on it */
		{ { "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=linux_raid_member\n",
		    "sys/block/sda/holders/md0/x", "", "sys/block/md0/holders/dm-0/x", "",
		    "sys/block/dm-0/dm/uuid", "LVM-x" },
		  "raid-member" },
		{ { "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=ext4\n" }, "" },
		{ { "sys/block/sda/ro", "1" }, "read-only" },
		{ { "sys/block/sda/queue/zoned", "host-aware" }, "" },
		{ { "sys/block/sda/queue/zoned", "host-managed" }, "zoned-host-managed" },
		{ { "run/udev/data/b8:0", "S:disk/by-id/wwn-0x1\nI:1\n", "run/udev/data/b8:16",
		    "S:disk/by-id/wwn-0x1\nI:1\n" },
		  "duplicate-id" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char codes[128] = "";
		tree_init(&t);
		add_disks(&t, "sda 8:0 sdb 8:16");
		tree_files(&t, "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
			   NULL);
		for (int k = 0; k < 8 && tests[i].files[k]; k += 2)
			tree_file(&t, tests[i].files[k], tests[i].files[k + 1]);
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sda");
		for (size_t w = 0; w < d->warning_count; w++)
			strcat(codes, d->warnings[w].code);
		if (strcmp(codes, tests[i].codes))
			fail_msg("case %zu: %s, not %s", i, codes, tests[i].codes);
		assert_int_equal(d->reason_count, 0);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_warnings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
