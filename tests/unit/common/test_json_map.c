#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"

struct proxy {
	char *http;
	bool tls;
};

struct sample {
	char *name;
	bool on;
	int64_t number;
	uint64_t size;
	double ratio;
	json_t *any;
	struct proxy proxy;
	struct json_strs tags;
};

static const struct json_field proxy_fields[] = {
	JSON_FIELD(proxy, http, "http", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(proxy, tls, "tls", JSON_F_BOOL, JSON_OMIT_EMPTY),
	JSON_FIELD_END,
};

static const struct json_field fields[] = {
	JSON_FIELD(sample, name, "name", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(sample, on, "on", JSON_F_BOOL, 0),
	JSON_FIELD(sample, number, "number", JSON_F_I64, 0),
	JSON_FIELD(sample, size, "size", JSON_F_U64, JSON_OMIT_EMPTY),
	JSON_FIELD(sample, ratio, "ratio", JSON_F_DOUBLE, JSON_OMIT_EMPTY),
	JSON_FIELD(sample, any, "any", JSON_F_JSON, JSON_OMIT_EMPTY),
	JSON_FIELD_SUB(sample, proxy, "proxy", proxy_fields, JSON_OMIT_EMPTY),
	JSON_FIELD(sample, tags, "tags", JSON_F_STRS, 0),
	JSON_FIELD_END,
};

static int decode(const char *text, unsigned options, struct sample *s, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), 1 << 20, true, err);
	assert_non_null(v);
	*s = (struct sample){ 0 };
	return json_map_decode(fields, v, s, options, err);
}

static void test_decode_all_types(void **state)
{
	struct sample s;
	assert_int_equal(
		decode("{\"name\":\"n\",\"on\":true,\"number\":-9223372036854775808,\"size\":9223372036854775807,"
		       "\"ratio\":2,\"any\":[1,null],\"proxy\":{\"http\":\"h\",\"tls\":true},\"tags\":[\"a\",\"b\"],"
		       "\"other\":1}",
		       0, &s, NULL),
		0);
	assert_string_equal(s.name, "n");
	assert_true(s.on && s.proxy.tls);
	assert_true(s.number == INT64_MIN && s.size == INT64_MAX);
	assert_true(fabs(s.ratio - 2) < 1e-9);
	assert_int_equal(json_array_size(s.any), 2);
	assert_string_equal(s.proxy.http, "h");
	assert_int_equal(s.tags.n, 2);
	assert_string_equal(s.tags.v[1], "b");
	json_map_done(fields, &s);
	assert_null(s.name);
	assert_int_equal(s.tags.n, 0);
	assert_int_equal(s.number, 0);
}

static void test_decode_refused(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ "{}", "name in body is required" },
		{ "{\"name\":null}", "name in body is required" },
		{ "{\"name\":5}", "name in body must be of type string: \"number\"" },
		{ "{\"name\":\"n\",\"on\":1}", "on in body must be of type boolean: \"number\"" },
		{ "{\"name\":\"n\",\"on\":\"true\"}",
		  "on in body must be of type boolean: \"string\"" },
		{ "{\"name\":\"n\",\"number\":\"5\"}",
		  "number in body must be of type int64: \"string\"" },
		{ "{\"name\":\"n\",\"number\":1.5}",
		  "number in body must be of type int64: \"number\"" },
		{ "{\"name\":\"n\",\"size\":-1}",
		  "size in body must be of type uint64: \"number\"" },
		{ "{\"name\":\"n\",\"ratio\":[]}",
		  "ratio in body must be of type number: \"array\"" },
		{ "{\"name\":\"n\",\"proxy\":[]}",
		  "proxy in body must be of type object: \"array\"" },
		{ "{\"name\":\"n\",\"proxy\":{}}", "proxy.http in body is required" },
		{ "{\"name\":\"n\",\"proxy\":{\"http\":{}}}",
		  "proxy.http in body must be of type string: \"object\"" },
		{ "{\"name\":\"n\",\"tags\":{}}",
		  "tags in body must be of type array: \"object\"" },
		{ "{\"name\":\"n\",\"tags\":[\"a\",false]}",
		  "tags.1 in body must be of type string: \"boolean\"" },
		{ "{\"on\":3,\"name\":4}", "on in body must be of type boolean: \"number\"" },
		{ "[]", "body must be of type object: \"array\"" },
		{ "\"x\"", "body must be of type object: \"string\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		struct sample s;
		assert_int_equal(decode(cases[i].text, 0, &s, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].fault);
		json_map_done(fields, &s);
	}
	struct sample s = { 0 };
	assert_int_equal(json_map_decode(fields, NULL, &s, 0, NULL), -EINVAL);
}

static void test_unknown_keys(void **state)
{
	static const struct {
		const char *text;
		unsigned options;
		int code;
		const char *fault;
	} cases[] = {
		{ "{\"name\":\"n\",\"colour\":1}", 0, 0, "" },
		{ "{\"name\":\"n\",\"colour\":1}", JSON_REJECT_UNKNOWN, -EINVAL,
		  "json: unknown field \"colour\"" },
		{ "{\"colour\":1}", JSON_REJECT_UNKNOWN, -EINVAL,
		  "json: unknown field \"colour\"" },
		{ "{\"name\":\"n\",\"proxy\":{\"http\":\"h\",\"x\":1}}", JSON_REJECT_UNKNOWN,
		  -EINVAL, "json: unknown field \"x\"" },
		{ "{\"NAME\":\"n\"}", JSON_REJECT_UNKNOWN, -EINVAL,
		  "json: unknown field \"NAME\"" },
		{ "{\"NAME\":\"n\"}", 0, -EINVAL, "name in body is required" },
		{ "{\"NAME\":\"n\",\"Proxy\":{\"HTTP\":\"h\"}}",
		  JSON_REJECT_UNKNOWN | JSON_ANY_CASE, 0, "" },
		{ "{\"NAME\":\"n\",\"name\":\"m\"}", JSON_ANY_CASE, 0, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		struct sample s;
		assert_int_equal(decode(cases[i].text, cases[i].options, &s, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].fault);
		json_map_done(fields, &s);
	}
}

static void test_null_is_absent(void **state)
{
	static const struct json_field nullable[] = {
		JSON_FIELD(sample, name, "name", JSON_F_STR, JSON_REQUIRED | JSON_NULLABLE),
		JSON_FIELD(sample, tags, "tags", JSON_F_STRS, 0),
		JSON_FIELD_END,
	};
	struct sample s = { 0 };
	AUTO(json_decrefp) json_t *v = json_pack("{s:n, s:n}", "name", "tags");
	assert_int_equal(json_map_decode(nullable, v, &s, 0, NULL), 0);
	assert_null(s.name);
	assert_int_equal(s.tags.n, 0);
	json_object_del(v, "name");
	assert_int_equal(json_map_decode(nullable, v, &s, 0, NULL), -EINVAL);
	AUTO(json_decrefp) json_t *back = json_map_encode(nullable, &s);
	AUTO(freep) char *text = json_text(back, false);
	assert_string_equal(text, "{\"name\":null,\"tags\":[]}");
}

static void test_array_limit(void **state)
{
	AUTO(json_decrefp) json_t *v = json_pack("{s:s, s:[]}", "name", "n", "tags");
	json_t *tags = json_object_get(v, "tags");
	for (int i = 0; i < JSON_STRS_MAX; i++)
		json_array_append_new(tags, json_string("t"));
	struct sample s = { 0 };
	struct fault err = FAULT_INIT;
	assert_int_equal(json_map_decode(fields, v, &s, 0, &err), 0);
	assert_int_equal(s.tags.n, JSON_STRS_MAX);
	json_array_append_new(tags, json_string("t"));
	assert_int_equal(json_map_decode(fields, v, &s, 0, &err), -EINVAL);
	assert_string_equal(err.text, "tags in body should have at most 10000 items");
	json_map_done(fields, &s);
}

static void test_encode(void **state)
{
	struct sample s = { 0 };
	AUTO(json_decrefp) json_t *empty = json_map_encode(fields, &s);
	AUTO(freep) char *text = json_text(empty, false);
	/* an object with a required member is not empty */
	assert_string_equal(
		text,
		"{\"name\":\"\",\"on\":false,\"number\":0,\"proxy\":{\"http\":\"\"},\"tags\":[]}");

	static const char full[] =
		"{\"name\":\"n\",\"on\":true,\"number\":-5,\"size\":6,\"ratio\":0.5,\"any\":{\"k\":[]},"
		"\"proxy\":{\"http\":\"h\",\"tls\":true},\"tags\":[\"a\",\"b\",\"c\"]}";
	struct sample t;
	assert_int_equal(decode(full, JSON_REJECT_UNKNOWN, &t, NULL), 0);
	AUTO(json_decrefp) json_t *v = json_map_encode(fields, &t);
	AUTO(freep) char *back = json_text(v, false);
	assert_string_equal(back, full);
	json_map_done(fields, &t);
}

static void test_encode_impossible(void **state)
{
	char bad[] = "\xff";
	struct sample above = { .size = (uint64_t)INT64_MAX + 1 }, text = { .name = bad },
		      endless = { .ratio = INFINITY };
	assert_null(json_map_encode(fields, &above));
	assert_null(json_map_encode(fields, &text));
	assert_null(json_map_encode(fields, &endless));
}

static void test_strs(void **state)
{
	struct json_strs s = { 0 };
	for (int i = 0; i < 100; i++) {
		char text[8];
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(json_strs_add(&s, text), 0);
	}
	assert_int_equal(s.n, 100);
	assert_string_equal(s.v[63], "63");
	assert_string_equal(s.v[64], "64");
	json_strs_done(&s);
	assert_null(s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_all_types),  cmocka_unit_test(test_decode_refused),
		cmocka_unit_test(test_unknown_keys),      cmocka_unit_test(test_null_is_absent),
		cmocka_unit_test(test_array_limit),       cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_impossible), cmocka_unit_test(test_strs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
