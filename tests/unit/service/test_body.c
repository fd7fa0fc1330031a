#include "unit.h"
#include "service/body.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct body_field inner[] = { { "id", BODY_STR, BODY_REQUIRED },
					   { "on", BODY_BOOL },
					   { NULL } };
static const struct body_field fields[] = {
	{ "name", BODY_STR, BODY_REQUIRED, .max_len = 8 },
	{ "uuid", BODY_UUID },
	{ "colour", BODY_STR, .values = colours },
	{ "count", BODY_INT, BODY_POSITIVE },
	{ "one", BODY_OBJECT, .sub = inner },
	{ "many", BODY_ARRAY, .sub = inner },
	{ "words", BODY_ARRAY },
	{ "any", BODY_ANY },
	{ NULL },
};
static const struct body_schema schema = { "thing", fields };
static const struct body_schema optional = { "thing", fields + 1, .optional = true };

static void test_good(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"x\"}",
		" {\"name\":\"12345678\",\"uuid\":\"11111111-1111-4111-8111-111111111111\",\"colour\":\"red\",\"count\":0,\"one\":{\"id\":\"\"},"
		"\"many\":[{\"id\":\"a\",\"on\":true},{\"id\":\"b\"}],\"words\":[\"a\",\"b\"],\"any\":{\"x\":[1]}} behind",
		"{\"name\":\"x\",\"uuid\":null,\"colour\":null,\"count\":null,\"one\":null,\"many\":null,\"words\":null,\"any\":null}",
		"{\"NAME\":\"x\",\"Count\":1}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		json_t *v = NULL;
		struct fault err = FAULT_INIT;
		if (body_parse(&schema, bodies[i], strlen(bodies[i]), &v, &err) < 0)
			fail_msg("%s: %s", bodies[i], err.text);
		assert_true(body_has(v, "name"));
		assert_false(body_has(v, "uuid") && i == 2);
		json_decref(v);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{ "", "thing in body is required" },
		{ "  \n", "thing in body is required" },
		{ "{}", "name in body is required" },
		{ "{\"name\":null}", "name in body is required" },
		{ "{\"name\":1}",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal number into field name of type string" },
		{ "{\"name\":\"x\",\"more\":1}",
		  "parsing thing body from \"\" failed, because json: unknown field \"more\"" },
		{ "{\"name\":\"123456789\"}", "name in body should be at most 8 chars long" },
		{ "{\"name\":\"x\",\"uuid\":\"1\"}", "uuid in body must be of type uuid: \"1\"" },
		{ "{\"name\":\"x\",\"colour\":\"blue\"}",
		  "colour in body should be one of [red green]" },
		{ "{\"name\":\"x\",\"count\":-1}",
		  "count in body should be greater than or equal to 0" },
		{ "{\"name\":\"x\",\"count\":1.5}",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal number into field count of type int64" },
		{ "{\"name\":\"x\",\"one\":{}}", "one.id in body is required" },
		{ "{\"name\":\"x\",\"one\":{\"id\":\"a\",\"x\":1}}",
		  "parsing thing body from \"\" failed, because json: unknown field \"x\"" },
		{ "{\"name\":\"x\",\"many\":[{\"id\":\"a\"},{}]}",
		  "many.1.id in body is required" },
		{ "{\"name\":\"x\",\"many\":[1]}",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal number into field many.0 of type object" },
		{ "{\"name\":\"x\",\"words\":[\"a\",1]}",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal number into field words.1 of type string" },
		{ "[]",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal array into an object" },
		{ "\"text\"",
		  "parsing thing body from \"\" failed, because json: cannot unmarshal string into an object" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *v = NULL;
		struct fault err = FAULT_INIT;
		assert_int_equal(
			body_parse(&schema, cases[i].body, strlen(cases[i].body), &v, &err),
			-EBADMSG);
		assert_string_equal(err.text, cases[i].text);
		assert_null(v);
	}
}

static void test_optional(void **state)
{
	json_t *v = NULL;

	assert_int_equal(body_parse(&optional, "", 0, &v, NULL), 0);
	assert_int_equal(json_object_size(v), 0);
	json_decref(v);
}

static void test_limits(void **state)
{
	static char big[BODY_MAX + 2];
	json_t *v = NULL;

	memset(big, ' ', sizeof(big));
	memcpy(big, "{\"name\":\"x\"}", 12);
	assert_int_equal(body_parse(&schema, big, BODY_MAX, &v, NULL), 0);
	json_decref(v);
	assert_int_equal(body_parse(&schema, big, BODY_MAX + 1, &v, NULL), -E2BIG);

	/* BODY_ARRAY_MAX items are taken, one more is not */
	for (int more = 0; more < 2; more++) {
		AUTO(freep) char *text = malloc(64 + 3 * (BODY_ARRAY_MAX + 1));
		char *p = text + sprintf(text, "{\"name\":\"x\",\"words\":[");
		for (int i = 0; i < BODY_ARRAY_MAX + more; i++)
			p += sprintf(p, "%s\"\"", i ? "," : "");
		strcpy(p, "]}");
		assert_int_equal(body_parse(&schema, text, strlen(text), &v, NULL),
				 more ? -EBADMSG : 0);
		if (!more)
			json_decref(v);
	}
}

/* Both spellings at once: the exact one wins, nothing is lost or leaked. */
static void test_two_spellings(void **state)
{
	static const char body[] = "{\"Name\":\"a\",\"name\":\"b\",\"NAME\":\"c\"}";
	json_t *v = NULL;

	assert_int_equal(body_parse(&schema, body, sizeof(body) - 1, &v, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(v, "name")), "b");
	assert_int_equal(json_object_size(v), 1);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),
		cmocka_unit_test(test_optional),      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_two_spellings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
