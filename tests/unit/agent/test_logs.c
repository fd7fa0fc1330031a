#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/logs.h"
#include "common/cleanup.h"
#include "common/fd.h"

static void test_redact(void **state)
{
	char text[] = "key=abc abc ab abcabc";

	assert_int_equal(logs_redact(text, strlen(text), "abc"), 4);
	assert_string_equal(text, "key=*** *** ab ******");
	assert_int_equal(logs_redact(text, strlen(text), ""), 0);
	assert_int_equal(logs_redact(text, strlen(text), NULL), 0);
}

/* Everything of @fd that is named @name, or NULL. */
static char *member(int fd, const char *name)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	char *found = NULL;

	archive_read_support_filter_gzip(a);
	archive_read_support_format_tar(a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(archive_read_open_fd(a, fd, 65536), ARCHIVE_OK);
	while (!found && archive_read_next_header(a, &e) == ARCHIVE_OK) {
		if (strcmp(archive_entry_pathname(e), name))
			continue;
		size_t len = (size_t)archive_entry_size(e);
		found = calloc(1, len + 1);
		assert_int_equal(archive_read_data(a, found, len), len);
	}
	archive_read_free(a);
	return found;
}

static void test_collect(void **state)
{
	char dir[] = "/tmp/agent_logs.XXXXXX", path[64];
	AUTO(closep) int fd = -1;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/agent.log", dir);
	assert_int_equal(file_create_at(AT_FDCWD, path, "token TOPSECRET used\n", 21, 0600, NULL),
			 0);
	snprintf(path, sizeof(path), "%s/token", dir);
	assert_int_equal(file_create_at(AT_FDCWD, path, "TOPSECRET", 9, 0600, NULL), 0);
	assert_int_equal(logs_collect(dir, "TOPSECRET", &fd, NULL), 0);

	AUTO(freep) char *log = member(fd, "slipway-logs/agent.log");
	AUTO(freep) char *mounts = member(fd, "slipway-logs/mounts");
	AUTO(freep) char *token = member(fd, "slipway-logs/token");
	assert_string_equal(log, "token ********* used\n");
	assert_non_null(mounts);
	assert_null(token);
	assert_int_equal(dir_remove_at(AT_FDCWD, dir, NULL), 0);
}

/* Distributions make links of some (os-release(5)); in the state directory nothing is followed. */
static void test_links(void **state)
{
	char dir[] = "/tmp/agent_logs.XXXXXX", path[64];
	AUTO(closep) int fd = -1;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/link.log", dir);
	assert_int_equal(symlink("/proc/self/environ", path), 0);
	assert_int_equal(logs_collect(dir, NULL, &fd, NULL), 0);
	AUTO(freep) char *link = member(fd, "slipway-logs/link.log");
	AUTO(freep) char *release = member(fd, "slipway-logs/os-release");
	AUTO(freep) char *report = member(fd, "slipway-logs/report.txt");
	assert_null(link);
	assert_non_null(strstr(report, "link.log: "));
	if (access("/etc/os-release", R_OK) == 0)
		assert_non_null(release);
	else
		assert_non_null(strstr(report, "/etc/os-release: "));
	assert_int_equal(dir_remove_at(AT_FDCWD, dir, NULL), 0);
}

/* The end of a long log is what is sent. */
static void test_long_log(void **state)
{
	char dir[] = "/tmp/agent_logs.XXXXXX", path[64];
	AUTO(closep) int fd = -1;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/agent.log", dir);
	AUTO(closep) int log_fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(log_fd, LOGS_SOURCE_MAX), 0);
	assert_int_equal(fd_pwrite(log_fd, "THE END", 7, LOGS_SOURCE_MAX), 0);
	assert_int_equal(logs_collect(dir, NULL, &fd, NULL), 0);
	AUTO(freep) char *log = member(fd, "slipway-logs/agent.log");
	assert_non_null(log);
	assert_memory_equal(log + LOGS_SOURCE_MAX - 7, "THE END", 7);
	assert_int_equal(dir_remove_at(AT_FDCWD, dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_redact),
					    cmocka_unit_test(test_collect),
					    cmocka_unit_test(test_links),
					    cmocka_unit_test(test_long_log) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
