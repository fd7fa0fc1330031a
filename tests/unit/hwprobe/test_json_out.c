/* The writer prints what jansson prints: strings with everything that must be escaped and that need not be, numbers, nesting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/json_out.h"

enum { TEXT_MAX = 1 << 20 };

/* What was written since json_out_init() must be what jansson prints of @value. Drops both. */
static void expect_same(struct json_out *o, json_t *value)
{
	char *want = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	char *got = json_out_take(o);
	assert_non_null(want);
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
	free(want);
	json_decref(value);
	json_out_done(o);
}

static void expect_str(const char *s)
{
	struct json_out o;
	json_out_init(&o, TEXT_MAX);
	json_out_str(&o, s);
	expect_same(&o, json_string(s));
}

static void test_strings(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"plain",
		"\"",
		"\\",
		"\"\"\\\\",
		"a\"b\\c/d<e>f&g'h",
		"\b\f\n\r\t",
		"\x01\x1f\x7f",
		"ends with \n",
		"\nbegins",
		"\xc2\x80 \xc3\xa9 \xdf\xbf",                           /* 2 bytes each */
		"\xe0\xa0\x80 \xe2\x82\xac \xe2\x80\xa8 \xef\xbf\xbf",  /* 3, with U+2028 */
		"\xf0\x90\x80\x80 \xf0\x9f\x92\xbe \xf4\x8f\xbf\xbf",   /* 4 */
		"\xc3\xa9\"\xe2\x82\xac\\\xf0\x9f\x92\xbe\x01\xc3\xa9", /* mixed */
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_str(texts[i]);
}

/* Every byte of ASCII: alone, first, last, twice in a row. */
static void test_all_characters(void **state)
{
	for (char c = 1; c > 0 && c < 0x7f; c++) {
		expect_str((const char[]){ c, 0 });
		expect_str((const char[]){ c, 'x', 'y', 0 });
		expect_str((const char[]){ 'x', 'y', c, 0 });
		expect_str((const char[]){ 'x', c, c, 'y', 0 });
	}
	expect_str("\x7f");
}

/* Across the sizes at which the buffer grows. */
static void test_long_strings(void **state)
{
	static const char pattern[] = "\x01"
				      "ab\"c\xc3\xa9";
	char text[3000];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = pattern[i % (sizeof(pattern) - 1)];
	for (size_t n = sizeof(pattern) - 1; n < sizeof(text); n += sizeof(pattern) - 1) {
		text[n] = '\0';
		expect_str(text);
		text[n] = pattern[0];
	}
}

static void test_integers(void **state)
{
	static const int64_t values[] = {
		0,
		1,
		-1,
		9,
		10,
		-10,
		99,
		100,
		INT32_MAX,
		INT32_MIN,
		UINT32_MAX,
		INT64_MAX,
		INT64_MIN,
		INT64_MAX - 1,
		INT64_MIN + 1,
		1000000000000000000,
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct json_out o;
		json_out_init(&o, TEXT_MAX);
		json_out_int(&o, values[i]);
		expect_same(&o, json_integer(values[i]));
	}
}

static void test_reals(void **state)
{
	static const double values[] = { 0,
					 -0.0,
					 1,
					 -1.5,
					 0.1,
					 3187.2,
					 2400.001,
					 1e15,
					 1e16,
					 1e100,
					 -2.5e-7,
					 1.0 / 3,
					 123456789.123456789 };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct json_out o;
		json_out_init(&o, TEXT_MAX);
		json_out_real(&o, values[i]);
		expect_same(&o, json_real(values[i]));
	}
}

static void test_nesting(void **state)
{
	struct json_out o;
	json_out_init(&o, TEXT_MAX);
	json_out_open(&o, '{');
	json_out_key(&o, "none");
	json_out_open(&o, '{');
	json_out_close(&o, '{');
	json_out_key(&o, "list");
	json_out_open(&o, '[');
	json_out_int(&o, 1);
	json_out_str(&o, "two, {");
	json_out_str(&o, "[:");
	json_out_bool(&o, true);
	json_out_bool(&o, false);
	json_out_open(&o, '[');
	json_out_close(&o, '[');
	json_out_open(&o, '{');
	json_out_key(&o, "k");
	json_out_real(&o, 2.5);
	json_out_close(&o, '{');
	json_out_open(&o, '{');
	json_out_close(&o, '{');
	json_out_close(&o, '[');
	json_out_key(&o, "last");
	json_out_str(&o, "");
	json_out_close(&o, '{');
	expect_same(&o, json_pack("{s:{}, s:[i,s,s,b,b,[],{s:f},{}], s:s}", "none", "list", 1,
				  "two, {", "[:", 1, 0, "k", 2.5, "last", ""));
}

/* What cannot be written leaves no document behind, whatever is written after it. */
static void test_failures(void **state)
{
	enum { NULL_STRING, NOT_A_NUMBER, INFINITE, TOO_LONG, TOO_LONG_ESCAPED, FAILURES };
	for (int what = 0; what < FAILURES; what++) {
		struct json_out o;
		json_out_init(&o, 20);
		json_out_open(&o, '[');
		if (what == NULL_STRING)
			json_out_str(&o, NULL);
		else if (what == NOT_A_NUMBER)
			json_out_real(&o, NAN);
		else if (what == INFINITE)
			json_out_real(&o, INFINITY);
		else
			json_out_str(&o,
				     what == TOO_LONG ? "0123456789abcdefgh" : "\x01\x01\x01\x01");
		json_out_key(&o, "k");
		json_out_str(&o, "x");
		json_out_str(&o, "\n");
		json_out_int(&o, 1);
		json_out_bool(&o, true);
		json_out_open(&o, '{');
		json_out_close(&o, '{');
		json_out_close(&o, '[');
		assert_null(json_out_take(&o));
		json_out_done(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),      cmocka_unit_test(test_all_characters),
		cmocka_unit_test(test_long_strings), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_reals),        cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
