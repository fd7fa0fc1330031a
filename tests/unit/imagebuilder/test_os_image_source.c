#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/os_image.h"
#include "tests/unit/disk_rig.h"
#include "tests/unit/imagebuilder/compress.h"

#define LEN ((size_t)700001) /* odd, and more than one block of the reader */

static const char *const filters[] = { "gzip", "xz", "zstd", "bzip2" };

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite(fd, data, len, 0), 0);
	return fd;
}

static uint8_t *noise(size_t len)
{
	uint8_t *data = malloc(len + 1);

	rig_noise(data, len, 5);
	data[0] = 0; /* no filter's first byte */
	return data;
}

/* Everything in pieces of @step; 0 or what reading or finishing said. *ret_len: bytes got. */
static int drain(int fd, uint8_t *to, size_t room, size_t step, size_t *ret_len, struct fault *err)
{
	AUTO(os_source_freep) struct os_source *s = NULL;
	int r = os_source_open(fd, &s, err);

	*ret_len = 0;
	if (r < 0)
		return r;
	for (;;) {
		size_t want = step < room - *ret_len ? step : room - *ret_len;
		ssize_t n = os_source_read(s, to + *ret_len, want, err);
		if (n < 0)
			return (int)n;
		*ret_len += (size_t)n;
		if ((size_t)n < want || !want)
			return os_source_finish(s, err);
	}
}

/* Plain or packed, in any steps: the same bytes, and the counters say what was taken. */
static void test_reads(void **state)
{
	static const size_t steps[] = { 1, 4095, 262144, 262145, LEN + 5 };
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(LEN + 100);

	for (size_t f = 0; f <= ARRAY_SIZE(filters); f++) {
		size_t len = LEN;
		AUTO(freep)
		uint8_t *packed = f ? compress(filters[f - 1], data, LEN, &len) : NULL;
		AUTO(closep) int fd = memory_file(f ? packed : data, len);
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			struct fault err = FAULT_INIT;
			size_t n;
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			int r = drain(fd, got, LEN + 100, steps[i], &n, &err);
			if (r || n != LEN || memcmp(got, data, LEN) != 0)
				fail_msg("%s in steps of %zu: %d %s, %zu bytes",
					 f ? filters[f - 1] : "plain", steps[i], r, err.text, n);
		}
	}
}

static void test_counters(void **state)
{
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(LEN);
	AUTO(closep) int fd = memory_file(data, LEN);
	AUTO(os_source_freep) struct os_source *s = NULL;

	/* from where the descriptor stands */
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_int_equal(os_source_open(fd, &s, NULL), 0);
	assert_int_equal(os_source_size(s), LEN);
	assert_int_equal(os_source_consumed(s), 0);
	assert_int_equal(os_source_read(s, got, 1000, NULL), 1000);
	assert_int_equal(os_source_consumed(s), 1000);
	assert_memory_equal(got, data + 1, 1000);
	assert_int_equal(os_source_read(s, got, LEN, NULL), LEN - 1001);
	assert_int_equal(os_source_consumed(s), LEN - 1);
	assert_int_equal(os_source_read(s, got, 1, NULL), 0);
	assert_int_equal(os_source_finish(s, NULL), 0);
}

/* A pipe has no size, delivers in small pieces and cannot be sought. */
static void test_pipe(void **state)
{
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(LEN + 1);

	for (size_t f = 0; f <= ARRAY_SIZE(filters); f++) {
		size_t len = LEN, n;
		AUTO(freep)
		uint8_t *packed = f ? compress(filters[f - 1], data, LEN, &len) : NULL;
		int fds[2], status;
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		pid_t pid = fork();
		if (!pid) {
			const uint8_t *p = f ? packed : data;
			for (size_t at = 0; at < len; at += 999) {
				size_t piece = len - at < 999 ? len - at : 999;
				if (fd_write(fds[1], p + at, piece) < 0)
					_exit(1);
			}
			_exit(0);
		}
		close(fds[1]);
		int r = drain(fds[0], got, LEN + 1, 300000, &n, NULL);
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(r, 0);
		assert_int_equal(n, LEN);
		assert_memory_equal(got, data, LEN);
	}
}

/* Cut anywhere, or with a byte more behind the end: never the whole image without a complaint. */
static void test_cut_and_longer(void **state)
{
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(LEN + 1);

	for (size_t f = 0; f < ARRAY_SIZE(filters); f++) {
		size_t len, n;
		AUTO(freep) uint8_t *packed = compress(filters[f], data, LEN, &len);
		const size_t cuts[] = { 7, len / 2, len - 9, len - 4, len - 1 };
		for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
			struct fault err = FAULT_INIT;
			AUTO(closep) int fd = memory_file(packed, cuts[i]);
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			int r = drain(fd, got, LEN + 1, 100000, &n, &err);
			/* a zstd frame without its checksum's last bytes may be whole all the same */
			if (r != -EBADMSG || !strstr(err.text, filters[f]))
				fail_msg("%s cut at %zu of %zu: %d %s", filters[f], cuts[i], len, r,
					 err.text);
		}
		AUTO(freep) uint8_t *longer = malloc(len + 20);
		memcpy(longer, packed, len);
		memcpy(longer + len, "garbage behind the end", 20);
		AUTO(closep) int fd = memory_file(longer, len + 20);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		int r = drain(fd, got, LEN + 1, 100000, &n, NULL);
		/* bzip2's own tools ignore them, and so does libarchive: the image is whole */
		bool is_ignored = !strcmp(filters[f], "bzip2");
		if (r != (is_ignored ? 0 : -EBADMSG) || (is_ignored && n != LEN))
			fail_msg("%s with bytes behind its end: %d", filters[f], r);
	}
}

/* The trailer of gzip, which nobody else compares: checksum, length, a second member. */
static void test_gzip_trailer(void **state)
{
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(2 * LEN + 1);
	size_t len, n;
	AUTO(freep) uint8_t *packed = compress("gzip", data, LEN, &len);
	AUTO(freep) uint8_t *two = malloc(2 * len);

	for (size_t at = len - 8; at < len; at++) {
		struct fault err = FAULT_INIT;
		packed[at] ^= 0x10;
		AUTO(closep) int fd = memory_file(packed, len);
		packed[at] ^= 0x10;
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(drain(fd, got, LEN + 1, 100000, &n, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "checksum"));
	}
	memcpy(two, packed, len);
	memcpy(two + len, packed, len);
	AUTO(closep) int fd = memory_file(two, 2 * len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(drain(fd, got, 2 * LEN + 1, 100000, &n, NULL), -EBADMSG);
}

/* finish() says when there is more than was read. */
static void test_more_than_the_image(void **state)
{
	AUTO(freep) uint8_t *data = noise(LEN);
	AUTO(freep) uint8_t *got = malloc(LEN);
	AUTO(closep) int fd = memory_file(data, LEN);
	AUTO(os_source_freep) struct os_source *s = NULL;
	struct fault err = FAULT_INIT;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(os_source_open(fd, &s, NULL), 0);
	assert_int_equal(os_source_read(s, got, LEN - 1, NULL), LEN - 1);
	assert_int_equal(os_source_finish(s, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "behind the end"));
}

static void test_unreadable(void **state)
{
	struct os_source *s = NULL;
	struct fault err = FAULT_INIT;
	AUTO(closep) int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closep) int write_only = open("/dev/null", O_WRONLY | O_CLOEXEC);

	assert_int_equal(os_source_open(dir, &s, &err), -EISDIR);
	assert_non_null(strstr(err.text, "cannot read the image"));
	assert_int_equal(os_source_open(write_only, &s, &err), -EBADF);
	assert_null(s);
	os_source_free(NULL);
}

/* Nothing, and less than any magic number: no filter, no bytes, no complaint; what it is worth is judged by others. */
static void test_tiny(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = { { "", 0 },
		      { "\x1f", 1 },
		      { "BZ", 2 },
		      { "\xfd"
			"7zX",
			4 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t got[8];
		size_t n;
		AUTO(closep) int fd = memory_file(cases[i].data, cases[i].len);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(drain(fd, got, sizeof(got), 3, &n, NULL), 0);
		assert_int_equal(n, cases[i].len);
		assert_memory_equal(got, cases[i].data, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),        cmocka_unit_test(test_counters),
		cmocka_unit_test(test_pipe),         cmocka_unit_test(test_cut_and_longer),
		cmocka_unit_test(test_gzip_trailer), cmocka_unit_test(test_more_than_the_image),
		cmocka_unit_test(test_unreadable),   cmocka_unit_test(test_tiny),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
