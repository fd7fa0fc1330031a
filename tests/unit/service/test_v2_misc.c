#include "api_fixture.h"

static void add_os_image(struct api *f, const char *id, const char *version, const char *arch,
			 bool is_default)
{
	struct os_image *o;

	state_begin(f->svc.state);
	assert_int_equal(state_add_os_image(f->svc.state, id, &o), 0);
	str_set(&o->version, version);
	str_set(&o->cpu_architecture, arch);
	o->is_default = is_default;
	api_commit(f);
}

static void test_component_versions(void **state)
{
	struct api *f = *state;

	str_set(&f->config.agent_image, "r/agent:1");
	str_set(&f->config.installer_image, "r/installer:2");
	str_set(&f->config.controller_image, "r/controller:3");
	str_set(&f->config.service_image, "r/service:4");
	api_as_nobody(f);
	api_call(f, "GET", "/v2/component-versions", NULL);
	api_expect(f, 200);
	assert_int_equal(json_object_size(api_at(f, "versions")), 4);
	api_is(f, "versions.discovery-agent", "r/agent:1");
	api_is(f, "versions.assisted-installer", "r/installer:2");
	api_is(f, "versions.assisted-installer-controller", "r/controller:3");
	api_is(f, "versions.assisted-installer-service", "r/service:4");
	assert_true(!str_empty(api_str(f, "release_tag")));
}

/* --- versions --- */

static void expect_versions(struct api *f, const char *query, const char *names)
{
	AUTO(freep) char *path = str_printf("/v2/openshift-versions%s", query);
	AUTO(buf_done) struct buf b;
	const char *key;
	json_t *v;

	buf_init(&b, 4096);
	assert_int_equal(buf_append_str(&b, ""), 0);
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
	json_object_foreach(f->json, key, v)
		assert_int_equal(buf_printf(&b, "%s%s", b.len ? " " : "", key), 0);
	if (strcmp(b.len ? b.data : "", names) != 0)
		fail_msg("%s lists %s instead of %s", query, b.len ? b.data : "", names);
}

static void test_versions_without_images(void **state)
{
	struct api *f = *state;

	/* before there is an image the configuration's version stands for it */
	expect_versions(f, "", "4.18");
	assert_true(json_is_true(json_object_get(json_object_get(f->json, "4.18"), "default")));
	str_set(&f->config.default_version, NULL);
	expect_versions(f, "", "");
}

static void test_versions(void **state)
{
	static const struct {
		const char *query, *names;
	} rows[] = {
		{ "", "4.19.9 4.20.1 4.20.10 4.20.9 5" },
		/* anywhere in the name (assisted-v2 §3.5) */
		{ "?version=0.1", "4.20.1 4.20.10" },
		{ "?version=4.2", "4.20.1 4.20.10 4.20.9" },
		{ "?version=7", "" },
		/* by number, not by text */
		{ "?only_latest=true", "4.19.9 4.20.10 5" },
		{ "?only_latest=false", "4.19.9 4.20.1 4.20.10 4.20.9 5" },
		{ "?only_latest=true&version=4.20.9", "" },
	};
	struct api *f = *state;

	add_os_image(f, "a", "4.20.9", "x86_64", true);
	add_os_image(f, "b", "4.20.10", "x86_64", false);
	add_os_image(f, "c", "4.20.1", "x86_64", false);
	add_os_image(f, "d", "4.19.9", "x86_64", false);
	add_os_image(f, "e", "5", "x86_64", false);
	add_os_image(f, "f", "4.20.10", "arm64", false);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_versions(f, rows[i].query, rows[i].names);
	expect_versions(f, "?version=4.20.10", "4.20.10");
	json_t *v = json_object_get(f->json, "4.20.10");
	assert_string_equal(json_str(v, "display_name"), "4.20.10");
	assert_string_equal(json_str(v, "support_level"), "production");
	assert_int_equal(json_array_size(json_child(v, "cpu_architectures")), 2);
	assert_null(json_child(v, "default"));
	expect_versions(f, "?version=4.20.9", "4.20.9");
	assert_true(json_flag(json_object_get(f->json, "4.20.9"), "default"));
}

/* --- lists that are empty, defaults --- */

static void test_fixed_answers(void **state)
{
	static const char *const lists[] = { "/v2/release-sources", "/v2/domains",
					     "/v2/supported-operators" };
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		api_as_user(f);
		api_call(f, "GET", lists[i], NULL);
		api_expect(f, 200);
		assert_string_equal(f->text, "[]");
		api_as_nobody(f);
		api_call(f, "GET", lists[i], NULL);
		api_invalid(f, 401, "");
	}
	api_as_user(f);
	/* an unknown operator: 404 with an empty body (assisted-v2 §3.5) */
	api_call(f, "GET", "/v2/supported-operators/lvm", NULL);
	api_expect(f, 404);
	assert_string_equal(f->text, "");
}

static void test_default_config(void **state)
{
	struct api *f = *state;

	api_call(f, "GET", "/v2/clusters/default-config", NULL);
	api_expect(f, 200);
	api_is(f, "cluster_network_cidr", "10.128.0.0/14");
	api_is(f, "service_network_cidr", "172.30.0.0/16");
	api_is(f, "ntp_source", ""); /* always there */
	assert_int_equal(json_integer_value(api_at(f, "cluster_network_host_prefix")), 23);
	assert_int_equal(json_array_size(api_at(f, "forbidden_hostnames")), 6);
	/* every name that is listed is refused */
	struct host *h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	AUTO(json_decrefp) json_t *names = json_incref(api_at(f, "forbidden_hostnames"));
	json_t *name;
	size_t i;
	json_array_foreach(names, i, name) {
		AUTO(freep)
		char *body = str_printf("{\"host_name\":\"%s\"}", json_string_value(name));
		api_call(f, "PATCH", API_HOST_PATH, body);
		api_refused(f, 400, "is forbidden");
	}
	assert_null(h->requested_hostname);
}

/* --- health --- */

static void test_health(void **state)
{
	static const char *const paths[] = { "/health", "/ready", "/metrics" };
	struct api *f = *state;

	api_as_nobody(f);
	for (int plain = 0; plain < 2; plain++) {
		f->is_plain = plain;
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
			api_call(f, "GET", paths[i], NULL);
			api_expect(f, 200);
			api_call(f, "POST", paths[i], NULL);
			api_expect(f, 405);
			assert_true(api_has_header(f, "Allow: GET"));
		}
	}
	f->is_plain = false;
}

static void expect_metric(struct api *f, const char *line)
{
	AUTO(freep) char *want = str_printf("\n%s\n", line);

	if (!strstr(f->text, want))
		fail_msg("no \"%s\" in %s", line, f->text);
}

static void test_metrics(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_add_host(f, API_POOL, API_OTHER, false, HOST_KNOWN_UNBOUND);
	api_add_host(f, API_EARLY, API_HOST, true, HOST_ERROR);
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_call(f, "GET", "/v2/nothing", NULL);
	api_call(f, "GET", "/metrics", NULL);
	assert_string_equal(f->type, "text/plain; version=0.0.4; charset=utf-8");
	expect_metric(f, "slipwayd_http_requests_total{class=\"2xx\"} 2");
	expect_metric(f, "slipwayd_http_requests_total{class=\"4xx\"} 1");
	expect_metric(f, "slipwayd_http_requests_total{class=\"5xx\"} 0");
	expect_metric(f, "slipwayd_hosts{status=\"known-unbound\"} 2");
	expect_metric(f, "slipwayd_hosts{status=\"error\"} 1");
	assert_null(strstr(f->text, "status=\"known\""));
	expect_metric(f, "slipwayd_start_time_seconds 1790000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_component_versions),
		API_TEST(test_versions_without_images),
		API_TEST(test_versions),
		API_TEST(test_fixed_answers),
		API_TEST(test_default_config),
		API_TEST(test_health),
		API_TEST(test_metrics),
	};
	return cmocka_run_group_tests_name("v2_misc", tests, NULL, NULL);
}
