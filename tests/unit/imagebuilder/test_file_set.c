#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "imagebuilder/file_set.h"

static void test_order_and_parents(void **state)
{
	static const char *const want[] = {
		"a",     "etc",     "etc/x",     "lib",     "usr",
		"usr-x", "usr/bin", "usr/bin/b", "usr/lib", "usr/lib/y"
	};
	AUTO(file_set_done) struct file_set s = FILE_SET_INIT;

	assert_int_equal(file_set_add_text(&s, "/lib/y", 0644, "y"), 0);
	assert_int_equal(file_set_add_text(&s, "usr-x", 0644, ""), 0);
	assert_int_equal(file_set_add_link(&s, "lib", "usr/lib"), 0);
	assert_int_equal(file_set_add_text(&s, "bin/b", 0755, "b"), 0);
	assert_int_equal(file_set_add_text(&s, "etc/x", 0600, "x"), 0);
	assert_int_equal(file_set_add_char_device(&s, "a", 0600, 5, 1), 0);
	assert_int_equal(s.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < s.n; i++)
		assert_string_equal(s.v[i].path, want[i]);
	assert_true(file_set_has(&s, "lib/y"));
	assert_true(file_set_has(&s, "/usr/lib/y"));
	assert_false(file_set_has(&s, "usr/lib/z"));
	assert_int_equal(s.bytes, 3 + strlen("usr/lib"));
}

static void test_first_stays(void **state)
{
	AUTO(file_set_done) struct file_set s = FILE_SET_INIT;

	assert_int_equal(file_set_add_dir(&s, "tmp", 01777), 0);
	assert_int_equal(file_set_add_text(&s, "tmp/f", 0644, "one"), 0);
	assert_int_equal(file_set_add_text(&s, "tmp/f", 0644, "two"), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].mode, S_IFDIR | 01777);
	assert_memory_equal(s.v[1].data, "one", 3);
}

static void test_limits(void **state)
{
	AUTO(file_set_done) struct file_set s = FILE_SET_INIT;
	char name[32], path[2000];

	for (unsigned i = 0; i < FILE_SET_MAX; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(file_set_add_dir(&s, name, 0755), 0);
	}
	assert_int_equal(file_set_add_dir(&s, "one-more", 0755), -E2BIG);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(file_set_add_dir(&s, path, 0755), -ENAMETOOLONG);
	assert_int_equal(s.n, FILE_SET_MAX);
}

static void test_write(void **state)
{
	AUTO(file_set_done) struct file_set s = FILE_SET_INIT;
	AUTO(buf_done) struct buf out;
	struct cpio_writer w;
	struct cpio_reader r;
	struct cpio_member m;

	buf_init(&out, 1 << 16);
	assert_int_equal(file_set_add_text(&s, "d/f", 0640, "data"), 0);
	assert_int_equal(file_set_add_link(&s, "d/l", "f"), 0);
	cpio_writer_init_buf(&w, &out, 0);
	assert_int_equal(file_set_write(&s, &w), 0);
	assert_int_equal(cpio_end(&w), 0);

	cpio_reader_init(&r, out.data, out.len);
	assert_int_equal(cpio_next(&r, &m, NULL), 1);
	assert_int_equal(m.mode, S_IFDIR | 0755);
	assert_int_equal(cpio_next(&r, &m, NULL), 1);
	assert_int_equal(m.mode, S_IFREG | 0640);
	assert_memory_equal(m.data, "data", 4);
	assert_int_equal(cpio_next(&r, &m, NULL), 1);
	assert_int_equal(m.mode, S_IFLNK | 0777);
	assert_int_equal(cpio_next(&r, &m, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_parents),
		cmocka_unit_test(test_first_stays),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
