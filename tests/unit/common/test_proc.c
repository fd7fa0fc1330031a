#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/proc.h"
#include "common/str.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_status_and_output(void **state)
{
	static const struct {
		const char *script, *out, *errout;
		int status;
	} cases[] = {
		{ "echo out; echo err >&2", "out\n", "err\n", 0 },
		{ "exit 255", "", "", 255 },
		{ "kill -9 $$", "", "", 256 + SIGKILL },
		{ "cat", "", "", 0 }, /* stdin is empty */
		{ "sleep 30 >/dev/null 2>&1 </dev/null & exit 3", "", "", 3 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(buf_done) struct buf out;
		AUTO(buf_done) struct buf errout;
		buf_init(&out, 1000);
		buf_init(&errout, 1000);
		const struct proc_spec spec = { .argv = ARGV("sh", "-c", cases[i].script),
						.stdin_fd = -1,
						.stdout_fd = -1,
						.out = &out,
						.errout = &errout,
						.timeout_ms = 20000 };
		int status = -1;
		assert_int_equal(proc_run(&spec, &status, NULL), 0);
		assert_int_equal(status, cases[i].status);
		assert_string_equal(out.data ? out.data : "", cases[i].out);
		assert_string_equal(errout.data ? errout.data : "", cases[i].errout);
	}
}

static void test_not_there(void **state)
{
	struct fault err = FAULT_INIT;
	int status = 77;
	const struct proc_spec none = { .argv = ARGV("/nonexistent/program"),
					.stdin_fd = -1,
					.stdout_fd = -1 };
	const struct proc_spec in_path = { .argv = ARGV("no-such-program-here"),
					   .stdin_fd = -1,
					   .stdout_fd = -1 };
	const struct proc_spec no_exec = { .argv = ARGV("/etc/passwd"),
					   .stdin_fd = -1,
					   .stdout_fd = -1 };
	assert_int_equal(proc_run(&none, &status, &err), -ENOENT);
	assert_string_equal(err.text, "cannot run /nonexistent/program: No such file or directory");
	assert_int_equal(proc_run(&in_path, &status, &err), -ENOENT);
	assert_int_equal(proc_run(&no_exec, &status, &err), -EACCES);
	assert_int_equal(status, 77);
}

static void test_environment_and_folder(void **state)
{
	AUTO(buf_done) struct buf out;
	buf_init(&out, 1000);
	const struct proc_spec spec = { .argv = ARGV("/bin/sh", "-c", "pwd; echo $A; echo $HOME"),
					.env = ARGV("A=b"),
					.cwd = "/usr",
					.stdin_fd = -1,
					.stdout_fd = -1,
					.out = &out };
	int status;
	assert_int_equal(proc_run(&spec, &status, NULL), 0);
	assert_string_equal(out.data, "/usr\nb\n\n");
}

static void test_descriptors(void **state)
{
	int in[2], out[2];
	char text[16] = "";
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(fd_write(in[1], "through", 7), 0);
	close(in[1]);
	const struct proc_spec spec = { .argv = ARGV("cat"),
					.stdin_fd = in[0],
					.stdout_fd = out[1] };
	int status;
	assert_int_equal(proc_run(&spec, &status, NULL), 0);
	close(out[1]);
	assert_int_equal(fd_read(out[0], text, sizeof(text)), 7);
	assert_string_equal(text, "through");
	close(in[0]);
	close(out[0]);
}

/* A descriptor that somebody opened without close-on-exec does not reach the program. */
static void test_nothing_leaks(void **state)
{
	AUTO(closep) int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	AUTO(closep)
	int leak = fcntl(file, F_DUPFD, 100); /* far from what the shell opens itself */
	AUTO(buf_done) struct buf out;
	buf_init(&out, 1000);
	const struct proc_spec spec = {
		.argv = ARGV("sh", "-c", "for f in /proc/$$/fd/*; do echo ${f##*/}; done"),
		.stdin_fd = -1,
		.stdout_fd = -1,
		.out = &out
	};
	int status;
	assert_int_equal(proc_run(&spec, &status, NULL), 0);
	AUTO(freep) char *number = str_printf("\n%d\n", leak);
	assert_true(leak >= 100);
	assert_null(strstr(out.data, number));
	assert_non_null(strstr(out.data, "0\n1\n2\n"));
}

static void test_output_limit(void **state)
{
	static const struct {
		const char *script;
		int code;
	} cases[] = { { "printf %1000s x", 0 },
		      { "printf %1001s x", -EMSGSIZE },
		      { "yes", -EMSGSIZE } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(buf_done) struct buf out;
		struct fault err = FAULT_INIT;
		buf_init(&out, 1000);
		const struct proc_spec spec = { .argv = ARGV("sh", "-c", cases[i].script),
						.stdin_fd = -1,
						.stdout_fd = -1,
						.out = &out,
						.timeout_ms = 20000 };
		int status;
		assert_int_equal(proc_run(&spec, &status, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].code ? "sh wrote more than 1000 bytes" : "");
	}
}

static void test_error_text_is_cut(void **state)
{
	AUTO(buf_done) struct buf errout;
	buf_init(&errout, 10);
	const struct proc_spec spec = { .argv = ARGV("sh", "-c", "echo 0123456789abc >&2; exit 4"),
					.stdin_fd = -1,
					.stdout_fd = -1,
					.errout = &errout };
	int status;
	assert_int_equal(proc_run(&spec, &status, NULL), 0);
	assert_int_equal(status, 4);
	assert_string_equal(errout.data, "0123456789");
}

static void test_time_limit(void **state)
{
	static const char *const scripts[] = { "sleep 30", "sleep 30 & wait" };
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct fault err = FAULT_INIT;
		const struct proc_spec spec = { .argv = ARGV("sh", "-c", scripts[i]),
						.stdin_fd = -1,
						.stdout_fd = -1,
						.timeout_ms = 100 };
		int64_t start = time_mono_ms();
		int status;
		assert_int_equal(proc_run(&spec, &status, &err), -ETIMEDOUT);
		assert_true(time_mono_ms() - start < 1900); /* SIGTERM was enough */
		assert_string_equal(err.text, "sh took longer than 100 ms and was ended");
	}
}

static void test_time_limit_kills(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("sh", "-c",
						     "trap '' TERM; sleep 30; sleep 30"),
					.stdin_fd = -1,
					.stdout_fd = -1,
					.timeout_ms = 100 };
	int64_t start = time_mono_ms();
	int status;
	assert_int_equal(proc_run(&spec, &status, NULL), -ETIMEDOUT);
	assert_true(time_mono_ms() - start >= 2000);
	assert_true(time_mono_ms() - start < 15000);
}

static void test_run_ok(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *fault;
	} cases[] = {
		{ "echo fine", 0, "" },
		{ "echo first >&2; echo 'no space' >&2; echo >&2; exit 2", -EIO,
		  "sh ended with status 2: no space" },
		{ "exit 1", -EIO, "sh ended with status 1" },
		{ "kill -15 $$", -EIO, "sh was ended by signal 15" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		const struct proc_spec spec = { .argv = ARGV("sh", "-c", cases[i].script),
						.stdin_fd = -1,
						.stdout_fd = -1 };
		assert_int_equal(proc_run_ok(&spec, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_output),      cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_environment_and_folder), cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_nothing_leaks),          cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_error_text_is_cut),      cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_time_limit_kills),       cmocka_unit_test(test_run_ok),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
