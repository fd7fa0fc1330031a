#include "unit.h"
#include <jansson.h>
#include "service/json_out.h"

static void test_shapes(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 4096);
	struct json_out o = json_out(&b);
	jo_object(&o, NULL);
	jo_str(&o, "s", "a\"b\\c\n\t\r\x01\xc3\xa9");
	jo_str(&o, "none", NULL);
	jo_int(&o, "i", -5);
	jo_bool(&o, "t", true);
	jo_bool(&o, "f", false);
	jo_null(&o, "n");
	jo_array(&o, "a");
	jo_int(&o, NULL, 1);
	jo_object(&o, NULL);
	jo_object_end(&o);
	jo_array_end(&o);
	jo_array(&o, "e");
	jo_array_end(&o);
	jo_raw(&o, "r", "[1,2]");
	jo_object_end(&o);
	assert_int_equal(o.r, 0);
	assert_string_equal(
		b.data,
		"{\"s\":\"a\\\"b\\\\c\\n\\t\\r\\u0001\xc3\xa9\",\"none\":\"\",\"i\":-5,\"t\":true,\"f\":false,\"n\":null,"
		"\"a\":[1,{}],\"e\":[],\"r\":[1,2]}");
}

/* Every byte at every place of a word, against the rule of RFC 8259 §7. */
static void escape_one(unsigned c, char one[8])
{
	if (c == '"' || c == '\\')
		snprintf(one, 8, "\\%c", (char)c);
	else if (c == '\n' || c == '\t' || c == '\r')
		snprintf(one, 8, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else
		snprintf(one, 8, c < 0x20 ? "\\u%04x" : "%c", c);
}

static void test_escapes(void **state)
{
	for (unsigned c = 1; c < 256; c++) {
		for (unsigned at = 0; at < 20; at++) {
			AUTO(buf_done) struct buf b;
			char text[21], want[64], one[8];

			memset(text, 'a' + (int)(at % 3), 20);
			text[20] = '\0';
			text[at] = (char)c;
			escape_one(c, one);
			snprintf(want, sizeof(want), "\"%.*s%s%s\"", (int)at, text, one,
				 text + at + 1);
			buf_init(&b, 4096);
			struct json_out o = json_out(&b);
			jo_str(&o, NULL, text);
			assert_string_equal(b.data, want);
		}
	}
}

static void test_omit_empty(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 4096);
	struct json_out o = json_out(&b);
	jo_object(&o, NULL);
	jo_opt_str(&o, "a", NULL);
	jo_opt_str(&o, "b", "");
	jo_opt_int(&o, "c", 0);
	jo_opt_bool(&o, "d", false);
	jo_opt_str(&o, "e", "x");
	jo_opt_int(&o, "f", 1);
	jo_opt_bool(&o, "g", true);
	jo_object_end(&o);
	assert_string_equal(b.data, "{\"e\":\"x\",\"f\":1,\"g\":true}");
}

static void test_times(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 4096);
	struct json_out o = json_out(&b);
	jo_object(&o, NULL);
	jo_time(&o, "zero", 0);
	jo_time_nano(&o, "zero_nano", 0);
	jo_time(&o, "ms", 1787277240123450);
	jo_time_nano(&o, "nano", 1787277240123450);
	jo_object_end(&o);
	assert_string_equal(
		b.data,
		"{\"zero\":\"0001-01-01T00:00:00.000Z\",\"zero_nano\":\"0001-01-01T00:00:00Z\","
		"\"ms\":\"2026-08-21T01:54:00.123Z\",\"nano\":\"2026-08-21T01:54:00.12345Z\"}");
}

/* Long strings go in pieces; what comes out is what a parser reads back. */
static void test_long_string(void **state)
{
	static char text[20001];
	AUTO(buf_done) struct buf b;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "ab\"\\\n\x02z"[i % 7];
	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	jo_array(&o, NULL);
	jo_str(&o, NULL, text);
	jo_array_end(&o);
	assert_int_equal(o.r, 0);
	json_t *v = json_loadb(b.data, b.len, 0, NULL);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_array_get(v, 0)), text);
	json_decref(v);
}

static void test_error_sticks(void **state)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 8);
	struct json_out o = json_out(&b);
	jo_str(&o, NULL, "0123456789");
	assert_true(o.r < 0);
	int first = o.r;
	jo_int(&o, NULL, 1);
	assert_int_equal(o.r, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),     cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_omit_empty),  cmocka_unit_test(test_times),
		cmocka_unit_test(test_long_string), cmocka_unit_test(test_error_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
