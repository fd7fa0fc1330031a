#include "unit.h"
#include "service/versions.h"

static void test_fits(void **state)
{
	assert_true(version_fits("4.18", "4.18"));
	assert_true(version_fits("4.18.1", "4.18"));
	assert_true(version_fits("4.18-rc.1", "4.18"));
	assert_false(version_fits("4.180", "4.18"));
	assert_false(version_fits("4.1", "4.18"));
	assert_false(version_fits("", "4.18"));
}

static void test_compare(void **state)
{
	static const char *const sorted[] = { "4.2", "4.9.1", "4.10", "4.10.1", "4.10.12", "5.0" };

	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
			int c = version_compare(sorted[i], sorted[k]);
			assert_true(i < k ? c < 0 : i > k ? c > 0 : c == 0);
		}
	}
	assert_true(version_compare("a", "b") < 0);
	assert_true(version_compare("4.18-rc", "4.18") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fits),
					    cmocka_unit_test(test_compare) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
