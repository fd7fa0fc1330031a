#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

static void test_format(void **state)
{
	static const struct {
		int64_t us;
		const char *ms, *nano;
	} cases[] = {
		{ 0, "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000001Z" },
		{ -1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999999Z" },
		{ 1787277240123000, "2026-08-21T01:54:00.123Z", "2026-08-21T01:54:00.123Z" },
		{ 1787277240123450, "2026-08-21T01:54:00.123Z", "2026-08-21T01:54:00.12345Z" },
		{ 1787277240000000, "2026-08-21T01:54:00.000Z", "2026-08-21T01:54:00Z" },
		{ 1709164800000000, "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59Z" },
		{ INT64_MIN, "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[TIME_TEXT_LEN];
		time_format_ms(cases[i].us, text);
		assert_string_equal(text, cases[i].ms);
		time_format_nano(cases[i].us, text);
		assert_string_equal(text, cases[i].nano);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "0001-01-01T00:00:00Z", 0 },
		{ "0001-01-01T00:00:00.000Z", 0 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "2026-08-21T01:54:00Z", 1787277240000000 },
		{ "2026-08-21T01:54:00.12345Z", 1787277240123450 },
		{ "2026-08-21T01:54:00.123456789Z", 1787277240123456 },
		{ "2026-08-21T03:54:00+02:00", 1787277240000000 },
		{ "2026-08-20T20:24:00.5-05:30", 1787277240500000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000 },
		{ "2000-02-29T00:00:00Z", 951782400000000 },
		{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t us = 4242;
		assert_int_equal(time_parse(cases[i].text, &us), 0);
		assert_true(us == cases[i].us);
	}
}

static void test_parse_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-08-21",
		"2026-08-21 01:54:00Z",
		"2026-08-21T01:54:00",
		"2026-08-21t01:54:00Z",
		"2026-08-21T01:54:00z",
		"2026-08-21T01:54Z",
		"2026-08-21T01:54:00.Z",
		"2026-08-21T01:54:00ZZ",
		"2026-08-21T24:00:00Z",
		"2026-08-21T01:60:00Z",
		"2026-08-21T01:54:60Z",
		"2026-13-21T01:54:00Z",
		"2026-00-21T01:54:00Z",
		"2026-02-29T01:54:00Z",
		"1900-02-29T01:54:00Z",
		"2026-04-31T01:54:00Z",
		"2026-08-00T01:54:00Z",
		"0000-01-01T00:00:00Z",
		"2026-08-21T01:54:00+24:00",
		"2026-08-21T01:54:00+0200",
		"2026-08-21T01:54:00+02:000",
		"026-08-21T01:54:00Z",
		"12026-08-21T01:54:00Z",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t us = 4242;
		assert_true(time_parse(bad[i], &us) < 0);
		assert_true(us == 4242);
	}
	int64_t us;
	assert_int_equal(time_parse(NULL, &us), -EINVAL);
}

/* What is printed is read back, to the unit printed. */
static void test_round_trip(void **state)
{
	for (int64_t us = -5000000000000000; us < 250000000000000000; us += 98765432109876) {
		char text[TIME_TEXT_LEN];
		int64_t back;
		time_format_nano(us, text);
		assert_int_equal(time_parse(text, &back), 0);
		assert_true(back == us);
	}
}

static void test_clocks(void **state)
{
	int64_t us = time_now_us(), ms = time_mono_ms();
	assert_true(us > 1600000000000000);
	assert_true(time_mono_ms() >= ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),        cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refused), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_clocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
