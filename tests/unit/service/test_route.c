#include "unit.h"
#include "service/error.h"
#include "service/route.h"

static const struct route first[] = {
	{ "GET", "/v2/things", "list" },
	{ "POST", "/v2/things", "make" },
	{ "GET", "/v2/things/{infra_env_id}", "get" },
	{ "PATCH", "/v2/things/{infra_env_id}/hosts/{host_id}", "patch" },
	ROUTE_END,
};
static const struct route second[] = {
	{ "GET", "/v2/things/import", "import" },
	{ "GET", "/files/{handle}/{version}/{arch}/{file}", "file" },
	{ "HEAD", "/files/{handle}/{version}/{arch}/{file}", "file head" },
	ROUTE_END,
};
static const struct route *const tables[] = { first, second, NULL };

static struct route_tree *tree;

static int setup(void **state)
{
	return route_tree_new(tables, &tree);
}

static int teardown(void **state)
{
	route_tree_free(tree);
	return 0;
}

static void test_find(void **state)
{
	static const struct {
		const char *method, *path, *operation;
		enum route_match match;
		const char *allow;
	} cases[] = {
		{ "GET", "/v2/things", "list", ROUTE_FOUND, NULL },
		{ "GET", "/v2/things/", "list", ROUTE_FOUND, NULL },
		{ "GET", "//v2///things", "list", ROUTE_FOUND, NULL },
		{ "POST", "/v2/things", "make", ROUTE_FOUND, NULL },
		{ "GET", "/v2/things/import", "import", ROUTE_FOUND, NULL },
		{ "GET", "/v2/things/imports", "get", ROUTE_FOUND, NULL },
		{ "PATCH", "/v2/things/a/hosts/b", "patch", ROUTE_FOUND, NULL },
		{ "HEAD", "/files/a/b/c/d", "file head", ROUTE_FOUND, NULL },
		{ "DELETE", "/v2/things", NULL, ROUTE_WRONG_METHOD, "GET,POST" },
		{ "HEAD", "/v2/things", NULL, ROUTE_WRONG_METHOD, "GET,POST" },
		/* the literal path is its own resource: what the parameter would allow does not count */
		{ "POST", "/v2/things/import", NULL, ROUTE_WRONG_METHOD, "GET" },
		{ "get", "/v2/things", NULL, ROUTE_WRONG_METHOD, "GET,POST" },
		{ "GET", "/v2", NULL, ROUTE_UNKNOWN, "" },
		{ "GET", "/", NULL, ROUTE_UNKNOWN, "" },
		{ "GET", "", NULL, ROUTE_UNKNOWN, "" },
		{ "GET", "/v2/Things", NULL, ROUTE_UNKNOWN, "" },
		{ "GET", "/v2/things/a/hosts", NULL, ROUTE_UNKNOWN, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct request r = { 0 };
		char allow[128];
		assert_int_equal(route_find(tree, cases[i].method, cases[i].path, &r, allow),
				 cases[i].match);
		if (cases[i].operation)
			assert_string_equal(r.route->operation, cases[i].operation);
		if (cases[i].allow)
			assert_string_equal(allow, cases[i].allow);
	}
}

static void test_params(void **state)
{
	struct request r = { 0 };
	char allow[128];

	assert_int_equal(route_find(tree, "GET", "/files/H/4.18/x86_64/full.iso", &r, allow),
			 ROUTE_FOUND);
	assert_string_equal(request_param(&r, "handle"), "H");
	assert_string_equal(request_param(&r, "version"), "4.18");
	assert_string_equal(request_param(&r, "arch"), "x86_64");
	assert_string_equal(request_param(&r, "file"), "full.iso");
	assert_string_equal(request_param(&r, "fil"), "");
	assert_string_equal(request_param(&r, "host_id"), "");
	assert_int_equal(route_check_params(&r, NULL), 0);
}

static void test_uuids(void **state)
{
	struct request r = { 0 };
	struct fault err = FAULT_INIT;
	char allow[128];

	assert_int_equal(route_find(tree, "GET", "/v2/things/zzz", &r, allow), ROUTE_FOUND);
	assert_int_equal(route_check_params(&r, &err), -EBADMSG);
	assert_string_equal(err.text, "infra_env_id in path must be of type uuid: \"zzz\"");
	assert_int_equal(route_find(tree, "PATCH",
				    "/v2/things/11111111-1111-4111-8111-111111111111/hosts/x", &r,
				    allow),
			 ROUTE_FOUND);
	assert_int_equal(route_check_params(&r, &err), -EBADMSG);
	assert_string_equal(err.text, "host_id in path must be of type uuid: \"x\"");
}

static void test_limits(void **state)
{
	char path[600] = "/v2/things/", allow[128];
	struct request r = { 0 };

	/* 255 bytes of one segment are taken, 256 are not */
	memset(path + 11, 'a', 255);
	assert_int_equal(route_find(tree, "GET", path, &r, allow), ROUTE_FOUND);
	assert_int_equal(strlen(request_param(&r, "infra_env_id")), 255);
	path[11 + 255] = 'a';
	assert_int_equal(route_find(tree, "GET", path, &r, allow), ROUTE_UNKNOWN);
	/* 17 segments */
	path[0] = '\0';
	for (int i = 0; i < 17; i++)
		strcat(path, "/x");
	assert_int_equal(route_find(tree, "GET", path, &r, allow), ROUTE_UNKNOWN);
}

/* The tables of the program: no two routes for the same method and shape, and each is found by its own path. */
static void test_real_tables(void **state)
{
	static const struct route *const real[] = {
		v2_infraenv_routes,
		v2_download_routes,
		v2_cluster_routes,
		v2_host_routes,
		v2_host_config_routes,
		v2_step_routes,
		v2_event_routes,
		v2_misc_routes,
		image_routes,
		v2_unserved_routes,
		NULL,
	};
	struct route_tree *t;
	size_t n = 0;

	assert_int_equal(route_tree_new(real, &t), 0);
	for (size_t k = 0; real[k]; k++) {
		for (const struct route *route = real[k]; route->method; route++, n++) {
			struct request r = { 0 };
			char allow[128];
			assert_int_equal(route_find(t, route->method, route->path, &r, allow),
					 ROUTE_FOUND);
			if (r.route != route)
				fail_msg("%s %s is found as %s", route->method, route->path,
					 r.route->operation);
			assert_true(route->auth != 0);
			assert_non_null(route->operation);
		}
	}
	/* 81 operations of the reference, health, ready, metrics, the seed, and the images' */
	assert_true(n >= 85);
	route_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),        cmocka_unit_test(test_params),
		cmocka_unit_test(test_uuids),       cmocka_unit_test(test_limits),
		cmocka_unit_test(test_real_tables),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
