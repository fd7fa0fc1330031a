#include "http_client_rig.h"

#include "common/http_client_priv.h"

static void test_redirects(void **state)
{
	const char *const secrets[] = { "Authorization: Bearer t", "X-Secret-Key: k", "X-Other: o",
					NULL };
	struct http_answer a;
	struct fault err = FAULT_INIT;
	/* Same origin: everything goes along. */
	struct http_request_spec spec = {
		.follow = true, .headers = (const char *const[]){ "X-Test: kept", NULL }
	};
	assert_int_equal(fetch(&server, "/redirect?to=/x%3Fq=9", &spec, &a, &err), 0);
	assert_non_null(strstr(a.body, "GET /x q=9 x=kept"));
	assert_non_null(strstr(a.effective_url, "/x?q=9"));
	http_answer_done(&a);
	/* Another port is another origin: no credentials. */
	AUTO(freep) char *away = str_printf("/redirect?to=%s/show", liar.url);
	spec.headers = secrets;
	assert_int_equal(fetch(&server, away, &spec, &a, &err), 0);
	assert_non_null(strstr(a.body, "X-Other: o"));
	assert_null(strstr(a.body, "Bearer"));
	assert_null(strstr(a.body, "X-Secret-Key"));
	http_answer_done(&a);
	/* 302 after POST becomes GET without the body. */
	spec = (struct http_request_spec){ .follow = true, .body = "secret", .body_len = 6 };
	assert_int_equal(fetch(&server, away, &spec, &a, &err), 0);
	assert_memory_equal(a.body, "GET /show", 9);
	assert_null(strstr(a.body, "secret"));
	http_answer_done(&a);
	spec = (struct http_request_spec){
		.follow = true, .method = "PUT", .body = "secret", .body_len = 6
	};
	assert_int_equal(fetch(&server, away, &spec, &a, &err), -EPROTO);
	/* A range survives. */
	spec = (struct http_request_spec){
		.follow = true, .use_range = true, .range_first = 7, .range_last = 8
	};
	assert_int_equal(fetch(&server, "/redirect?to=/file", &spec, &a, &err), 0);
	assert_int_equal((uint8_t)a.body[0], file_byte(7));
	assert_int_equal(a.body_len, 2);
	http_answer_done(&a);
}

/* --- the rules, without a server --- */

static int data_never(void *ctx, const void *data, size_t len)
{
	return 0;
}

struct rule_rig {
	struct event_base *base;
	struct http_client *client;
	struct http_call *call;
};

static void done_never(void *ctx, const struct http_answer *a)
{
	fail_msg("a cancelled call has ended: %s", a->fault.text);
}

/* A call to @url that has been answered by @status. */
static struct rule_rig rule_rig_new(const char *url, const char *method, const char *body,
				    long status)
{
	struct rule_rig g = { .base = event_base_new() };
	const char *const headers[] = { "authorization: Bearer t", "X-Secret-Key;", "COOKIE: c",
					"Authorization-Note: n",   "X-Other: o",    NULL };
	struct http_request_spec spec = { .url = url,
					  .method = method,
					  .body = body,
					  .body_len = body ? strlen(body) : 0,
					  .headers = headers,
					  .follow = true,
					  .on_data = data_never,
					  .done = done_never };
	assert_int_equal(
		http_client_new(g.base, &(struct http_client_options){ 0 }, &g.client, NULL), 0);
	assert_int_equal(http_call_start(g.client, &spec, &g.call, NULL), 0);
	g.call->status = status;
	return g;
}

static void rule_rig_done(struct rule_rig *g)
{
	http_call_cancel(g->call);
	http_client_free(g->client);
	event_base_free(g->base);
}

static bool sends(const struct http_call *call, const char *line)
{
	for (const struct curl_slist *h = call->headers; h; h = h->next) {
		if (!strcmp(h->data, line))
			return true;
	}
	return false;
}

static void test_rules(void **state)
{
	static const struct {
		const char *from, *method, *body;
		long status;
		const char *to;
		int want;
		const char *method_then;
		bool keeps_secrets;
	} cases[] = {
		{ "http://a/x", NULL, NULL, 302, "http://a/y", 0, "GET", true },
		{ "http://a/x", NULL, NULL, 302, "http://A:80/y", 0, "GET", true },
		{ "https://a/x", NULL, NULL, 302, "https://a:443/y", 0, "GET", true },
		{ "http://a/x", NULL, NULL, 302, "http://a:81/y", 0, "GET", false },
		{ "http://a/x", NULL, NULL, 302, "http://a.b/y", 0, "GET", false },
		{ "http://a/x", NULL, NULL, 302, "https://a/y", 0, "GET", false },
		{ "https://a/x", NULL, NULL, 302, "http://a/y", -EPROTO, NULL, false },
		{ "https://a/x", NULL, NULL, 302, "http://a:443/y", -EPROTO, NULL, false },
		{ "http://a/x", NULL, NULL, 302, "file:///etc/passwd", -EPROTO, NULL, false },
		{ "http://a/x", NULL, NULL, 302, "gopher://a/", -EPROTO, NULL, false },
		{ "http://a/x", NULL, NULL, 302, "", -EPROTO, NULL, false },
		{ "http://a/x", NULL, NULL, 302, "http://", -EPROTO, NULL, false },
		/* RFC 9110 §15.4: which method comes next */
		{ "http://a/x", "POST", "b", 301, "http://a/y", 0, "GET", true },
		{ "http://a/x", "POST", "b", 302, "http://b/y", 0, "GET", false },
		{ "http://a/x", "POST", "b", 303, "http://a/y", 0, "GET", true },
		{ "http://a/x", "PUT", "b", 303, "http://b/y", 0, "GET", false },
		{ "http://a/x", "HEAD", NULL, 303, "http://a/y", 0, "HEAD", true },
		{ "http://a/x", "POST", "b", 307, "http://a/y", 0, "POST", true },
		{ "http://a/x", "PUT", "b", 302, "http://a/y", 0, "PUT", true },
		/* a body goes to no other origin */
		{ "http://a/x", "POST", "b", 307, "http://b/y", -EPROTO, NULL, false },
		{ "http://a/x", "POST", "b", 308, "https://a/y", -EPROTO, NULL, false },
		{ "http://a/x", "PUT", "b", 302, "http://b/y", -EPROTO, NULL, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule_rig g = rule_rig_new(cases[i].from, cases[i].method, cases[i].body,
						 cases[i].status);
		struct fault err = FAULT_INIT;
		int r = http_redirect_apply(g.call, cases[i].to, &err);
		if (r != cases[i].want || (r < 0 && !strstr(err.text, "redirected")))
			fail_msg("case %zu: %d %s", i, r, err.text);
		if (r == 0) {
			assert_string_equal(g.call->url, cases[i].to);
			assert_string_equal(g.call->method, cases[i].method_then);
			assert_int_equal(!g.call->request_body,
					 !cases[i].body ||
						 strcmp(cases[i].method_then, "GET") == 0);
			assert_int_equal(sends(g.call, "authorization: Bearer t"),
					 cases[i].keeps_secrets);
			assert_int_equal(sends(g.call, "COOKIE: c"), cases[i].keeps_secrets);
			assert_true(sends(g.call, "X-Other: o"));
			assert_true(sends(g.call, "Authorization-Note: n"));
		}
		rule_rig_done(&g);
	}
}

static void test_limit(void **state)
{
	struct rule_rig g = rule_rig_new("http://a/x", NULL, NULL, 302);
	struct fault err = FAULT_INIT;
	for (int i = 0; i < HTTP_REDIRECTS_MAX; i++)
		assert_int_equal(http_redirect_apply(g.call, "http://a/x", &err), 0);
	assert_int_equal(http_redirect_apply(g.call, "http://a/x", &err), -EPROTO);
	assert_string_equal(err.text, "more than 8 redirects");
	rule_rig_done(&g);
}

/* Secrets that have been dropped do not come back when the way leads home. */
static void test_there_and_back(void **state)
{
	struct rule_rig g = rule_rig_new("http://a/x", NULL, NULL, 302);
	assert_int_equal(http_redirect_apply(g.call, "http://b/y", NULL), 0);
	assert_int_equal(http_redirect_apply(g.call, "http://a/z", NULL), 0);
	assert_false(sends(g.call, "authorization: Bearer t"));
	assert_false(sends(g.call, "COOKIE: c"));
	rule_rig_done(&g);
}

static void test_public_url(void **state)
{
	static const char *const cases[][2] = {
		{ "https://user:geheim@h:1/p?k=geheim#geheim", "https://h:1/p" },
		{ "http://geheim@h/p", "http://h/p" },
		{ "http://h", "http://h/" },
		{ "http://[::1]:80/a%20b?x", "http://[::1]:80/a%20b" },
		{ "not a URL", "(unreadable URL)" },
		{ "http://h:geheim/", "(unreadable URL)" },
		{ "", "(unreadable URL)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *text = http_url_public(cases[i][0]);
		assert_string_equal(text, cases[i][1]);
	}
}

static void test_usable(void **state)
{
	static const struct {
		const char *url;
		bool is_usable;
	} cases[] = {
		{ "http://h/", true },
		{ "HTTPS://h", true },
		{ "http://[::1]/", true },
		{ "file:///x", false },
		{ "ftp://h/", false },
		{ "h/p", false },
		{ "//h/p", false },
		{ "http://h:65536/", false },
		{ "", false },
		{ "http://h /", false },
		{ "javascript:alert(1)", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (http_url_is_usable(cases[i].url) != cases[i].is_usable)
			fail_msg("%s", cases[i].url);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redirects),  cmocka_unit_test(test_rules),
		cmocka_unit_test(test_limit),      cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_public_url), cmocka_unit_test(test_usable),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
