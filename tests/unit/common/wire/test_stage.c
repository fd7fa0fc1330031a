#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/wire/stage.h"

static void test_names(void **state)
{
	for (int i = 0; i < STAGE_COUNT; i++) {
		enum stage s = STAGE_COUNT;
		assert_non_null(stage_name((enum stage)i));
		assert_int_equal(stage_parse(stage_name((enum stage)i), &s), 0);
		assert_int_equal(s, i);
	}
	assert_string_equal(stage_name(STAGE_WRITING_IMAGE), "Writing image to disk");
	assert_string_equal(stage_name(STAGE_NONE), "");
	assert_string_equal(stage_name(STAGE_COUNT), "");
	assert_string_equal(stage_name((enum stage) - 1), "");
}

static void test_unknown(void **state)
{
	enum stage s = STAGE_JOINED;
	assert_int_equal(stage_parse("rebooting", &s), -EINVAL);
	assert_int_equal(stage_parse("Rebooting ", &s), -EINVAL);
	assert_int_equal(stage_parse(NULL, &s), -EINVAL);
	assert_int_equal(s, STAGE_JOINED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
