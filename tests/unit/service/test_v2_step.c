#include "api_fixture.h"

#define STEPS API_HOST_PATH "/instructions"
#define PROGRESS API_HOST_PATH "/progress"
#define LOGS API_HOST_PATH "/logs-progress"
#define SECONDS 1000000ll

static struct host *edit(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	return h;
}

static void as_host(struct api *f, char **token)
{
	*token = api_as_agent(f, API_POOL, NULL);
	f->headers = "discovery_agent_version: registry.example.com/agent:1";
}

static void poll(struct api *f)
{
	char path[200];

	snprintf(path, sizeof(path), STEPS "?timestamp=%lld", (long long)(f->now_us / SECONDS));
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
}

/* POST of a reply whose output is @output, JSON escaped by us. */
static void reply(struct api *f, const char *type, int exit_code, const char *output,
		  const char *error)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:s, s:s, s:i, s:s, s:s}", "step_type", type, "step_id", "x",
			      "exit_code", exit_code, "output", output, "error", error);
	AUTO(freep) char *body = json_dumps(v, JSON_COMPACT);

	api_call(f, "POST", STEPS, body);
}

static void report(struct api *f, const char *stage, const char *info)
{
	AUTO(freep)
	char *body = str_printf("{\"current_stage\":\"%s\",\"progress_info\":\"%s\"}", stage, info);

	api_call(f, "PUT", PROGRESS, body);
}

/* --- GET …/instructions --- */

static void test_poll(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	as_host(f, &token);
	api_advance(f, 60 * SECONDS);
	poll(f);
	assert_int_equal(json_object_size(f->json), 3);
	api_is(f, "post_step_action", "continue");
	assert_int_equal(json_integer_value(api_at(f, "next_instruction_seconds")), 60);
	assert_int_equal(json_array_size(api_at(f, "instructions")), 2);
	api_is(f, "instructions.0.step_type", "inventory");
	api_is(f, "instructions.0.args.0", API_HOST);
	assert_true(str_starts(api_str(f, "instructions.0.step_id"), "inventory-"));
	api_is(f, "instructions.1.step_type", "ntp-synchronizer");
	/* the visit is noted in memory and written in batches: the fixture has flushed it */
	assert_true(h->checked_in_at == f->now_us);
	assert_true(h->timestamp == f->now_us / SECONDS);
	assert_int_equal(api_events(f, NULL).n, 0);
}

static void test_poll_exit(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_BINDING);
	as_host(f, &token);
	poll(f);
	api_is(f, "post_step_action", "exit");
	assert_true(json_is_null(api_at(f, "instructions")));
	/* zero is never sent (assisted-v2 §10.6) */
	assert_null(api_at(f, "next_instruction_seconds"));
}

/* However wrong a host's clock is, no more than the year 9999 is reckoned with. */
#define CLOCK_MAX 253402300799ll

static void test_poll_queries(void **state)
{
	static const struct {
		const char *query;
		int status;
		int64_t timestamp; /* afterwards */
	} rows[] = {
		{ "", 200, 5 },
		{ "?timestamp=", 200, 5 },
		{ "?timestamp=7", 200, 7 },
		{ "?timestamp=-1", 200, -1 },
		{ "?timestamp=9223372036854775807", 200, CLOCK_MAX },
		{ "?timestamp=-9223372036854775808", 200, -CLOCK_MAX },
		{ "?timestamp=9223372036854775807", 200, CLOCK_MAX },
		{ "?timestamp=9223372036854775808", 400, CLOCK_MAX },
		{ "?timestamp=x", 400, CLOCK_MAX },
		{ "?timestamp=1.5", 400, CLOCK_MAX },
	};
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	edit(f, h)->timestamp = 5;
	api_commit(f);
	as_host(f, &token);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *path = str_printf(STEPS "%s", rows[i].query);
		api_call(f, "GET", path, NULL);
		if (rows[i].status == 400)
			api_invalid(f, 400, "timestamp in query must be of type int64");
		else
			api_expect(f, 200);
		assert_true(h->timestamp == rows[i].timestamp);
	}
}

static void test_poll_refused(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;

	as_host(f, &token);
	api_call(f, "GET", STEPS, NULL);
	api_refused(f, 404, "record not found");
	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "GET", STEPS, NULL);
	api_refused(f, 404, "Object Not Found");
	AUTO(freep) char *twin = api_as_agent(f, API_POOL, API_OTHER);
	api_call(f, "GET", STEPS, NULL);
	api_refused(f, 404, "Object Not Found");
	api_as_user(f);
	api_call(f, "GET", STEPS, NULL);
	api_invalid(f, 403, "");
}

/* A host that was silent is back with its first poll; one whose clock jumped is looked at again. */
static void test_poll_brings_back(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_DISCONNECTED_UNBOUND);

	edit(f, h)->checked_in_at = f->now_us - 600 * SECONDS;
	api_commit(f);
	as_host(f, &token);
	poll(f);
	assert_int_equal(h->status, HOST_KNOWN_UNBOUND);
	assert_int_equal(api_events(f, "host_status_updated").n, 1);
}

static void test_poll_by_wrong_clock(void **state)
{
	/* the service may be 20 minutes ahead, the host one hour (assisted-v2 §7.4) */
	static const struct {
		int64_t ahead_s;
		enum host_status want;
	} rows[] = {
		{ -20 * 60, HOST_KNOWN }, { -20 * 60 - 1, HOST_INSUFFICIENT }, { 0, HOST_KNOWN },
		{ 60 * 60, HOST_KNOWN },  { 60 * 60 + 1, HOST_INSUFFICIENT },
	};
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	as_host(f, &token);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[200];
		/* well on the other side before, so that the clock has moved */
		edit(f, h)->timestamp = f->now_us / SECONDS - 3 * rows[i].ahead_s - 100;
		api_commit(f);
		snprintf(path, sizeof(path), STEPS "?timestamp=%lld",
			 (long long)(f->now_us / SECONDS + rows[i].ahead_s));
		api_call(f, "GET", path, NULL);
		api_expect(f, 200);
		assert_int_equal(h->status, rows[i].want);
	}
}

/* A poll costs a look at the rules only when the host's clock has moved against ours, or is told for the first time. */
static void test_poll_looks_when_clocks_move(void **state)
{
	static const struct {
		int64_t told_s; /* before; 0 = never */
		int64_t moved_s;
		bool looks;
	} rows[] = {
		{ 1790000000, 0, false }, { 1790000000, 60, false }, { 1790000000, -60, false },
		{ 1790000000, 61, true }, { 1790000000, -61, true }, { 0, 0, true },
	};
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	as_host(f, &token);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[200];
		edit(f, h)->timestamp = rows[i].told_s;
		str_set(&h->validations_info, NULL);
		h->checked_in_at = FIX_NOW_US;
		api_commit(f);
		/* a minute later on both clocks */
		f->now_us = FIX_NOW_US;
		api_advance(f, 60 * SECONDS);
		snprintf(path, sizeof(path), STEPS "?timestamp=%lld",
			 (long long)(f->now_us / SECONDS + rows[i].moved_s));
		api_call(f, "GET", path, NULL);
		api_expect(f, 200);
		if (rows[i].looks != (h->validations_info != NULL))
			fail_msg("row %zu", i);
	}
}

static void test_poll_takes_news(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	as_host(f, &token);
	f->headers = "discovery_agent_version: r.example.com/a:7\nSlipway-Agent: 1";
	poll(f);
	assert_string_equal(h->discovery_agent_version, "r.example.com/a:7");
	assert_true(h->slipway_agent);
	/* the service itself notes which installer it hands out (assisted-v2 §4.5) */
	assert_string_equal(h->installer_version, "registry.example.com/installer:1");
	api_is(f, "instructions.0.step_type", "install");
	/* no header changes no version */
	f->headers = NULL;
	poll(f);
	assert_string_equal(h->discovery_agent_version, "r.example.com/a:7");
	assert_false(h->slipway_agent);
}

/* --- POST …/instructions --- */

static void test_reply_inventory(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_DISCOVERING_UNBOUND);

	free(edit(f, h)->inventory);
	h->inventory = NULL;
	assert_int_equal(host_note_inventory(h), 0);
	api_commit(f);
	as_host(f, &token);
	reply(f, "inventory", 0, fix_inventory, "");
	api_expect(f, 204);
	assert_string_equal(f->text, "");
	assert_int_equal(h->status, HOST_KNOWN_UNBOUND);
	assert_string_equal(host_name(h), "w1");
	assert_string_equal(h->installation_disk_path, "/dev/vda");
	assert_int_equal(api_events(f, "host_status_updated").n, 1);

	/* less than the least is not enough, exactly the least is */
	static const struct {
		const char *path, *json;
		enum host_status want;
	} rows[] = {
		{ "cpu.count", "1", HOST_INSUFFICIENT_UNBOUND },
		{ "cpu.count", "2", HOST_KNOWN_UNBOUND },
		{ "memory.physical_bytes", "8485076991", HOST_INSUFFICIENT_UNBOUND },
		{ "memory.physical_bytes", "8485076992", HOST_KNOWN_UNBOUND },
		{ "disks.0.size_bytes", "49999999999", HOST_INSUFFICIENT_UNBOUND },
		{ "disks.0.size_bytes", "50000000000", HOST_KNOWN_UNBOUND },
		{ "hostname", "\"localhost\"", HOST_INSUFFICIENT_UNBOUND },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *text = fix_changed(rows[i].path, rows[i].json);
		reply(f, "inventory", 0, text, "");
		api_expect(f, 204);
		assert_int_equal(h->status, rows[i].want);
	}
}

static void test_reply_by_schema(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ NULL, "reply in body is required" },
		{ "{\"step_type\":\"dance\"}",
		  "step_type in body should be one of [connectivity-check" },
		{ "{\"exit_code\":\"0\"}", "into field exit_code of type int64" },
		{ "{\"output\":{}}", "into field output of type string" },
		{ "{\"duration\":1}", "unknown field \"duration\"" },
	};
	AUTO(freep) char *token = NULL;
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	as_host(f, &token);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, "POST", STEPS, rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
	/* nothing at all is a reply (assisted-v2 §4.3) */
	api_call(f, "POST", STEPS, "{}");
	api_expect(f, 204);
}

static void test_reply_refused(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	as_host(f, &token);
	reply(f, "inventory", 0, "", "");
	api_refused(f, 400, "");
	reply(f, "inventory", 0, "[]", "");
	api_refused(f, 400, "");
	reply(f, "inventory", 0, "{\"cpu\":{\"count\":\"2\"}}", "");
	api_refused(f, 400, "count must be of type integer");
	reply(f, "ntp-synchronizer", 0, "x", "");
	api_refused(f, 400, "");
	/* a host that is being written to has no inventory to give: wrong states are 500 here (assisted-v2 §4.3) */
	edit(f, h)->status = HOST_ERROR;
	api_commit(f);
	reply(f, "inventory", 0, fix_inventory, "");
	api_refused(f, 500, "no inventory is taken from a host that is error");
	api_call(f, "POST", API_HOSTS "/" API_NOBODY "/instructions", "{}");
	api_refused(f, 404, "record not found");
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "POST", STEPS, "{}");
	api_refused(f, 404, "Object Not Found");
}

static void test_reply_media_lost(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	as_host(f, &token);
	reply(f, "ntp-synchronizer", 256, "", "gone");
	api_expect(f, 204);
	assert_int_equal(h->status, HOST_DISCONNECTED);
	assert_string_equal(api_events(f, "host_media_disconnected").severity, "error");
	/* said once */
	reply(f, "ntp-synchronizer", 256, "", "gone");
	assert_int_equal(api_events(f, "host_media_disconnected").n, 1);
	/* and whole again with the first good reply */
	reply(f, "ntp-synchronizer", 0, "{}", "");
	assert_int_equal(h->status, HOST_KNOWN);
}

static void test_reply_failed_install(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	as_host(f, &token);
	reply(f, "install", 125, "",
	      "the container name \"assisted-installer\" is already in use by x");
	api_expect(f, 204);
	assert_int_equal(h->status, HOST_INSTALLING);
	reply(f, "install", 1, "", "disk is gone");
	api_expect(f, 204);
	assert_int_equal(h->status, HOST_ERROR);
	assert_non_null(strstr(h->status_info, "disk is gone"));
	assert_string_equal(api_events(f, "host_status_updated").severity, "error");
}

/* The first of a cluster that fetches its configuration lets the others' names be judged. */
static void test_reply_api_vip_refreshes_peers(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *first = api_add_host(f, API_POOL, API_HOST, true, HOST_INSUFFICIENT),
		    *second = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSUFFICIENT);

	str_set(&edit(f, first)->api_vip_connectivity, NULL);
	str_set(&edit(f, second)->api_vip_connectivity,
		"{\"download_error\":\"refused\",\"url\":\"http://x\"}");
	str_set(&second->requested_hostname, "w2");
	api_commit(f);
	as_host(f, &token);
	reply(f, "api-vip-connectivity-check", 0, "{\"is_success\":true,\"ignition\":\"{}\"}", "");
	api_expect(f, 204);
	assert_non_null(strstr(second->validations_info,
			       "Waiting for the host to resolve the name api.prod.example.com"));
}

/* --- PUT …/progress --- */

static void test_progress(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	as_host(f, &token);
	edit(f, h)->role = ROLE_WORKER;
	api_commit(f);
	report(f, "Starting installation", "worker");
	api_expect(f, 200);
	assert_string_equal(f->text, "");
	assert_int_equal(h->status, HOST_INSTALLING_IN_PROGRESS);
	report(f, "Writing image to disk", "35%");
	api_advance(f, SECONDS);
	report(f, "Writing image to disk", "40%");
	assert_true(h->checked_in_at == f->now_us);
	api_as_user(f);
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_is(f, "progress.current_stage", "Writing image to disk");
	api_is(f, "progress.progress_info", "40%");
	assert_int_equal(json_integer_value(api_at(f, "progress.installation_percentage")), 60);
	assert_int_equal(api_events(f, "host_install_progress_updated").n, 3);
}

static void test_progress_refused(void **state)
{
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	as_host(f, &token);
	report(f, "Installing", "");
	api_refused(f, 409, "Can't set progress <Installing> to host in status <known>");
	report(f, "Dancing", "");
	api_invalid(f, 400, "current_stage in body should be one of [Starting installation");
	api_call(f, "PUT", PROGRESS, NULL);
	api_invalid(f, 400, "hostProgress in body is required");
	api_call(f, "PUT", PROGRESS, "{\"percent\":1}");
	api_invalid(f, 400, "unknown field \"percent\"");
	edit(f, h)->status = HOST_INSTALLING;
	api_commit(f);
	report(f, "Installing", "");
	api_expect(f, 200);
	report(f, "Starting installation", "");
	api_refused(f, 409,
		    "Can't assign lower stage \"Starting installation\" after host has been "
		    "in stage \"Installing\"");
	state_begin(f->svc.state);
	assert_int_equal(state_host_set_cluster(f->svc.state, h, ""), 0);
	api_commit(f);
	report(f, "Writing image to disk", "");
	api_refused(f, 400, "is not bound to any cluster");
	api_call(f, "PUT", API_HOSTS "/" API_NOBODY "/progress", "{}");
	api_refused(f, 404, "record not found");
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	report(f, "Installing", "");
	api_refused(f, 404, "Object Not Found");
	api_as_user(f);
	report(f, "Installing", "");
	api_invalid(f, 403, "");
}

/* --- PUT …/logs-progress --- */

static void test_logs_progress(void **state)
{
	static const char *const values[] = { "requested", "collecting", "completed", "timeout" };
	AUTO(freep) char *token = NULL;
	struct api *f = *state;
	/* an unbound host may say it as well (assisted-v2 §4.5) */
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	as_host(f, &token);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		api_advance(f, SECONDS);
		AUTO(freep) char *body = str_printf("{\"logs_state\":\"%s\"}", values[i]);
		api_call(f, "PUT", LOGS, body);
		api_expect(f, 204);
		assert_string_equal(f->text, "");
		assert_string_equal(h->logs_info, values[i]);
		assert_true(h->logs_started_at == FIX_NOW_US + SECONDS);
	}
	api_call(f, "PUT", LOGS, "{\"logs_state\":\"\"}");
	api_expect(f, 204);
	api_call(f, "PUT", LOGS, "{}");
	api_invalid(f, 400, "logs_state in body is required");
	api_call(f, "PUT", LOGS, "{\"logs_state\":\"lost\"}");
	api_invalid(f, 400, "logs_state in body should be one of [requested collecting completed");
	api_call(f, "PUT", API_HOSTS "/" API_NOBODY "/logs-progress", "{\"logs_state\":\"\"}");
	api_refused(f, 404, "record not found");
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "PUT", LOGS, "{\"logs_state\":\"\"}");
	api_refused(f, 404, "Object Not Found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_poll),
		API_TEST(test_poll_exit),
		API_TEST(test_poll_queries),
		API_TEST(test_poll_refused),
		API_TEST(test_poll_brings_back),
		API_TEST(test_poll_by_wrong_clock),
		API_TEST(test_poll_looks_when_clocks_move),
		API_TEST(test_poll_takes_news),
		API_TEST(test_reply_inventory),
		API_TEST(test_reply_by_schema),
		API_TEST(test_reply_refused),
		API_TEST(test_reply_media_lost),
		API_TEST(test_reply_failed_install),
		API_TEST(test_reply_api_vip_refreshes_peers),
		API_TEST(test_progress),
		API_TEST(test_progress_refused),
		API_TEST(test_logs_progress),
	};
	return cmocka_run_group_tests_name("v2_step", tests, NULL, NULL);
}
