#include "http_client_rig.h"

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
		cmocka_unit_test(test_stream),    cmocka_unit_test(test_pause),
		cmocka_unit_test(test_callbacks), cmocka_unit_test(test_start_inside),
		cmocka_unit_test(test_many),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
