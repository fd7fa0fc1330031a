#include "http_client_rig.h"

static void test_requests(void **state)
{
	static const char *const headers[] = { "X-Test: yes", NULL };
	static const struct {
		struct http_request_spec spec;
		const char *path, *want;
	} cases[] = {
		{ { 0 }, "/a?q=1", "GET /a q=1 x=- peer=127.0.0.1 tls=0 same=1 len=0 body=\n" },
		{ { .body = "xyz", .body_len = 3 },
		  "/a",
		  "POST /a q=- x=- peer=127.0.0.1 tls=0 same=1 len=3 body=xyz\n" },
		{ { .method = "PUT", .body = "1", .body_len = 1 },
		  "/a",
		  "PUT /a q=- x=- peer=127.0.0.1 tls=0 same=1 len=1 body=1\n" },
		{ { .method = "PATCH", .body = "{}", .body_len = 2 },
		  "/a",
		  "PATCH /a q=- x=- peer=127.0.0.1 tls=0 same=1 len=2 body={}\n" },
		{ { .method = "DELETE" },
		  "/a",
		  "DELETE /a q=- x=- peer=127.0.0.1 tls=0 same=1 len=0 body=\n" },
		{ { .method = "POST" },
		  "/a",
		  "POST /a q=- x=- peer=127.0.0.1 tls=0 same=1 len=0 body=\n" },
		{ { .headers = headers },
		  "/a",
		  "GET /a q=- x=yes peer=127.0.0.1 tls=0 same=1 len=0 body=\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request_spec spec = cases[i].spec;
		struct http_answer a;
		struct fault err = FAULT_INIT;
		if (fetch(&server, cases[i].path, &spec, &a, &err))
			fail_msg("%s", err.text);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body, cases[i].want);
		assert_int_equal(a.body_len, strlen(cases[i].want));
		http_answer_done(&a);
	}
}

static void test_head_and_status(void **state)
{
	struct http_answer a;
	assert_int_equal(
		fetch(&server, "/file", &(struct http_request_spec){ .method = "HEAD" }, &a, NULL),
		0);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body_len, 0);
	http_answer_done(&a);
	assert_int_equal(
		fetch(&server, "/status?code=503", &(struct http_request_spec){ 0 }, &a, NULL), 0);
	assert_int_equal(a.status, 503);
	http_answer_done(&a);
	assert_int_equal(
		fetch(&server, "/status?code=204", &(struct http_request_spec){ 0 }, &a, NULL), 0);
	assert_int_equal(a.status, 204);
	http_answer_done(&a);
}

/* What goes over the wire: no form type for a body, our name, no surprise. */
static void test_wire(void **state)
{
	struct http_answer a;
	struct http_request_spec spec = { .body = "{}",
					  .body_len = 2,
					  .headers = (const char *const[]){ "X-Empty;", "X-Full: 1",
									    NULL } };
	assert_int_equal(fetch(&liar, "/show", &spec, &a, NULL), 0);
	assert_null(strcasestr(a.body, "x-www-form-urlencoded"));
	assert_null(strcasestr(a.body, "Expect:"));
	assert_non_null(strstr(a.body, "\r\nUser-Agent: slipway/"));
	assert_non_null(strstr(a.body, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(a.body, "\r\nX-Full: 1\r\n"));
	assert_non_null(strstr(a.body, "\r\nContent-Length: 2\r\n"));
	http_answer_done(&a);
	/* Header injection is refused before anything is sent. */
	spec.headers = (const char *const[]){ "X: a\r\nY: b", NULL };
	assert_int_equal(fetch(&liar, "/show", &spec, &a, NULL), -EINVAL);
	assert_int_equal(fetch(&liar, "/show",
			       &(struct http_request_spec){ .method = "GET /x HTTP/1.1\r\n" }, &a,
			       NULL),
			 -EINVAL);
}

static void test_faults(void **state)
{
	static const struct {
		const char *path;
		struct http_request_spec spec;
		int want;
		const char *says;
	} cases[] = {
		{ "/200",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "answered 200" },
		{ "/404",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "answered 404" },
		{ "/other",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "another range" },
		{ "/shorter",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "another range" },
		{ "/small-total",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "another range" },
		{ "/no-range",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "another range" },
		{ "/junk-range",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "another range" },
		{ "/few",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "fewer bytes" },
		{ "/many",
		  { .use_range = true, .range_first = 5, .range_last = 9 },
		  -EPROTO,
		  "more bytes" },
		{ "/200", { .use_range = true, .range_first = 9, .range_last = 5 }, -EINVAL, "" },
		{ "/cut", { 0 }, -ECONNRESET, "" },
		{ "/nothing", { 0 }, -ECONNRESET, "" },
		{ "/no-http", { 0 }, -EPROTO, "" },
		{ "/stall", { 0 }, -ETIMEDOUT, "" },
		{ "/silent", { 0 }, -ETIMEDOUT, "" },
		{ "/silent", { .total_timeout_ms = 100 }, -ETIMEDOUT, "" },
		{ "/200", { .max_body = 19 }, -EMSGSIZE, "" },
		{ "/headers", { 0 }, -EMSGSIZE, "headers" },
		{ "/loop", { .follow = true }, -EPROTO, "redirects" },
		{ "/to-file", { .follow = true }, -EPROTO, "not http or https" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request_spec spec = cases[i].spec;
		struct http_answer a;
		struct fault err = FAULT_INIT;
		int r = fetch(&liar, cases[i].path, &spec, &a, &err);
		if (r != cases[i].want || err.code != r || !strstr(err.text, cases[i].says))
			fail_msg("%s: %d %s", cases[i].path, r, err.text);
	}
	struct http_answer a;
	struct test_server nobody = { .url = "http://127.0.0.1:1" };
	assert_int_equal(fetch(&nobody, "/", &(struct http_request_spec){ 0 }, &a, NULL),
			 -ECONNREFUSED);
	struct test_server mail = { .url = "gopher://127.0.0.1" };
	assert_int_equal(fetch(&mail, "/", &(struct http_request_spec){ 0 }, &a, NULL), -EINVAL);
}

static void test_good_answers(void **state)
{
	struct http_answer a;
	assert_int_equal(
		fetch(&liar, "/200", &(struct http_request_spec){ .max_body = 20 }, &a, NULL), 0);
	assert_int_equal(a.body_len, 20);
	http_answer_done(&a);
	struct http_request_spec range = { .use_range = true, .range_first = 5, .range_last = 9 };
	assert_int_equal(fetch(&liar, "/star", &range, &a, NULL), 0);
	assert_string_equal(a.body, "01234");
	http_answer_done(&a);
	assert_int_equal(fetch(&liar, "/continue", &(struct http_request_spec){ 0 }, &a, NULL), 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "ok");
	http_answer_done(&a);
	/* Not followed unless asked for. */
	assert_int_equal(fetch(&liar, "/loop", &(struct http_request_spec){ 0 }, &a, NULL), 0);
	assert_int_equal(a.status, 302);
	assert_string_equal(a.body, "abc");
	http_answer_done(&a);
}

static void test_ranges(void **state)
{
	static const uint64_t cases[][2] = {
		{ 0, 0 }, { 1000, 1999 }, { 3000000, 5097151 }, { FILE_SIZE - 1, FILE_SIZE - 1 }
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request_spec spec = { .use_range = true,
						  .range_first = cases[i][0],
						  .range_last = cases[i][1],
						  .if_range = FILE_ETAG };
		struct http_answer a;
		assert_int_equal(fetch(&server, "/file", &spec, &a, NULL), 0);
		assert_int_equal(a.status, 206);
		assert_int_equal(a.body_len, cases[i][1] - cases[i][0] + 1);
		for (size_t k = 0; k < a.body_len; k++)
			assert_int_equal((uint8_t)a.body[k], file_byte(cases[i][0] + k));
		http_answer_done(&a);
		/* The file has changed meanwhile: the server sends it whole, which is not what was asked for. */
		spec.if_range = "\"f2\"";
		assert_int_equal(fetch(&server, "/file", &spec, &a, NULL), -EPROTO);
		/* Beyond the end. */
		spec.if_range = NULL;
		spec.range_last = FILE_SIZE;
		assert_int_equal(fetch(&server, "/file", &spec, &a, NULL), -EPROTO);
	}
}

/* Messages may end in logs: no password, no query. */
static void test_fault_text(void **state)
{
	struct http_answer a;
	struct fault err = FAULT_INIT;
	struct http_request_spec spec = { .url = "http://user:geheim@127.0.0.1:1/p?api_key=geheim" };
	assert_int_equal(http_fetch(NULL, &spec, &a, &err), -ECONNREFUSED);
	assert_null(strstr(err.text, "geheim"));
	assert_non_null(strstr(err.text, "GET http://127.0.0.1:1/p: "));
}

/* Methods with a body by nature name its length, even 0; the others send none. */
static void test_lengths(void **state)
{
	static const struct {
		const char *method;
		const char *has, *lacks;
	} cases[] = {
		{ "POST", "\r\nContent-Length: 0\r\n", "Content-Type" },
		{ "PUT", "\r\nContent-Length: 0\r\n", "Content-Type" },
		{ "PATCH", "\r\nContent-Length: 0\r\n", "Content-Type" },
		{ "DELETE", "DELETE /show", "Content-Length" },
		{ "GET", "GET /show", "Content-Length" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_answer a;
		assert_int_equal(fetch(&liar, "/show",
				       &(struct http_request_spec){ .method = cases[i].method }, &a,
				       NULL),
				 0);
		if (!strstr(a.body, cases[i].has) || strstr(a.body, cases[i].lacks))
			fail_msg("%s: %s", cases[i].method, a.body);
		http_answer_done(&a);
	}
	/* a body may hold NUL, and keeps the type it was given */
	struct http_answer a;
	struct http_request_spec spec = { .body = "a\0b",
					  .body_len = 3,
					  .headers = (const char *const[]){
						  "content-type: application/x", NULL } };
	assert_int_equal(fetch(&liar, "/show", &spec, &a, NULL), 0);
	assert_non_null(strstr(a.body, "\r\ncontent-type: application/x\r\n"));
	assert_memory_equal(a.body + a.body_len - 3, "a\0b", 3);
	http_answer_done(&a);
}

/* What cannot be sent is refused at the start: nothing reaches a server. */
static void test_refused_at_start(void **state)
{
	static const struct {
		const char *url;
		const char *method, *header;
	} cases[] = {
		{ NULL, NULL, NULL },
		{ "", NULL, NULL },
		{ "file:///etc/passwd", NULL, NULL },
		{ "ftp://127.0.0.1/", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http://a b/", NULL, NULL },
		{ "http://127.0.0.1:99999/", NULL, NULL },
		{ "http://127.0.0.1/", "", NULL },
		{ "http://127.0.0.1/", "get", NULL },
		{ "http://127.0.0.1/", "GET /", NULL },
		{ "http://127.0.0.1/", NULL, "A: b\nC: d" },
		{ "http://127.0.0.1/", NULL, "A: b\r" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_answer a;
		struct fault err = FAULT_INIT;
		struct http_request_spec spec = { .url = cases[i].url,
						  .method = cases[i].method,
						  .headers = (const char *const[]){ cases[i].header,
										    NULL } };
		int r = http_fetch(NULL, &spec, &a, &err);
		if (r != -EINVAL || !err.text[0])
			fail_msg("case %zu: %d %s", i, r, err.text);
	}
}

struct header_look {
	char one[32];
	bool has_none, was_called;
};

static int look_at_headers(void *ctx, const void *data, size_t len)
{
	((struct header_look *)ctx)->was_called = true;
	return 0;
}

struct look_run {
	struct event_base *base;
	struct http_call *call;
	struct header_look look;
};

static void looked(void *ctx, const struct http_answer *a)
{
	struct look_run *r = ctx;
	const char *late = http_call_header(r->call, "x-late");
	snprintf(r->look.one, sizeof(r->look.one), "%s", late ? late : "(none)");
	r->look.has_none = !http_call_header(r->call, "X-Lat") &&
			   !http_call_header(r->call, "X-Early");
	event_base_loopbreak(r->base);
}

/* Headers of the last answer only (not those of a 100), by their whole name in any case, without the blanks around. */
static void test_answer_headers(void **state)
{
	struct look_run r = { .base = event_base_new() };
	struct http_client *client;
	AUTO(freep) char *url = str_printf("%s/continue", liar.url);
	struct http_request_spec spec = { .url = url, .done = looked, .ctx = &r };
	assert_int_equal(http_client_new(r.base,
					 &(struct http_client_options){ .stall_timeout_ms = 1000 },
					 &client, NULL),
			 0);
	assert_int_equal(http_call_start(client, &spec, &r.call, NULL), 0);
	event_base_dispatch(r.base);
	assert_int_equal(strncmp(r.look.one, "2", 1), 0);
	assert_true(r.look.has_none);
	http_client_free(client);
	event_base_free(r.base);
}

/* Pieces go to on_data for a 2xx only; the body of a refusal is collected so that it can be shown. */
static void test_on_data_of_a_refusal(void **state)
{
	struct header_look look = { 0 };
	struct http_answer a;
	struct http_request_spec spec = { .on_data = look_at_headers, .ctx = &look };
	assert_int_equal(fetch(&liar, "/404", &spec, &a, NULL), 0);
	assert_int_equal(a.status, 404);
	assert_string_equal(a.body, "gone");
	assert_false(look.was_called);
	http_answer_done(&a);
	assert_int_equal(fetch(&liar, "/200", &spec, &a, NULL), 0);
	assert_string_equal(a.body, "");
	assert_true(look.was_called);
	http_answer_done(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_head_and_status),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_good_answers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_fault_text),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_refused_at_start),
		cmocka_unit_test(test_answer_headers),
		cmocka_unit_test(test_on_data_of_a_refusal),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
