#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/secret.h"

static void test_life(void **state)
{
	struct secret s = { 0 };
	assert_false(secret_is_set(&s));
	assert_string_equal(secret_reveal(&s), "");
	assert_int_equal(secret_set(&s, ""), 0);
	assert_false(secret_is_set(&s));
	assert_int_equal(secret_set(&s, "token"), 0);
	assert_true(secret_is_set(&s));
	assert_string_equal(secret_reveal(&s), "token");
	assert_int_equal(secret_set(&s, secret_reveal(&s)), 0); /* from itself */
	assert_string_equal(secret_reveal(&s), "token");
	assert_int_equal(secret_set(&s, NULL), 0);
	assert_null(s.hidden);
	secret_done(&s);
	secret_done(&s);
}

static void test_equals(void **state)
{
	struct secret s = { 0 };
	assert_false(secret_equals(&s, ""));
	secret_set(&s, "pass");
	assert_true(secret_equals(&s, "pass"));
	assert_false(secret_equals(&s, "pasS"));
	assert_false(secret_equals(&s, "Pass"));
	assert_false(secret_equals(&s, "passw"));
	assert_false(secret_equals(&s, "pas"));
	assert_false(secret_equals(&s, ""));
	secret_done(&s);
}

static void test_wipe(void **state)
{
	char text[8] = "secret!";
	secret_wipe(text, sizeof(text));
	assert_memory_equal(text, "\0\0\0\0\0\0\0\0", 8);
	secret_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_equals),
		cmocka_unit_test(test_wipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
