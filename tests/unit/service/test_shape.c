#include "rules_fixture.h"
#include "service/shape.h"

static const struct shape inner[] = { { .key = "x", .type = SHAPE_INT }, { .key = NULL } };
static const struct shape outer[] = {
	{ .key = "s", .type = SHAPE_STR },
	{ .key = "need", .type = SHAPE_STR, .flags = SHAPE_KEEP },
	{ .key = "i", .type = SHAPE_INT },
	{ .key = "n", .type = SHAPE_NUM },
	{ .key = "b", .type = SHAPE_BOOL },
	{ .key = "l", .type = SHAPE_STRS },
	{ .key = "o", .type = SHAPE_OBJ, .sub = inner },
	{ .key = "os", .type = SHAPE_OBJS, .sub = inner },
	{ .key = NULL },
};

static const struct {
	const char *in, *out; /* NULL = refused */
} cases[] = {
	{ "{}", "{\"l\":null,\"need\":\"\",\"os\":null}" },
	{ "{\"s\":\"a\",\"i\":1,\"n\":1.5,\"b\":true,\"l\":[],\"os\":[],\"o\":{}}",
	  "{\"b\":true,\"i\":1,\"l\":[],\"n\":1.5,\"need\":\"\",\"o\":{},\"os\":[],\"s\":\"a\"}" },
	{ "{\"s\":\"\",\"i\":0,\"n\":0.0,\"b\":false,\"o\":null}",
	  "{\"l\":null,\"need\":\"\",\"os\":null}" },
	{ "{\"S\":\"a\",\"NEED\":\"b\"}", "{\"l\":null,\"need\":\"b\",\"os\":null,\"s\":\"a\"}" },
	{ "{\"S\":\"a\",\"s\":\"b\"}", "{\"l\":null,\"need\":\"\",\"os\":null,\"s\":\"b\"}" },
	{ "{\"unknown\":{}}", "{\"l\":null,\"need\":\"\",\"os\":null}" },
	{ "{\"os\":[{\"x\":5,\"y\":1},null]}", "{\"l\":null,\"need\":\"\",\"os\":[{\"x\":5}]}" },
	{ "{\"n\":3}", "{\"l\":null,\"n\":3,\"need\":\"\",\"os\":null}" },
	{ "[]", NULL },
	{ "{\"s\":1}", NULL },
	{ "{\"i\":\"1\"}", NULL },
	{ "{\"i\":1.5}", NULL },
	{ "{\"b\":0}", NULL },
	{ "{\"l\":\"a\"}", NULL },
	{ "{\"l\":[1]}", NULL },
	{ "{\"o\":[]}", NULL },
	{ "{\"os\":{}}", NULL },
	{ "{\"os\":[1]}", NULL },
	{ "{\"os\":[{\"x\":\"\"}]}", NULL },
};

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decrefp) json_t *in = json_loads(cases[i].in, 0, NULL);
		json_t *out = NULL;
		struct fault err = FAULT_INIT;
		print_message("%s\n", cases[i].in);
		int r = shape_apply(outer, in, &out, &err);
		assert_int_equal(r, cases[i].out ? 0 : -EINVAL);
		if (!cases[i].out) {
			assert_true(err.text[0]);
			continue;
		}
		AUTO(freep) char *text = json_text(out, true);
		assert_string_equal(text, cases[i].out);
		json_decref(out);
	}
}

static void test_list_limit(void **state)
{
	for (int over = 0; over < 2; over++) {
		AUTO(json_decrefp) json_t *in = json_object();
		json_t *list = json_array(), *out = NULL;
		for (int i = 0; i < SHAPE_LIST_MAX + over; i++)
			json_array_append_new(list, json_string(""));
		json_object_set_new(in, "l", list);
		assert_int_equal(shape_apply(outer, in, &out, NULL), over ? -EMSGSIZE : 0);
		json_decref(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
					    cmocka_unit_test(test_list_limit) };
	return FIX_RUN(tests, 0);
}
