#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/wire/step.h"

static int decode(const char *text, struct steps *ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), 1 << 20, false, err);
	assert_non_null(v);
	return steps_decode(v, ret, err);
}

static void test_types(void **state)
{
	for (int i = STEP_UNKNOWN + 1; i < STEP_TYPE_COUNT; i++) {
		assert_true(strlen(step_type_name((enum step_type)i)) > 3);
		assert_int_equal(step_type_parse(step_type_name((enum step_type)i)), i);
	}
	assert_int_equal(step_type_parse("Inventory"), STEP_UNKNOWN);
	assert_int_equal(step_type_parse(""), STEP_UNKNOWN);
	assert_int_equal(step_type_parse(NULL), STEP_UNKNOWN);
	assert_string_equal(step_type_name(STEP_TYPE_COUNT), "");
}

static void test_decode(void **state)
{
	AUTO(steps_done) struct steps s = { 0 };
	assert_int_equal(
		decode("{\"next_instruction_seconds\":60,\"post_step_action\":\"continue\",\"instructions\":["
		       "{\"step_type\":\"inventory\",\"step_id\":\"inventory-1a2b3c4d\",\"args\":[\"x\",\"y\"]},"
		       "{\"step_type\":\"stop-installation\",\"args\":null}],\"new\":1}",
		       &s, NULL),
		0);
	assert_true(s.next_instruction_seconds == 60);
	assert_string_equal(s.post_step_action, "continue");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.v[0].step_id, "inventory-1a2b3c4d");
	assert_int_equal(s.v[0].args.n, 2);
	assert_string_equal(s.v[0].args.v[1], "y");
	assert_string_equal(s.v[1].step_type, "stop-installation");
	assert_null(s.v[1].step_id);
	assert_int_equal(s.v[1].args.n, 0);
}

static void test_empty_forms(void **state)
{
	static const char *const texts[] = { "{}", "{\"instructions\":null}",
					     "{\"instructions\":[]}" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(steps_done) struct steps s = { 0 };
		assert_int_equal(decode(texts[i], &s, NULL), 0);
		assert_int_equal(s.n, 0);
		assert_true(s.next_instruction_seconds == 0);
		assert_null(s.post_step_action);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{ "[]", "body must be of type object: \"array\"" },
		{ "{\"instructions\":{}}", "instructions in body must be of type array" },
		{ "{\"instructions\":[5]}",
		  "instruction 0: body must be of type object: \"number\"" },
		{ "{\"instructions\":[{},{\"args\":[1]}]}",
		  "instruction 1: args.0 in body must be of type string: \"number\"" },
		{ "{\"instructions\":[{\"step_id\":\"a\",\"step_type\":4}]}",
		  "instruction 0: step_type in body must be of type string: \"number\"" },
		{ "{\"next_instruction_seconds\":\"60\"}",
		  "next_instruction_seconds in body must be of type int64: \"string\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct steps s = { .n = 9 };
		struct fault err = FAULT_INIT;
		assert_int_equal(decode(cases[i].text, &s, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].fault);
		assert_int_equal(s.n, 9);
	}
}

static void test_limit(void **state)
{
	AUTO(json_decrefp) json_t *v = json_pack("{s:[]}", "instructions");
	json_t *list = json_object_get(v, "instructions");
	AUTO(steps_done) struct steps s = { 0 };
	for (int i = 0; i < STEPS_MAX; i++)
		json_array_append_new(list, json_object());
	assert_int_equal(steps_decode(v, &s, NULL), 0);
	assert_int_equal(s.n, STEPS_MAX);
	json_array_append_new(list, json_object());
	struct steps above = { 0 };
	assert_int_equal(steps_decode(v, &above, NULL), -EMSGSIZE);
}

/* The shape of a plain day-2 install step: what is empty is left out, what the wire always shows is there. */
static void test_install_cmd(void **state)
{
	static const char text[] =
		"{\"cluster_id\":\"c\",\"infra_env_id\":\"i\",\"host_id\":\"h\",\"role\":\"worker\","
		"\"boot_device\":\"/dev/vda\",\"controller_image\":\"ci\",\"installer_image\":\"ii\","
		"\"disks_to_format\":[],\"check_cvo\":false,\"notify_num_reboots\":true,"
		"\"service_ips\":null}";
	struct install_cmd cmd = { 0 };
	AUTO(json_decrefp) json_t *v = json_parse(text, strlen(text), sizeof(text), false, NULL);
	assert_int_equal(json_map_decode(install_cmd_fields, v, &cmd, 0, NULL), 0);
	AUTO(json_decrefp) json_t *back = json_map_encode(install_cmd_fields, &cmd);
	AUTO(freep) char *again = json_text(back, false);
	assert_string_equal(again, text);
	json_map_done(install_cmd_fields, &cmd);

	static const char *const required[] = { "cluster_id",     "infra_env_id",
						"host_id",        "role",
						"boot_device",    "controller_image",
						"installer_image" };
	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		AUTO(json_decrefp) json_t *less = json_copy(v);
		json_object_del(less, required[i]);
		assert_int_equal(json_map_decode(install_cmd_fields, less, &cmd, 0, NULL), -EINVAL);
		json_map_done(install_cmd_fields, &cmd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),       cmocka_unit_test(test_decode),
		cmocka_unit_test(test_empty_forms), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limit),       cmocka_unit_test(test_install_cmd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
