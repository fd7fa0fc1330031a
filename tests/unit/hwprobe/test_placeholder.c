/* What firmware says instead of a name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/hwprobe.h"

static void test_placeholders(void **state)
{
	static const char *const yes[] = {
		"To Be Filled By O.E.M.",
		"to be filled by o.e.m.",
		"Default string",
		"System Product Name",
		"None",
		"N/A",
		"0000000000",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
		"00000000-0000-0000-0000-000000000000",
		"xxxxxxxx",
		"...",
		"-",
		"0123456789",
		"Not Specified",
		"03000200-0400-0500-0006-000700080009",
	};
	static const char *const no[] = {
		"Dell Inc.",
		"PowerEdge R630",
		"0",
		"A",
		"00a",
		"System x3650 M5",
		"7X06CTO1WW",
		"None of it",
		"O.E.M. Box",
		"Default string 2",
		"\xe6\x9c\xaa",
		"1 2",
		"112",
	};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!hwp_is_placeholder(yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (hwp_is_placeholder(no[i]))
			fail_msg("%s", no[i]);
	assert_false(hwp_is_placeholder(NULL));
	assert_false(hwp_is_placeholder(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placeholders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
