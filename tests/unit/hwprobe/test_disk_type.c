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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
