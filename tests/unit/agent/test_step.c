/* Instructions of any kind: which there are, which are dropped, how a reply is made of their end. */
#include "tests/unit/agent/step_rig.h"

#define REQUEST "11111111-2222-3333-4444-555555555555"

static void test_table(void **state)
{
	static const enum step_type known[] = {
		STEP_INVENTORY,        STEP_API_VIP_CONNECTIVITY_CHECK,
		STEP_NTP_SYNCHRONIZER, STEP_DOMAIN_RESOLUTION,
		STEP_INSTALL,          STEP_STOP_INSTALLATION,
		STEP_LOGS_GATHER,      STEP_UPGRADE_AGENT,
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_non_null(step_find(known[i]));
		assert_int_equal(step_find(known[i])->type, known[i]);
	}
	/* there is no way to have a program run */
	assert_null(step_find(STEP_EXECUTE));
	assert_null(step_find(STEP_UNKNOWN));
	assert_null(step_find(STEP_INSTALLATION_DISK_SPEED_CHECK));
}

static void dispatch(struct net_rig *r, const char *text)
{
	AUTO(json_decrefp) json_t *obj = json_loads(text, 0, NULL);
	struct steps steps = { 0 };
	struct fault err = FAULT_INIT;

	if (steps_decode(obj, &steps, &err) < 0)
		fail_msg("%s", err.text);
	step_dispatch(&r->net, &steps, REQUEST);
	steps_done(&steps);
}

static bool has_replied(struct fake *f)
{
	return fake_count(f, "POST", "/instructions") >= f->counter &&
	       !((struct net_rig *)f->rig)->net.replies.n;
}

static void wait_replies(struct net_rig *r, unsigned n)
{
	r->f->counter = n;
	fake_wait(r->f, 20, has_replied);
	assert_int_equal(fake_count(r->f, "POST", "/instructions"), n);
}

/* The reply names step and poll; a failure has its code and words, a success nothing but its output. */
static void test_reply(void **state)
{
	struct net_rig *r = *state;

	r->inventory = str_dup("{\"hostname\":\"x\"}");
	dispatch(r, "{\"instructions\":[{\"step_type\":\"inventory\",\"step_id\":\"inventory-1\","
		    "\"args\":[\"" FAKE_HOST "\"]}]}");
	assert_true(step_is_running(&r->net, STEP_INVENTORY));
	wait_replies(r, 1);
	assert_false(step_is_running(&r->net, STEP_INVENTORY));
	const struct fake_seen *s = fake_reply(r->f, "inventory", 0);
	assert_string_equal(s->request_id, REQUEST);
	assert_int_equal(json_object_size(s->body), 3);
	assert_string_equal(json_str(s->body, "step_id"), "inventory-1");
	assert_string_equal(json_str(s->body, "output"), "{\"hostname\":\"x\"}");

	r->inventory_code = -EIO;
	dispatch(r, "{\"instructions\":[{\"step_type\":\"inventory\",\"step_id\":\"inventory-2\","
		    "\"args\":[\"" FAKE_HOST "\"]}]}");
	wait_replies(r, 2);
	s = fake_reply(r->f, "inventory", 1);
	assert_int_equal(json_i64(s->body, "exit_code"), STEP_EXIT_FAILED);
	assert_null(json_str(s->body, "output"));
}

/* A second copy of a running step is dropped; later it runs again. */
static void test_copy_is_dropped(void **state)
{
	struct net_rig *r = *state;
	static const char twice[] =
		"{\"instructions\":["
		"{\"step_type\":\"stop-installation\",\"step_id\":\"1\",\"args\":[]},"
		"{\"step_type\":\"stop-installation\",\"step_id\":\"2\",\"args\":[]}]}";

	r->cancel_code = -EIO; /* failures are not cached */
	dispatch(r, twice);
	dispatch(r, twice);
	wait_replies(r, 1);
	assert_int_equal(r->cancels, 1);
	dispatch(r, twice);
	wait_replies(r, 2);
	assert_int_equal(r->cancels, 2);
	assert_string_equal(json_str(r->f->seen[0].body, "step_id"), "1");
}

/* Steps of unknown kinds are refused one by one, and none marks anything as running. */
static void test_unknown(void **state)
{
	struct net_rig *r = *state;

	dispatch(r, "{\"instructions\":["
		    "{\"step_type\":\"teleport\",\"step_id\":\"1\"},"
		    "{\"step_type\":\"execute\",\"step_id\":\"2\",\"args\":[\"rm\",\"-rf\",\"/\"]},"
		    "{\"step_type\":\"\",\"step_id\":\"3\"},"
		    "{}]}");
	wait_replies(r, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(json_i64(r->f->seen[i].body, "exit_code"), STEP_EXIT_BAD_ARGS);
		assert_true(str_starts(json_str(r->f->seen[i].body, "error"),
				       "failed to find action for step type"));
	}
	for (int t = 0; t < STEP_TYPE_COUNT; t++)
		assert_false(step_is_running(&r->net, t));
}

static void test_no_steps(void **state)
{
	struct net_rig *r = *state;

	dispatch(r, "{\"instructions\":null}");
	dispatch(r, "{\"instructions\":[]}");
	dispatch(r, "{}");
	assert_int_equal(r->net.replies.n, 0);
}

/* An installation that goes on after a restart: it is running, and ends as any step does. */
static void test_adopt(void **state)
{
	struct net_rig *r = *state;
	struct step_run *run = step_adopt(&r->net, STEP_INSTALL, "install-9");

	assert_true(step_is_running(&r->net, STEP_INSTALL));
	assert_null(run->request_id);
	step_finish(run, STEP_EXIT_FAILED, NULL, "the disk is gone");
	assert_false(step_is_running(&r->net, STEP_INSTALL));
	wait_replies(r, 1);
	const struct fake_seen *s = fake_reply(r->f, "install", 0);
	assert_string_equal(json_str(s->body, "step_id"), "install-9");
	assert_string_equal(json_str(s->body, "error"), "the disk is gone");
	assert_true(uuid_is_valid(s->request_id)); /* there was no poll: one of its own */

	step_abandon(step_adopt(&r->net, STEP_INSTALL, "install-10"));
	assert_int_equal(r->net.replies.n, 0);
}

/* The one JSON argument: what is no object is refused before a step sees it. */
static void test_json_argument(void **state)
{
	static const struct {
		const char *arg, *words;
	} rows[] = {
		{ NULL, "exactly one argument" },
		{ "", "no JSON object" },
		{ "[]", "no JSON object" },
		{ "7", "no JSON object" },
		{ "null", "no JSON object" },
		{ "{", "no JSON object" },
		{ "{\"a\":\"\xff\"}", "no JSON object" },
	};
	static const struct step_ops *const steps[] = { &step_api_vip, &step_ntp,  &step_domain,
							&step_install, &step_logs, &step_upgrade };
	struct net_rig *r = *state;

	for (size_t s = 0; s < ARRAY_SIZE(steps); s++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			expect_refusal(r, steps[s], rows[i].arg, rows[i].words);

	AUTO(freep) char *deep = malloc(200001);
	memset(deep, '[', 200000);
	deep[200000] = '\0';
	expect_refusal(r, &step_ntp, deep, "no JSON object");
	AUTO(freep) char *large = malloc(STEP_ARG_MAX + 16);
	memset(large, ' ', STEP_ARG_MAX + 15);
	memcpy(large, "{}", 2);
	large[STEP_ARG_MAX + 15] = '\0';
	expect_refusal(r, &step_ntp, large, "no JSON object");
	assert_int_equal(r->f->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),    STEP_CASE(test_reply),
		STEP_CASE(test_copy_is_dropped), STEP_CASE(test_unknown),
		STEP_CASE(test_no_steps),        STEP_CASE(test_adopt),
		STEP_CASE(test_json_argument),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
