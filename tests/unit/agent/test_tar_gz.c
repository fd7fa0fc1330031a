/* Archives of log files, read back by an independent reader. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/tar_gz.h"
#include "common/cleanup.h"
#include "common/fd.h"

#define TIME 1700000000

static const size_t sizes[] = { 0, 1, 511, 512, 513, 1024, 100001 };

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + len);
}

static void name_of(size_t i, char name[TAR_NAME_MAX + 1])
{
	memset(name, 'a' + (int)i, TAR_NAME_MAX);
	name[i + 1 == ARRAY_SIZE(sizes) ? TAR_NAME_MAX : i + 1] = '\0';
}

static void test_members(void **state)
{
	AUTO(closep) int fd = memfd_create("tar", MFD_CLOEXEC);
	AUTO(freep) uint8_t *data = malloc(200000), *back = malloc(200000);
	struct archive_entry *e;
	struct tar_gz t;
	char name[TAR_NAME_MAX + 1];

	assert_int_equal(tar_gz_open(&t, fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill(data, sizes[i]);
		name_of(i, name);
		assert_int_equal(tar_gz_add(&t, name, data, sizes[i], TIME + (time_t)i), 0);
	}
	assert_int_equal(tar_gz_close(&t), 0);

	struct archive *a = archive_read_new();
	archive_read_support_filter_gzip(a);
	archive_read_support_format_tar(a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0); /* the descriptor is still ours */
	assert_int_equal(archive_read_open_fd(a, fd, 65536), ARCHIVE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
		name_of(i, name);
		assert_string_equal(archive_entry_pathname(e), name);
		assert_int_equal(archive_entry_size(e), sizes[i]);
		assert_int_equal(archive_entry_mtime(e), TIME + (time_t)i);
		assert_int_equal(archive_entry_mode(e), S_IFREG | 0600);
		assert_int_equal(archive_entry_uid(e), 0);
		fill(data, sizes[i]);
		assert_int_equal(archive_read_data(a, back, 200000), sizes[i]);
		assert_memory_equal(back, data, sizes[i]);
	}
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_EOF);
	assert_string_equal(archive_format_name(a), "POSIX ustar format");
	archive_read_free(a);
}

/* What does not fit into a header is refused, and the archive goes on. */
static void test_refused_members(void **state)
{
	AUTO(closep) int fd = memfd_create("tar", MFD_CLOEXEC);
	struct tar_gz t;
	char name[TAR_NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[TAR_NAME_MAX + 1] = '\0';
	assert_int_equal(tar_gz_open(&t, fd), 0);
	assert_int_equal(tar_gz_add(&t, name, "x", 1, TIME), -ENAMETOOLONG);
	assert_int_equal(tar_gz_add(&t, "big", "x", (size_t)INT32_MAX + 1, TIME), -EFBIG);
	assert_int_equal(tar_gz_add(&t, "good", "x", 1, TIME), 0);
	assert_int_equal(tar_gz_close(&t), 0);
}

/* A full disk is told at the end at the latest. */
static void test_full_disk(void **state)
{
	AUTO(closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	AUTO(freep) uint8_t *noise = malloc(1 << 20);
	struct tar_gz t;
	uint32_t seed = 1;

	for (size_t i = 0; i < 1 << 20; i++)
		noise[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
	assert_int_equal(tar_gz_open(&t, fd), 0);
	int r = tar_gz_add(&t, "noise", noise, 1 << 20, TIME);
	int end = tar_gz_close(&t);
	assert_true(r == -EIO || end == -EIO);
	assert_null(t.out);
}

static void test_bad_descriptor(void **state)
{
	struct tar_gz t = { 0 };

	assert_int_equal(tar_gz_open(&t, -1), -EBADF);
	tar_gz_abort(&t); /* nothing to give up */
	AUTO(closep) int fd = memfd_create("tar", MFD_CLOEXEC);
	assert_int_equal(tar_gz_open(&t, fd), 0);
	tar_gz_abort(&t);
	assert_null(t.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_refused_members),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_bad_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
