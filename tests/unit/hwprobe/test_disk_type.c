/* Drive types, by name, by path, by device-mapper. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static const struct disk_case cases[] = {
	{ "not rotational", "sda 8:0", { "sys/block/sda/queue/rotational", "0" }, "sda", "SSD", "" },
	{ "NVMe",
	  "nvme0n1 259:0",
	  { "sys/block/nvme0n1/queue/rotational", "1" },
	  "nvme0n1",
	  "SSD",
	  "" },
	{ "MMC", "mmcblk0 179:0", { NULL }, "mmcblk0", "SSD", "" },
	{ "Xen", "xvda 202:0", { NULL }, "xvda", "HDD", "" },
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
	{ "floppy with medium", "fd0 2:0", { NULL }, "fd0", "FDD", "unknown-controller" },
};

static void test_cases(void **state)
{
	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

/* Without udev the place in sysfs tells how a disk is attached, and that may be its type. */
static void test_transports(void **state)
{
	static const struct {
		const char *place, *transport, *type;
	} tests[] = {
		{ "pci0000:00/0000:00:02.0/host1/rport-1:0-2/target1:0:0/1:0:0:1/block", "fc",
		  "FC" },
		{ "platform/host2/session1/target2:0:0/2:0:0:0/block", "iscsi", "iSCSI" },
		{ "pci0000:00/0000:00:14.0/usb2/2-1/host6/target6:0:0/6:0:0:0/block", "usb",
		  "HDD" },
		{ "pci0000:00/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block", "sas",
		  "HDD" },
		{ "pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block", "ata", "HDD" },
		{ "LNXSYSTM:00/VMBUS:00/vmbus_0_1/host0/target0:0:0/0:0:0:0/block", "vmbus",
		  "HDD" },
		{ "LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00/f8b3781a-1e82-4818-a1c3-"
		  "63d806ec15bb/host0/target0:0:0/0:0:0:0/block",
		  "vmbus", "HDD" },
		{ "LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/MSFT1000:00/f8b3781a-1e82-4818-a1c3-"
		  "63d806ec15bb/host0/target0:0:0/0:0:0:0/block",
		  "vmbus", "HDD" },
		{ "pci0000:00/0000:00:05.0/virtio2/host3/target3:0:0/3:0:0:0/block", "virtio",
		  "HDD" },
		{ "platform/host7/target7:0:0/7:0:0:0/block", NULL, "HDD" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char path[256];
		tree_init(&t);
		snprintf(path, sizeof(path), "sys/devices/%s/sda/size", tests[i].place);
		tree_file(&t, path, "2048");
		snprintf(path, sizeof(path), "../devices/%s/sda", tests[i].place);
		tree_link(&t, "sys/block/sda", path);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sda");
		assert_string_equal(d->transport.s ? d->transport.s : "",
				    tests[i].transport ? tests[i].transport : "");
		assert_string_equal(d->drive_type.s, tests[i].type);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Where udev names a path, that decides, and not the place. */
static void test_path_decides(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "sys/devices/host1/rport-1:0-2/1:0:0:1/block/sda/size", "2048");
	tree_file(&t, "sys/devices/host1/rport-1:0-2/1:0:0:1/block/sda/dev", "8:0");
	tree_link(&t, "sys/block/sda", "../devices/host1/rport-1:0-2/1:0:0:1/block/sda");
	tree_file(&t, "run/udev/data/b8:0", "I:1\nE:ID_PATH=pci-0000:00:02.0-scsi-0:0:0:0\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->drive_type.s, "HDD");
	assert_string_equal(disk(inv, "sda")->transport.s, "fc");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_dasd(void **state)
{
	static const struct {
		const char *discipline, *ese, *type;
	} tests[] = {
		{ "ECKD", "1", "ECKD (ESE)" }, { "ECKD", NULL, "ECKD" },  { "FBA", "1", "FBA" },
		{ "DIAG", NULL, "Unknown" },   { NULL, NULL, "Unknown" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_disks(&t, "dasda 94:0");
		if (tests[i].discipline)
			tree_file(&t, "sys/block/dasda/device/discipline", tests[i].discipline);
		if (tests[i].ese)
			tree_file(&t, "sys/block/dasda/device/ese", tests[i].ese);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		assert_string_equal(disk(inv, "dasda")->drive_type.s, tests[i].type);
		assert_int_equal(disk(inv, "dasda")->reason_count, 0);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_path_decides),
		cmocka_unit_test(test_dasd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
