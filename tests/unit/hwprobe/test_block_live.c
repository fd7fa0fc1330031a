/* The disk that holds the image of a live system is an installation medium, wherever it is mounted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

#define LOOP "sys/block/loop0/dev", "7:0", "sys/block/loop0/loop/backing_file"

static const struct {
	const char *what, *backing_file, *mounts;
	bool is_medium;
} cases[] = {
	{ "dracut", "/run/initramfs/live/LiveOS/squashfs.img",
	  "1 0 8:17 / /run/initramfs/live ro - vfat /dev/sdb1 ro\n"
	  "2 0 7:0 / /run/rootfsbase ro - squashfs /dev/loop0 ro\n",
	  true },
	{ "CoreOS", "/run/media/boot/rootfs.img",
	  "1 0 8:17 / /run/media/boot ro - vfat /dev/sdb1 ro\n"
	  "2 0 7:0 / /sysroot ro - squashfs /dev/loop0 ro\n",
	  true },
	{ "the whole disk", "/run/live/medium/live/filesystem.squashfs",
	  "1 0 8:16 / /run/live/medium ro - ext4 /dev/sdb ro\n"
	  "2 0 7:0 / /run/live/rootfs/x ro - squashfs /dev/loop0 ro\n",
	  true },
	{ "a package in the system's own root", "/var/lib/snapd/snaps/core_1.snap",
	  "1 0 8:17 / / rw - ext4 /dev/sdb1 rw\n2 0 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro\n",
	  false },
	{ "a live point, but the image lies in the root", "/srv/image",
	  "1 0 8:17 / / rw - ext4 /dev/sdb1 rw\n2 0 7:0 / /run/x ro - squashfs /dev/loop0 ro\n",
	  false },
	{ "not mounted", "/run/initramfs/live/LiveOS/squashfs.img",
	  "1 0 8:17 / /run/initramfs/live ro - vfat /dev/sdb1 ro\n", false },
	{ "the longest mount point counts", "/run/a/b/image",
	  "1 0 8:17 / /run/a rw - ext4 x rw\n2 0 0:40 / /run/a/b rw - tmpfs tmpfs rw\n"
	  "3 0 7:0 / /sysroot ro - squashfs /dev/loop0 ro\n",
	  false },
	{ "a name that only starts the same", "/run/ab/image",
	  "1 0 8:17 / /run/a rw - ext4 x rw\n3 0 7:0 / /sysroot ro - squashfs /dev/loop0 ro\n",
	  false },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		add_disks(&t, "sda 8:0 sdb 8:16");
		tree_files(&t, "sys/block/sdb/sdb1/partition", "1", "sys/block/sdb/sdb1/dev",
			   "8:17", LOOP, cases[i].backing_file, "proc/self/mountinfo",
			   cases[i].mounts, NULL);
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const struct hwp_disk *d = disk(inv, "sdb");
		if (d->is_installation_media.v != cases[i].is_medium)
			fail_msg("%s", cases[i].what);
		assert_int_equal(d->warning_count, cases[i].is_medium);
		if (cases[i].is_medium)
			assert_string_equal(d->warnings[0].code, "backs-live-root");
		assert_false(disk(inv, "sda")->is_installation_media.v);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
