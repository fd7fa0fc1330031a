#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/http_range.h"

static void test_ranges(void **state)
{
	static const struct {
		const char *value;
		uint64_t size;
		int want;
		struct http_range r[4];
	} cases[] = {
		{ "bytes=0-0", 10, 1, { { 0, 0 } } },
		{ "BYTES=0-0", 10, 1, { { 0, 0 } } },
		{ "bytes=0-", 10, 1, { { 0, 9 } } },
		{ "bytes=-3", 10, 1, { { 7, 9 } } },
		{ "bytes=-30", 10, 1, { { 0, 9 } } },
		{ "bytes=9-100", 10, 1, { { 9, 9 } } },
		{ "bytes= 1-2 , 4-5", 10, 2, { { 1, 2 }, { 4, 5 } } },
		{ "bytes=4-5,,1-2,", 10, 2, { { 4, 5 }, { 1, 2 } } },
		{ "bytes=1-2,10-", 10, 1, { { 1, 2 } } },
		{ "bytes=0-18446744073709551615", 10, 1, { { 0, 9 } } },
		{ "bytes=0-18446744073709551614", UINT64_MAX, 1, { { 0, UINT64_MAX - 1 } } },
		{ "bytes=10-", 10, -ERANGE, { { 0 } } },
		{ "bytes=-0", 10, -ERANGE, { { 0 } } },
		{ "bytes=0-0", 0, -ERANGE, { { 0 } } },
		{ "bytes=-1", 0, -ERANGE, { { 0 } } },
		{ "bytes=10-,11-", 10, -ERANGE, { { 0 } } },
		{ "", 10, 0, { { 0 } } },
		{ "bytes", 10, 0, { { 0 } } },
		{ "bytes=", 10, 0, { { 0 } } },
		{ "bytes=,", 10, 0, { { 0 } } },
		{ "bytes=-", 10, 0, { { 0 } } },
		{ "bytes=a-b", 10, 0, { { 0 } } },
		{ "bytes=5", 10, 0, { { 0 } } },
		{ "bytes=5-4", 10, 0, { { 0 } } },
		{ "bytes=1-2x", 10, 0, { { 0 } } },
		{ "bytes=1 -2", 10, 0, { { 0 } } },
		{ "bytes=+1-2", 10, 0, { { 0 } } },
		{ "bytes=1--2", 10, 0, { { 0 } } },
		{ "bytes=18446744073709551616-", 10, 0, { { 0 } } },
		{ "items=0-1", 10, 0, { { 0 } } },
		/* Together longer than the whole: an amplifier, not a reader. */
		{ "bytes=0-9,0-9", 10, 0, { { 0 } } },
		{ "bytes=0-,0-,0-", UINT64_MAX, 0, { { 0 } } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_range r[HTTP_RANGES_MAX];
		int n = http_range_parse(cases[i].value, cases[i].size, r);
		if (n != cases[i].want)
			fail_msg("%s of %llu: %d", cases[i].value,
				 (unsigned long long)cases[i].size, n);
		for (int k = 0; k < n; k++) {
			assert_true(r[k].first == cases[i].r[k].first);
			assert_true(r[k].last == cases[i].r[k].last);
		}
	}
}

/* At the limit and one above. */
static void test_many(void **state)
{
	char text[200] = "bytes=0-0";
	struct http_range r[HTTP_RANGES_MAX];
	for (int n = 1; n <= HTTP_RANGES_MAX + 1; n++) {
		assert_int_equal(http_range_parse(text, 1000, r), n <= HTTP_RANGES_MAX ? n : 0);
		strcat(text, ",0-0");
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t t;
	} good[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t t = -1;
		char text[HTTP_DATE_LEN];
		assert_int_equal(http_date_parse(good[i].text, &t), 0);
		assert_true(t == good[i].t);
		http_date_format(good[i].t, text);
		assert_string_equal(text, good[i].text);
	}
	static const char *const bad[] = { "",
					   "now",
					   "Mon, 06 Nov 1994 08:49:37 GMT",
					   "Sun, 06 Nov 1994 08:49:37 UTC",
					   "Sun, 06 Nov 1994 24:49:37 GMT",
					   "Sun Nov  6 08:49:37 1994",
					   "Sunday, 06-Nov-94 08:49:37 GMT",
					   "Thu, 30 Feb 2024 00:00:00 GMT" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t t;
		assert_int_equal(http_date_parse(bad[i], &t), -EINVAL);
	}
}

static void test_conditions(void **state)
{
	static const struct {
		const char *list, *etag;
		bool want;
	} lists[] = {
		{ "\"a\"", "\"a\"", true },
		{ "W/\"a\"", "\"a\"", true },
		{ "\"a\"", "W/\"a\"", true },
		{ "\"b\", \"a\"", "\"a\"", true },
		{ "\"b\" ,W/\"a\"", "\"a\"", true },
		{ "*", "\"a\"", true },
		{ "*x", "\"a\"", false },
		{ "*", NULL, false },
		{ "", "\"a\"", false },
		{ "a", "\"a\"", false },
		{ "\"ab\"", "\"a\"", false },
		{ "\"a", "\"a\"", false },
		{ "\"b\" \"a\"", "\"a\"", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		assert_int_equal(http_etag_in_list(lists[i].list, lists[i].etag), lists[i].want);
	assert_true(http_if_range_holds("\"a\"", "\"a\"", 0));
	assert_false(http_if_range_holds("W/\"a\"", "W/\"a\"", 0));
	assert_false(http_if_range_holds("\"a\"", NULL, 0));
	assert_true(http_if_range_holds("Sun, 06 Nov 1994 08:49:37 GMT", NULL, 784111777));
	assert_false(http_if_range_holds("Sun, 06 Nov 1994 08:49:37 GMT", NULL, 784111778));
	assert_false(http_if_range_holds("Thu, 01 Jan 1970 00:00:00 GMT", NULL, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_conditions),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
