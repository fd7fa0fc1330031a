#include "http_liar.h"

#include "common/http_client.h"

static struct test_server server; /* our own */
static struct test_server liar;   /* breaks the rules */

static int setup(void **state)
{
	/* The tests speak to loopback addresses, whatever the environment says of proxies. */
	static const char *const proxies[] = { "http_proxy",  "https_proxy", "all_proxy",
					       "HTTPS_PROXY", "ALL_PROXY",   "no_proxy",
					       "NO_PROXY" };
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		unsetenv(proxies[i]);
	server = server_begin(NULL, NULL, NULL);
	liar = liar_begin(&server);
	return 0;
}

static int teardown(void **state)
{
	server_end(&server);
	server_end(&liar);
	return 0;
}

/* --- one request ------------------------------------------------------------------------------------------ */

static int fetch(const struct test_server *t, const char *path, struct http_request_spec *spec,
		 struct http_answer *a, struct fault *err)
{
	AUTO(freep) char *url = str_printf("%s%s", t->url, path);
	struct http_client_options opt = { .stall_timeout_ms = 1000 };
	spec->url = url;
	return http_fetch(&opt, spec, a, err);
}

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

/* --- on a loop ---------------------------------------------------------------------------------------------- */

struct run {
	struct event_base *base;
	struct http_client *client;
	struct http_call *call;
	unsigned done;
	int code;
	uint64_t bytes;
	bool ok;
	bool frees_client;
};

static int run_data(void *ctx, const void *data, size_t len)
{
	struct run *r = ctx;
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		r->ok = r->ok && p[i] == file_byte(r->bytes + i);
	r->bytes += len;
	return 0;
}

static void run_done(void *ctx, const struct http_answer *a)
{
	struct run *r = ctx;
	r->done++;
	r->code = a->code;
	if (r->frees_client)
		http_client_free(r->client);
	event_base_loopbreak(r->base);
}

static struct run run_new(void)
{
	struct run r = { .base = event_base_new(), .ok = true };
	struct http_client_options opt = { .stall_timeout_ms = 1000 };
	assert_int_equal(http_client_new(r.base, &opt, &r.client, NULL), 0);
	return r;
}

static void run_end(struct run *r)
{
	if (!r->frees_client)
		http_client_free(r->client);
	event_base_free(r->base);
}

static void start(struct run *r, const char *path, int (*on_data)(void *, const void *, size_t))
{
	AUTO(freep) char *url = str_printf("%s%s", server.url, path);
	struct http_request_spec spec = {
		.url = url, .max_body = FILE_SIZE, .on_data = on_data, .done = run_done, .ctx = r
	};
	assert_int_equal(http_call_start(r->client, &spec, &r->call, NULL), 0);
}

static void loop_for(struct run *r, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_base_loopexit(r->base, &tv);
	event_base_dispatch(r->base);
}

static void test_stream(void **state)
{
	struct run r = run_new();
	start(&r, "/file", run_data);
	event_base_dispatch(r.base);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.bytes, FILE_SIZE);
	assert_true(r.ok);
	run_end(&r);
}

/* A pause holds the data back, is no stall, and the rest comes afterwards. */
static void test_pause(void **state)
{
	struct run r = run_new();
	start(&r, "/file", run_data);
	for (int i = 0; i < 200 && r.bytes == 0; i++)
		loop_for(&r, 5);
	assert_true(r.bytes > 0 && r.bytes < FILE_SIZE);
	http_call_pause(r.call, true);
	loop_for(&r, 50);
	uint64_t at = r.bytes;
	loop_for(&r, 2500);
	assert_int_equal(r.bytes, at);
	assert_int_equal(r.done, 0);
	http_call_pause(r.call, false);
	event_base_dispatch(r.base);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.bytes, FILE_SIZE);
	assert_true(r.ok);
	run_end(&r);
}

static int data_that_cancels(void *ctx, const void *data, size_t len)
{
	struct run *r = ctx;
	r->bytes += len;
	http_call_cancel(r->call);
	return 0;
}

static int data_that_fails(void *ctx, const void *data, size_t len)
{
	return -ENOSPC;
}

static int data_that_frees(void *ctx, const void *data, size_t len)
{
	struct run *r = ctx;
	r->bytes += len;
	r->frees_client = true;
	http_client_free(r->client);
	return 0;
}

static void test_callbacks(void **state)
{
	/* Cancelled before it began, while it runs, and from its own data. */
	struct run r = run_new();
	start(&r, "/file", run_data);
	http_call_cancel(r.call);
	start(&r, "/later?ms=100", NULL);
	loop_for(&r, 20);
	http_call_cancel(r.call);
	start(&r, "/file", data_that_cancels);
	loop_for(&r, 300);
	assert_int_equal(r.done, 0);
	assert_true(r.bytes > 0 && r.bytes < FILE_SIZE);

	start(&r, "/file", data_that_fails);
	event_base_dispatch(r.base);
	assert_int_equal(r.code, -ENOSPC);
	run_end(&r);

	/* The client is freed inside a callback. */
	r = run_new();
	r.frees_client = true;
	start(&r, "/a", NULL);
	event_base_dispatch(r.base);
	assert_int_equal(r.done, 1);
	run_end(&r);
	r = run_new();
	start(&r, "/file", data_that_frees);
	loop_for(&r, 300);
	assert_int_equal(r.done, 0);
	assert_true(r.bytes > 0);
	run_end(&r);

	/* And with calls under way. */
	r = run_new();
	for (int i = 0; i < 10; i++)
		start(&r, i % 2 ? "/file" : "/later?ms=1000", run_data);
	loop_for(&r, 20);
	run_end(&r);
	assert_int_equal(r.done, 0);
}

static void count_done(void *ctx, const struct http_answer *a)
{
	unsigned *n = ctx;
	*n += a->code == 0 && a->status == 200;
}

/* Started from inside on_data(): both end. */
static int data_that_starts(void *ctx, const void *data, size_t len)
{
	struct run *r = ctx;
	if (!r->bytes) {
		AUTO(freep) char *url = str_printf("%s/a", server.url);
		struct http_request_spec spec = { .url = url, .done = count_done, .ctx = &r->done };
		assert_int_equal(http_call_start(r->client, &spec, NULL, NULL), 0);
	}
	r->bytes += len;
	return 0;
}

static void test_start_inside(void **state)
{
	struct run r = run_new();
	AUTO(freep) char *url = str_printf("%s/big?size=5000000", server.url);
	struct http_request_spec spec = { .url = url,
					  .max_body = FILE_SIZE,
					  .on_data = data_that_starts,
					  .done = run_done,
					  .ctx = &r };
	assert_int_equal(http_call_start(r.client, &spec, &r.call, NULL), 0);
	for (int i = 0; i < 100 && r.done < 2; i++)
		loop_for(&r, 20);
	assert_int_equal(r.done, 2);
	assert_int_equal(r.bytes, 5000000);
	run_end(&r);
}

/* Many at once on few connections. */
static void test_many(void **state)
{
	struct run r = run_new();
	unsigned n = 0;
	AUTO(freep) char *url = str_printf("%s/later?ms=5", server.url);
	struct http_request_spec spec = { .url = url, .done = count_done, .ctx = &n };
	for (int i = 0; i < 200; i++)
		assert_int_equal(http_call_start(r.client, &spec, NULL, NULL), 0);
	for (int i = 0; i < 200 && n < 200; i++)
		loop_for(&r, 20);
	assert_int_equal(n, 200);
	run_end(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),     cmocka_unit_test(test_head_and_status),
		cmocka_unit_test(test_wire),         cmocka_unit_test(test_faults),
		cmocka_unit_test(test_good_answers), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_redirects),    cmocka_unit_test(test_fault_text),
		cmocka_unit_test(test_stream),       cmocka_unit_test(test_pause),
		cmocka_unit_test(test_callbacks),    cmocka_unit_test(test_start_inside),
		cmocka_unit_test(test_many),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
