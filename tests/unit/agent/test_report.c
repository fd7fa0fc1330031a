#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "agent/report.h"
#include "common/cleanup.h"

/* When a report is due: a stage change, five points, 100 %, or a minute. */
static void test_rate(void **state)
{
	const struct {
		const char *what;
		enum stage stage;
		unsigned percent;
		int64_t at_ms;
		bool due;
	} rows[] = {
		{ "the first", STAGE_STARTING_INSTALLATION, 0, 1000, true },
		{ "the same at once", STAGE_STARTING_INSTALLATION, 0, 1001, false },
		{ "stage change", STAGE_INSTALLING, 0, 1002, true },
		{ "stage change", STAGE_WRITING_IMAGE, 0, 1003, true },
		{ "four points", STAGE_WRITING_IMAGE, 4, 1004, false },
		{ "five points", STAGE_WRITING_IMAGE, 5, 1005, true },
		{ "nothing new for just less than a minute", STAGE_WRITING_IMAGE, 5, 61004, false },
		{ "nothing new for a minute", STAGE_WRITING_IMAGE, 5, 61005, true },
		{ "the minute begins anew", STAGE_WRITING_IMAGE, 6, 61006, false },
		{ "a jump", STAGE_WRITING_IMAGE, 97, 61007, true },
		{ "two points", STAGE_WRITING_IMAGE, 99, 61008, false },
		{ "complete", STAGE_WRITING_IMAGE, 100, 61009, true },
		{ "complete once", STAGE_WRITING_IMAGE, 100, 61010, false },
		{ "stage change", STAGE_WAITING_FOR_CONTROL_PLANE, 100, 61011, true },
	};
	struct report_rate r = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (report_is_due(&r, rows[i].stage, rows[i].percent, rows[i].at_ms) != rows[i].due)
			fail_msg("row %zu: %s", i, rows[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rate) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
