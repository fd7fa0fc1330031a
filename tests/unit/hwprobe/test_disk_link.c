/* Persistent names: who owns a link, and which of several is taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

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
		"run/udev/data/b8:16",
		"S:disk/by-id/wwn-0x9\nL:-10\nI:1\nE:ID_WWN=0x9\nE:ID_PATH=not-linked\n",
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
	assert_null(disk(inv, "sdb")->by_path.s);
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

/* Without a database the links in /dev themselves count. */
static void test_without_udev(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 nvme0n1 259:0 vda 254:0 vdb 254:16");
	tree_link(&t, "dev/disk/by-id/wwn-0x1", "../../sda");
	tree_link(&t, "dev/disk/by-id/wwn-0x2", "../../sda");
	tree_link(&t, "dev/disk/by-id/zzz-3", "../../sda");
	tree_link(&t, "dev/disk/by-id/wwn-0x1-part1", "../../sda1");
	tree_link(&t, "dev/disk/by-id/nvme-eui.0025", "../../nvme0n1");
	tree_link(&t, "dev/disk/by-id/nvme-uuid.1", "../../nvme0n1");
	tree_link(&t, "dev/disk/by-path/pci-1", "../../sdb");
	/* Of several spellings that of ID_PATH, which the service knows the disk by. */
	tree_link(&t, "dev/disk/by-path/pci-0-usb-0:1:1.0-scsi-0:0:0:0", "../../sda");
	tree_link(&t, "dev/disk/by-path/pci-0-usbv3-0:1:1.0-scsi-0:0:0:0", "../../sda");
	tree_link(&t, "dev/disk/by-path/pci-0000:00:07.0", "../../vda");
	tree_link(&t, "dev/disk/by-path/virtio-pci-0000:00:07.0", "../../vda");
	tree_link(&t, "dev/disk/by-path/virtio-pci-0000:00:08.0", "../../vdb");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->by_id.s, "/dev/disk/by-id/wwn-0x2");
	assert_string_equal(disk(inv, "sda")->by_id.source, "dev/disk");
	assert_string_equal(disk(inv, "nvme0n1")->by_id.s, "/dev/disk/by-id/nvme-eui.0025");
	assert_null(disk(inv, "sdb")->by_id.s);
	assert_string_equal(disk(inv, "sdb")->id.s, "/dev/disk/by-path/pci-1");
	assert_string_equal(disk(inv, "sda")->by_path.s,
			    "/dev/disk/by-path/pci-0-usb-0:1:1.0-scsi-0:0:0:0");
	assert_string_equal(disk(inv, "vda")->by_path.s, "/dev/disk/by-path/pci-0000:00:07.0");
	assert_string_equal(disk(inv, "vdb")->by_path.s,
			    "/dev/disk/by-path/virtio-pci-0000:00:08.0");
	assert_null(disk(inv, "nvme0n1")->by_path.s);
	hwp_unref(inv);
	tree_done(&t);
}

/* Two disks with one name are told, both; the third has its own. */
static void test_conflict(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32");
	tree_files(&t, "run/udev/data/b8:0", "S:disk/by-id/wwn-0x7\nI:1\n", "run/udev/data/b8:16",
		   "S:disk/by-id/wwn-0x7\nS:disk/by-path/p\nI:1\nE:ID_PATH=p\n",
		   "run/udev/data/b8:32", "S:disk/by-id/wwn-0x8\nI:1\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_true(disk(inv, "sda")->id_conflict.v);
	assert_true(disk(inv, "sdb")->id_conflict.v);
	assert_null(disk(inv, "sdc")->id_conflict.source);
	assert_string_equal(disk(inv, "sda")->id.s, "/dev/disk/by-id/wwn-0x7");
	assert_string_equal(disk(inv, "sdb")->id.s, "/dev/disk/by-path/p");
	assert_string_equal(disk(inv, "sdb")->by_id.s, "/dev/disk/by-id/wwn-0x7");
	hwp_unref(inv);
	tree_done(&t);
}

/* Of two that claim a link with the same priority it is the one that the link leads to. */
static void test_the_link_decides(void **state)
{
	static const struct {
		const char *what, *target, *ids[2], *by_ids[2];
	} cases[] = {
		{ "the second has it",
		  "../../sdb",
		  { "/dev/disk/by-path/a", "/dev/disk/by-id/wwn-0x7" },
		  { NULL, "/dev/disk/by-id/wwn-0x7" } },
		{ "the first has it",
		  "../../sda",
		  { "/dev/disk/by-id/wwn-0x7", "/dev/sdb" },
		  { "/dev/disk/by-id/wwn-0x7", NULL } },
		{ "it leads to one that does not claim it",
		  "../../sdc",
		  { "/dev/disk/by-id/wwn-0x7", "/dev/sdb" },
		  { "/dev/disk/by-id/wwn-0x7", "/dev/disk/by-id/wwn-0x7" } },
		{ "it leads nowhere",
		  "../../sdz",
		  { "/dev/disk/by-id/wwn-0x7", "/dev/sdb" },
		  { "/dev/disk/by-id/wwn-0x7", "/dev/disk/by-id/wwn-0x7" } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32");
		tree_files(&t, "run/udev/data/b8:0",
			   "S:disk/by-id/wwn-0x7\nS:disk/by-path/a\nI:1\nE:ID_PATH=a\n",
			   "run/udev/data/b8:16", "S:disk/by-id/wwn-0x7\nI:1\n",
			   "run/udev/data/b8:32", "I:1\n", NULL);
		tree_link(&t, "dev/disk/by-id/wwn-0x7", cases[i].target);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		for (int j = 0; j < 2; j++) {
			const struct hwp_disk *d = disk(inv, j ? "sdb" : "sda");
			print_message("%s: %s\n", cases[i].what, d->name.s);
			assert_string_equal(d->id.s, cases[i].ids[j]);
			if (cases[i].by_ids[j])
				assert_string_equal(d->by_id.s, cases[i].by_ids[j]);
			else
				assert_null(d->by_id.s);
			assert_true(d->id_conflict.v);
		}
		assert_null(disk(inv, "sdc")->id_conflict.source);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* The link of a priority that somebody has alone is not looked at. */
static void test_priorities_that_come_late(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32 sdd 8:48");
	tree_files(&t, "run/udev/data/b8:0", "S:disk/by-id/wwn-0x7\nI:1\n", "run/udev/data/b8:16",
		   "S:disk/by-id/wwn-0x7\nI:1\n", "run/udev/data/b8:32",
		   "S:disk/by-id/wwn-0x7\nL:50\nI:1\n", "run/udev/data/b8:48",
		   "S:disk/by-id/wwn-0x7\nL:10\nI:1\n", NULL);
	tree_link(&t, "dev/disk/by-id/wwn-0x7", "../../sda");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_null(disk(inv, "sda")->by_id.s);
	assert_null(disk(inv, "sdb")->by_id.s);
	assert_string_equal(disk(inv, "sdc")->by_id.s, "/dev/disk/by-id/wwn-0x7");
	assert_null(disk(inv, "sdd")->by_id.s);
	for (const char *const *n = (const char *const[]){ "sda", "sdb", "sdc", "sdd", NULL }; *n;
	     n++)
		assert_null(disk(inv, *n)->id_conflict.source);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_without_udev),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_the_link_decides),
		cmocka_unit_test(test_priorities_that_come_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
