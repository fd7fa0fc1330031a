#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/strmap.h"

enum { MANY = 5000 };

static void test_many(void **state)
{
	struct arena a = { 0 };
	struct strmap m = { .arena = &a };
	assert_int_equal(strmap_get(&m, "x"), STRMAP_NONE);
	for (long i = 0; i < MANY; i++)
		strmap_set(&m, arena_printf(&a, "key%ld", i), i);
	for (long i = 0; i < MANY; i++)
		assert_int_equal(strmap_get(&m, arena_printf(&a, "key%ld", i)), i);
	assert_int_equal(m.n, MANY);
	assert_int_equal(strmap_get(&m, "key5000"), STRMAP_NONE);
	assert_int_equal(strmap_get(&m, NULL), STRMAP_NONE);
	strmap_set(&m, "key7", -7);
	assert_int_equal(strmap_get(&m, "key7"), -7);
	assert_int_equal(m.n, MANY);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_many) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
