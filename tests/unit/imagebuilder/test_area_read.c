#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "imagebuilder/area_read.h"
#include "imagebuilder/cpio.h"
#include "tiny_iso.h"

static void test_empty(void **state)
{
	uint8_t data[100] = { 0 };

	assert_true(area_is_empty(data, 0));
	assert_true(area_is_empty(data, 1));
	assert_true(area_is_empty(data, sizeof(data)));
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = 1;
		assert_false(area_is_empty(data, sizeof(data)));
		data[i] = 0;
	}
}

static void test_read(void **state)
{
	AUTO(freep) uint8_t *data = NULL;
	struct iso_area a = { .offset = 2, .length = 3, .path = "/p" },
			beyond = { .offset = 4, .length = 3 };
	AUTO(closep) int fd = tiny_file("abcdef", 6);

	assert_int_equal(area_read(fd, &a, &data, NULL), 0);
	assert_memory_equal(data, "cde", 3);
	assert_int_equal(area_read(fd, &beyond, &data, NULL), -EBADMSG);
}

static void test_segment(void **state)
{
	AUTO(buf_done) struct buf b;
	struct fault err = FAULT_INIT;
	struct cpio_writer w;
	uint8_t area[1024] = { 0 };
	uint64_t len;

	assert_int_equal(area_check_segment(area, sizeof(area), &len, NULL), -EBADMSG);
	buf_init(&b, sizeof(area));
	cpio_writer_init_buf(&w, &b, 0);
	assert_int_equal(cpio_file(&w, "f", 0644, "x", 1), 0);
	assert_int_equal(cpio_end(&w), 0);
	memcpy(area, b.data, b.len);
	assert_int_equal(area_check_segment(area, sizeof(area), &len, NULL), 0);
	assert_int_equal(len, b.len);
	area[1023] = 1;
	assert_int_equal(area_check_segment(area, sizeof(area), &len, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "behind"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
