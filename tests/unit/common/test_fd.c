#include "tests/unit/common/folder_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static void test_read_limits(void **state)
{
	int dir = folder(state);
	char data[10000];
	memset(data, 'r', sizeof(data));
	assert_int_equal(file_create_at(dir, "f", data, sizeof(data), 0644, NULL), 0);
	static const size_t limits[] = { 10000, 10001, 1 << 20 };
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		AUTO(freep) char *text = NULL;
		size_t len;
		assert_int_equal(file_read_at(dir, "f", limits[i], &text, &len, NULL), 0);
		assert_int_equal(len, sizeof(data));
		assert_memory_equal(text, data, sizeof(data));
		assert_int_equal(text[len], '\0');
	}
	struct fault err = FAULT_INIT;
	char *text = NULL;
	assert_int_equal(file_read_at(dir, "f", 9999, &text, NULL, &err), -EMSGSIZE);
	assert_string_equal(err.text, "f is larger than 9999 bytes");
	assert_null(text);
	assert_int_equal(file_read_at(dir, "g", 10, &text, NULL, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open g: No such file or directory");
}

static void test_read_proc_and_empty(void **state)
{
	AUTO(freep) char *status = NULL;
	AUTO(freep) char *empty = NULL;
	size_t len;
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 65536, &status, &len, NULL),
			 0);
	assert_int_equal(strlen(status), len);
	assert_non_null(strstr(status, "VmRSS:"));
	assert_int_equal(file_create_at(folder(state), "e", "", 0, 0600, NULL), 0);
	assert_int_equal(file_read_at(folder(state), "e", 0, &empty, &len, NULL), 0);
	assert_string_equal(empty, "");
	assert_int_equal(len, 0);
}

static void test_read_line(void **state)
{
	static const struct {
		const char *content, *line;
	} cases[] = { { "5\n", "5" }, { "5", "5" }, { "\n", "" }, { "", "" }, { "a\n\n", "a\n" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *line = NULL;
		assert_int_equal(file_replace_at(folder(state), "l", cases[i].content,
						 strlen(cases[i].content), 0600, NULL),
				 0);
		assert_int_equal(file_read_line_at(folder(state), "l", 100, &line, NULL), 0);
		assert_string_equal(line, cases[i].line);
	}
}

static unsigned count_entries(int dir)
{
	AUTO(closedirp) DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;
	while (readdir(d))
		n++;
	return n - 2;
}

static void test_replace(void **state)
{
	int dir = folder(state);
	struct stat st;
	mode_t old = umask(0077);
	assert_int_equal(file_replace_at(dir, "conf", "one", 3, 0644, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(dir, "conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	ino_t first = st.st_ino;

	AUTO(closep) int reader = openat(dir, "conf", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_replace_at(dir, "conf", "two!", 4, 0600, NULL), 0);
	assert_int_equal(fstatat(dir, "conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_ino != first);
	char seen[8] = "";
	assert_int_equal(fd_read(reader, seen, sizeof(seen)),
			 3); /* who has it open keeps the old one */
	assert_string_equal(seen, "one");
	assert_int_equal(count_entries(dir), 1); /* nothing temporary is left */
}

static void test_replace_failing_leaves_nothing(void **state)
{
	int dir = folder(state);
	struct fault err = FAULT_INIT;
	assert_int_equal(mkdirat(dir, "target", 0700), 0);
	assert_int_equal(file_replace_at(dir, "target", "x", 1, 0600, &err), -EISDIR);
	assert_string_equal(err.text, "cannot replace target: Is a directory");
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(file_replace_at(dir, "none/x", "x", 1, 0600, &err), -ENOENT);
}

static void test_create(void **state)
{
	int dir = folder(state);
	struct fault err = FAULT_INIT;
	assert_int_equal(file_create_at(dir, "token", "secret", 6, 0600, &err), 0);
	assert_int_equal(file_create_at(dir, "token", "other", 5, 0600, &err), -EEXIST);
	assert_int_equal(symlinkat("elsewhere", dir, "link"), 0);
	assert_int_equal(file_create_at(dir, "link", "x", 1, 0600, &err), -EEXIST);
	assert_int_equal(faccessat(dir, "elsewhere", F_OK, 0), -1);
}

static void test_copy(void **state)
{
	int dir = folder(state);
	size_t size = 3 * (1 << 20) + 17;
	AUTO(freep) char *data = malloc(size);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 >> 3);
	assert_int_equal(file_create_at(dir, "in", data, size, 0600, NULL), 0);
	AUTO(closep) int in = openat(dir, "in", O_RDONLY | O_CLOEXEC);
	AUTO(closep) int out = openat(dir, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_copy(in, out, 1000, NULL), 0);
	assert_int_equal(fd_copy(in, out, UINT64_MAX, NULL), 0);
	AUTO(freep) char *back = malloc(size + 1);
	assert_int_equal(fd_pread(out, back, size + 1, 0), size);
	assert_memory_equal(back, data, size);

	struct fault err = FAULT_INIT;
	assert_int_equal(lseek(in, (off_t)size - 10, SEEK_SET), size - 10);
	assert_int_equal(fd_copy(in, out, 11, &err), -ENODATA);
	assert_string_equal(err.text, "cannot copy: the source ends after 10 of 11 bytes");
}

/* From a pipe and from procfs the kernel does not copy by itself. */
static void test_copy_without_help(void **state)
{
	AUTO(closep) int out = openat(folder(state), "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	AUTO(closep) int proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_write(fds[1], "through a pipe", 14), 0);
	close(fds[1]);
	assert_int_equal(fd_copy(fds[0], out, UINT64_MAX, NULL), 0);
	close(fds[0]);
	assert_int_equal(fd_pread(out, text, sizeof(text), 0), 14);
	assert_string_equal(text, "through a pipe");
	assert_int_equal(fd_copy(proc, out, UINT64_MAX, NULL), 0);
	assert_true(lseek(out, 0, SEEK_CUR) > 200);
}

static void test_io_errors(void **state)
{
	char byte;
	AUTO(closep) int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_int_equal(fd_write(full, "x", 1), -ENOSPC);
	assert_int_equal(fd_pwrite(full, "x", 1, 0), -ENOSPC);
	assert_int_equal(fd_read(-1, &byte, 1), -EBADF);
	assert_int_equal(fd_pread(-1, &byte, 1, 0), -EBADF);
	assert_int_equal(fd_set_nonblock(-1), -EBADF);
	struct fault err = FAULT_INIT;
	assert_int_equal(fd_sync(-1, "disk", &err), -EBADF);
	assert_string_equal(err.text, "cannot flush disk: Bad file descriptor");

	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[0]), 0);
	assert_int_equal(fd_read(fds[0], &byte, 1), -EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void test_pwrite(void **state)
{
	AUTO(closep) int fd = openat(folder(state), "p", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[8] = "";
	assert_int_equal(fd_pwrite(fd, "world", 5, 3), 0);
	assert_int_equal(fd_pwrite(fd, "hey", 3, 0), 0);
	assert_int_equal(fd_pread(fd, text, 8, 0), 8);
	assert_memory_equal(text, "heyworld", 8);
	assert_int_equal(fd_pread(fd, text, 8, 6), 2);
	assert_int_equal(fd_pread(fd, text, 8, 100), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, folder_begin, folder_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_read_limits),
		CASE(test_read_proc_and_empty),
		CASE(test_read_line),
		CASE(test_replace),
		CASE(test_replace_failing_leaves_nothing),
		CASE(test_create),
		CASE(test_copy),
		CASE(test_copy_without_help),
		CASE(test_io_errors),
		CASE(test_pwrite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
