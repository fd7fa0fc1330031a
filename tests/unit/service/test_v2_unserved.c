#include "api_fixture.h"

/* The route's path with every parameter filled in. The result is the caller's. */
static char *filled(const char *path)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 1024);
	while (*path) {
		size_t n = strcspn(path, "{");
		assert_int_equal(buf_append(&b, path, n), 0);
		path += n;
		if (!*path)
			break;
		bool is_cluster = str_starts(path, "{cluster_id}");
		assert_int_equal(buf_append_str(&b, is_cluster ? API_CLUSTER : "x"), 0);
		path += strcspn(path, "}") + 1;
	}
	assert_int_equal(buf_append(&b, "", 1), 0);
	return buf_take(&b);
}

static const struct route *find(const char *operation)
{
	for (const struct route *r = v2_unserved_routes; r->method; r++) {
		if (!strcmp(r->operation, operation))
			return r;
	}
	return NULL;
}

/* Known and not served: 501 in the shape of a handler's error, of the type that the operation would have answered with. */
static void test_every_route(void **state)
{
	struct api *f = *state;
	size_t n = 0;

	for (const struct route *r = v2_unserved_routes; r->method; r++, n++) {
		AUTO(freep) char *path = filled(r->path);
		AUTO(freep) char *token = NULL;
		assert_null(r->handler);
		if (r->auth & AUTH_USER)
			api_as_user(f);
		else
			token = api_as_agent(f, API_EARLY, NULL);
		api_call(f, r->method, path, NULL);
		api_refused(f, 501, r->operation);
		assert_string_equal(f->type, r->flags & ROUTE_OCTET ? "application/octet-stream"
								    : "application/json");
		/* credentials are asked for first */
		api_as_nobody(f);
		api_call(f, r->method, path, NULL);
		api_invalid(f, 401, "");
	}
	assert_true(n > 0);
}

/* Who may call is as the reference says, so that nothing changes for clients when the operation is served one day. */
static void test_callers(void **state)
{
	static const struct {
		const char *operation;
		unsigned auth;
	} rows[] = {
		{ "v2RegisterCluster", AUTH_USER },
		{ "v2UpdateClusterFinalizingProgress", AUTH_AGENT },
		{ "v2CompleteInstallation", AUTH_AGENT },
		{ "V2DownloadClusterFiles", AUTH_USER | AUTH_AGENT | AUTH_URL },
		{ "v2GetIgnoredValidations", AUTH_USER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct route *r = find(rows[i].operation);
		if (!r)
			fail_msg("%s is not in the table", rows[i].operation);
		assert_int_equal(r->auth, rows[i].auth);
	}
}

static void test_refusals_come_first(void **state)
{
	struct api *f = *state;

	api_call(f, "GET", "/v2/clusters/1/install-config", NULL);
	api_invalid(f, 400, "cluster_id in path must be of type uuid: \"1\"");
	api_call(f, "DELETE", "/v2/clusters/" API_CLUSTER "/install-config", NULL);
	api_invalid(f, 405, "method DELETE is not allowed, but [GET,PATCH] are");
	assert_true(api_has_header(f, "Allow: GET,PATCH"));
	api_call(f, "GET", "/v2/clusters/" API_CLUSTER "/nothing", NULL);
	api_invalid(f, 404,
		    "path /api/assisted-install/v2/clusters/" API_CLUSTER "/nothing was not found");
	AUTO(freep) char *token = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "GET", "/v2/clusters/" API_CLUSTER "/install-config", NULL);
	api_invalid(f, 403, "");
}

/* No operation stands in two tables, where only the first would ever be found. */
static void test_no_route_twice(void **state)
{
	static const struct route *const served[] = {
		v2_infraenv_routes, v2_download_routes,    v2_cluster_routes,
		v2_host_routes,     v2_host_config_routes, v2_step_routes,
		v2_event_routes,    v2_misc_routes,        image_routes,
	};

	for (const struct route *r = v2_unserved_routes; r->method; r++) {
		for (size_t i = 0; i < ARRAY_SIZE(served); i++) {
			for (const struct route *s = served[i]; s->method; s++) {
				if (!strcmp(r->method, s->method) && !strcmp(r->path, s->path))
					fail_msg("%s %s is served as %s", r->method, r->path,
						 s->operation);
				if (!strcmp(r->operation, s->operation))
					fail_msg("%s is served", r->operation);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_every_route),
		cmocka_unit_test(test_callers),
		API_TEST(test_refusals_come_first),
		cmocka_unit_test(test_no_route_twice),
	};
	return cmocka_run_group_tests_name("v2_unserved", tests, NULL, NULL);
}
