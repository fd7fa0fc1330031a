#include "api_fixture.h"

#define EVENTS "/v2/events"

static void add_event(struct api *f, const char *name, const char *severity, const char *category,
		      const char *cluster_id, const char *infra_env_id, const char *host_id)
{
	struct api_event e = { .event_time = f->now_us };

	str_set(&e.name, name);
	str_set(&e.severity, severity);
	str_set(&e.category, category);
	AUTO(freep) char *message = str_printf("The %s", name);
	str_set(&e.message, message);
	strcpy(e.cluster_id, cluster_id);
	strcpy(e.infra_env_id, infra_env_id);
	strcpy(e.host_id, host_id);
	state_begin(f->svc.state);
	assert_int_equal(state_event(f->svc.state, &e), 0);
	api_commit(f);
	f->now_us += 1000000;
}

/* One letter each, so that a list reads as a word. */
static void add_events(struct api *f)
{
	add_event(f, "a", "info", "user", API_CLUSTER, API_POOL, API_HOST);
	add_event(f, "b", "warning", "user", API_CLUSTER, API_POOL, API_OTHER);
	add_event(f, "c", "error", "user", "", API_EARLY, API_HOST);
	add_event(f, "d", "critical", "user", API_CLUSTER, "", "");
	add_event(f, "e", "info", "metrics", API_CLUSTER, "", "");
}

static void expect_names(struct api *f, const char *query, const char *names)
{
	char have[32] = "";
	json_t *item;
	size_t i;

	AUTO(freep) char *path = str_printf(EVENTS "%s", query);
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
	json_array_foreach(f->json, i, item)
		have[i] = json_str(item, "name")[0];
	if (strcmp(have, names) != 0)
		fail_msg("%s lists %s instead of %s", query, have, names);
}

static void test_list(void **state)
{
	static const struct {
		const char *query, *names;
	} rows[] = {
		{ "", "abcd" },
		{ "?order=ascending", "abcd" },
		{ "?order=descending", "dcba" },
		{ "?categories=metrics", "e" },
		{ "?categories=user,metrics", "abcde" },
		{ "?cluster_id=" API_CLUSTER, "abd" },
		{ "?cluster_id=" API_CLUSTER "&cluster_level=true", "d" },
		{ "?cluster_id=" API_NOBODY, "" },
		{ "?infra_env_id=" API_POOL, "ab" },
		{ "?host_id=" API_HOST, "ac" },
		{ "?host_ids=" API_HOST, "ac" },
		{ "?host_ids=" API_HOST "," API_OTHER, "abc" },
		{ "?host_ids=" API_HOST "&host_id=" API_OTHER, "abc" },
		{ "?host_ids=" API_HOST "&infra_env_id=" API_POOL, "a" },
		{ "?severities=info", "a" },
		{ "?severities=error,critical", "cd" },
		{ "?severities=,,info,", "a" },
		{ "?message=the c", "c" }, /* in any case */
		{ "?message=%", "" },
		{ "?limit=2", "ab" },
		{ "?limit=2&offset=1", "bc" },
		{ "?limit=2&order=descending", "dc" },
		{ "?limit=-1", "abcd" },
		{ "?limit=-7", "abcd" },
		{ "?offset=4", "" },
		{ "?offset=3", "d" },
	};
	struct api *f = *state;

	add_events(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_names(f, rows[i].query, rows[i].names);
}

static void test_list_item(void **state)
{
	struct api *f = *state;

	add_event(f, "x", "warning", "user", API_CLUSTER, API_POOL, API_HOST);
	expect_names(f, "", "x");
	assert_int_equal(json_object_size(api_at(f, "0")), 7);
	api_is(f, "0.cluster_id", API_CLUSTER);
	api_is(f, "0.infra_env_id", API_POOL);
	api_is(f, "0.host_id", API_HOST);
	api_is(f, "0.severity", "warning");
	api_is(f, "0.message", "The x");
	api_is(f, "0.event_time", "2026-09-21T14:13:20.000Z");
	/* in the schema, but not in the list (assisted-v2 §3.4) */
	assert_null(api_at(f, "0.category"));
	assert_null(api_at(f, "0.request_id"));
}

static void expect_counts(struct api *f, const char *counts)
{
	static const char *const names[] = { "Severity-Count-Info", "Severity-Count-Warning",
					     "Severity-Count-Error", "Severity-Count-Critical",
					     "Event-Count" };

	assert_int_equal(strlen(counts), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(freep) char *line = str_printf("%s: %c", names[i], counts[i]);
		if (!api_has_header(f, line))
			fail_msg("no \"%s\" in %s", line, f->headers_out);
	}
}

static void test_counts(void **state)
{
	struct api *f = *state;

	add_events(f);
	expect_names(f, "?cluster_id=" API_CLUSTER, "abd");
	expect_counts(f, "11013");
	/* limit and offset do not count; severities limit only the total (assisted-v2 §3.4) */
	expect_names(f, "?limit=1&offset=1&cluster_id=" API_CLUSTER, "b");
	expect_counts(f, "11013");
	expect_names(f, "?severities=warning&cluster_id=" API_CLUSTER, "b");
	expect_counts(f, "11011");
	expect_names(f, "?host_id=" API_HOST, "ac");
	expect_counts(f, "10102");
	expect_names(f, "?infra_env_id=" API_POOL, "ab");
	expect_counts(f, "11002");
	/* nothing is counted when nothing is named */
	expect_names(f, "", "abcd");
	expect_counts(f, "00000");
}

static void test_list_refused(void **state)
{
	static const struct {
		const char *query, *message;
	} rows[] = {
		{ "cluster_id=1", "cluster_id in query must be of type uuid: \"1\"" },
		{ "cluster_id=", "cluster_id in query must be of type uuid" },
		{ "infra_env_id=x", "infra_env_id in query must be of type uuid" },
		{ "host_id=x", "host_id in query must be of type uuid" },
		{ "host_ids=" API_HOST ",x", "host_ids.1 in query must be of type uuid: \"x\"" },
		{ "severities=info,bad", "severities.1 in query is unknown: \"bad\"" },
		{ "categories=x", "categories.0 in query is unknown: \"x\"" },
		{ "order=up", "order in query should be one of [ascending descending]" },
		{ "limit=many", "limit in query must be of type int64: \"many\"" },
		{ "limit=", "limit in query must be of type int64" },
		{ "offset=1.5", "offset in query must be of type int64" },
		{ "offset=-1", "offset in query should be greater than or equal to 0" },
		{ "offset=9223372036854775808", "offset in query must be of type int64" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *path = str_printf(EVENTS "?%s", rows[i].query);
		api_call(f, "GET", path, NULL);
		api_invalid(f, 400, rows[i].message);
	}
}

/* The longest list is taken, one item more is not. */
static void test_list_limits(void **state)
{
	struct api *f = *state;
	AUTO(buf_done) struct buf b;

	buf_init(&b, 1 << 16);
	assert_int_equal(buf_append_str(&b, EVENTS "?severities=info"), 0);
	for (int i = 1; i < 256; i++)
		assert_int_equal(buf_append_str(&b, ",info"), 0);
	api_call(f, "GET", b.data, NULL);
	api_expect(f, 200);
	assert_int_equal(buf_append_str(&b, ",info"), 0);
	api_call(f, "GET", b.data, NULL);
	api_invalid(f, 400, "severities in query should have at most 256 items");
}

static void test_list_by_handle(void **state)
{
	struct api *f = *state;

	add_events(f);
	api_as_nobody(f);
	/* a download handle shows its own infra-env only */
	expect_names(f, "?api_key=" API_HANDLE, "ab");
	expect_names(f, "?infra_env_id=" API_EARLY "&api_key=" API_HANDLE, "");
	expect_names(f, "?host_id=" API_HOST "&api_key=" API_HANDLE, "a");
	api_call(f, "GET", EVENTS, NULL);
	api_invalid(f, 401, "");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", EVENTS, NULL);
	api_invalid(f, 403, "");
}

/* --- POST --- */

#define EVENT \
	"{\"name\":\"n\",\"severity\":\"info\",\"message\":\"m\",\"event_time\":\"2020-01-01T00:00:00Z\""

static void post(struct api *f, const char *more)
{
	AUTO(freep) char *body = str_printf(EVENT "%s}", more);

	api_call(f, "POST", EVENTS, body);
}

static void test_post(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	post(f, ",\"props\":\"{\\\"a\\\":1}\"");
	api_expect(f, 201);
	assert_string_equal(f->text, "");
	api_as_user(f);
	/* it belongs to the sender's infra-env, and its time is ours (assisted-v2 §3.4) */
	expect_names(f, "?infra_env_id=" API_POOL, "n");
	api_is(f, "0.event_time", "2026-09-21T14:13:20.000Z");
	api_is(f, "0.props", "{\"a\":1}");
	api_is(f, "0.host_id", NULL);

	AUTO(freep) char *metrics = api_as_agent(f, API_POOL, NULL);
	post(f, ",\"category\":\"metrics\"");
	api_expect(f, 201);
	post(f, ",\"category\":\"user\"");
	api_expect(f, 201);
	api_as_user(f);
	expect_names(f, "?categories=metrics", "n");
	expect_names(f, "", "nn");
}

/* What is not required may be missing, and what is may be empty. */
static void test_post_least(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", EVENTS,
		 "{\"severity\":\"error\",\"message\":\"\",\"event_time\":\"\",\"name\":null}");
	api_expect(f, 201);
	api_as_user(f);
	api_call(f, "GET", EVENTS, NULL);
	api_expect(f, 200);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.severity", "error");
	api_is(f, "0.message", "");
	assert_null(api_at(f, "0.name"));
}

static void test_post_refused(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ NULL, "triggerEventParams in body is required" },
		{ "{}", "severity in body is required" },
		{ "{\"severity\":\"info\"}", "message in body is required" },
		{ "{\"severity\":\"info\",\"message\":\"m\"}", "event_time in body is required" },
		{ "{\"severity\":\"bad\"}",
		  "severity in body should be one of [info warning error critical]" },
		{ EVENT ",\"host_id\":\"1\"}", "host_id in body must be of type uuid" },
		{ EVENT ",\"level\":1}", "unknown field \"level\"" },
	};
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, "POST", EVENTS, rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
	post(f, ",\"category\":\"x\"");
	api_refused(f, 400, "event category x is not known");
	api_as_user(f);
	post(f, "");
	api_invalid(f, 403, "");
}

/* An agent speaks for its own infra-env, its hosts, and the clusters it sees. */
static void test_post_scope(void **state)
{
	static const struct {
		const char *more;
		bool is_taken;
	} rows[] = {
		{ ",\"infra_env_id\":\"" API_POOL "\"", true },
		{ ",\"infra_env_id\":\"" API_EARLY "\"", false },
		{ ",\"host_id\":\"" API_HOST "\"", true },
		{ ",\"host_id\":\"" API_OTHER "\"", false }, /* of the other infra-env */
		{ ",\"host_id\":\"" API_NOBODY "\"", false },
		{ ",\"cluster_id\":\"" API_NOBODY "\"", false },
		{ ",\"cluster_id\":\"" API_CLUSTER "\"", false }, /* it has no host there yet */
	};
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);

	api_add_host(f, API_EARLY, API_OTHER, true, HOST_KNOWN);
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		post(f, rows[i].more);
		if (rows[i].is_taken)
			api_expect(f, 201);
		else
			api_refused(f, 404, "Object Not Found");
	}
	state_begin(f->svc.state);
	assert_int_equal(state_host_set_cluster(f->svc.state, h, API_CLUSTER), 0);
	api_commit(f);
	post(f, ",\"cluster_id\":\"" API_CLUSTER "\"");
	api_expect(f, 201);
}

static void test_post_by_installed_host(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING_IN_PROGRESS);
	api_add_host(f, API_POOL, API_OTHER, true, HOST_INSTALLING_IN_PROGRESS);
	AUTO(freep) char *token = api_as_agent(f, API_POOL, API_HOST);
	post(f, "");
	api_expect(f, 201);
	post(f, ",\"host_id\":\"" API_OTHER "\"");
	api_refused(f, 404, "Object Not Found");
	api_as_user(f);
	expect_names(f, "?host_id=" API_HOST, "n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_list),
		API_TEST(test_list_item),
		API_TEST(test_counts),
		API_TEST(test_list_refused),
		API_TEST(test_list_limits),
		API_TEST(test_list_by_handle),
		API_TEST(test_post),
		API_TEST(test_post_least),
		API_TEST(test_post_refused),
		API_TEST(test_post_scope),
		API_TEST(test_post_by_installed_host),
	};
	return cmocka_run_group_tests_name("v2_event", tests, NULL, NULL);
}
