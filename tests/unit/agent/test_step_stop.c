/* stop-installation: it ends when the writer has ended, and nothing to stop is a success. */
#include "tests/unit/agent/step_rig.h"

static void test_nothing_to_stop(void **state)
{
	struct net_rig *r = *state;
	AUTO(caught_done) struct caught c = run_step(r, &step_stop, NULL);

	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_int_equal(r->cancels, 1);
	assert_int_equal(r->f->n, 0);
}

static void test_cannot_be_stopped(void **state)
{
	struct net_rig *r = *state;

	r->cancel_code = -EBUSY;
	AUTO(caught_done) struct caught c = run_step(r, &step_stop, NULL);
	assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
}

static void test_takes_no_arguments(void **state)
{
	struct net_rig *r = *state;

	expect_refusal(r, &step_stop, "", "no arguments");
	expect_refusal(r, &step_stop, "{}", "no arguments");
	assert_int_equal(r->cancels, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_nothing_to_stop),
		STEP_CASE(test_cannot_be_stopped),
		STEP_CASE(test_takes_no_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
