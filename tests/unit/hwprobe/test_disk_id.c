/* Serial numbers and world-wide names, and which source goes first. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

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

static void test_names(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 nvme0n1 259:0 cciss!c0d0 104:0 dm-0 253:0");
	tree_files(&t, "run/udev/data/b8:0",
		   "I:1\nE:ID_MODEL=WDC_WD10EZEX-08W\n"
		   "E:ID_MODEL_ENC=WDC\\x20WD10EZEX-08WN4A0\\x20\\x20\\x20x\\x20\nE:ID_WWN=0x5\n"
		   "E:ID_WWN_WITH_EXTENSION=0x5000\n",
		   "sys/block/sda/device/model", "WDC WD10EZEX-08W\n",
		   "sys/block/sda/device/vendor", "ATA     \n", "sys/block/sda/device/rev",
		   "1A01\n", "sys/block/sda/device/scsi_device/4:0:0:0/x", "",
		   "sys/block/sda/holders/dm-10/x", "", "sys/block/sda/holders/dm-9/x", "",
		   "sys/block/sdb/device/model", "  VIRTUAL-DISK  \n", "run/udev/data/b253:0",
		   "I:1\nE:DM_WWN=0x77\n", "sys/block/dm-0/dm/uuid", "mpath-x",
		   "sys/block/nvme0n1/device/model", "Samsung SSD  \n",
		   "sys/block/nvme0n1/device/firmware_rev", "GXA7\n", "sys/block/nvme0n1/wwid",
		   "eui.0025\n", NULL);
	struct hwp_inventory *inv = NULL;
	const struct hwp_options opt = { .parts = HWP_DISKS, .flags = HWP_MORE };
	assert_int_equal(tree_try(&t, opt, &inv), 0);
	const struct hwp_disk *a = disk(inv, "sda"), *n = disk(inv, "nvme0n1");
	assert_string_equal(a->model.s, "WDC_WD10EZEX-08W");
	assert_string_equal(a->model_full.s, "WDC WD10EZEX-08WN4A0 x");
	assert_string_equal(a->vendor.s, "ATA");
	assert_string_equal(a->firmware.s, "1A01");
	assert_string_equal(a->hctl.s, "4:0:0:0");
	assert_string_equal(a->holders.s, "dm-9,dm-10");
	assert_string_equal(a->wwn.s, "0x5000");
	assert_string_equal(a->wwn.source, "udev ID_WWN_WITH_EXTENSION");
	assert_string_equal(disk(inv, "sdb")->model.s, "VIRTUAL-DISK");
	assert_string_equal(disk(inv, "dm-0")->wwn.s, "0x77");
	assert_string_equal(n->model.s, "Samsung SSD");
	assert_string_equal(n->firmware.s, "GXA7");
	assert_string_equal(n->wwn.s, "eui.0025");
	assert_true(n->has_uuid.v);
	assert_string_equal(n->has_uuid.source, "wwid");
	assert_string_equal(disk(inv, "cciss/c0d0")->path.s, "/dev/cciss/c0d0");
	hwp_unref(inv);
	tree_done(&t);
}

/* The name of the SCSI device in the disk's place; where that is unknown, the folder that has it. */
static void test_hctl(void **state)
{
	static const struct {
		const char *place, *folder, *hctl, *source;
	} tests[] = {
		{ "pci0000:00/host2/target2:0:0/2:0:0:0", NULL, "2:0:0:0", "sysfs path" },
		{ "pci0000:00/host2/target2:0:7/2:0:7:4611686018427387904", NULL,
		  "2:0:7:4611686018427387904", "sysfs path" },
		{ "pci0000:00/0000:00:06.0/virtio3", NULL, NULL, NULL },
		{ "pci0000:00/host2/target2:0:0/2:0:0", "2:0:0:1", "2:0:0:1",
		  "device/scsi_device" },
		{ "pci0000:00/host2/2:0:0:0:0", NULL, NULL, NULL },
		{ "pci0000:00/host2/a:0:0:0", NULL, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char dir[256], file[300];
		tree_init(&t);
		snprintf(dir, sizeof(dir), "sys/devices/%s/block/sda", tests[i].place);
		snprintf(file, sizeof(file), "%s/size", dir);
		tree_file(&t, file, "2048");
		snprintf(file, sizeof(file), "../../%s", dir + strlen("sys/"));
		tree_link(&t, "sys/block/sda", file + 3);
		if (tests[i].folder) {
			snprintf(file, sizeof(file), "%s/device/scsi_device/%s/x", dir,
				 tests[i].folder);
			tree_file(&t, file, "");
		}
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sda");
		if (!d || !d->hctl.s != !tests[i].hctl ||
		    (d->hctl.s &&
		     (strcmp(d->hctl.s, tests[i].hctl) || strcmp(d->hctl.source, tests[i].source))))
			fail_msg("%s: %s by %s", tests[i].place, d ? d->hctl.s : "no disk",
				 d ? d->hctl.source : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Without devtmpfs a node may have another name; udev's link leads to it. */
static void test_other_node(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0");
	tree_file(&t, "run/udev/data/b8:0", "I:1\nE:ID_PATH=p1\n");
	tree_link(&t, "dev/disk/by-path/p1", "../../disk7");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->path.s, "/dev/disk7");
	hwp_unref(inv);
	tree_file(&t, "dev/sda", "");
	inv = tree_probe(&t, HWP_DISKS);
	assert_string_equal(disk(inv, "sda")->path.s, "/dev/sda");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serials),    cmocka_unit_test(test_vpd_pages),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_hctl),
		cmocka_unit_test(test_other_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
