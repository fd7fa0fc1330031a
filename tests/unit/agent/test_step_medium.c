/* Steps of a live system whose medium is there, is lost, and comes back. */
#include "tests/unit/agent/step_rig.h"

#define CANCEL \
	"{\"instructions\":[{\"step_type\":\"stop-installation\",\"step_id\":\"1\",\"args\":[]}]}"

static void dispatch(struct net_rig *r, const char *text)
{
	AUTO(json_decrefp) json_t *obj = json_loads(text, 0, NULL);
	struct steps steps = { 0 };

	assert_int_equal(steps_decode(obj, &steps, NULL), 0);
	step_dispatch(&r->net, &steps, NULL);
	steps_done(&steps);
}

static bool has_replied(struct fake *f)
{
	return fake_count(f, "POST", "/instructions") >= f->counter &&
	       !((struct net_rig *)f->rig)->net.replies.n;
}

/* The reply to the next stop-installation, the @n-th of all. */
static json_t *run(struct net_rig *r, unsigned n)
{
	r->f->counter = n;
	r->cancel_code = -EIO; /* successes that say the same are sent once */
	dispatch(r, CANCEL);
	fake_wait(r->f, 20, has_replied);
	assert_int_equal(fake_count(r->f, "POST", "/instructions"), n);
	assert_false(step_is_running(&r->net, STEP_STOP_INSTALLATION));
	return fake_reply(r->f, "stop-installation", n - 1)->body;
}

static void test_no_medium(void **state)
{
	struct net_rig *r = *state;

	r->medium_code = -ENOMEDIUM;
	assert_int_equal(json_i64(run(r, 1), "exit_code"), STEP_EXIT_FAILED);
	assert_int_equal(r->medium_asks, 0);
}

static void test_lost_and_back(void **state)
{
	struct net_rig *r = *state;

	r->net.has_medium = true;
	assert_int_equal(json_i64(run(r, 1), "exit_code"), STEP_EXIT_FAILED);
	assert_int_equal(r->medium_asks, 1);
	assert_int_equal(r->cancels, 1);

	/* after the step: it was done, but what it says does not count any more */
	r->medium_code = -ENOMEDIUM;
	json_t *body = run(r, 2);
	assert_int_equal(json_i64(body, "exit_code"), STEP_EXIT_MEDIUM);
	assert_non_null(strstr(json_str(body, "error"), "disconnected"));
	assert_null(json_str(body, "output"));
	assert_int_equal(r->cancels, 2);

	/* before the next one: it is not even begun, and says the same once more when the medium is back */
	r->medium_code = 0;
	assert_int_equal(json_i64(run(r, 3), "exit_code"), STEP_EXIT_MEDIUM);
	assert_int_equal(r->cancels, 2);
	assert_int_equal(json_i64(run(r, 4), "exit_code"), STEP_EXIT_FAILED);
	assert_int_equal(r->cancels, 3);
}

/* A root process that cannot tell is no lost medium, and no recovered one. */
static void test_no_answer(void **state)
{
	struct net_rig *r = *state;

	r->net.has_medium = true;
	r->medium_code = -EBUSY;
	assert_int_equal(json_i64(run(r, 1), "exit_code"), STEP_EXIT_FAILED);
	r->medium_code = -ENOMEDIUM;
	assert_int_equal(json_i64(run(r, 2), "exit_code"), STEP_EXIT_MEDIUM);
	r->medium_code = -EBUSY;
	assert_int_equal(json_i64(run(r, 3), "exit_code"), STEP_EXIT_MEDIUM);
	assert_int_equal(json_i64(run(r, 4), "exit_code"), STEP_EXIT_MEDIUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_no_medium),
		STEP_CASE(test_lost_and_back),
		STEP_CASE(test_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
