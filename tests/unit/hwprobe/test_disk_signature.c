/* When libblkid is asked: where udev does not say, and of what can be read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"
#include "tests/unit/hwprobe/images.h"

static struct image image;

struct ask_case {
	const char *what;
	const char *udev, *state;
	unsigned flags;
	const char *disk_type, *part_type; /* what is found; NULL = nothing */
	const char *source;
};

static const struct ask_case cases[] = {
	{ "no udev", NULL, NULL, HWP_MORE, "swap", "swap", "libblkid ID_FS_TYPE" },
	{ "udev says", "I:1\nE:ID_FS_TYPE=xfs\n", NULL, HWP_MORE, "xfs", "xfs", "udev ID_FS_TYPE" },
	{ "udev is not finished", "E:DEVTYPE=disk\n", NULL, HWP_MORE, "swap", "swap",
	  "libblkid ID_FS_TYPE" },
	{ "udev found nothing", "I:1\nE:DEVTYPE=disk\n", NULL, HWP_MORE, "swap", "swap",
	  "libblkid ID_FS_TYPE" },
	{ "udev looked at the partition", "I:1\nE:ID_PART_ENTRY_TYPE=0x83\n", NULL, HWP_MORE, NULL,
	  NULL, NULL },
	{ "a leg of multipath", "I:1\nE:DM_MULTIPATH_DEVICE_PATH=1\n", NULL, HWP_MORE, NULL, NULL,
	  NULL },
	{ "no device is opened", NULL, NULL, HWP_MORE | HWP_NO_DEVICE_READ, NULL, NULL, NULL },
	{ "off-line", NULL, "offline", HWP_MORE, NULL, NULL, NULL },
};

static void run_case(const struct ask_case *c)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	tree_files(&t, "sys/block/sda/dev", "8:0", "sys/block/sda/size", "131072",
		   "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
		   "sys/block/sda/sda1/size", "131072", NULL);
	image_write(&image, &t, "dev/sda");
	image_write(&image, &t, "dev/sda1");
	if (c->udev) {
		tree_file(&t, "run/udev/data/b8:0", c->udev);
		tree_file(&t, "run/udev/data/b8:1", c->udev);
	}
	if (c->state)
		tree_file(&t, "sys/block/sda/device/state", c->state);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_DISKS, .flags = c->flags }, &inv),
		0);
	const struct hwp_disk *d = disk(inv, "sda");
	const char *type = d->fs_type.s, *part = d->partitions[0].fs_type.s;
	if (!type != !c->disk_type || (type && strcmp(type, c->disk_type)))
		fail_msg("%s: the disk is %s", c->what, type);
	if (!part != !c->part_type || (part && strcmp(part, c->part_type)))
		fail_msg("%s: the partition is %s", c->what, part);
	if (c->source)
		assert_string_equal(d->fs_type.source, c->source);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_asked(void **state)
{
	image.size = 64 << 20;
	image_swap(&image, "L");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_case(&cases[i]);
}

/* The name of a partition decides about an installation, so the wire format needs it without udev, too; file systems it does not. */
static void test_wire(void **state)
{
	struct tree t;
	tree_init(&t);
	memset(&image, 0, sizeof(image));
	image.size = 64 << 20;
	image_iso(&image, "SLIPWAY");
	tree_files(&t, "sys/block/sda/dev", "8:0", "sys/block/sda/size", "131072", NULL);
	image_write(&image, &t, "dev/sda");
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_true(disk(inv, "sda")->is_installation_media.v);
	hwp_unref(inv);
	/* udev has finished and says nothing, or nothing of the file system: a medium is found all the same. */
	static const char *const records[] = { "I:1\nE:DEVTYPE=disk\n",
					       "I:1\nE:ID_PART_TABLE_TYPE=dos\n" };
	for (size_t i = 0; i < 2; i++) {
		tree_file(&t, "run/udev/data/b8:0", records[i]);
		inv = tree_probe(&t, HWP_DISKS);
		assert_true(disk(inv, "sda")->is_installation_media.v);
		hwp_unref(inv);
	}
	tree_file(&t, "run/udev/data/b8:0", "I:1\nE:ID_FS_TYPE=ext4\n");
	inv = tree_probe(&t, HWP_DISKS);
	assert_false(disk(inv, "sda")->is_installation_media.v);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_wire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
