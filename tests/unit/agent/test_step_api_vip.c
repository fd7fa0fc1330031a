/* api-vip-connectivity-check: what the cluster answers, and everything that is no answer. */
#include "agent/ignition_filter.h"
#include "tests/unit/agent/raw_server.h"
#include "tests/unit/agent/step_rig.h"

#define IGNITION \
	"{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":[{\"path\":\"/etc/shadow\"}]}}"

static int serve_ignition(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/config/worker"))
		return 0;
	*ret_body = str_dup(f->counter == 200 ? IGNITION : "<html>no</html>");
	return (int)f->counter;
}

/* @with_ca: the certificate of the test's server goes along, as an installer's would. */
static char *vip_arg(const struct net_rig *r, bool with_ca)
{
	AUTO(freep) char *ca = base64_encode(r->f->ca_pem, strlen(r->f->ca_pem));
	AUTO(freep) char *url = str_printf("%s/config/worker", r->f->url);
	AUTO(json_decrefp)
	json_t *arg = json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "url", url, "ignition_endpoint_token",
				"tok", "request_headers", "key", "X-Secret-Key", "value",
				"from-header");
	if (with_ca)
		json_object_set_new(arg, "ca_certificate", json_string(ca));
	return json_text(arg, false);
}

static void test_vip_good(void **state)
{
	struct net_rig *r = *state;
	AUTO(freep) char *arg = vip_arg(r, true);

	r->f->answer = serve_ignition;
	r->f->counter = 200;
	AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);
	assert_int_equal(c.exit_code, 0);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	assert_true(json_flag(out, "is_success"));
	assert_non_null(strstr(json_str(out, "url"), "/config/worker"));
	assert_string_equal(json_str(out, "ignition"),
			    "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{}}");
	assert_null(json_child(out, "download_error"));
	assert_int_equal(r->f->n, 1);
	assert_string_equal(r->f->seen[0].secret, "from-header");
	assert_null(r->f->seen[0].slipway); /* the cluster is not told about the service */
}

static void expect_vip_error(struct net_rig *r, const char *arg, const char *words)
{
	AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);

	assert_int_equal(c.exit_code, 0);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	assert_null(json_child(out, "is_success"));
	if (!json_str(out, "download_error") || !strstr(json_str(out, "download_error"), words))
		fail_msg("%s", c.output);
	assert_string_equal(c.error, "ignition file download failed");
}

static void test_vip_errors(void **state)
{
	struct net_rig *r = *state;
	AUTO(freep) char *arg = vip_arg(r, true);
	AUTO(freep) char *no_ca = vip_arg(r, false);

	r->f->answer = serve_ignition;
	r->f->counter = 404;
	expect_vip_error(r, arg, "HTTP 404: <html>no</html>");
	r->f->counter = 299; /* not the answer that was asked for */
	expect_vip_error(r, arg, "HTTP 299");
	r->f->counter = 200;
	expect_vip_error(r, no_ca, "certificate");
	expect_vip_error(r, "{\"url\":\"http://127.0.0.1:1/config/worker\"}", "127.0.0.1");
	expect_vip_error(r, "{\"url\":\"file:///etc/passwd\"}", "");
	expect_vip_error(r, "{\"url\":\"http://x/\",\"ca_certificate\":\"%\"}", "ca_certificate");
	expect_vip_error(
		r,
		"{\"url\":\"http://x/\",\"request_headers\":[{\"key\":\"a\\r\\nb\",\"value\":\"\"}]}",
		"headers");
}

/* --- answers of something that is no cluster ------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK\r\n"
#define LONG_HEADER_BYTES (1u << 20)

static void test_hostile_answers(void **state)
{
	static const struct {
		const char *what, *head;
		size_t noise;
		bool stays_open;
		const char *words;
	} rows[] = {
		{ "closed without a word", "", 0, false, "" },
		{ "no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", 0, false, "" },
		{ "no status", "HTTP/1.1\r\n\r\n", 0, false, "" },
		{ "cut short", OK "Content-Length: 1000\r\n\r\n{\"ignition\":{}", 0, false, "" },
		{ "cut chunk", OK "Transfer-Encoding: chunked\r\n\r\nff\r\n{\"ignition\"", 0, false,
		  "" },
		{ "bad chunk", OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 0, false, "" },
		{ "empty", OK "Content-Length: 0\r\n\r\n", 0, false, "" },
		{ "no JSON", OK "Content-Length: 3\r\n\r\nabc", 0, false, "" },
		{ "an array", OK "Content-Length: 2\r\n\r\n[]", 0, false, "" },
		{ "too long, and says so", OK "Content-Length: 99999999999\r\n\r\n", 0, true, "" },
		{ "too long, and does not say so", OK "\r\n", IGNITION_MAX + 1, false, "" },
		{ "a header without end", OK "X: ", LONG_HEADER_BYTES, false, "" },
		{ "silence", OK, 0, true, "" },
		{ "half a body, then silence", OK "Content-Length: 100\r\n\r\n{", 0, true, "" },
		{ "another scheme",
		  "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
		  0, false, "" },
		{ "round in circles",
		  "HTTP/1.1 302 Found\r\nLocation: /config/worker\r\nContent-Length: 0\r\n\r\n", 0,
		  true, "" },
		{ "an error with bytes that are no text",
		  "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\n\xff\xfe\x01"
		  "ab\n",
		  0, false, "HTTP 500" },
		{ "an endless error", "HTTP/1.1 500 Oops\r\n\r\n", 100000, false, "HTTP 500" },
	};
	struct net_rig *r = *state;

	r->net.step_wait_ms = 700;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct raw_server s;
		raw_start(&s, r->f->base);
		s.head = rows[i].head;
		s.noise = rows[i].noise;
		s.stays_open = rows[i].stays_open;
		AUTO(freep) char *arg = str_printf("{\"url\":\"%s/config/worker\"}", s.url);
		AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);
		AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
		const char *why = json_str(out, "download_error");
		if (c.exit_code || !out || json_child(out, "is_success") || str_empty(why) ||
		    !strstr(why, rows[i].words) || strlen(why) > 1024)
			fail_msg("%s: %s", rows[i].what, c.output);
		assert_string_equal(c.error, "ignition file download failed");
		assert_true(s.n >= 1 && s.n <= 10);
		raw_stop(&s);
	}
}

/* What goes over the wire: the media type, the token, the headers, each once. */
static void test_request(void **state)
{
	struct net_rig *r = *state;
	struct raw_server s;

	raw_start(&s, r->f->base);
	s.head = OK "Content-Length: 34\r\n\r\n{\"ignition\":{\"version\":\"3.2.0\"}}  ";
	AUTO(freep)
	char *arg = str_printf(
		"{\"url\":\"%s/config/worker\",\"ignition_endpoint_token\":\"tok\",\"request_headers\":"
		"[{\"key\":\"X-Empty\",\"value\":\"\"},{\"key\":\"X-One\",\"value\":\"1\"}]}",
		s.url);
	AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, arg);
	AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
	if (!json_flag(out, "is_success"))
		fail_msg("%s", c.output);
	assert_true(str_starts(s.request, "GET /config/worker HTTP/1.1\r\n"));
	static const char *const lines[] = {
		"\r\nAccept: application/vnd.coreos.ignition+json; version=3.2.0\r\n",
		"\r\nAuthorization: Bearer tok\r\n",
		"\r\nX-Empty:",
		"\r\nX-One: 1\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *at = strstr(s.request, lines[i]);
		if (!at || strstr(at + 1, lines[i]))
			fail_msg("\"%s\" in:\n%s", lines[i], s.request);
	}
	raw_stop(&s);
}

/* As many headers as are taken, and one more. */
static void test_header_limit(void **state)
{
	struct net_rig *r = *state;

	for (int n = 32; n <= 33; n++) {
		struct raw_server s;
		raw_start(&s, r->f->base);
		s.head = OK "Content-Length: 32\r\n\r\n{\"ignition\":{\"version\":\"3.2.0\"}}";
		AUTO(freep) char *url = str_printf("%s/config/worker", s.url);
		AUTO(json_decrefp)
		json_t *arg = json_pack("{s:s, s:[]}", "url", url, "request_headers");
		for (int i = 0; i < n; i++) {
			char key[16];
			snprintf(key, sizeof(key), "X-%d", i);
			json_array_append_new(json_child(arg, "request_headers"),
					      json_pack("{s:s, s:s}", "key", key, "value", "v"));
		}
		AUTO(freep) char *text = json_text(arg, false);
		AUTO(caught_done) struct caught c = run_step(r, &step_api_vip, text);
		AUTO(json_decrefp) json_t *out = json_loads(c.output, 0, NULL);
		if (json_flag(out, "is_success") != (n == 32) || s.n != (n == 32))
			fail_msg("%d headers: %s", n, c.output);
		raw_stop(&s);
	}
}

static void test_refusals(void **state)
{
	struct net_rig *r = *state;

	expect_refusal(r, &step_api_vip, "{}", "url");
	expect_refusal(r, &step_api_vip, "{\"url\":\"\"}", "url");
	expect_refusal(r, &step_api_vip, "{\"url\":7}", "url");
	assert_int_equal(r->f->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_vip_good),        STEP_CASE(test_vip_errors),
		STEP_CASE(test_hostile_answers), STEP_CASE(test_request),
		STEP_CASE(test_header_limit),    STEP_CASE(test_refusals),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
