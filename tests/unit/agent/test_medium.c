/*
 * The medium of the live system: where it is, whether it still answers, and that a read that hangs
 * holds nobody up.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/medium.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

static char folder[64];

static int folder_make(void **state)
{
	strcpy(folder, "/tmp/slipway-medium-XXXXXX");
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	return dir_remove_at(AT_FDCWD, folder, NULL);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void test_find(void **state)
{
	static const struct {
		const char *mountinfo, *source; /* NULL = not mounted */
	} cases[] = {
		{ "22 1 0:5 / / rw - rootfs rootfs rw\n", NULL },
		{ "30 22 11:0 / /run/media/iso ro shared:9 - iso9660 /dev/sr0 ro\n", "/dev/sr0" },
		{ "30 22 11:0 / /run/media/iso2 ro - iso9660 /dev/sr0 ro\n", NULL },
		{ "30 22 11:0 /run/media/iso /x ro - iso9660 /dev/sr0 ro\n", NULL },
		{ "30 22 11:0 / /run/media/iso ro - iso9660 /dev/sr0 ro\n"
		  "31 22 8:1 / /run/media/iso ro - iso9660 /dev/sda ro\n",
		  "/dev/sda" },
		{ "nonsense\n", NULL },
	};

	AUTO(closep) int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_make_at(root, "proc/self", 0755, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char source[MEDIUM_NAME_MAX] = "";

		assert_int_equal(file_replace_at(root, "proc/self/mountinfo", cases[i].mountinfo,
						 strlen(cases[i].mountinfo), 0644, NULL),
				 0);
		int r = medium_find(root, MEDIUM_MOUNT, source);
		if (r != (cases[i].source != NULL) || (r && !str_eq(source, cases[i].source)))
			fail_msg("case %zu: %d %s", i, r, source);
	}
	char source[MEDIUM_NAME_MAX];
	assert_int_equal(unlinkat(root, "proc/self/mountinfo", 0), 0);
	assert_int_equal(medium_find(root, MEDIUM_MOUNT, source), 0);
}

static void test_read(void **state)
{
	static const struct {
		const char *name, *data; /* NULL = not there */
		int code;
	} cases[] = {
		{ "good", "ab", 0 },   { "long", "abcdefgh", 0 }, { "short", "a", -EIO },
		{ "empty", "", -EIO }, { "gone", NULL, -ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].data)
			assert_int_equal(file_create_at(AT_FDCWD, in_folder(cases[i].name),
							cases[i].data, strlen(cases[i].data), 0644,
							NULL),
					 0);
		assert_int_equal(medium_read(in_folder(cases[i].name)), cases[i].code);
	}
}

struct answer {
	struct event_base *base;
	int code, n;
};

static void on_answer(void *ctx, int code)
{
	struct answer *a = ctx;

	a->code = code;
	a->n++;
	event_base_loopbreak(a->base);
}

static int check(struct medium *m, int wait_ms, struct answer *a)
{
	a->n = 0;
	assert_int_equal(medium_check(m, wait_ms, on_answer, a), 0);
	if (a->n == 0)
		event_base_dispatch(a->base);
	assert_int_equal(a->n, 1);
	return a->code;
}

static void test_check(void **state)
{
	struct answer a = { .base = event_base_new() };
	struct medium *m = medium_new(a.base, in_folder("iso"));

	assert_int_equal(file_create_at(AT_FDCWD, in_folder("iso"), "CD", 2, 0644, NULL), 0);
	for (int i = 0; i < 20; i++) /* again and again: a thread each */
		assert_int_equal(check(m, 10000, &a), 0);
	unlink(in_folder("iso"));
	assert_int_equal(check(m, 10000, &a), -ENOENT);
	/* a second one while the first is running is not for here */
	assert_int_equal(medium_check(m, 10000, on_answer, &a), 0);
	assert_int_equal(medium_check(m, 10000, on_answer, &a), -EALREADY);
	event_base_dispatch(a.base);
	assert_int_equal(a.code, -ENOENT);
	/* freed in the middle: nobody is called */
	a.n = 0;
	assert_int_equal(medium_check(m, 10000, on_answer, &a), 0);
	medium_free(m);
	event_base_loop(a.base, EVLOOP_NONBLOCK);
	assert_int_equal(a.n, 0);
	medium_free(NULL);
	event_base_free(a.base);
}

/* A FIFO that nobody writes to hangs in open(), as a device may. */
static void test_hanging_read(void **state)
{
	struct answer a = { .base = event_base_new() };

	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	struct medium *m = medium_new(a.base, in_folder("fifo"));
	assert_int_equal(check(m, 50, &a), -ETIMEDOUT);
	/* no second thread while that one hangs */
	assert_int_equal(check(m, 50, &a), -EBUSY);
	AUTO(closep) int fd = open(in_folder("fifo"), O_WRONLY | O_CLOEXEC);
	closep(&fd);
	fd = -1;
	/* the hanging one ends, and the next one is asked again */
	int code = -EBUSY;
	for (int i = 0; code == -EBUSY && i < 1000; i++) {
		code = check(m, 50, &a);
		if (code == -EBUSY)
			usleep(1000);
	}
	assert_int_equal(code, -ETIMEDOUT);
	medium_free(m);
	fd = open(in_folder("fifo"), O_WRONLY | O_CLOEXEC); /* lets the last one go */
	event_base_free(a.base);
}

static void test_pin(void **state)
{
	int64_t n = medium_pin();

	/* without the right to lock much it says so */
	assert_true(n > 65536 || n == -ENOMEM || n == -EPERM || n == -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),  cmocka_unit_test(test_read),
		cmocka_unit_test(test_check), cmocka_unit_test(test_hanging_read),
		cmocka_unit_test(test_pin),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
