#include "api_fixture.h"

#define SECONDS 1000000ll
#define SILENCE (180 * SECONDS)

static struct host *edit(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	return h;
}

static void refresh(struct api *f, struct host *h)
{
	edit(f, h);
	assert_int_equal(life_refresh(&f->svc, h, h->status, NULL), 0);
	api_commit(f);
	api_check_stored(f);
}

/* --- what the rules get to see --- */

static void test_context(void **state)
{
	struct api *f = *state;
	struct host *a = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN),
		    *b = api_add_host(f, API_POOL, API_OTHER, true, HOST_KNOWN),
		    *pool = api_add_host(f, API_EARLY, API_OTHER, false, HOST_KNOWN_UNBOUND);

	struct rule_ctx ctx = life_ctx(&f->svc, a);
	assert_string_equal(ctx.infra_env->id, API_POOL);
	assert_string_equal(ctx.cluster->id, API_CLUSTER);
	assert_int_equal(ctx.n_peers, 1);
	assert_ptr_equal(ctx.peers[0], b);
	assert_true(ctx.now_us == f->now_us);
	assert_ptr_equal(ctx.config, &f->svc.rules);
	ctx = life_ctx_alone(&f->svc, a);
	assert_int_equal(ctx.n_peers, 0);
	assert_string_equal(ctx.cluster->id, API_CLUSTER);
	ctx = life_ctx(&f->svc, pool);
	assert_null(ctx.cluster);
	assert_int_equal(ctx.n_peers, 0);
}

static void add_os_image(struct api *f, const char *id, const char *version, bool is_default)
{
	struct os_image *o;

	state_begin(f->svc.state);
	assert_int_equal(state_add_os_image(f->svc.state, id, &o), 0);
	str_set(&o->version, version);
	str_set(&o->cpu_architecture, "x86_64");
	o->is_default = is_default;
	api_commit(f);
	assert_int_equal(images_publish(&f->svc), 0);
}

/* A host is given the image of its infra-env's version, not the default one, both in a refresh and in a poll. */
static void test_context_names_the_image(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	assert_null(life_ctx_alone(&f->svc, h).os_image_url);
	add_os_image(f, "aaaa", "4.17", true);
	add_os_image(f, "bbbb", "4.18", false);
	assert_string_equal(life_ctx_alone(&f->svc, h).os_image_url,
			    "http://s.example.com:8090/os-images/bbbb/image.raw.zst");
	assert_string_equal(life_ctx(&f->svc, h).os_image_url,
			    "http://s.example.com:8090/os-images/bbbb/image.raw.zst");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", API_HOST_PATH "/instructions", NULL);
	api_expect(f, 200);
	assert_non_null(strstr(api_str(f, "instructions.0.args.0"), "/os-images/bbbb/"));
	assert_null(strstr(f->text, "/os-images/aaaa/"));
}

/* After the clock was set silence is counted from that moment (two seconds and less is no setting). */
static void test_clock_is_set(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	(void)life_ctx_alone(&f->svc, h);
	f->now_us += 1 * SECONDS;
	assert_true(life_ctx_alone(&f->svc, h).silence_from_us == FIX_NOW_US);
	f->now_us += 1000 * SECONDS;
	assert_true(life_ctx_alone(&f->svc, h).silence_from_us == f->now_us);
	int64_t set_at = f->now_us;
	f->now_us += 1 * SECONDS;
	assert_true(life_ctx_alone(&f->svc, h).silence_from_us == set_at);
	f->now_us -= 5000 * SECONDS;
	assert_true(life_ctx_alone(&f->svc, h).silence_from_us == f->now_us);
}

/* --- events --- */

static void test_events(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	state_begin(f->svc.state);
	assert_int_equal(life_event_host(&f->svc, h, "a", "info", "%s %d", "text", 7), 0);
	assert_int_equal(life_event(&f->svc, NULL, API_POOL, "b", "error", "%s", "text"), 0);
	api_commit(f);
	assert_string_equal(api_events(f, "a").message, "Host w1: text 7");
	assert_string_equal(api_events(f, "a").severity, "info");
	assert_string_equal(api_events(f, "b").message, "text");
	api_call(f, "GET", "/v2/events?cluster_id=" API_CLUSTER, NULL);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.host_id", API_HOST);
	api_is(f, "0.infra_env_id", API_POOL);
	api_call(f, "GET", "/v2/events?infra_env_id=" API_POOL, NULL);
	assert_int_equal(json_array_size(f->json), 2);
	api_is(f, "1.cluster_id", NULL);
}

/* Names and texts from outside are cut, and stay UTF-8. */
static void test_events_are_cut(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	char name[601], text[9001];

	for (size_t i = 0; i < 300; i++)
		memcpy(name + 2 * i, "\xc3\xa4", 2);
	name[600] = '\0';
	memset(text, 'x', 9000);
	text[9000] = '\0';
	str_set(&edit(f, h)->requested_hostname, name);
	assert_int_equal(life_event_host(&f->svc, h, "a", "info", "%s", text), 0);
	api_commit(f);
	struct api_events e = api_events(f, "a");
	assert_int_equal(strlen(e.message), 4095);
	assert_true(str_is_text(e.message));
	assert_int_equal(strspn(e.message + strlen("Host "), "\xc3\xa4"), 254);
}

/* --- refresh --- */

static void test_refresh_events(void **state)
{
	static const struct {
		enum host_status from, to;
		const char *severity;
	} rows[] = {
		{ HOST_DISCOVERING, HOST_KNOWN, "info" },
		{ HOST_INSUFFICIENT, HOST_KNOWN, "info" },
		{ HOST_KNOWN, HOST_KNOWN, NULL },
		{ HOST_ERROR, HOST_ERROR, NULL },
	};
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned n = api_events(f, "host_status_updated").n;
		edit(f, h)->status = rows[i].from;
		api_commit(f);
		refresh(f, h);
		assert_int_equal(h->status, rows[i].to);
		struct api_events e = api_events(f, "host_status_updated");
		assert_int_equal(e.n, n + (rows[i].severity != NULL));
		if (rows[i].severity)
			assert_string_equal(e.severity, rows[i].severity);
	}
}

static void test_refresh_sentence(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	api_advance(f, SILENCE + 1);
	refresh(f, h);
	struct api_events e = api_events(f, "host_status_updated");
	assert_string_equal(e.severity, "warning");
	assert_true(str_starts(
		e.message,
		"Host w1: updated status from known to disconnected (The host has stopped"));
	assert_true(h->updated_at == f->now_us && h->status_updated_at == f->now_us);
}

/* A validation is news when it turns, not when it is first computed, nor when it stays. */
static void test_refresh_validations(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_DISCOVERING);

	str_set(&edit(f, h)->requested_hostname, "localhost");
	api_commit(f);
	refresh(f, h);
	assert_int_equal(h->status, HOST_INSUFFICIENT);
	assert_int_equal(api_events(f, "host_validation_failed").n, 0);

	str_set(&edit(f, h)->requested_hostname, "n1");
	api_commit(f);
	refresh(f, h);
	assert_int_equal(h->status, HOST_KNOWN);
	struct api_events e = api_events(f, "host_validation_fixed");
	assert_int_equal(e.n, 1);
	assert_string_equal(e.message, "Host n1: validation 'hostname-valid' is now fixed");
	assert_string_equal(e.severity, "info");

	refresh(f, h);
	assert_int_equal(api_events(f, "host_validation_fixed").n, 1);

	str_set(&edit(f, h)->requested_hostname, "localhost");
	api_commit(f);
	refresh(f, h);
	e = api_events(f, "host_validation_failed");
	assert_int_equal(e.n, 1);
	assert_true(str_starts(e.message, "Host localhost: validation 'hostname-valid' failed: "));
	assert_string_equal(e.severity, "warning");
}

static void test_refresh_role(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN),
		    *pool = api_add_host(f, API_POOL, API_OTHER, false, HOST_KNOWN_UNBOUND);

	edit(f, h)->suggested_role = ROLE_AUTO_ASSIGN;
	api_commit(f);
	refresh(f, h);
	refresh(f, h);
	refresh(f, pool);
	assert_int_equal(h->suggested_role, ROLE_WORKER);
	assert_int_equal(h->role, ROLE_AUTO_ASSIGN);
	assert_int_equal(pool->suggested_role, ROLE_AUTO_ASSIGN);
	assert_int_equal(api_events(f, "host_role_updated").n, 1);
}

static void test_refresh_stage_timeout(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING_IN_PROGRESS);

	edit(f, h)->stage = STAGE_REBOOTING;
	h->stage_started_at = h->stage_updated_at = f->now_us;
	str_set(&h->stage_text, "Rebooting");
	api_commit(f);
	api_advance(f, 40 * 60 * SECONDS - 1);
	refresh(f, h);
	assert_int_equal(h->status, HOST_INSTALLING_IN_PROGRESS);
	api_advance(f, 1);
	refresh(f, h);
	assert_int_equal(h->status, HOST_INSTALLING_PENDING_USER_ACTION);
	struct api_events e = api_events(f, "host_stage_timed_out");
	assert_int_equal(e.n, 1);
	assert_string_equal(e.message, "Host w1: stage Rebooting took too long");
	assert_string_equal(e.severity, "warning");
}

/* Nothing new leaves the row as it is: no new time, no write. */
static void test_refresh_without_news(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	refresh(f, h);
	int64_t was = h->updated_at;
	api_advance(f, 10 * SECONDS);
	refresh(f, h);
	assert_true(h->updated_at == was);
}

/* --- moves --- */

static void test_move(void **state)
{
	struct api *f = *state;
	struct fault err = FAULT_INIT;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	api_advance(f, SECONDS);
	edit(f, h);
	assert_int_equal(life_move(&f->svc, h, HT_INSTALLATION_FAILED, HOST_ERROR, "why", &err), 0);
	api_commit(f);
	assert_string_equal(h->status_info, "why");
	assert_true(h->updated_at == f->now_us);
	struct api_events e = api_events(f, "host_status_updated");
	assert_string_equal(e.message, "Host w1: updated status from installing to error (why)");
	assert_string_equal(e.severity, "error");
	/* to the same state: only the words are new */
	edit(f, h);
	assert_int_equal(life_move(&f->svc, h, HT_INSTALLATION_FAILED, HOST_ERROR, "more", &err),
			 0);
	api_commit(f);
	assert_string_equal(h->status_info, "more");
	assert_int_equal(api_events(f, "host_status_updated").n, 1);
	/* a move that the table does not have */
	edit(f, h);
	assert_int_equal(life_move(&f->svc, h, HT_BIND, HOST_BINDING, "no", &err), -EPERM);
	assert_int_equal(h->status, HOST_ERROR);
	assert_string_equal(h->status_info, "more");
}

/* --- timers --- */

/* The wall clock of the test goes on; then come what the server has to do after changes, and the timer of the nearest host. */
static void run_timer(struct api *f, int64_t us)
{
	api_advance(f, us);
	for (int i = 0; i < 2; i++)
		assert_int_not_equal(event_base_loop(f->svc.base, EVLOOP_ONCE), -1);
	api_commit(f);
}

static void test_timer_misses_a_silent_host(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	f->svc.rules.max_disconnection_ms = 5;
	life_schedule(&f->svc, h);
	assert_non_null(state_host_slot(h));
	run_timer(f, 6000);
	assert_int_equal(h->status, HOST_DISCONNECTED_UNBOUND);
	api_check_stored(f);
	assert_int_equal(api_events(f, "host_status_updated").n, 1);
}

static void test_timer_of_a_host_that_was_heard_of(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	f->svc.rules.max_disconnection_ms = 5;
	life_schedule(&f->svc, h);
	state_host_checkin(f->svc.state, h, f->now_us + 5000, 0);
	run_timer(f, 6000);
	assert_int_equal(h->status, HOST_KNOWN_UNBOUND);
	/* it looks again when that time is over */
	run_timer(f, 5000);
	assert_int_equal(h->status, HOST_DISCONNECTED_UNBOUND);
}

/* The host may be gone, or another one be in its place, when its timer fires. */
static void test_timer_of_a_host_that_is_gone(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	f->svc.rules.max_disconnection_ms = 5;
	life_schedule(&f->svc, h);
	state_begin(f->svc.state);
	assert_int_equal(state_remove_host(f->svc.state, h), 0);
	api_commit(f);
	f->svc.rules.max_disconnection_ms = 60000;
	h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	run_timer(f, 6000);
	assert_int_equal(h->status, HOST_KNOWN_UNBOUND);
	assert_null(f->svc.timers);
}

static void test_start_and_stop(void **state)
{
	static const enum host_status waiting[] = { HOST_KNOWN, HOST_INSTALLING, HOST_DISCOVERING };
	struct api *f = *state;
	struct host *timed = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN),
		    *idle = api_add_host(f, API_POOL, API_OTHER, true, HOST_ERROR);

	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		edit(f, timed)->status = waiting[i];
		api_commit(f);
		life_start(&f->svc);
		assert_non_null(state_host_slot(timed));
		assert_null(state_host_slot(idle)); /* time alone changes nothing for it */
		life_stop(&f->svc);
		assert_null(state_host_slot(timed));
		assert_null(f->svc.timers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_context),
		API_TEST(test_context_names_the_image),
		API_TEST(test_clock_is_set),
		API_TEST(test_events),
		API_TEST(test_events_are_cut),
		API_TEST(test_refresh_events),
		API_TEST(test_refresh_sentence),
		API_TEST(test_refresh_validations),
		API_TEST(test_refresh_role),
		API_TEST(test_refresh_stage_timeout),
		API_TEST(test_refresh_without_news),
		API_TEST(test_move),
		API_TEST(test_timer_misses_a_silent_host),
		API_TEST(test_timer_of_a_host_that_was_heard_of),
		API_TEST(test_timer_of_a_host_that_is_gone),
		API_TEST(test_start_and_stop),
	};
	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
