/* Waiting for udev ends: at once where there is none, at the time limit where it never finishes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/str.h"
#include "hwprobe/hwprobe.h"
#include "hwprobe/settle.h"

/* A /run of our own, empty; false = not allowed. */
static bool hide_run(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0;
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static void test_no_udev(void **state)
{
	if (access("/run/udev/control", F_OK) == 0 && !hide_run()) {
		print_message("udev runs here, and it cannot be hidden: %s\n", strerror(errno));
		skip();
	}
	int64_t start = time_mono_ms();
	assert_int_equal(settle_wait(60000, HWP_DISKS), 0);
	assert_true(time_mono_ms() - start < 5000);
}

/* A database without records is one of a udev that has not begun: the limit counts, and the disks are read all the same. */
static void test_never_finished(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .settle_ms = 40,
					 .flags = HWP_NO_DEVICE_READ };
	if (!hide_run() || mkdir("/run/udev", 0755) < 0) {
		print_message("no mount namespace: %s\n", strerror(errno));
		skip();
	}
	make_file("/run/udev/control");
	int64_t start = time_mono_ms();
	int rc = settle_wait(40, HWP_DISKS);
	int64_t took = time_mono_ms() - start;
	if (rc == 0)
		print_message("there is no block device to wait for\n");
	else
		assert_int_equal(rc, -ETIMEDOUT);
	assert_true(rc == 0 || (took >= 39 && took < 5000));
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, HWP_DISKS, &inv), 0);
	hwp_unref(inv);
	hwp_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_udev),
		cmocka_unit_test(test_never_finished),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
