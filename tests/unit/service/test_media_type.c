#include "unit.h"
#include "service/media_type.h"

static void test_is(void **state)
{
	assert_true(media_type_is("application/json", "application/json"));
	assert_true(media_type_is(" Application/JSON; charset=utf-8", "application/json"));
	assert_false(media_type_is("application/jsonx", "application/json"));
	assert_false(media_type_is("application/", "application/json"));
	assert_false(media_type_is("", "application/json"));
}

static void test_accepted(void **state)
{
	static const struct {
		const char *header;
		bool wanted;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ "*/*", true },
		{ "application/*", true },
		{ "application/json", true },
		{ "text/html, application/json;q=0.1", true },
		{ "text/html,*/*;q=0.1", true },
		{ "text/html", false },
		{ "application/xml", false },
		{ "application", false },
		{ "text/*", false },
		{ "*/json", false },
		{ ",,;", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(media_type_accepted(cases[i].header, "application/json"),
				 cases[i].wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_is),
					    cmocka_unit_test(test_accepted) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
