#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "hwprobe/arena.h"

static void test_memory(void **state)
{
	struct arena a = { 0 };
	for (size_t size = 0; size < 20000; size = size * 2 + 1) {
		char *p = arena_alloc(&a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 'x', size);
	}
	assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_dup(&a, "text"), "text");
	assert_null(arena_dup(&a, NULL));
	assert_false(a.has_failed);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_true(a.has_failed);
	arena_done(&a);
	arena_done(&a);
}

static void test_long_format(void **state)
{
	struct arena a = { 0 };
	char *p = arena_printf(&a, "%5000s|%d", "end", 7);
	assert_int_equal(strlen(p), 5002);
	assert_string_equal(p + 4997, "end|7");
	arena_done(&a);
}

static void test_append(void **state)
{
	struct arena a = { 0 };
	int *items = NULL;
	size_t n = 0;
	for (int i = 0; i < 1000; i++) {
		int *slot = arena_append(&a, &items, &n, sizeof(*slot));
		assert_int_equal(*slot, 0);
		*slot = i;
	}
	assert_int_equal(n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_memory),
					    cmocka_unit_test(test_long_format),
					    cmocka_unit_test(test_append) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
