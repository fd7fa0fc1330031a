/* What forbids an installation on a disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static const struct disk_case cases[] = {
	{ "mounted",
	  "sda 8:0",
	  { MOUNTS, "1 1 8:0 / / rw - ext4 /dev/sda rw\n" },
	  "sda",
	  "HDD",
	  "in-use-through-holder" },
	{ "partition mounted",
	  "sda 8:0",
	  { "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1", MOUNTS,
	    "1 1 8:1 / / rw - ext4 x rw\n" },
	  "sda",
	  "HDD",
	  "partition-mounted" },
	{ "two partitions mounted",
	  "sda 8:0",
	  { "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
	    "sys/block/sda/sda2/partition", "2", "sys/block/sda/sda2/dev", "8:2", MOUNTS,
	    "1 1 8:1 / /a rw - ext4 x rw\n1 1 8:2 / /b rw - ext4 x rw\n1 1 8:2 / /c rw - ext4 x rw\n" },
	  "sda",
	  "HDD",
	  "partition-mounted partition-mounted" },
	{ "btrfs by source",
	  "sda 8:0",
	  { "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1", MOUNTS,
	    "1 1 0:40 / / rw - btrfs /dev/sda1 rw\n" },
	  "sda",
	  "HDD",
	  "partition-mounted" },
	{ "other member of btrfs",
	  "sda 8:0 sdb 8:16",
	  { "sys/fs/btrfs/uuid/devices/sdb/dev", "8:16", "sys/fs/btrfs/uuid/devices/sda/dev", "8:0",
	    MOUNTS, "1 1 0:40 / / rw - btrfs /dev/sda rw\n" },
	  "sdb",
	  "HDD",
	  "in-use-through-holder" },
	{ "bcachefs",
	  "sda 8:0 sdb 8:16",
	  { MOUNTS, "1 1 8:0 / / rw - bcachefs /dev/sda:/dev/sdb rw\n" },
	  "sdb",
	  "HDD",
	  "in-use-through-holder" },
	{ "swap",
	  "sda 8:0",
	  { SWAPS, "Filename Type\n/dev/sda partition 1 0 -2\n" },
	  "sda",
	  "HDD",
	  "swap-active" },
	{ "swap on a partition",
	  "sda 8:0",
	  { "sys/block/sda/sda1/partition", "1", SWAPS,
	    "Filename Type\n/dev/sda1 partition 1 0 -2\n" },
	  "sda",
	  "HDD",
	  "swap-active" },
	{ "held and unused",
	  "sda 8:0 dm-0 253:0",
	  { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "LVM-x" },
	  "sda",
	  "HDD",
	  "" },
	{ "held and mounted",
	  "sda 8:0 dm-0 253:0",
	  { "sys/block/sda/holders/dm-0/x", "", "sys/block/dm-0/dm/uuid", "LVM-x", MOUNTS,
	    "1 1 253:0 / /var rw - xfs y rw\n" },
	  "sda",
	  "HDD",
	  "in-use-through-holder" },
	{ "held through three layers",
	  "sda 8:0 md0 9:0 dm-0 253:0",
	  { "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/holders/md0/x", "",
	    "sys/block/md0/md0p1/partition", "1", "sys/block/md0/md0p1/holders/dm-0/x", "",
	    "sys/block/dm-0/dm/name", "home", SWAPS, "F T\n/dev/mapper/home partition 1 0 1\n" },
	  "sda",
	  "HDD",
	  "in-use-through-holder" },
	{ "holders in a circle",
	  "dm-0 253:0 dm-1 253:1",
	  { "sys/block/dm-0/holders/dm-1/x", "", "sys/block/dm-1/holders/dm-0/x", "",
	    "sys/block/dm-0/dm/uuid", "mpath-x" },
	  "dm-0",
	  "Multipath",
	  "" },
	{ "installation medium",
	  "sdb 8:16",
	  { "sys/block/sdb/sdb1/partition", "1", "sys/block/sdb/sdb1/dev", "8:17", MOUNTS,
	    "1 1 8:17 / /run/media/iso ro - iso9660 z ro\n" },
	  "sdb",
	  "HDD",
	  "installation-media partition-mounted" },
	{ "agent partition",
	  "sda 8:0",
	  { "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
	    "run/udev/data/b8:1", "I:1\nE:ID_PART_ENTRY_NAME=agentdata\n", MOUNTS,
	    "1 1 8:1 / / rw - ext4 x rw\n" },
	  "sda",
	  "HDD",
	  "" },
	{ "iSCSI without anything",
	  "sda 8:0",
	  { ISCSI(0) },
	  "sda",
	  "iSCSI",
	  "iscsi-state-unreadable iscsi-no-session" },
};

static void test_cases(void **state)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

/* --- iSCSI: the session is an ancestor, at whatever depth ------------------------------------------------------- */

static void test_iscsi(void **state)
{
	static const struct {
		const char *dir, *state, *target, *ibft, *codes;
	} tests[] = {
		{ "platform/host2/session1/target2:0:0/2:0:0:0", "running", "iqn.a", "iqn.a", "" },
		{ "pci0000:00/0000:00:03.0/0000:04:00.1/host9/session1/target9:0:0/9:0:0:0",
		  "running", "iqn.a", "iqn.a", "" },
		{ "platform/host2/session1/target2:0:0/2:0:0:0", "blocked", "iqn.a", "iqn.a",
		  "iscsi-not-running" },
		{ "platform/host2/session1/target2:0:0/2:0:0:0", "running", "iqn.a", "iqn.b",
		  "not-in-ibft" },
		{ "platform/host2/session1/target2:0:0/2:0:0:0", "running", "iqn.a", NULL,
		  "ibft-missing" },
		{ "platform/host2/session1/target2:0:0/2:0:0:0", "running", NULL, "iqn.a",
		  "iscsi-no-target" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char path[256], target[256], codes[256];
		tree_init(&t);
		snprintf(target, sizeof(target), "../devices/%s/block/sda", tests[i].dir);
		tree_link(&t, "sys/block/sda", target);
		snprintf(path, sizeof(path), "sys/devices/%s/block/sda/size", tests[i].dir);
		tree_file(&t, path, "2048");
		snprintf(path, sizeof(path), "sys/devices/%s/block/sda/device", tests[i].dir);
		tree_link(&t, path, "../..");
		snprintf(path, sizeof(path), "sys/devices/%s/state", tests[i].dir);
		tree_file(&t, path, tests[i].state);
		if (tests[i].target)
			tree_file(&t, "sys/class/iscsi_session/session1/targetname",
				  tests[i].target);
		if (tests[i].ibft)
			tree_file(&t, "sys/firmware/ibft/target0/target-name", tests[i].ibft);
		tree_file(&t, "sys/class/iscsi_host/host9/ipaddress", "192.0.2.9\n");
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sda");
		assert_string_equal(d->drive_type.s, "iSCSI");
		join_codes(d, codes, sizeof(codes));
		assert_string_equal(codes, tests[i].codes);
		assert_int_equal(d->iscsi.host_ip_address.s != NULL,
				 strstr(tests[i].dir, "host9") != NULL);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_iscsi),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
