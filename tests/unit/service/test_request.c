#include "api_fixture.h"

#include "common/json_map.h"

/* --- the functions a handler has --- */

struct call {
	struct http_request http;
	struct request r;
};

static void call_make(struct call *c, const char *query)
{
	memset(c, 0, sizeof(*c));
	c->http.query = query;
	c->r.http = &c->http;
	buf_init(&c->r.out, 64);
}

static void call_done(struct call *c)
{
	for (struct api_value *v; (v = c->http.values);) {
		c->http.values = v->next;
		free(v);
	}
	buf_done(&c->r.out);
	api_event_done(&c->r.failure_event);
}

static void test_query_flag(void **state)
{
	static const struct {
		const char *query;
		bool is_set;
	} rows[] = {
		{ "", false },           { "flag=true", true },   { "flag=1", true },
		{ "flag=false", false }, { "flag=0", false },     { "flag=", false },
		{ "flag=TRUE", false },  { "flags=true", false }, { "a=1&flag=1", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call c;
		call_make(&c, rows[i].query);
		assert_int_equal(request_query_flag(&c.r, "flag"), rows[i].is_set);
		call_done(&c);
	}
}

static void test_answers(void **state)
{
	struct call c;
	struct buf b;

	call_make(&c, "");
	assert_int_equal(answer_data(&c.r, 200, "text/plain", "abc", 3), 0);
	assert_int_equal(c.r.status, 200);
	assert_string_equal(c.r.content_type, "text/plain");
	assert_memory_equal(c.r.out.data, "abc", 3);
	/* each answer takes the place of the one before */
	assert_int_equal(answer_data(&c.r, 201, "text/html", "z", 1), 0);
	assert_int_equal(c.r.out.len, 1);
	assert_int_equal(answer_empty(&c.r, 204), 0);
	assert_int_equal(c.r.status, 204);
	assert_null(c.r.content_type);
	buf_init(&b, 64);
	assert_int_equal(buf_append_str(&b, "{}"), 0);
	assert_int_equal(answer_buf(&c.r, 202, &b), 0);
	assert_int_equal(c.r.status, 202);
	assert_string_equal(c.r.content_type, "application/json");
	assert_memory_equal(c.r.out.data, "{}", 2);
	assert_null(b.data); /* taken */
	call_done(&c);
}

static void test_answer_json(void **state)
{
	struct call c;

	call_make(&c, "");
	assert_int_equal(answer_json(&c.r, 200, json_pack("{s:i, s:i}", "b", 1, "a", 2)), 0);
	assert_int_equal(c.r.out.len, strlen("{\"a\":2,\"b\":1}"));
	assert_memory_equal(c.r.out.data, "{\"a\":2,\"b\":1}", c.r.out.len);
	assert_string_equal(c.r.content_type, "application/json");
	/* what could not be made is no answer; what is too long neither */
	assert_int_equal(answer_json(&c.r, 200, NULL), -ENOMEM);
	AUTO(freep) char *text = str_printf("%080d", 0);
	assert_true(answer_json(&c.r, 200, json_string(text)) < 0);
	call_done(&c);
}

/* The last event of a failure is the one that counts, and nothing leaks. */
static void test_failure_event(void **state)
{
	struct api_event first = { 0 }, second = { .event_time = 7 };
	struct call c;

	call_make(&c, "");
	str_set(&first.name, "first");
	str_set(&second.name, "second");
	request_failure_event(&c.r, &first);
	request_failure_event(&c.r, &second);
	assert_null(second.name);
	assert_string_equal(c.r.failure_event.name, "second");
	assert_int_equal(c.r.failure_event.event_time, 7);
	call_done(&c);
}

/* --- what comes before every handler, in its order --- */

static void test_types(void **state)
{
	static const struct {
		const char *headers, *body;
		int status;
		const char *message;
	} rows[] = {
		{ "Content-Type: application/json", "{}", 201, NULL },
		{ "Content-Type: application/json; charset=utf-8", "{}", 201, NULL },
		{ NULL, "{}", 201, NULL },
		{ "Content-Type: text/plain", "{}", 400,
		  "unsupported media type \"text/plain\", only [application/json] are allowed" },
		{ "Content-Type: text/plain; a=b", "{}", 400,
		  "unsupported media type \"text/plain\"" },
		{ "Accept: application/json", "{}", 201, NULL },
		{ "Accept: */*", "{}", 201, NULL },
		{ "Accept: text/html", "{}", 400,
		  "unsupported media type requested, only [application/json] are available" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f->headers = rows[i].headers;
		api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, rows[i].body);
		if (rows[i].message)
			api_invalid(f, rows[i].status, rows[i].message);
		else
			api_expect(f, rows[i].status);
	}
	/* outside of the API nobody asks */
	f->headers = "Accept: text/html";
	api_call(f, "GET", "/health", NULL);
	api_expect(f, 200);
	f->headers = NULL;
}

static void test_listeners(void **state)
{
	struct api *f = *state;

	f->is_plain = true;
	api_call(f, "GET", "/v2/clusters", NULL);
	api_refused(f, 404, "/api/assisted-install/v2/clusters is served over HTTPS only");
	api_call(f, "GET", "/health", NULL);
	api_expect(f, 200);
	f->is_plain = false;
	api_call(f, "GET", "/v2/clusters", NULL);
	api_expect(f, 200);
}

static void test_listeners_open(void **state)
{
	struct api *f = *state;

	f->is_plain = true;
	api_call(f, "GET", "/v2/clusters", NULL);
	api_expect(f, 200);
}

/* Of several things that are wrong, this one is said. */
static void test_order(void **state)
{
	static const char bad_body[] = "{\"colour\":1}";
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_EARLY, NULL);
	/* the scope is told only to those who send something sensible */
	api_call(f, "POST", API_HOSTS, bad_body);
	api_invalid(f, 400, "unknown field");
	api_call(f, "POST", "/v2/infra-envs/1/hosts", bad_body);
	api_invalid(f, 400, "infra_env_id in path");
	api_as_nobody(f);
	api_call(f, "POST", "/v2/infra-envs/1/hosts", bad_body);
	api_invalid(f, 401, "");
	f->is_plain = true;
	api_call(f, "POST", "/v2/infra-envs/1/hosts", bad_body);
	api_refused(f, 404, "HTTPS only");
	f->is_plain = false;
	api_as_user(f);
	api_call(f, "BREW", "/v2/infra-envs/1/hosts", bad_body);
	api_expect(f, 405);
}

static void test_readers(void **state)
{
	struct api *f = *state;
	AUTO(freep) char *token = NULL;
	struct user *u;

	state_begin(f->svc.state);
	assert_int_equal(state_add_user(f->svc.state, "eve", &u), 0);
	u->role = USER_READ_ONLY;
	api_commit(f);
	assert_int_equal(auth_user_token(f->svc.auth, "eve", f->now_us, 0, &token, NULL), 0);
	AUTO(freep) char *header = str_printf("Bearer %s", token);
	f->authorization = header;
	api_call(f, "GET", "/v2/clusters", NULL);
	api_expect(f, 200);
	api_call(f, "DELETE", "/v2/clusters/" API_CLUSTER, NULL);
	api_invalid(f, 403, "user eve may only read");
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, "{\"name\":\"x\"}");
	api_invalid(f, 403, "user eve may only read");
}

/* Bytes that are no text come back as '?' in the sentence: the answer is JSON whatever was sent. */
static void test_no_text(void **state)
{
	static const struct {
		const char *path, *headers, *body;
		int status;
	} rows[] = {
		{ "/v2/clusters/\xff\xfe", NULL, NULL, 400 },
		{ "/v2/\xff", NULL, NULL, 404 },
		{ "/v2/events?cluster_id=\xc3", NULL, NULL, 400 },
		{ "/v2/events?severities=\xed\xa0\x80", NULL, NULL, 400 },
		{ "/v2/events?limit=1\x80", NULL, NULL, 400 },
		{ "/v2/clusters", "Accept: \xff", NULL, 400 },
		{ "/v2/infra-envs/" API_POOL "/downloads/files?file_name=ipxe-script&mac=\xff",
		  NULL, NULL, 400 },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f->headers = rows[i].headers;
		api_call(f, "GET", rows[i].path, NULL);
		api_expect(f, rows[i].status);
		if (!f->json)
			fail_msg("row %zu: no JSON: %s", i, f->text);
	}
	f->headers = "Content-Type: a\xff/b";
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, "{}");
	api_invalid(f, 400, "unsupported media type");
	f->headers = NULL;
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, "{\"name\":\"\xff\"}");
	api_invalid(f, 400, "parsing clusterUpdateParams body");
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, "{\"\xff\":1}");
	api_invalid(f, 400, "parsing clusterUpdateParams body");
	api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, "{\"name\":\"a\\u0000b\"}");
	api_invalid(f, 400, "parsing clusterUpdateParams body");
}

/* A value as long as a header may be is cut in the sentence, between two characters. */
static void test_long_values(void **state)
{
	struct api *f = *state;
	char path[3000] = "/v2/events?cluster_id=";

	for (size_t at = strlen(path); at + 3 < sizeof(path); at += 2)
		memcpy(path + at, "\xc3\xa4", 3);
	api_call(f, "GET", path, NULL);
	api_invalid(f, 400, "cluster_id in query must be of type uuid: \"\xc3\xa4\xc3\xa4");
}

/* A body of exactly the limit is read, one byte more is not. */
static void test_body_size(void **state)
{
	struct api *f = *state;

	for (int more = 0; more < 2; more++) {
		size_t len = BODY_MAX + (size_t)more;
		AUTO(freep) char *body = malloc(len + 1);
		memset(body, ' ', len);
		memcpy(body, "{}", 2);
		body[len] = '\0';
		api_call(f, "PATCH", "/v2/clusters/" API_CLUSTER, body);
		if (more)
			api_invalid(f, 413, "the body has more than 8388608 bytes");
		else
			api_expect(f, 201);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_flag),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answer_json),
		cmocka_unit_test(test_failure_event),
		API_TEST(test_types),
		API_TEST(test_listeners),
		API_TEST_OPEN(test_listeners_open),
		API_TEST(test_order),
		API_TEST(test_readers),
		API_TEST(test_no_text),
		API_TEST(test_long_values),
		API_TEST(test_body_size),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
