/*
 * A machine without a watchdog, and what is none. A real one would reset the machine that runs this.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/fd.h"

static void test_none(void **state)
{
	struct fault err = FAULT_INIT;

	assert_int_equal(watchdog_arm("/nowhere/watchdog", 120, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/watchdog"));
}

/* A file that takes no timeout is given back as it was found by a watchdog's own rule: "V", then closed. */
static void test_no_watchdog(void **state)
{
	char path[] = "/tmp/slipway-watchdog-XXXXXX";
	AUTO(closep) int fd = mkostemp(path, O_CLOEXEC);
	struct fault err = FAULT_INIT;
	char text[4] = "";

	int r = watchdog_arm(path, 120, &err);
	unlink(path);
	assert_int_equal(r, -ENOTTY);
	assert_non_null(strstr(err.text, "timeout of 120 s"));
	assert_int_equal(fd_pread(fd, text, sizeof(text), 0), 1);
	assert_string_equal(text, "V");
}

static void test_link_is_not_followed(void **state)
{
	char path[] = "/tmp/slipway-watchdog-XXXXXX";

	close(mkostemp(path, O_CLOEXEC));
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	int r = watchdog_arm(path, 120, NULL);
	unlink(path);
	assert_int_equal(r, -ELOOP);
}

static void test_disarm(void **state)
{
	int fds[2], none = -1;
	char text[4] = "";

	watchdog_disarm(&none);
	assert_int_equal(none, -1);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	watchdog_disarm(&fds[1]);
	assert_int_equal(fds[1], -1);
	/* the last word before the end of the file, which shows that it is closed */
	assert_int_equal(read(fds[0], text, sizeof(text)), 1);
	assert_string_equal(text, "V");
	assert_int_equal(read(fds[0], text, sizeof(text)), 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_no_watchdog),
		cmocka_unit_test(test_link_is_not_followed),
		cmocka_unit_test(test_disarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
