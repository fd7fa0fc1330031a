/* Numbers and flags of disks that only the full format shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"
#include "tests/unit/hwprobe/images.h"

static void test_numbers(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16");
	tree_files(&t, "run/udev/data/b8:0",
		   "I:1\nE:ID_ATA_ROTATION_RATE_RPM=7200\nE:ID_WWN=0x5000c500a1b2c3d4\n"
		   "E:ID_WWN_VENDOR_EXTENSION=0x0001000000000000\n",
		   "run/udev/data/b8:16", "I:1\nE:ID_ATA_ROTATION_RATE_RPM=0\n",
		   "sys/block/sda/queue/zoned", "host-managed\n",
		   "sys/block/sda/queue/discard_max_bytes", "2147450880\n",
		   "sys/block/sda/queue/dax", "1\n", "sys/block/sdb/queue/dax", "0\n",
		   "sys/block/sda/ro", "1\n", "sys/block/sdb/removable", "1\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_disk *a = disk(inv, "sda"), *b = disk(inv, "sdb");
	assert_int_equal(a->rpm.v, 7200);
	assert_null(b->rpm.source); /* 0 = not rotating, or unknown */
	assert_string_equal(a->zoned.s, "host-managed");
	assert_int_equal(a->discard_max_bytes.v, 2147450880);
	assert_true(a->dax.v);
	assert_false(b->dax.v);
	assert_string_equal(b->dax.source, "sys/block/sdb/queue/dax");
	assert_string_equal(a->wwn_no_extension.s, "0x5000c500a1b2c3d4");
	assert_string_equal(a->wwn_vendor_extension.s, "0x0001000000000000");
	assert_null(b->wwn_no_extension.s);
	assert_int_equal(a->warning_count, 2);
	assert_string_equal(a->warnings[0].code, "read-only");
	assert_string_equal(a->warnings[1].code, "zoned-host-managed");
	assert_int_equal(a->reason_count, 0); /* the wire format knows none of them */
	hwp_unref(inv);
	tree_done(&t);
}

static void test_hotplug(void **state)
{
	static const struct {
		const char *place, *removable; /* the folder whose file says so */
		bool is_hotplug;
	} tests[] = {
		{ "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0", NULL,
		  true },
		{ "pci0000:00/0000:00:1d.0/domain0/0-0/0-1/0000:04:00.0/nvme/nvme1", NULL, true },
		{ "pci0000:00/0000:00:1c.0/0000:03:00.0/nvme/nvme0", "pci0000:00/0000:00:1c.0",
		  true },
		{ "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0", NULL, false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char path[256], target[256];
		tree_init(&t);
		snprintf(target, sizeof(target), "../devices/%s/block/sda", tests[i].place);
		tree_link(&t, "sys/block/sda", target);
		snprintf(path, sizeof(path), "sys/devices/%s/block/sda/size", tests[i].place);
		tree_file(&t, path, "2048");
		if (tests[i].removable) {
			snprintf(path, sizeof(path), "sys/devices/%s/removable",
				 tests[i].removable);
			tree_file(&t, path, "removable\n");
		}
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sda");
		if (d->hotplug.v != tests[i].is_hotplug)
			fail_msg("%s", tests[i].place);
		if (tests[i].removable)
			assert_string_equal(d->hotplug.source, path);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_vendors(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char ids[128];
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32 vda 254:0 nvme0n1 259:0 nvme1n1 259:1");
	tree_files(&t, "run/udev/data/b8:0", "I:1\nE:ID_VENDOR_ENC=ATA\\x20\\x20\\x20\\x20\\x20\n",
		   "sys/block/sda/device/vendor", "ATA     \n", "run/udev/data/b8:16",
		   "I:1\nE:ID_VENDOR_ENC=Hewlett\\x20Packard\\x20\n", "sys/block/sdb/device/vendor",
		   "HP\n", "sys/block/sdc/device/vendor", "SEAGATE \n",
		   "sys/block/vda/device/vendor", "0x1af4\n",
		   "sys/block/nvme0n1/device/device/vendor", "0x144d\n",
		   "sys/block/nvme1n1/device/device/vendor", "0xffffff\n", "ids",
		   "144d  Samsung Electronics Co Ltd\n", NULL);
	snprintf(ids, sizeof(ids), "%s/ids", t.dir);
	assert_int_equal(tree_try(&t,
				  (struct hwp_options){
					  .parts = HWP_DISKS, .flags = HWP_MORE, .pci_ids = ids },
				  &inv),
			 0);
	assert_null(disk(inv, "sda")->vendor_full.s);
	assert_string_equal(disk(inv, "sda")->vendor.s, "ATA");
	assert_string_equal(disk(inv, "sdb")->vendor_full.s, "Hewlett Packard");
	assert_string_equal(disk(inv, "sdc")->vendor_full.s, "SEAGATE");
	assert_null(disk(inv, "vda")->vendor_full.s);
	assert_string_equal(disk(inv, "nvme0n1")->vendor_full.s, "Samsung Electronics Co Ltd");
	assert_string_equal(disk(inv, "nvme0n1")->vendor_full.source, "pci.ids");
	assert_null(disk(inv, "nvme1n1")->vendor_full.s);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_arrays(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "md126 9:126 md127 9:127 sda 8:0 sdb 8:16 sdc 8:32 bcache0 251:0");
	tree_files(&t, "sys/block/md126/md/level", "raid1\n", "sys/block/md126/md/metadata_version",
		   "external:/md127/0\n", "sys/block/md126/md/array_state", "active\n",
		   "sys/block/md126/md/raid_disks", "2\n", "sys/block/md126/md/degraded", "1\n",
		   "sys/block/md127/md/metadata_version", "external:imsm\n",
		   "sys/block/sda/bcache/state", "clean\n", "sys/block/sdb/bcache/priority_stats",
		   "Unused: 99%\n", NULL);
	tree_link(&t, "sys/block/bcache0/bcache", "../sda/bcache"); /* as the kernel has it */
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	const struct hwp_md *m = &disk(inv, "md126")->md;
	assert_string_equal(m->level.s, "raid1");
	assert_string_equal(m->metadata.s, "external:/md127/0");
	assert_string_equal(m->state.s, "active");
	assert_int_equal(m->members.v, 2);
	assert_int_equal(m->degraded.v, 1);
	assert_false(m->container.v);
	assert_null(disk(inv, "md126")->drive_type_full.s);
	assert_true(disk(inv, "md127")->md.container.v);
	assert_string_equal(disk(inv, "md127")->drive_type_full.s, "container");
	assert_string_equal(disk(inv, "md127")->drive_type.s, "RAID");
	assert_string_equal(disk(inv, "sda")->bcache.s, "backing");
	assert_string_equal(disk(inv, "sdb")->bcache.s, "cache");
	assert_null(disk(inv, "sdc")->bcache.s);
	assert_null(disk(inv, "bcache0")->bcache.s);
	hwp_unref(inv);
	tree_done(&t);
}

/* Rotating, says the kernel; but no rotation rate is known: a stick. */
static void test_sticks(void **state)
{
	static const struct {
		const char *udev, *rotational, *type;
	} tests[] = { { "I:1\n", "1", "USB" },
		      { "I:1\nE:ID_ATA_ROTATION_RATE_RPM=5400\n", "1", NULL },
		      { "I:1\n", "0", NULL } };
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_link(&t, "sys/block/sda", "../devices/pci0000:00/0000:00:14.0/usb2/2-1/sda");
		tree_files(&t, "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/sda/size", "2048",
			   "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/sda/dev", "8:0",
			   "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/sda/queue/rotational",
			   tests[i].rotational, "run/udev/data/b8:0", tests[i].udev, NULL);
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const char *type = disk(inv, "sda")->drive_type_full.s;
		assert_string_equal(type ? type : "", tests[i].type ? tests[i].type : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_names(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 sdc 8:32");
	tree_files(&t, "run/udev/data/b8:0", "S:disk/by-id/wwn-0x1\nI:1\nE:ID_WWN=0x1\n",
		   "run/udev/data/b8:16", "E:DEVTYPE=disk\n", NULL);
	struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
	assert_null(disk(inv, "sda")->id_stability.s);
	assert_null(disk(inv, "sda")->uninitialized.source);
	assert_string_equal(disk(inv, "sdb")->id_stability.s, "name");
	assert_true(disk(inv, "sdb")->uninitialized.v);
	assert_true(
		disk(inv, "sdc")->uninitialized.v); /* no record at all, where others have one */
	assert_int_equal(hwp_get_degraded(inv)->n, 0);
	hwp_unref(inv);
	tree_done(&t);
	/* Without any record udev is not there, and nothing waits for it. */
	tree_init(&t);
	add_disks(&t, "sda 8:0");
	inv = probe_more(&t, HWP_DISKS);
	assert_null(disk(inv, "sda")->uninitialized.source);
	assert_int_equal(hwp_get_degraded(inv)->n, 1);
	assert_string_equal(hwp_get_degraded(inv)->v[0], "udev");
	hwp_unref(inv);
	tree_done(&t);
}

static struct image image;

static void expect_boot(struct tree *t, int esp, int bios_boot, bool eltorito)
{
	struct hwp_inventory *inv = probe_more(t, HWP_DISKS);
	const struct hwp_disk_boot *b = &disk(inv, "sda")->boot;
	assert_int_equal(b->esp.source ? b->esp.v : -1, esp);
	assert_int_equal(b->bios_boot.source ? b->bios_boot.v : -1, bios_boot);
	assert_int_equal(b->eltorito.v, eltorito);
	hwp_unref(inv);
}

static void test_boot(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0");
	tree_file(&t, "sys/block/sda/size", "131072");
	expect_boot(&t, -1, -1, false); /* no partition, no type, nothing known */
	tree_files(&t, "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1", NULL);
	expect_boot(&t, -1, -1, false);
	tree_file(&t, "run/udev/data/b8:1",
		  "I:1\nE:ID_PART_ENTRY_TYPE=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n");
	expect_boot(&t, 1, 0, false);
	tree_file(&t, "run/udev/data/b8:1",
		  "I:1\nE:ID_PART_ENTRY_TYPE=21686148-6449-6e6f-744e-656564454649\n");
	expect_boot(&t, 0, 1, false);
	tree_file(&t, "run/udev/data/b8:1", "I:1\nE:ID_PART_ENTRY_TYPE=0xef\n");
	expect_boot(&t, 1, 0, false);
	image.size = 64 << 20;
	image_iso(&image, "LIVE");
	image_write(&image, &t, "dev/sda");
	expect_boot(&t, 1, 0, true);
	image_put(&image, 17 * 2048 + 7, "EL TORITA", 9);
	image_write(&image, &t, "dev/sda");
	expect_boot(&t, 1, 0, false);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_hotplug),
		cmocka_unit_test(test_vendors), cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_sticks),  cmocka_unit_test(test_names),
		cmocka_unit_test(test_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
