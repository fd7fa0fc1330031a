/* upgrade-agent: the name is taken over, nothing is exchanged, and the host registers anew. */
#include "tests/unit/agent/step_rig.h"

static void test_takes_the_name(void **state)
{
	struct net_rig *r = *state;

	r->net.is_registered = true;
	AUTO(caught_done)
	struct caught c = run_step(r, &step_upgrade, "{\"agent_image\":\"quay.io/x/agent:2\"}");
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output,
			    "{\"agent_image\":\"quay.io/x/agent:2\",\"result\":\"success\"}");
	assert_string_equal(r->net.session.agent_version, "quay.io/x/agent:2");
	assert_false(r->net.is_registered);
	assert_int_equal(r->f->n, 0); /* nothing is downloaded */
}

static void test_bad_names(void **state)
{
	static const char *const args[] = {
		"{}",
		"{\"agent_image\":\"\"}",
		"{\"agent_image\":null}",
		"{\"agent_image\":7}",
		"{\"agent_image\":[\"a\"]}",
		"{\"agent_image\":\"a b\"}",
		"{\"agent_image\":\"a\\tb\"}",
		"{\"agent_image\":\"a\\r\\nX-Evil: 1\"}",
		"{\"agent_image\":\"a\\u0007\"}",
	};
	struct net_rig *r = *state;

	assert_int_equal(str_set(&r->net.session.agent_version, "r/a:1"), 0);
	r->net.is_registered = true;
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		expect_refusal(r, &step_upgrade, args[i], "agent_image");
	assert_string_equal(r->net.session.agent_version, "r/a:1");
	assert_true(r->net.is_registered);
}

/* The longest name, and one more. */
static void test_length(void **state)
{
	struct net_rig *r = *state;

	for (int len = 512; len <= 513; len++) {
		AUTO(freep) char *arg = str_printf("{\"agent_image\":\"%0*d\"}", len, 1);
		if (len > 512) {
			expect_refusal(r, &step_upgrade, arg, "agent_image");
			continue;
		}
		AUTO(caught_done) struct caught c = run_step(r, &step_upgrade, arg);
		assert_int_equal(c.exit_code, STEP_EXIT_OK);
		assert_int_equal(strlen(r->net.session.agent_version), 512);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_takes_the_name),
		STEP_CASE(test_bad_names),
		STEP_CASE(test_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
