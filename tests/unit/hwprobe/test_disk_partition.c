/* Partitions, and where a disk stands on the bus. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/probe.h"
#include "tests/unit/hwprobe/disks.h"

#define DISK "sys/devices/pci0000:00/0000:00:1f.2/0000:03:00.0/nvme/nvme0/nvme0n1"

static void test_disk(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(
		&t, DISK "/size", "4096\n", DISK "/dev", "259:0\n", DISK "/nvme0n1p1/partition",
		"1\n", DISK "/nvme0n1p1/dev", "259:1\n", DISK "/nvme0n1p1/start", "34\n",
		DISK "/nvme0n1p1/size", "2048\n", DISK "/nvme0n1p1/holders/dm-0/x", "",
		"sys/devices/pci0000:00/0000:00:1f.2/0000:03:00.0/numa_node", "1\n",
		"sys/devices/pci0000:00/0000:00:1f.2/numa_node", "0\n",
		"sys/devices/pci0000:00/0000:00:1f.2/0000:03:00.0/nvme/nvme0/subsysnqn",
		"nqn.2014-08.org.example:x\n", "run/udev/data/b259:0",
		"I:1\nE:ID_PART_TABLE_TYPE=gpt\n", "run/udev/data/b259:1",
		"I:1\nE:ID_PART_ENTRY_NAME=EFI\\x20System\nE:ID_PART_ENTRY_UUID=u-1\nE:ID_PART_ENTRY_TYPE=t-1\n"
		"E:ID_FS_TYPE=vfat\nE:ID_FS_UUID=1234-ABCD\nE:ID_FS_LABEL=ESP\n",
		"proc/self/mountinfo", "1 0 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw\n", NULL);
	tree_link(&t, "sys/block/nvme0n1",
		  "../devices/pci0000:00/0000:00:1f.2/0000:03:00.0/nvme/nvme0/nvme0n1");
	tree_link(&t, DISK "/device", "../../nvme0");
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	assert_int_equal(hwp_disk_count(inv), 1);
	const struct hwp_disk *d = hwp_disk_at(inv, 0);
	assert_string_equal(d->pci_address.s, "0000:03:00.0");
	assert_int_equal(d->numa_node.v, 1);
	assert_string_equal(d->partition_table.s, "gpt");
	assert_string_equal(d->nvme.nqn.s, "nqn.2014-08.org.example:x");
	assert_int_equal(d->partition_count, 1);
	const struct hwp_partition *p = &d->partitions[0];
	assert_string_equal(p->name.s, "nvme0n1p1");
	assert_int_equal(p->number.v, 1);
	assert_int_equal(p->start_bytes.v, 34 * 512);
	assert_int_equal(p->size_bytes.v, 2048 * 512);
	assert_string_equal(p->label.s, "EFI System");
	assert_string_equal(p->uuid.s, "u-1");
	assert_string_equal(p->type.s, "t-1");
	assert_string_equal(p->fs_type.s, "vfat");
	assert_string_equal(p->fs_uuid.s, "1234-ABCD");
	assert_string_equal(p->fs_label.s, "ESP");
	assert_string_equal(p->holders.s, "dm-0");
	assert_int_equal(p->mounts.n, 1);
	assert_string_equal(p->mounts.v[0], "/boot/efi");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_pci_addresses(void **state)
{
	static const struct {
		const char *path, *address;
	} tests[] = {
		{ "sys/devices/pci0000:00/0000:00:1f.2/ata1", "0000:00:1f.2" },
		{ "sys/devices/pci0000:00/0000:00:1c.0/0000:03:00.1/nvme", "0000:03:00.1" },
		{ "sys/devices/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme", "10000:e1:00.0" },
		{ "sys/devices/virtual/block/dm-0", NULL },
		{ "sys/devices/pci0000:00/000:00:1f.2/x", NULL },
		{ "sys/devices/pci0000:00/0000:00:1f/x", NULL },
		{ "sys/devices/pci0000:00/0000:00:1f.2x/x", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct arena a = { 0 };
		const char *got = pci_address_in(&a, tests[i].path);
		if (!got != !tests[i].address || (got && strcmp(got, tests[i].address)))
			fail_msg("%s: %s", tests[i].path, got);
		arena_done(&a);
	}
}

/* Of the whole disk: what libblkid told udev. */
static void test_whole(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16");
	tree_files(&t, "run/udev/data/b8:0",
		   "I:1\nE:ID_FS_TYPE=xfs\nE:ID_FS_UUID=u-1\nE:ID_FS_LABEL=data\n",
		   "run/udev/data/b8:16",
		   "I:1\nE:ID_PART_TABLE_TYPE=gpt\nE:ID_PART_TABLE_UUID=u-2\n",
		   "proc/self/mountinfo",
		   "1 0 8:0 / /a rw - xfs x rw\n2 0 8:0 / /b rw - xfs x rw\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *a = disk(inv, "sda"), *b = disk(inv, "sdb");
	assert_string_equal(a->fs_type.s, "xfs");
	assert_string_equal(a->fs_uuid.s, "u-1");
	assert_string_equal(a->fs_label.s, "data");
	assert_string_equal(a->fs_label.source, "udev ID_FS_LABEL");
	assert_int_equal(a->mounts.n, 2);
	assert_string_equal(a->mounts.v[1], "/b");
	assert_int_equal(a->partition_count, 0);
	assert_null(a->numa_node.source);
	assert_string_equal(b->partition_table.s, "gpt");
	assert_string_equal(b->partition_table_uuid.s, "u-2");
	assert_null(b->fs_type.s);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_pci_addresses),
		cmocka_unit_test(test_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
