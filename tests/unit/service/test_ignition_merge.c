#include "rules_fixture.h"
#include "service/ignition_merge.h"

static const struct {
	const char *what, *parent, *child, *want;
} cases[] = {
	{ "the child's version", "{\"ignition\":{\"version\":\"3.2.0\"}}",
	  "{\"ignition\":{\"version\":\"3.1.0\"}}", "{\"ignition\":{\"version\":\"3.1.0\"}}" },
	{ "files by path",
	  "{\"storage\":{\"files\":[{\"path\":\"/a\",\"mode\":1},{\"path\":\"/b\"}]}}",
	  "{\"storage\":{\"files\":[{\"path\":\"/c\"},{\"path\":\"/a\",\"mode\":2}]}}",
	  "{\"storage\":{\"files\":[{\"mode\":2,\"path\":\"/a\"},{\"path\":\"/b\"},{\"path\":\"/c\"}]}}" },
	{ "units and drop-ins by name",
	  "{\"units\":[{\"name\":\"u\",\"enabled\":true,\"dropins\":[{\"name\":\"d\",\"contents\":\"x\"}]}]}",
	  "{\"units\":[{\"name\":\"u\",\"dropins\":[{\"name\":\"d\",\"contents\":\"y\"},{\"name\":\"e\"}]}]}",
	  "{\"units\":[{\"dropins\":[{\"contents\":\"y\",\"name\":\"d\"},{\"name\":\"e\"}],\"enabled\":true,\"name\":\"u\"}]}" },
	{ "plain lists grow without repeating", "{\"shouldExist\":[\"a\",\"b\"]}",
	  "{\"shouldExist\":[\"b\",\"c\"]}", "{\"shouldExist\":[\"a\",\"b\",\"c\"]}" },
	{ "null changes nothing", "{\"a\":1}", "{\"a\":null}", "{\"a\":1}" },
	{ "items without their key are added", "{\"files\":[{}]}", "{\"files\":[{\"x\":1}]}",
	  "{\"files\":[{},{\"x\":1}]}" },
};

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decrefp) json_t *parent = json_loads(cases[i].parent, 0, NULL);
		AUTO(json_decrefp) json_t *child = json_loads(cases[i].child, 0, NULL);
		AUTO(json_decrefp) json_t *out = NULL;
		print_message("%s\n", cases[i].what);
		assert_int_equal(ignition_merge(parent, child, &out, NULL), 0);
		AUTO(freep) char *text = json_text(out, true);
		assert_string_equal(text, cases[i].want);
		AUTO(freep) char *before = json_text(parent, true);
		AUTO(json_decrefp) json_t *again = json_loads(cases[i].parent, 0, NULL);
		AUTO(freep) char *untouched = json_text(again, true);
		assert_string_equal(before, untouched);
	}
}

static void test_depth(void **state)
{
	for (unsigned depth = 30; depth <= 40; depth += 10) {
		json_t *v = json_object();
		for (unsigned i = 0; i < depth; i++) {
			json_t *outer = json_object();
			json_object_set_new(outer, "a", v);
			v = outer;
		}
		json_t *out = NULL;
		assert_int_equal(ignition_merge(v, v, &out, NULL), depth == 30 ? 0 : -EINVAL);
		json_decref(out);
		json_decref(v);
	}
}

static void test_text(void **state)
{
	AUTO(json_decrefp)
	json_t *parent = json_loads("{\"ignition\":{\"version\":\"3.1.0\"}}", 0, NULL);
	json_t *out = NULL;
	assert_int_equal(ignition_merge_text(parent, NULL, &out, NULL), 0);
	assert_ptr_equal(out, parent);
	json_decref(out);
	assert_int_equal(ignition_merge_text(parent, "{}", &out, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
					    cmocka_unit_test(test_depth),
					    cmocka_unit_test(test_text) };
	return FIX_RUN(tests, 0);
}
