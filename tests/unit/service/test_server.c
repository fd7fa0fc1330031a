#include "api_fixture.h"

#define CLUSTER "/v2/clusters/" API_CLUSTER
#define POOLS "/v2/infra-envs"

static const char new_pool[] =
	"{\"name\":\"new\",\"pull_secret\":\"{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"dTpw\\\"}}}\"}";

/* --- which way a request goes --- */

/* Paths that are none of ours, and methods that a path does not have: told apart, and named. */
static void test_routes(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *allow; /* NULL = no such path */
	} rows[] = {
		{ "GET", "/", 404, NULL },           { "GET", "/v2", 404, NULL },
		{ "GET", "/v2/nothing", 404, NULL }, { "PUT", POOLS, 405, "GET" },
		{ "DELETE", "/health", 405, "GET" }, { "POST", "/v2/clusters/import/x", 404, NULL },
		{ "OPTIONS", POOLS, 405, "POST" },   { "", POOLS, 405, "GET" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, rows[i].method, rows[i].path, NULL);
		if (f->status != rows[i].status)
			fail_msg("%s %s: %d %s", rows[i].method, rows[i].path, f->status, f->text);
		api_invalid(f, rows[i].status,
			    rows[i].allow ? "is not allowed, but [" : "was not found");
		const char *allow = strstr(f->headers_out, "Allow: ");
		assert_int_equal(!!allow, !!rows[i].allow);
		if (allow && !strstr(allow, rows[i].allow))
			fail_msg("%s %s: %s", rows[i].method, rows[i].path, allow);
	}
}

/* Whatever the path holds, the answer is JSON, and no longer than a message should be. */
static void test_odd_paths(void **state)
{
	struct api *f = *state;
	char path[3000];

	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[2000] = '\0';
	api_call(f, "GET", path, NULL);
	api_invalid(f, 404, "path /ppp");
	assert_true(strlen(f->text) < 1100);
	static const char *const odd[] = { "/\xff\xfe", "/a\"b\\c", "/\x01\n", "//",
					   "/../etc/passwd" };
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		api_call(f, "GET", odd[i], NULL);
		assert_non_null(f->json);
		assert_int_equal(f->status, 404);
	}
}

/* Known to the reference, not served here: said as such, and only to those who might ask. */
static void test_unserved(void **state)
{
	struct api *f = *state;

	api_call(f, "POST", "/v2/clusters", "{}");
	api_refused(f, 501, "v2RegisterCluster is not served by this version");
	api_as_nobody(f);
	api_call(f, "POST", "/v2/clusters", "{}");
	api_invalid(f, 401, "");
}

/* --- who may --- */

static void test_credentials(void **state)
{
	struct api *f = *state;
	AUTO(freep) char *agent = NULL;

	api_as_nobody(f);
	api_call(f, "GET", POOLS, NULL);
	api_invalid(f, 401, "");
	assert_true(
		api_has_header(f, "WWW-Authenticate: Basic realm=\"slipway\", charset=\"UTF-8\""));
	assert_int_equal(api_call(f, "GET", "/health", NULL), 200);
	assert_null(strstr(f->headers_out, "WWW-Authenticate"));

	/* an agent on a user's route, and beyond its own pool */
	agent = api_as_agent(f, API_POOL, NULL);
	api_call(f, "DELETE", POOLS "/" API_POOL, NULL);
	api_invalid(f, 403, "");
	api_call(f, "GET", POOLS "/" API_EARLY "/hosts/" API_HOST, NULL);
	api_refused(f, 404, "Object Not Found");
}

/* Who may only read is stopped before the body is looked at. */
static void test_read_only_user(void **state)
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
	assert_int_equal(api_call(f, "GET", POOLS, NULL), 200);
	static const struct {
		const char *method, *path, *body;
	} rows[] = {
		{ "POST", POOLS, "nonsense" },
		{ "DELETE", POOLS "/" API_POOL, NULL },
		{ "PATCH", CLUSTER, "{}" },
		{ "POST", "/v2/clusters", "{}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, rows[i].method, rows[i].path, rows[i].body);
		api_invalid(f, 403, "user eve may only read");
	}
	f->authorization = NULL;
}

/* The plain listener carries what needs no secrets; the rest is not even there. */
static void test_plain_listener(void **state)
{
	struct api *f = *state;

	f->is_plain = true;
	assert_int_equal(api_call(f, "GET", "/health", NULL), 200);
	api_call(f, "GET", POOLS, NULL);
	api_refused(f, 404, "is served over HTTPS only");
	api_call(f, "POST", POOLS, new_pool);
	api_refused(f, 404, "is served over HTTPS only");
	/* also without credentials: whether they would do is not told */
	api_as_nobody(f);
	api_call(f, "GET", POOLS, NULL);
	api_refused(f, 404, "is served over HTTPS only");
}

static void test_plain_listener_open(void **state)
{
	struct api *f = *state;

	f->is_plain = true;
	assert_int_equal(api_call(f, "GET", POOLS, NULL), 200);
}

/* --- what is said --- */

static void test_media_types(void **state)
{
	static const struct {
		const char *headers, *body;
		int status;
		const char *says;
	} rows[] = {
		{ NULL, "{}", 200, NULL },
		{ "Content-Type: application/json", "{}", 200, NULL },
		{ "Content-Type: application/json; charset=utf-8", "{}", 200, NULL },
		{ "Content-Type: APPLICATION/JSON", "{}", 200, NULL },
		{ "Content-Type: text/plain", "{}", 400, "unsupported media type \"text/plain\"" },
		{ "Content-Type: application/x-www-form-urlencoded", "{}", 400,
		  "only [application/json] are allowed" },
		{ "Content-Type: application/jsonx", "{}", 400, "unsupported media type" },
		{ "Content-Type: ;", "{}", 400, "unsupported media type" },
		{ "Accept: */*", "{}", 200, NULL },
		{ "Accept: text/html, application/json;q=0.1", "{}", 200, NULL },
		{ "Accept: text/html", "{}", 400, "only [application/json] are available" },
		{ "Accept: application/octet-stream", "{}", 400, "are available" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f->headers = rows[i].headers;
		api_call(f, "PATCH", CLUSTER, rows[i].body);
		if (rows[i].says)
			api_invalid(f, rows[i].status, rows[i].says);
		else if (f->status >= 400)
			fail_msg("%s: %d %s", rows[i].headers, f->status, f->text);
	}
	/* without a body its type does not matter; outside of the API no type does */
	f->headers = "Content-Type: text/plain";
	assert_int_equal(api_call(f, "GET", POOLS, NULL), 200);
	f->headers = "Accept: text/html";
	assert_int_equal(api_call(f, "GET", "/health", NULL), 200);
}

/* Credentials first, then types, parameters, body: the first thing wrong is what is said. */
static void test_order(void **state)
{
	struct api *f = *state;
	static const char bad_path[] = "/v2/clusters/no-uuid";

	f->headers = "Content-Type: text/plain";
	api_as_nobody(f);
	api_call(f, "PATCH", bad_path, "nonsense");
	api_invalid(f, 401, "");
	api_as_user(f);
	api_call(f, "PATCH", bad_path, "nonsense");
	api_invalid(f, 400, "unsupported media type");
	f->headers = NULL;
	api_call(f, "PATCH", bad_path, "nonsense");
	api_invalid(f, 400, "uuid");
	api_call(f, "PATCH", CLUSTER, "nonsense");
	assert_int_equal(f->status, 400);
	assert_null(strstr(f->text, "media type"));
}

/* --- changes and their commit --- */

static struct http_request *send_only(struct api *f, const char *method, const char *path,
				      const char *body)
{
	struct http_request *r = calloc(1, sizeof(*r));

	r->method = method;
	r->body = body;
	r->query = "";
	snprintf(r->path, sizeof(r->path), ROUTE_BASE "%s", path);
	api_handler(api_handler_ctx, r);
	return r;
}

static void forget_request(struct http_request *r)
{
	for (struct api_value *v; (v = r->values);) {
		r->values = v->next;
		free(v);
	}
	free(r);
}

static unsigned stored_pools(struct api *f)
{
	struct state *s = api_load(f);
	unsigned n = 0;

	while (state_infra_env_at(s, n))
		n++;
	state_free(s);
	return n;
}

/* Nothing is said before it is durable, and what could show it waits too; one commit for all of a turn. */
static void test_answers_wait(void **state)
{
	struct api *f = *state;
	unsigned before = stored_pools(f);

	api_forget_answer(f);
	struct http_request *read_before = send_only(f, "GET", POOLS, NULL);
	assert_int_equal(f->n_answers, 1); /* nothing is waiting */
	api_forget_answer(f);
	struct http_request *a = send_only(f, "POST", POOLS, new_pool);
	struct http_request *b = send_only(f, "GET", POOLS, NULL);
	struct http_request *c = send_only(f, "POST", POOLS, new_pool);
	struct http_request *bad = send_only(f, "POST", POOLS, "nonsense");
	assert_int_equal(f->n_answers, 0);
	assert_int_equal(stored_pools(f), before);
	/* no flush: the end of the loop's turn is enough */
	for (int i = 0; i < 100 && !f->n_answers; i++)
		assert_true(event_base_loop(f->svc.base, EVLOOP_ONCE) >= 0);
	assert_int_equal(f->n_answers, 4);
	assert_int_equal(stored_pools(f), before + 2);
	assert_int_equal(f->status, 400); /* in the order of the requests: the last one was bad */
	struct http_request *const all[] = { read_before, a, b, c, bad };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		forget_request(all[i]);
}

static struct store_ops failing;

static int no_commit(struct store *s, struct fault *err)
{
	return fault_set(err, -ENOSPC, "as told");
}

/* The store fails: everybody of the turn is told, everything is taken back, and the next turn is as good as ever. */
static void test_failing_store(void **state)
{
	struct api *f = *state;
	const struct store_ops *real = f->store->ops;
	unsigned before = stored_pools(f);

	failing = *real;
	failing.commit = no_commit;
	f->store->ops = &failing;
	api_call(f, "POST", POOLS, new_pool);
	f->store->ops = real;
	api_expect(f, 500);
	api_is(f, "reason", "the store failed and the change was taken back");
	api_is(f, "kind", "Error");
	assert_int_equal(stored_pools(f), before);
	api_check_stored(f);
	assert_int_equal(api_call(f, "GET", POOLS, NULL), 200);
	assert_int_equal(json_array_size(f->json), before);
	assert_int_equal(api_call(f, "POST", POOLS, new_pool), 201);
	assert_int_equal(stored_pools(f), before + 1);
}

/* Every answer is counted by its class. */
static void test_counted(void **state)
{
	struct api *f = *state;
	uint64_t before[6];

	memcpy(before, f->svc.requests, sizeof(before));
	api_call(f, "GET", POOLS, NULL);
	api_call(f, "GET", "/v2/nothing", NULL);
	api_call(f, "POST", POOLS, "nonsense");
	api_call(f, "POST", "/v2/clusters", "{}");
	assert_int_equal(f->svc.requests[2] - before[2], 1);
	assert_int_equal(f->svc.requests[4] - before[4], 2);
	assert_int_equal(f->svc.requests[5] - before[5], 1);
}

/* An address that cannot be had: the fault is passed on, and no address is claimed. */
static void test_listen_fails(void **state)
{
	struct api *f = *state;

	assert_true(server_listen(f->svc.server, "cert", "key", NULL) < 0);
	assert_null(f->svc.https_addr);
	assert_null(f->svc.http_addr);
	server_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_routes),
		API_TEST(test_odd_paths),
		API_TEST(test_unserved),
		API_TEST(test_credentials),
		API_TEST(test_read_only_user),
		API_TEST(test_plain_listener),
		API_TEST_OPEN(test_plain_listener_open),
		API_TEST(test_media_types),
		API_TEST(test_order),
		API_TEST(test_answers_wait),
		API_TEST(test_failing_store),
		API_TEST(test_counted),
		API_TEST(test_listen_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
