#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		bool strict, lenient; /* accepted? */
	} cases[] = {
		{ "{}", true, true },
		{ " [1, 2] \n", true, true },
		{ "\"text\"", true, true },
		{ "null", true, true },
		{ "{\"a\":1,\"a\":2}", false, true },
		{ "{} x", false, true },
		{ "{}{}", false, true },
		{ "", false, false },
		{ "{", false, false },
		{ "{\"a\":}", false, false },
		{ "{'a':1}", false, false },
		{ "[1,]", false, false },
		{ "{\"a\":\"\\u0000\"}", false, false },
		{ "{\"a\":\"\xff\"}", false, false },
		{ "[18446744073709551616]", false, false },
		{ "[1e999]", false, false },
		{ "\xef\xbb\xbf{}", false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		AUTO(json_decrefp)
		json_t *strict = json_parse(cases[i].text, strlen(cases[i].text), 100, false, &err);
		assert_int_equal(strict != NULL, cases[i].strict);
		assert_int_equal(err.code, cases[i].strict ? 0 : -EINVAL);
		AUTO(json_decrefp)
		json_t *lenient = json_parse(cases[i].text, strlen(cases[i].text), 100, true, NULL);
		assert_int_equal(lenient != NULL, cases[i].lenient);
	}
	/* without a NUL behind */
	AUTO(json_decrefp) json_t *v = json_parse("[1]]]]", 3, 100, false, NULL);
	assert_non_null(v);
}

static void test_size_limit(void **state)
{
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *at = json_parse("[1,2,3]", 7, 7, false, &err);
	assert_non_null(at);
	assert_null(json_parse("[1,2,3]", 7, 6, false, &err));
	assert_int_equal(err.code, -EMSGSIZE);
}

static json_t *parse_nested(unsigned depth, const char *open, const char *close)
{
	char text[8 * JSON_DEPTH_MAX] = "";
	for (unsigned i = 0; i < depth; i++)
		strcat(text, open);
	strcat(text, "0");
	for (unsigned i = 0; i < depth; i++)
		strcat(text, close);
	return json_parse(text, strlen(text), sizeof(text), false, NULL);
}

static void test_depth_limit(void **state)
{
	AUTO(json_decrefp) json_t *arrays = parse_nested(JSON_DEPTH_MAX, "[", "]");
	AUTO(json_decrefp) json_t *objects = parse_nested(JSON_DEPTH_MAX, "{\"a\":", "}");
	assert_non_null(arrays);
	assert_non_null(objects);
	assert_null(parse_nested(JSON_DEPTH_MAX + 1, "[", "]"));
	assert_null(parse_nested(JSON_DEPTH_MAX + 1, "{\"a\":", "}"));

	/* brackets inside of strings do not count, escaped quotes do not end one */
	char text[512] = "[\"\\\"";
	memset(text + 4, '[', 400);
	strcpy(text + 404, "\"]");
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), sizeof(text), false, NULL);
	assert_non_null(v);
}

static void test_readers(void **state)
{
	static const char text[] = "{\"s\":\"t\",\"i\":-3,\"b\":true,\"o\":{}}";
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), 100, false, NULL);
	assert_non_null(v);
	assert_string_equal(json_str(v, "s"), "t");
	assert_null(json_str(v, "i"));
	assert_null(json_str(v, "none"));
	assert_null(json_str(NULL, "s"));
	assert_true(json_i64(v, "i") == -3);
	assert_true(json_i64(v, "s") == 0);
	assert_true(json_flag(v, "b"));
	assert_false(json_flag(v, "i"));
	assert_true(json_is_object(json_child(v, "o")));
	assert_null(json_child(v, "none"));
}

static void test_text(void **state)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:i, s:[b, n], s:s}", "z", 1, "a", 1, "m", "\xc3\xa9\"");
	AUTO(freep) char *plain = json_text(v, false);
	AUTO(freep) char *sorted = json_text(v, true);
	assert_string_equal(plain, "{\"z\":1,\"a\":[true,null],\"m\":\"\xc3\xa9\\\"\"}");
	assert_string_equal(sorted, "{\"a\":[true,null],\"m\":\"\xc3\xa9\\\"\",\"z\":1}");
	AUTO(freep) char *any = json_text(json_object_get(v, "z"), false);
	assert_string_equal(any, "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),       cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_depth_limit), cmocka_unit_test(test_readers),
		cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
