#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/session.h"
#include "common/cleanup.h"
#include "tests/unit/agent/raw_server.h"

#define IE "fbe2e02f-5be9-4ca6-af2f-635fce727b94"
#define HOST "b1f5c5b7-caf8-66bd-addd-439b331f2640"

static struct agent_config config = { .url = (char *)"https://192.0.2.1:9543",
				      .infra_env_id = (char *)IE,
				      .host_id = (char *)HOST };

static void test_urls(void **state)
{
	AUTO(session_done) struct session s;
	assert_int_equal(session_init(&s, &config), 0);
	AUTO(freep) char *hosts = session_hosts_url(&s);
	AUTO(freep) char *poll = session_host_url(&s, "instructions?timestamp=5");
	AUTO(freep) char *cluster = session_url(&s, "clusters/x");
	AUTO(freep) char *origin = session_origin_url(&s, "/os-images/a.slx");

	assert_string_equal(hosts, "https://192.0.2.1:9543/api/assisted-install/v2/infra-envs/" IE
				   "/hosts");
	assert_string_equal(poll, "https://192.0.2.1:9543/api/assisted-install/v2/infra-envs/" IE
				  "/hosts/" HOST "/instructions?timestamp=5");
	assert_string_equal(cluster, "https://192.0.2.1:9543/api/assisted-install/v2/clusters/x");
	assert_string_equal(origin, "https://192.0.2.1:9543/os-images/a.slx");
}

/* A service behind a path: the API goes below it, images are at the root of the host. */
static void test_url_with_path(void **state)
{
	struct agent_config c = config;
	AUTO(session_done) struct session s;

	c.url = (char *)"https://[2001:db8::1]:9543/slipway";
	assert_int_equal(session_init(&s, &c), 0);
	AUTO(freep) char *origin = session_origin_url(&s, "/os-images/a.slx");
	AUTO(freep) char *hosts = session_hosts_url(&s);
	assert_string_equal(origin, "https://[2001:db8::1]:9543/os-images/a.slx");
	assert_string_equal(
		hosts, "https://[2001:db8::1]:9543/slipway/api/assisted-install/v2/infra-envs/" IE
		       "/hosts");
}

static bool has(const struct json_strs *list, const char *line)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->v[i], line))
			return true;
	return false;
}

static void test_headers(void **state)
{
	struct agent_config c = config;
	AUTO(session_done) struct session s;
	AUTO(json_strs_done) struct json_strs without = { 0 }, with = { 0 };

	assert_int_equal(session_init(&s, &c), 0);
	assert_int_equal(session_headers(&s, "1-2-3", NULL, &without), 0);
	assert_true(has(&without, "X-Secret-Key;")); /* sent, and empty */
	assert_true(has(&without, "X-Request-ID: 1-2-3"));
	assert_true(has(&without, "Slipway-Agent: " SLIPWAY_VERSION));
	assert_int_equal(without.n, 3);

	str_set(&s.agent_version, "registry.example.com/agent:1");
	secret_set(&c.token, "a.b.c");
	assert_int_equal(session_headers(&s, NULL, "application/json", &with), 0);
	assert_true(has(&with, "X-Secret-Key: a.b.c"));
	assert_true(has(&with, "discovery_agent_version: registry.example.com/agent:1"));
	assert_true(has(&with, "Content-Type: application/json"));
	assert_int_equal(with.n, 5);
	secret_done(&c.token);
}

static void test_reasons(void **state)
{
	const struct {
		long status;
		const char *body, *want;
	} rows[] = {
		{ 404,
		  "{\"code\":\"404\",\"href\":\"\",\"id\":404,\"kind\":\"Error\",\"reason\":\"Host not found\"}",
		  "HTTP 404: Host not found" },
		{ 401, "{\"code\":401,\"message\":\"bad token\"}", "HTTP 401: bad token" },
		{ 400, "{\"code\":400,\"message\":\"host_id in body is required\"}",
		  "HTTP 400: host_id in body is required" },
		{ 200, "<html>Sign in</html>",
		  "HTTP 200 with a body that is no JSON: is a proxy or portal in between?" },
		{ 503, "", "HTTP 503" },
		{ 500, "{}", "HTTP 500" },
	};
	char buf[256];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer a = { .status = rows[i].status,
					 .body = rows[i].body,
					 .body_len = strlen(rows[i].body) };
		assert_string_equal(session_reason(&a, buf, sizeof(buf)), rows[i].want);
	}
	struct http_answer broken = { .code = -ECONNREFUSED, .body = "" };
	fault_set(&broken.fault, -ECONNREFUSED, "nobody listens");
	assert_string_equal(session_reason(&broken, buf, sizeof(buf)), "nobody listens");
}

struct end {
	struct event_base *base;
	int code;
};

static void on_end(void *ctx, const struct http_answer *a)
{
	struct end *e = ctx;

	e->code = a->code;
	event_base_loopbreak(e->base);
}

/* A service that takes the request and never answers: the call's own limit ends it, long before that of every other call. */
static void test_timeout(void **state)
{
	struct http_client_options options = { 0 };
	struct event_base *base = event_base_new();
	struct agent_config c = config;
	struct raw_server silent;
	struct http_client *http;
	AUTO(session_done) struct session s = { 0 };
	struct end end = { .base = base };
	struct fault err = FAULT_INIT;

	raw_start(&silent, base);
	c.url = silent.url;
	assert_int_equal(session_init(&s, &c), 0);
	assert_int_equal(http_client_new(base, &options, &http, &err), 0);
	const struct session_call call = {
		.method = "POST",
		.url = session_url(&s, "x"),
		.body = "{}",
		.timeout_ms = 300,
		.done = on_end,
		.ctx = &end,
	};
	int64_t from_ms = time_mono_ms();
	assert_int_equal(session_start(&s, http, &call, NULL, &err), 0);
	event_base_dispatch(base);
	assert_int_equal(end.code, -ETIMEDOUT);
	assert_in_range(time_mono_ms() - from_ms, 250, 20000);
	assert_int_equal(silent.n, 1);
	http_client_free(http);
	raw_stop(&silent);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),    cmocka_unit_test(test_url_with_path),
		cmocka_unit_test(test_headers), cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
