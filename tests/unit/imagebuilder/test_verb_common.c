#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "verb_rig.h"

static void test_messages(void **state)
{
	struct verb_rig *g = *state;
	struct fault err = FAULT_INIT;

	fault_set(&err, -EIO, "it is %s", "broken");
	capture_begin(&g->text);
	int status = verb_fail(&err);
	capture_end(&g->text);
	assert_int_equal(status, EXIT_FAILED);
	assert_string_equal(g->text.err, "slipway-image: it is broken\n");
	assert_string_equal(g->text.out, "");

	capture_begin(&g->text);
	status = verb_usage("build", "something is missing");
	capture_end(&g->text);
	assert_int_equal(status, EXIT_USAGE);
	assert_string_equal(
		g->text.err,
		"slipway-image: something is missing\nTry \"slipway-image build --help\".\n");
	assert_string_equal(g->text.out, "");
}

static void test_options(void **state)
{
	struct verb_context c = { 0 };

	assert_int_equal(verb_set_json(&c, "", NULL), 0);
	assert_true(c.json);
	assert_int_equal(verb_set_output(&c, "there", NULL), 0);
	assert_string_equal(c.output, "there");
}

/* Only regular files, by links as well; nothing waits for a pipe's other end, and no device is touched. */
static void test_open(void **state)
{
	static const struct {
		const char *path;
		int want;
		const char *says;
	} cases[] = {
		{ "tiny.iso", 0, "" },
		{ "link", 0, "" },
		{ "absent", -ENOENT, "cannot open absent: No such file" },
		{ "dangling", -ENOENT, "cannot open dangling: No such file" },
		{ "loop", -ELOOP, "cannot open loop: " },
		{ "folder", -EINVAL, "folder is not a regular file" },
		{ "fifo", -EINVAL, "fifo is not a regular file" },
		{ "socket", -ENXIO, "cannot open socket: " },
		{ "/dev/null", -EINVAL, "/dev/null is not a regular file" },
		{ "tiny.iso/x", -ENOTDIR, "cannot open tiny.iso/x: " },
		{ "", -ENOENT, "cannot open : " },
	};
	AUTO(closep) int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "socket" };

	assert_int_equal(bind(sock, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(symlink("tiny.iso", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		int fd = -5;
		int r = verb_open_iso(cases[i].path, O_RDONLY, &fd, &err);

		if (r != cases[i].want || !str_starts(err.text, cases[i].says))
			fail_msg("%s: %d %s", cases[i].path, r, err.text);
		if (r < 0)
			assert_int_equal(fd, -5);
		else
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		if (r == 0)
			close(fd);
	}
	/* for writing, a folder cannot even be opened */
	int fd = -5;
	assert_int_equal(verb_open_iso("folder", O_RDWR, &fd, NULL), -EISDIR);
	assert_int_equal(fd, -5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_messages),
		VERB_TEST(test_options),
		VERB_TEST(test_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
