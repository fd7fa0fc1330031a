/* Disks: what is listed, names and types, what makes them ineligible; one small tree per rule. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static void add_disk(struct tree *t, const char *name, const char *dev)
{
	char path[128];
	snprintf(path, sizeof(path), "sys/block/%s/size", name);
	tree_file(t, path, "2048\n");
	snprintf(path, sizeof(path), "sys/block/%s/dev", name);
	tree_file(t, path, dev);
}

/* "name dev name dev …" */
static void add_disks(struct tree *t, const char *list)
{
	char name[32], dev[32];
	for (int n; list && sscanf(list, "%31s %31s%n", name, dev, &n) == 2; list += n)
		add_disk(t, name, dev);
}

static const struct hwp_disk *disk(const struct hwp_inventory *inv, const char *name)
{
	for (size_t i = 0; i < hwp_disk_count(inv); i++)
		if (!strcmp(hwp_disk_at(inv, i)->name.s, name))
			return hwp_disk_at(inv, i);
	return NULL;
}

static void join_codes(const struct hwp_disk *d, char *ret, size_t size)
{
	*ret = '\0';
	for (size_t i = 0; i < d->reason_count; i++)
		snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", i ? " " : "",
			 d->reasons[i].code);
}

struct case_files {
	const char *what, *disks, *files[16], *name;
	const char *type;  /* NULL = must not be listed */
	const char *codes; /* reasons; NULL = not looked at */
};

#define MOUNTS "proc/self/mountinfo"
#define SWAPS "proc/swaps"
#define ISCSI(n) "run/udev/data/b8:0", "I:1\nE:ID_PATH=ip-192.0.2.1:3260-iscsi-iqn.x-lun-0\n"

static const struct case_files cases[] = {
	{ "plain", "sda 8:0", { NULL }, "sda", "HDD", "" },
	{ "not rotational", "sda 8:0", { "sys/block/sda/queue/rotational", "0" }, "sda", "SSD", "" },
	{ "optical drives are asked nothing",
	  "sr0 11:0",
	  { "sys/block/sr0/queue/rotational", "0" },
	  "sr0",
	  "ODD",
	  "installation-media" },
	{ "NVMe",
	  "nvme0n1 259:0",
	  { "sys/block/nvme0n1/queue/rotational", "1" },
	  "nvme0n1",
	  "SSD",
	  "" },
	{ "MMC", "mmcblk0 179:0", { NULL }, "mmcblk0", "SSD", "" },
	{ "Xen", "xvda 202:0", { NULL }, "xvda", "HDD", "" },
	{ "floppy with medium", "fd0 2:0", { NULL }, "fd0", "FDD", "unknown-controller" },
	{ "network block device", "nbd0 43:0", { NULL }, "nbd0", "Unknown", "unknown-controller" },
	{ "drbd", "drbd0 147:0", { NULL }, "drbd0", "Unknown", "unknown-controller" },
	{ "persistent memory", "pmem0 259:0", { NULL }, "pmem0", "Unknown", "unknown-controller" },
	{ "smart array",
	  "cciss!c0d0 104:0",
	  { NULL },
	  "cciss/c0d0",
	  "Unknown",
	  "unknown-controller" },
	{ "md", "md0 9:0", { NULL }, "md0", "RAID", "" },
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
	{ "logical volume",
	  "dm-0 253:0",
	  { "sys/block/dm-0/dm/uuid", "LVM-x" },
	  "dm-0",
	  "LVM",
	  "lvm-volume" },
	{ "multipath",
	  "dm-0 253:0",
	  { "sys/block/dm-0/dm/uuid", "mpath-x" },
	  "dm-0",
	  "Multipath",
	  "" },
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
	{ "FC by id path",
	  "sda 8:0",
	  { "run/udev/data/b8:0", "I:1\nE:ID_PATH=pci-0000:00:02.0-fc-0x5-lun-1\n" },
	  "sda",
	  "FC",
	  "" },
	{ "FC on POWER",
	  "sda 8:0",
	  { "run/udev/data/b8:0", "I:1\nE:ID_PATH=fc-0x5-lun-1\n" },
	  "sda",
	  "FC",
	  "" },
	{ "DASD",
	  "dasda 94:0",
	  { "sys/block/dasda/device/discipline", "ECKD", "sys/block/dasda/device/ese", "0" },
	  "dasda",
	  "ECKD",
	  "" },
	/* use */
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
	/* iSCSI */
	{ "iSCSI without anything",
	  "sda 8:0",
	  { ISCSI(0) },
	  "sda",
	  "iSCSI",
	  "iscsi-state-unreadable iscsi-no-session" },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct case_files *c = &cases[i];
		struct tree t;
		char codes[512];
		tree_init(&t);
		add_disks(&t, c->disks);
		for (int k = 0; c->files[k]; k += 2)
			tree_file(&t, c->files[k], c->files[k + 1]);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, c->name);
		print_message("%s\n", c->what);
		assert_int_equal(d != NULL, c->type != NULL);
		if (d)
			assert_string_equal(d->drive_type.s, c->type);
		if (d && c->codes) {
			join_codes(d, codes, sizeof(codes));
			assert_string_equal(codes, c->codes);
		}
		hwp_unref(inv);
		tree_done(&t);
	}
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
		assert_int_equal(d->iscsi.host_ip_address.s != NULL, strstr(tests[i].dir, "host9") != NULL);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* --- identity ------------------------------------------------------------------------------------------------------ */

static void test_serials(void **state)
{
	static const struct {
		const char *disks, *name, *files[8], *serial;
	} tests[] = {
		{ "sda 8:0",
		  "sda",
		  { "run/udev/data/b8:0",
		    "I:1\nE:ID_SERIAL=d\nE:ID_SERIAL_SHORT=c\nE:ID_SCSI_SERIAL=b\nE:SCSI_IDENT_SERIAL=a\n" },
		  "a" },
		{ "sda 8:0",
		  "sda",
		  { "run/udev/data/b8:0",
		    "I:1\nE:ID_SERIAL=d\nE:ID_SERIAL_SHORT=c\nE:ID_SCSI_SERIAL=b\n" },
		  "b" },
		{ "sda 8:0",
		  "sda",
		  { "run/udev/data/b8:0", "I:1\nE:ID_SERIAL=d\nE:ID_SERIAL_SHORT=c\n" },
		  "c" },
		{ "sda 8:0", "sda", { "run/udev/data/b8:0", "I:1\nE:ID_SERIAL=d\n" }, "d" },
		{ "vda 254:0", "vda", { "sys/block/vda/serial", "virt-1\n" }, "virt-1" },
		{ "nvme0n1 259:0",
		  "nvme0n1",
		  { "sys/block/nvme0n1/device/serial", "  S1   \n" },
		  "S1" },
		{ "md0 9:0", "md0", { "run/udev/data/b9:0", "I:1\nE:ID_SERIAL=x\n" }, NULL },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "run/udev/data/b253:0",
		    "I:1\nE:DM_SERIAL=m\nE:ID_SERIAL=x\n" },
		  "m" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_disks(&t, tests[i].disks);
		for (int k = 0; tests[i].files[k]; k += 2)
			tree_file(&t, tests[i].files[k], tests[i].files[k + 1]);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const char *got = disk(inv, tests[i].name)->serial.s;
		assert_string_equal(got ? got : "", tests[i].serial ? tests[i].serial : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_vpd_pages(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32");
	tree_write(&t, "sys/block/sda/device/vpd_pg80", "\0\x80\0\x08 SER123 ", 12);
	tree_write(&t, "sys/block/sdb/device/vpd_pg80",
		   "\0\x80\xff\xff"
		   "AB",
		   6); /* length behind the end */
	tree_write(&t, "sys/block/sdc/device/vpd_pg80",
		   "\0\x83\0\x02"
		   "AB",
		   6); /* another page */
	tree_file(&t, "sys/block/sda/device/wwid", "naa.5000c500a1b2c3d4\n");
	tree_file(&t, "sys/block/sdb/device/wwid", "t10.ATA     X\n");
	tree_write(&t, "sys/block/sda/device/vpd_pg83", "\0\x83\0\4", 4);
	tree_file(&t, "sys/block/sdb/device/vpd_pg83", "");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->serial.s, "SER123");
	assert_string_equal(disk(inv, "sdb")->serial.s, "AB");
	assert_null(disk(inv, "sdc")->serial.s);
	assert_string_equal(disk(inv, "sda")->wwn.s, "0x5000c500a1b2c3d4");
	assert_null(disk(inv, "sdb")->wwn.s);
	assert_true(disk(inv, "sda")->has_uuid.v);
	assert_false(disk(inv, "sdb")->has_uuid.v);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_links(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32 sdd 8:48 sde 8:64");
	tree_files(
		&t,
		/* the byte-wise last of the stable ones; others do not count */
		"run/udev/data/b8:0",
		"S:disk/by-id/wwn-0x1\nS:disk/by-id/wwn-0x2\nS:disk/by-id/zzz-3\nS:disk/by-path/p1\nI:1\nE:ID_PATH=p1\n",
		/* loses the link to a higher priority */
		"run/udev/data/b8:16", "S:disk/by-id/wwn-0x9\nL:-10\nI:1\nE:ID_WWN=0x9\n",
		"run/udev/data/b8:32", "S:disk/by-id/wwn-0x9\nL:0\nI:1\n",
		/* one path for two disks, so no by_path for either; ids that are the same stay with the first */
		"run/udev/data/b8:48",
		"S:disk/by-path/shared\nS:disk/by-id/wwn-0x7\nI:1\nE:ID_PATH=shared\n",
		"run/udev/data/b8:64",
		"S:disk/by-path/shared\nS:disk/by-id/wwn-0x7\nI:1\nE:ID_PATH=shared\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->by_id.s, "/dev/disk/by-id/wwn-0x2");
	assert_string_equal(disk(inv, "sda")->by_path.s, "/dev/disk/by-path/p1");
	assert_string_equal(disk(inv, "sda")->wwn.s, "0x2");
	assert_null(disk(inv, "sdb")->by_id.s);
	assert_string_equal(disk(inv, "sdb")->id.s, "/dev/sdb");
	assert_string_equal(disk(inv, "sdc")->by_id.s, "/dev/disk/by-id/wwn-0x9");
	assert_null(disk(inv, "sdd")->by_path.s);
	assert_string_equal(disk(inv, "sdd")->id.s, "/dev/disk/by-id/wwn-0x7");
	assert_string_equal(disk(inv, "sde")->id.s, "/dev/sde");
	assert_ptr_equal(hwp_disk_find(inv, "/dev/disk/by-path/p1"), disk(inv, "sda"));
	assert_ptr_equal(hwp_disk_find(inv, "/dev/sdb"), disk(inv, "sdb"));
	assert_null(hwp_disk_find(inv, "/dev/none"));
	hwp_unref(inv);
	tree_done(&t);
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

/* --- the medium that the system was booted from: nothing of it needs to be mounted ------------------------------------ */

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

/* --- the boot signature, and which devices are not even opened --------------------------------------------------- */

static void test_bootable(void **state)
{
	static const struct {
		const char *disks, *name, *files[6];
		bool is_read;
	} tests[] = {
		{ "sda 8:0", "sda", { NULL }, true },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "running" }, true },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "offline" }, false },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "blocked" }, false },
		{ "nvme0n1 259:0", "nvme0n1", { "sys/block/nvme0n1/device/state", "live" }, true },
		{ "nvme0n1 259:0",
		  "nvme0n1",
		  { "sys/block/nvme0n1/device/state", "connecting" },
		  false },
		{ "sr0 11:0", "sr0", { NULL }, false },
		{ "fd0 2:0", "fd0", { NULL }, false },
		{ "dm-0 253:0", "dm-0", { "sys/block/dm-0/dm/uuid", "LVM-x" }, true },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "LVM-x", "sys/block/dm-0/dm/suspended", "1" },
		  false },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x" },
		  false }, /* no path at all */
		{ "dm-0 253:0 sda 8:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "sys/block/dm-0/slaves/sda/x", "" },
		  true },
		{ "dm-0 253:0 sda 8:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "sys/block/dm-0/slaves/sda/x", "",
		    "sys/block/sda/device/state", "offline" },
		  false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char path[64], sector[512] = { 0 };
		memcpy(sector + 510, "\x55\xaa", 2);
		tree_init(&t);
		add_disks(&t, tests[i].disks);
		for (int k = 0; k < 6 && tests[i].files[k]; k += 2)
			tree_file(&t, tests[i].files[k], tests[i].files[k + 1]);
		snprintf(path, sizeof(path), "dev/%s", tests[i].name);
		tree_write(&t, path, sector, sizeof(sector));
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		if (disk(inv, tests[i].name)->bootable.v != tests[i].is_read)
			fail_msg("case %zu: %s", i, tests[i].name);
		hwp_unref(inv);
		struct hwp_inventory *untouched = NULL;
		assert_int_equal(tree_try(&t,
					  (struct hwp_options){ .parts = HWP_DISKS,
								.flags = HWP_NO_DEVICE_READ },
					  &untouched),
				 0);
		assert_false(disk(untouched, tests[i].name)->bootable.v);
		hwp_unref(untouched);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),       cmocka_unit_test(test_iscsi),
		cmocka_unit_test(test_serials),     cmocka_unit_test(test_vpd_pages),
		cmocka_unit_test(test_links),       cmocka_unit_test(test_appliance),
		cmocka_unit_test(test_boot_medium), cmocka_unit_test(test_bootable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
