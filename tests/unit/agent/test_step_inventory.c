/* inventory: what the root process found goes to the service as it is. */
#include "tests/unit/agent/step_rig.h"

static void test_output_is_passed_on(void **state)
{
	struct net_rig *r = *state;

	r->inventory = str_dup("{\"hostname\":\"x\"}");
	AUTO(caught_done) struct caught c = run_step(r, &step_inventory, FAKE_HOST);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output, "{\"hostname\":\"x\"}");
	assert_null(c.error);
}

/* Newer services add options behind the host id. */
static void test_more_arguments(void **state)
{
	struct net_rig *r = *state;
	struct caught c = { .run = { .net = &r->net, .finish = on_finish } };
	char *argv[] = { (char *)FAKE_HOST, (char *)"--output-max-size=1000000",
			 (char *)"--disk-min-size=1000000000" };
	const struct json_strs args = { .v = argv, .n = ARRAY_SIZE(argv) };

	r->f->ctx = &c;
	step_inventory.start(&c.run, &args);
	fake_wait(r->f, 10, is_done);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output, "{}");
	caught_done(&c);
}

static void test_failure(void **state)
{
	struct net_rig *r = *state;

	r->inventory_code = -ENOMEM;
	r->inventory = str_dup("{\"half\":");
	AUTO(caught_done) struct caught c = run_step(r, &step_inventory, FAKE_HOST);
	assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
	assert_null(c.output);
}

static void test_needs_the_host_id(void **state)
{
	expect_refusal(*state, &step_inventory, NULL, "host id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_output_is_passed_on),
		STEP_CASE(test_more_arguments),
		STEP_CASE(test_failure),
		STEP_CASE(test_needs_the_host_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
