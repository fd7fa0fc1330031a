#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/cleanup.h"

#define MAX 1000

static void test_limit(void **state)
{
	AUTO(buf_done) struct buf b;
	char data[MAX + 1];
	memset(data, 'd', sizeof(data));
	buf_init(&b, MAX);
	assert_null(b.data);
	assert_int_equal(buf_append(&b, data, MAX + 1), -EMSGSIZE);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_append(&b, data, MAX), 0);
	assert_int_equal(b.len, MAX);
	assert_int_equal(b.data[MAX], '\0');
	assert_int_equal(buf_append(&b, "x", 1), -EMSGSIZE);
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_int_equal(buf_printf(&b, "%s", "y"), -EMSGSIZE);
	assert_int_equal(b.len, MAX);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
	assert_true(b.size <= MAX + 1);
}

static void test_zero_and_huge_max(void **state)
{
	AUTO(buf_done) struct buf b;
	buf_init(&b, 0);
	assert_int_equal(buf_append_str(&b, ""), 0);
	assert_int_equal(buf_append_str(&b, "a"), -EMSGSIZE);
	buf_done(&b);
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_append_str(&b, "a"), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 1), -EMSGSIZE);
	assert_string_equal(b.data, "a");
}

static void test_growing(void **state)
{
	AUTO(buf_done) struct buf b;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_printf(&b, "%04d,", i), 0);
	assert_int_equal(b.len, 25000);
	assert_int_equal(strlen(b.data), 25000);
	assert_int_equal(strncmp(b.data + 5 * 4711, "4711,", 5), 0);
}

static void test_consume_reset_take(void **state)
{
	AUTO(buf_done) struct buf b;
	buf_init(&b, 100);
	buf_append_str(&b, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(b.data, "world");
	assert_int_equal(b.len, 5);
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");

	buf_append_str(&b, "kept");
	AUTO(freep) char *text = buf_take(&b);
	assert_string_equal(text, "kept");
	assert_null(b.data);
	AUTO(freep) char *nothing = buf_take(&b);
	assert_string_equal(nothing, "");

	assert_int_equal(buf_append_str(&b, "again"), 0);
	buf_reset(&b);
	assert_string_equal(b.data, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_zero_and_huge_max),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_consume_reset_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
