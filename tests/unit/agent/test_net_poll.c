/* Registration and polling: when the service is asked, how often when it refuses, what is forgotten. */
#include "agent/net.h"
#include "tests/unit/agent/net_rig.h"

#define ROUNDS 12
#define INVENTORY                                                                                  \
	"{\"instructions\":[{\"step_type\":\"inventory\",\"step_id\":\"i\",\"args\":[\"" FAKE_HOST \
	"\"]}],"                                                                                   \
	"\"next_instruction_seconds\":1}"

static struct net_rig *rig_of(struct fake *f)
{
	return f->rig;
}

static void start(struct net_rig *r, bool is_registered)
{
	struct agent_config config = { .agent_version = str_dup("r/a:1") };

	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	net_begin(&r->net, is_registered);
}

/* Milliseconds until the timer; -1 = it is not set. */
static int64_t wait_ms(const struct net *n)
{
	struct timeval at, now;

	if (!n->timer || !evtimer_pending(n->timer, &at))
		return -1;
	evutil_gettimeofday(&now, NULL);
	return (at.tv_sec - now.tv_sec) * 1000 + (at.tv_usec - now.tv_usec) / 1000;
}

/* The agent has nothing in flight and waits for its timer. */
static bool is_waiting(struct fake *f)
{
	const struct net *n = &rig_of(f)->net;

	return !n->call && n->timer && evtimer_pending(n->timer, NULL);
}

/* As if the time had passed. */
static void skip_wait(struct net *n)
{
	n->registered_ms = 0;
	event_del(n->timer);
	n->on_timer(n);
}

static int unknown_host(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/instructions") || f->counter)
		return 0;
	*ret_body = str_dup("{\"code\":\"404\",\"reason\":\"Host not found\"}");
	return 404;
}

/* Taken in at each registration, unknown at each poll: asked ever more slowly, not every second or two. */
static void test_taken_in_but_unknown(void **state)
{
	struct net_rig *r = *state;
	int64_t sum_ms = 0;

	r->f->answer = unknown_host;
	start(r, false);
	/* Counted, not foretold: on a busy machine a short wait may be over before it is seen. */
	while (fake_polls(r->f) < ROUNDS) {
		fake_wait(r->f, 10, is_waiting);
		assert_int_equal(fake_registrations(r->f), fake_polls(r->f));
		assert_int_equal(r->net.backoff.failures, fake_polls(r->f));
		sum_ms += wait_ms(&r->net);
		skip_wait(&r->net);
	}
	/* U(0, 2 s·2ⁿ), at most ten minutes: 25 min on average; under one minute is less likely than one in a million */
	assert_true(sum_ms > 60000);

	/* once it is known, all is as before */
	r->f->counter = 1;
	fake_wait(r->f, 10, is_waiting);
	assert_int_equal(r->net.backoff.failures, 0);
	assert_true(wait_ms(&r->net) <= 1100);
}

static int send_away(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/instructions"))
		return 0;
	*ret_body = str_dup("{\"instructions\":null,\"post_step_action\":\"exit\"}");
	return 200;
}

/* "exit" once means: register at once. A service that says nothing else is asked ever more slowly. */
static void test_always_sent_away(void **state)
{
	struct net_rig *r = *state;

	r->f->answer = send_away;
	start(r, false);
	fake_wait(r->f, 10, is_waiting);
	/* nothing but the space between two registrations */
	assert_true(wait_ms(&r->net) <= 1000);
	while (fake_registrations(r->f) < 7) {
		skip_wait(&r->net);
		fake_wait(r->f, 10, is_waiting);
		assert_int_equal(r->net.backoff.failures, fake_registrations(r->f) - 1);
	}
	r->f->answer = NULL;
	skip_wait(&r->net);
	fake_wait(r->f, 10, is_waiting);
	assert_int_equal(r->net.backoff.failures, 0);
}

/* Every answer to a poll that is none, and what comes next: the same again, or a registration. */
static const struct bad_poll {
	int status;
	const char *body, *words;
	bool registers;
} bad_polls[] = {
	{ 200, "", "", false },
	{ 200, "<html>Sign in</html>", "portal", false },
	{ 200, "[]", "", false },
	{ 200, "{\"instructions\":7}", "instructions", false },
	{ 200, "{\"instructions\":[{\"step_type\":\"inventory\",\"args\":[", "", false },
	{ 204, "", "HTTP 204", false },
	{ 401, "{\"code\":401,\"message\":\"bad token\"}", "bad token", false },
	{ 403, "", "HTTP 403", false },
	{ 404, "{\"reason\":\"Host not found\"}", "Host not found", true },
	{ 500, "", "HTTP 500", false },
	{ 503, "", "HTTP 503", false },
};

static int answer_badly(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	const struct bad_poll *row = f->ctx;

	if (!fake_is(s, "GET", "/instructions") || !row)
		return 0;
	*ret_body = str_dup(row->body);
	return row->status;
}

static void test_bad_polls(void **state)
{
	struct net_rig *r = *state;

	r->f->answer = answer_badly;
	start(r, true);
	for (size_t i = 0; i < ARRAY_SIZE(bad_polls); i++) {
		const struct bad_poll *row = &bad_polls[i];

		fake_wait(r->f, 10, is_waiting);
		assert_int_equal(r->net.backoff.failures, 0);
		size_t registrations = fake_registrations(r->f);
		r->f->ctx = (void *)row;
		skip_wait(&r->net);
		fake_wait(r->f, 10, is_waiting);
		if (!r->net.last_error || !str_starts(r->net.last_error, "poll: ") ||
		    !strstr(r->net.last_error, row->words))
			fail_msg("row %zu: %s", i, r->net.last_error);
		assert_true(r->net.backoff.failures >= 1);
		assert_true(row->registers || fake_registrations(r->f) == registrations);
		assert_ptr_equal(r->net.on_timer, row->registers ? net_register : net_poll);
		r->f->ctx = NULL;
		skip_wait(&r->net);
	}
	fake_wait(r->f, 10, is_waiting);
	assert_true(fake_registrations(r->f) >= 1);
}

static int refuse_registration(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {
		{ 201, "" },   { 201, "[]" }, { 201, "{\"id\":" }, { 200, "{}" }, { 400, "{}" },
		{ 401, "{}" }, { 404, "" },   { 409, "{}" },       { 502, "" },
	};
	if (!fake_is(s, "POST", "/hosts") || f->counter >= ARRAY_SIZE(answers))
		return 0;
	*ret_body = str_dup(answers[f->counter].body);
	return answers[f->counter++].status;
}

static void test_bad_registrations(void **state)
{
	struct net_rig *r = *state;

	r->f->answer = refuse_registration;
	start(r, false);
	for (;;) {
		fake_wait(r->f, 10, is_waiting);
		if (r->net.is_registered)
			break;
		assert_int_equal(r->net.backoff.failures, fake_registrations(r->f));
		assert_false(r->net.is_registered);
		assert_ptr_equal(r->net.on_timer, net_register);
		assert_int_equal(fake_polls(r->f), 0);
		skip_wait(&r->net);
	}
	assert_int_equal(fake_registrations(r->f), 10);
	assert_true(fake_polls(r->f) >= 1);
	assert_int_equal(r->net.backoff.failures, 0);
}

static int busy(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	return fake_is(s, "GET", "/instructions") ? 503 : 0;
}

/* --- what the service has been told ------------------------------------------------------------- */

static bool has_one_inventory(struct fake *f)
{
	return fake_reply(f, "inventory", 0) && !rig_of(f)->net.replies.n && is_waiting(f);
}

static bool has_two_inventories(struct fake *f)
{
	return fake_reply(f, "inventory", 1) && !rig_of(f)->net.replies.n && is_waiting(f);
}

static void poll_again(struct net_rig *r)
{
	skip_wait(&r->net);
	fake_wait(r->f, 10, is_waiting);
	for (int i = 0; i < 4; i++) { /* the step asks the root process, which answers, and so on */
		event_base_loop(r->f->base, EVLOOP_NONBLOCK);
		usleep(2000);
	}
	fake_wait(r->f, 10, is_waiting);
}

/* An inventory that the service has acknowledged is not sent again; another one is. */
static void test_unchanged_inventory_is_not_sent(void **state)
{
	struct net_rig *r = *state;

	r->f->steps = INVENTORY;
	r->inventory = str_dup("{\"hostname\":\"a\"}");
	start(r, false);
	fake_wait(r->f, 10, has_one_inventory);
	for (int i = 0; i < 3; i++)
		poll_again(r);
	assert_null(fake_reply(r->f, "inventory", 1));

	str_set(&r->inventory, "{\"hostname\":\"b\"}");
	poll_again(r);
	fake_wait(r->f, 10, has_two_inventories);
	assert_string_equal(json_str(fake_reply(r->f, "inventory", 1)->body, "output"),
			    "{\"hostname\":\"b\"}");
}

static int refuse_replies(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	return fake_is(s, "POST", "/instructions") && f->counter ? (int)f->counter : 0;
}

/* What was refused was not acknowledged. */
static void test_refused_inventory_is_sent_again(void **state)
{
	static const unsigned statuses[] = { 400, 404, 409 };

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct net_rig *r = *state;
		size_t before = fake_count(r->f, "POST", "/instructions");

		r->f->answer = refuse_replies;
		r->f->counter = statuses[i];
		r->f->steps = INVENTORY;
		if (!i)
			start(r, false);
		else
			poll_again(r);
		fake_wait(r->f, 10, has_one_inventory);
		poll_again(r);
		assert_true(fake_count(r->f, "POST", "/instructions") >= before + 2);
	}
}

/* A service that was away may have come back with less than it knew. */
static void test_outage_forgets(void **state)
{
	struct net_rig *r = *state;

	r->f->steps = INVENTORY;
	start(r, false);
	fake_wait(r->f, 10, has_one_inventory);
	poll_again(r);
	assert_null(fake_reply(r->f, "inventory", 1));

	r->f->answer = busy;
	skip_wait(&r->net);
	fake_wait(r->f, 10, is_waiting);
	assert_true(r->net.backoff.failures >= 1);
	assert_null(fake_reply(r->f, "inventory", 1));
	r->f->answer = NULL;
	skip_wait(&r->net);
	fake_wait(r->f, 10, has_two_inventories);
	poll_again(r);
	assert_null(fake_reply(r->f, "inventory", 2));
}

/* A registration forgets; a reply of before it, acknowledged after it, does not count: the service may have cleared it. */
static void test_registration_forgets(void **state)
{
	struct net_rig *r = *state;

	r->f->steps = INVENTORY;
	start(r, false);
	fake_wait(r->f, 10, has_one_inventory);
	r->net.is_registered = false;
	r->net.registered_ms = 0;
	event_del(r->net.timer);
	net_register(&r->net);
	fake_wait(r->f, 10, has_two_inventories);
	assert_int_equal(fake_registrations(r->f), 2);
}

static bool is_reply_in_flight(struct fake *f)
{
	return rig_of(f)->net.replies.n > 0;
}

static bool is_reply_gone(struct fake *f)
{
	return !rig_of(f)->net.replies.n;
}

static void test_reply_of_before_the_registration(void **state)
{
	struct net_rig *r = *state;

	r->f->steps = INVENTORY;
	start(r, false);
	while (!is_reply_in_flight(r->f))
		event_base_loop(r->f->base, EVLOOP_ONCE);
	replies_forget(&r->net.replies); /* what a registration does */
	fake_wait(r->f, 10, is_reply_gone);
	assert_non_null(fake_reply(r->f, "inventory", 0));
	assert_false(reply_is_cached(&r->net.replies, STEP_INVENTORY, "{}", time_mono_ms()));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_taken_in_but_unknown),
		CASE(test_always_sent_away),
		CASE(test_bad_polls),
		CASE(test_bad_registrations),
		CASE(test_unchanged_inventory_is_not_sent),
		CASE(test_refused_inventory_is_sent_again),
		CASE(test_outage_forgets),
		CASE(test_registration_forgets),
		CASE(test_reply_of_before_the_registration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
