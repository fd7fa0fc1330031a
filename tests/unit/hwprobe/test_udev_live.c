/*
 * libudev and our own reader of its database say the same of every block device. On a machine with udev this is its database; elsewhere,
 * as root, one that is made here, in a mount namespace of its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "common/fd.h"
#include "hwprobe/hwprobe.h"
#include "hwprobe/udev_db.h"
#include "hwprobe/udev_live.h"

enum { DEVICES_MAX = 4096 };

static struct {
	unsigned major, minor;
} devices[DEVICES_MAX];
static size_t device_count;

static void find_devices(void)
{
	glob_t g;
	if (glob("/sys/class/block/*/dev", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc && device_count < DEVICES_MAX; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");
		if (f && fscanf(f, "%u:%u", &devices[device_count].major,
				&devices[device_count].minor) == 2)
			device_count++;
		if (f)
			fclose(f);
	}
	globfree(&g);
}

/* Everything that may be hard to read: equal signs, blanks, bytes above ASCII, empty values, values that are replaced, priorities. */
static void write_record(unsigned number, unsigned major, unsigned minor, int version)
{
	char path[64];
	snprintf(path, sizeof(path), "/run/udev/data/b%u:%u", major, minor);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"S:disk/by-id/wwn-0x%x\nS:disk/by-path/p%u\nL:%d\n%sE:ID_MODEL=A B=C \xc3\xa4\n"
		"E:ID_SERIAL=old\nE:ID_SERIAL=new%u\nE:EMPTY=\nE:ID_FS_LABEL=\\x20x\nG:systemd\nQ:systemd\nV:%d\n",
		number, number, (int)number - 3, number % 3 ? "I:123456\n" : "", number, version);
	fclose(f);
}

static bool make_database(int version)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 || mkdir("/run/udev", 0755) < 0 ||
	    mkdir("/run/udev/data", 0755) < 0)
		return false;
	for (size_t i = 0; i < device_count; i++)
		write_record((unsigned)i, devices[i].major, devices[i].minor, version);
	return true;
}

/* Each property and each link of @a is one of @b. */
static void expect_inside(const struct udev_record *a, const struct udev_record *b)
{
	size_t pos = 0;
	for (const char *link; (link = udev_next_link(a, &pos));) {
		size_t other = 0;
		const char *l;
		do {
			l = udev_next_link(b, &other);
		} while (l && strcmp(l, link));
		if (!l)
			fail_msg("the link %s is only in one of the two", link);
	}
	for (size_t at = 0; at < a->len; at += strlen(a->text + at) + 1) {
		const char *line = a->text + at, *equal = strchr(line, '=');
		char key[256];
		if (strncmp(line, "E:", 2) || !equal || equal - line - 2 >= (long)sizeof(key))
			continue;
		snprintf(key, sizeof(key), "%.*s", (int)(equal - line - 2), line + 2);
		const char *x = udev_get(a, key), *y = udev_get(b, key);
		if (!x != !y || (x && strcmp(x, y)))
			fail_msg("%s is %s, and %s", key, x, y);
	}
}

static void compare(unsigned major, unsigned minor)
{
	char path[64], *ours = NULL, *theirs = NULL;
	size_t our_len = 0, their_len = 0;
	struct udev_record a, b;
	struct arena arena = { 0 };
	snprintf(path, sizeof(path), "/run/udev/data/b%u:%u", major, minor);
	if (file_read_at(AT_FDCWD, path, UDEV_RECORD_MAX, &ours, &our_len, NULL) < 0)
		return;
	assert_int_equal(udev_live_record(major, minor, &theirs, &their_len), 0);
	udev_record_parse(&a, &arena, ours, our_len);
	udev_record_parse(&b, &arena, theirs, their_len);
	assert_int_equal(a.is_initialized, b.is_initialized);
	expect_inside(&a, &b);
	expect_inside(&b, &a);
	arena_done(&arena);
	free(ours);
	free(theirs);
}

static void test_agreement(void **state)
{
	struct stat st;
	if (!device_count) {
		print_message("there is no block device\n");
		skip();
	}
	if (stat("/run/udev/data", &st) < 0 && !make_database(1)) {
		print_message("no udev here, and no mount namespace to make a database in: %s\n",
			      strerror(errno));
		skip();
	}
	for (size_t i = 0; i < device_count; i++)
		compare(devices[i].major, devices[i].minor);
}

static void test_no_device(void **state)
{
	char *text = NULL;
	size_t len;
	assert_int_equal(udev_live_record(4095, 1048575, &text, &len), -ENOENT);
	assert_null(text);
}

/* A database of a later format is read by libudev, with the same result. */
static void test_newer_format(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv[2];
	const struct hwp_options opt = { .size = sizeof(opt),
					 .flags = HWP_MORE | HWP_NO_DEVICE_READ };
	for (int i = 0; i < 2; i++) {
		if (!make_database(1 + i)) {
			print_message("no mount namespace: %s\n", strerror(errno));
			skip();
		}
		assert_int_equal(hwp_open(&ctx, &opt), 0);
		assert_int_equal(hwp_probe(ctx, HWP_DISKS, &inv[i]), 0);
		hwp_close(ctx);
	}
	char *a = hwp_to_json(inv[0], HWP_JSON_FULL, 0), *b = hwp_to_json(inv[1], HWP_JSON_FULL, 0);
	assert_string_equal(a, b);
	assert_true(!hwp_disk_count(inv[0]) || strstr(a, "udev ID_MODEL"));
	free(a);
	free(b);
	hwp_unref(inv[0]);
	hwp_unref(inv[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_newer_format),
	};
	find_devices();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
