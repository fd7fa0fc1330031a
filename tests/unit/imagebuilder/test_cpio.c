#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "imagebuilder/cpio.h"

static void make(struct buf *out)
{
	struct cpio_writer w;

	buf_init(out, 1 << 20);
	cpio_writer_init_buf(&w, out, 1700000000);
	assert_int_equal(cpio_dir(&w, "etc", 0755), 0);
	assert_int_equal(cpio_file(&w, "etc/a", 0600, "12345", 5), 0);
	assert_int_equal(cpio_symlink(&w, "etc/l", "a"), 0);
	assert_int_equal(cpio_char_device(&w, "dev", 0600, 5, 1), 0);
	assert_int_equal(cpio_end(&w), 0);
}

static void test_round_trip(void **state)
{
	static const struct {
		const char *name;
		uint32_t mode;
		const char *data;
	} want[] = {
		{ "etc", S_IFDIR | 0755, "" },
		{ "etc/a", S_IFREG | 0600, "12345" },
		{ "etc/l", S_IFLNK | 0777, "a" },
		{ "dev", S_IFCHR | 0600, "" },
	};
	AUTO(buf_done) struct buf out;
	struct cpio_reader r;
	struct cpio_member m;

	make(&out);
	assert_int_equal(out.len % 4, 0);
	cpio_reader_init(&r, out.data, out.len);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(cpio_next(&r, &m, NULL), 1);
		assert_string_equal(m.name, want[i].name);
		assert_int_equal(m.mode, want[i].mode);
		assert_int_equal(m.ino, i + 1);
		assert_int_equal(m.mtime, 1700000000);
		assert_int_equal(m.len, strlen(want[i].data));
		assert_memory_equal(m.data, want[i].data, m.len);
	}
	assert_int_equal(cpio_next(&r, &m, NULL), 0);
	assert_int_equal(r.offset, out.len);
}

/* The bytes of one member, as the kernel's buffer-format text has them. */
static void test_bytes(void **state)
{
	static const char want[] =
		"07070100000001000081A4000000000000000000000001000000020000000300000000000000000000000000000000000000040000"
		"0000abc\0\0\0xyz";
	AUTO(buf_done) struct buf out;
	struct cpio_writer w;

	buf_init(&out, 4096);
	cpio_writer_init_buf(&w, &out, 2);
	assert_int_equal(cpio_file(&w, "abc", 0644, "xyz", 3), 0);
	assert_int_equal(out.len, 120);
	assert_memory_equal(out.data, want, 110 + 4 + 2 + 3);
}

static void test_refuses_to_write(void **state)
{
	AUTO(buf_done) struct buf out;
	AUTO(freep) char *name = malloc(CPIO_NAME_MAX + 1);
	struct cpio_writer w;

	memset(name, 'n', CPIO_NAME_MAX);
	name[CPIO_NAME_MAX] = '\0';
	buf_init(&out, 2 * CPIO_NAME_MAX);
	cpio_writer_init_buf(&w, &out, 0);
	assert_int_equal(cpio_dir(&w, name, 0755), -ENAMETOOLONG);
	assert_int_equal(cpio_dir(&w, "", 0755), -ENAMETOOLONG);
	name[CPIO_NAME_MAX - 1] = '\0';
	assert_int_equal(cpio_dir(&w, name, 0755), 0);
	assert_int_equal(cpio_file(&w, "f", 0644, "", (size_t)CPIO_FILE_MAX + 1), -EFBIG);
	assert_int_equal(cpio_dir(&w, name, 0755), -EMSGSIZE); /* the buffer's limit is passed on */
}

/* Every cut, and every field of the second header set to the largest value, ends in an error or in a shorter list, never outside. */
static void test_broken(void **state)
{
	AUTO(buf_done) struct buf out;
	struct cpio_reader r;
	struct cpio_member m;
	int got;

	make(&out);
	for (size_t len = 0; len < out.len - 8; len++) {
		AUTO(freep) char *copy = malloc(len + 1);
		memcpy(copy, out.data, len);
		cpio_reader_init(&r, copy, len);
		while ((got = cpio_next(&r, &m, NULL)) > 0)
			;
		if (len < out.len - 12)
			assert_int_equal(got, -EBADMSG);
	}
	for (size_t field = 0; field < 13; field++) {
		AUTO(freep) char *copy = malloc(out.len);
		memcpy(copy, out.data, out.len);
		memset(copy + 116 + 6 + field * 8, 'F', 8);
		cpio_reader_init(&r, copy, out.len);
		while ((got = cpio_next(&r, &m, NULL)) > 0)
			;
		assert_int_equal(got, field == 6 || field == 11 ? -EBADMSG : 0);
	}
}

static void test_name_without_end(void **state)
{
	AUTO(buf_done) struct buf out;
	struct fault err = FAULT_INIT;
	struct cpio_reader r;
	struct cpio_member m;

	make(&out);
	out.data[113] = 'x'; /* "etc" and no NUL */
	cpio_reader_init(&r, out.data, out.len);
	assert_int_equal(cpio_next(&r, &m, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "bad name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_refuses_to_write), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_name_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
