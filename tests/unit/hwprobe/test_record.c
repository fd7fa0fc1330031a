/* What is recorded replays with the same result. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/context.h"
#include "hwprobe/record.h"
#include "tests/unit/hwprobe/images.h"
#include "tests/unit/hwprobe/tree.h"

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_this_machine(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *live = NULL, *replay = NULL;
	const struct hwp_options opt = { .size = sizeof(opt), .flags = HWP_MORE };
	tree_init(&t);
	int dir = open_dir(t.dir);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_record(ctx, dir, HWP_ALL, &live), 0);
	assert_int_equal(tree_try(&t, opt, &replay), 0);
	for (enum hwp_format f = HWP_JSON_ASSISTED; f <= HWP_TEXT; f++) {
		char *a = hwp_to_json(live, f, 0), *b = hwp_to_json(replay, f, 0);
		assert_string_equal(a, b);
		free(a);
		free(b);
	}
	hwp_unref(live);
	hwp_unref(replay);
	hwp_close(ctx);
	close(dir);
	tree_done(&t);
}

static struct image image; /* what every device holds */

static ssize_t read_image(const char *path, uint64_t offset, void *data, size_t len)
{
	memset(data, 0, len);
	if (offset < IMAGE_HEAD)
		memcpy(data, image.head + offset,
		       len < IMAGE_HEAD - offset ? len : IMAGE_HEAD - offset);
	return (ssize_t)len;
}

static ssize_t read_nothing(const char *path, uint64_t offset, void *data, size_t len)
{
	return -EIO;
}

/* A device that could not be read cannot be read in the replay, either. */
static void test_device_errors(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *live = NULL, *replay = NULL;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .parts = HWP_DISKS,
					 .flags = HWP_MORE };
	tree_init(&t);
	int dir = open_dir(t.dir);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	ctx->read_device = read_nothing;
	assert_int_equal(hwp_record(ctx, dir, 0, &live), 0);
	assert_int_equal(tree_try(&t, opt, &replay), 0);
	char *a = hwp_to_json(live, HWP_JSON_FULL, 0), *b = hwp_to_json(replay, HWP_JSON_FULL, 0);
	assert_string_equal(a, b);
	free(a);
	free(b);
	for (size_t i = 0; i < hwp_disk_count(live); i++)
		assert_null(hwp_disk_at(live, i)->bootable.source);
	hwp_unref(live);
	hwp_unref(replay);
	hwp_close(ctx);
	close(dir);
	tree_done(&t);
}

/* Where udev does not say what is on a disk, its first and last blocks are recorded, and a replay finds the same in them. */
static void test_signatures(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *live = NULL, *replay = NULL;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .parts = HWP_DISKS,
					 .flags = HWP_MORE | HWP_NO_UDEV };
	size_t found = 0;
	tree_init(&t);
	image.size = 1 << 30;
	image_swap(&image, "RECORD");
	int dir = open_dir(t.dir);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	ctx->read_device = read_image;
	assert_int_equal(hwp_record(ctx, dir, 0, &live), 0);
	assert_int_equal(tree_try(&t, opt, &replay), 0);
	char *a = hwp_to_json(live, HWP_JSON_FULL, 0), *b = hwp_to_json(replay, HWP_JSON_FULL, 0);
	assert_string_equal(a, b);
	free(a);
	free(b);
	for (size_t i = 0; i < hwp_disk_count(live); i++)
		found += hwp_disk_at(live, i)->fs_label.s != NULL &&
			 !strcmp(hwp_disk_at(live, i)->fs_label.s, "RECORD");
	size_t readable = 0;
	for (size_t i = 0; i < hwp_disk_count(live); i++)
		readable += hwp_disk_at(live, i)->bootable.source != NULL;
	assert_int_equal(found, readable);
	if (!readable)
		print_message("this machine has no disk that could be read\n");
	hwp_unref(live);
	hwp_unref(replay);
	hwp_close(ctx);
	close(dir);
	tree_done(&t);
}

static void test_only_the_running_machine(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = t.dir };
	tree_init(&t);
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_record(ctx, -1, HWP_ALL, &inv), -EINVAL);
	assert_null(inv);
	hwp_close(ctx);
	tree_done(&t);
}

/* A "machine" made of files, read through its links. */
static void test_links(void **state)
{
	struct tree from, to;
	struct arena a = { 0 };
	struct root_names names;
	char data[64], path[128];
	tree_init(&from);
	tree_init(&to);
	tree_files(&from, "sys/devices/pci0/block/sda/size", "8\n",
		   "sys/devices/pci0/block/sda/sda1/size", "4\n", "sys/devices/pci0/model", "M\n",
		   "sys/devices/pci0/unread", "secret\n", "proc/self/mountinfo", "x", NULL);
	tree_link(&from, "sys/block/sda", "../devices/pci0/block/sda");
	tree_link(&from, "sys/devices/pci0/block/sda/device", "../../../pci0");
	struct root r = { .fd = open_dir(from.dir),
			  .is_live = true,
			  .record_fd = open_dir(to.dir) };
	assert_int_equal(root_attr(&r, "sys/block/sda/device/model", data, sizeof(data)), 2);
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_int_equal(root_list(&r, &a, "sys/block/sda", &names), 0);
	assert_int_equal(names.n, 3);
	record_device(&r, "dev/sda", 4096, "abc", 3);
	record_line(&r, "cpuid.txt", "%x", 1);
	record_line(&r, "cpuid.txt", "%x", 2);
	assert_int_equal(r.record_error, 0);
	close(r.record_fd);
	root_done(&r);

	assert_int_equal(root_open(&r, to.dir, NULL), 0);
	assert_int_equal(root_attr(&r, "sys/block/sda/device/model", data, sizeof(data)), 2);
	assert_string_equal(data, "M\n");
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_int_equal(root_attr(&r, "sys/devices/pci0/unread", data, sizeof(data)), -ENOENT);
	assert_int_equal(root_list(&r, &a, "sys/block/sda", &names), 0);
	assert_int_equal(names.n, 3);
	assert_true(root_is_dir(&r, "sys/block/sda/sda1"));
	assert_int_equal(root_attr(&r, "cpuid.txt", data, sizeof(data)), 4);
	assert_string_equal(data, "1\n2\n");
	root_done(&r);
	snprintf(path, sizeof(path), "%s/dev/sda", to.dir);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4099);
	arena_done(&a);
	tree_done(&from);
	tree_done(&to);
}

static void test_absolute_links_are_no_record(void **state)
{
	struct tree from, to;
	char data[64];
	tree_init(&from);
	tree_init(&to);
	tree_link(&from, "sys/block/sda", "/etc");
	struct root r = { .fd = open_dir(from.dir),
			  .is_live = true,
			  .record_fd = open_dir(to.dir) };
	assert_true(root_link(&r, "sys/block/sda", data, sizeof(data)) > 0);
	assert_int_equal(r.record_error, -EXDEV);
	close(r.record_fd);
	root_done(&r);
	tree_done(&from);
	tree_done(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_this_machine),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_device_errors),
		cmocka_unit_test(test_only_the_running_machine),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_absolute_links_are_no_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
