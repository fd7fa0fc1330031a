#include "rules_fixture.h"
#include "service/step_args.h"

/* The arguments as JSON text; "(none)" = nothing to ask of this host. Freed by the caller. */
static char *args_of(step_args_fn fn, struct fixture *f)
{
	struct fault err = FAULT_INIT;
	json_t *args = (json_t *)1;

	int r = fn(&f->ctx, &f->host, &args, &err);
	if (r)
		return str_printf("%d: %s", r, fault_text(&err));
	AUTO(json_decrefp) json_t *owned = args;
	return owned ? json_dumps(owned, JSON_COMPACT | JSON_SORT_KEYS) : strdup("(none)");
}

static void expect(step_args_fn fn, struct fixture *f, const char *want)
{
	AUTO(freep) char *have = args_of(fn, f);

	assert_string_equal(have, want);
}

/* The one argument parsed: JSON in a string. New reference. */
static json_t *request_of(step_args_fn fn, struct fixture *f)
{
	AUTO(freep) char *text = args_of(fn, f);
	AUTO(json_decrefp) json_t *args = json_loads(text, 0, NULL);

	assert_int_equal(json_array_size(args), 1);
	json_t *v = json_loads(json_string_value(json_array_get(args, 0)), 0, NULL);
	assert_non_null(v);
	return v;
}

/* Exactly one argument for agents that take no more (assisted-v2 §5.2, §10.10). */
static void test_inventory(void **state)
{
	struct fixture f;

	fix_init(&f, false);
	expect(step_args_inventory, &f, "[\"" FIX_HOST_ID "\"]");
	f.config.inventory_max_size = 1048576;
	expect(step_args_inventory, &f, "[\"" FIX_HOST_ID "\",\"--output-max-size=1048576\"]");
	f.config.disk_min_size = UINT64_MAX;
	expect(step_args_inventory, &f,
	       "[\"" FIX_HOST_ID
	       "\",\"--output-max-size=1048576\",\"--disk-min-size=18446744073709551615\"]");
	f.config.inventory_max_size = 0;
	expect(step_args_inventory, &f,
	       "[\"" FIX_HOST_ID "\",\"--disk-min-size=18446744073709551615\"]");
	fix_done(&f);
}

static void test_ntp(void **state)
{
	static const struct {
		const char *ie_ntp, *ie_more, *cluster_ntp, *cluster_more, *pool, *bound;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, "", "" },  { "a", NULL, NULL, NULL, "a", "a" },
		{ NULL, "b", NULL, NULL, "b", "b" }, { "a", "b", NULL, NULL, "a", "a" },
		{ "a", NULL, "c", NULL, "a", "c" },  { "a", NULL, NULL, "d", "a", "d" },
		{ NULL, NULL, "c", "d", "", "c" },   { "a", NULL, "", "", "a", "a" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int bound = 0; bound < 2; bound++) {
			fix_init(&f, bound);
			str_set(&f.ie.ntp_sources, rows[i].ie_ntp);
			str_set(&f.ie.additional_ntp_sources, rows[i].ie_more);
			str_set(&f.cluster.ntp_sources, rows[i].cluster_ntp);
			str_set(&f.cluster.additional_ntp_source, rows[i].cluster_more);
			AUTO(json_decrefp) json_t *v = request_of(step_args_ntp, &f);
			assert_int_equal(json_object_size(v), 1);
			assert_string_equal(json_str(v, "ntp_source"),
					    bound ? rows[i].bound : rows[i].pool);
			fix_done(&f);
		}
	}
}

static void test_domains(void **state)
{
	static const char *const names[] = { "api.prod.example.com", "api-int.prod.example.com",
					     "console-openshift-console.apps.prod.example.com",
					     "validateNoWildcardDNS.prod.example.com.",
					     "validateNoWildcardDNS.prod.example.com" };
	struct fixture f;

	fix_init(&f, true);
	AUTO(json_decrefp) json_t *v = request_of(step_args_domains, &f);
	const json_t *list = json_child(v, "domains");
	assert_int_equal(json_array_size(list), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(json_str(json_array_get(list, i), "domain_name"), names[i]);
	/* skipped while the domain is not known (assisted-v2 §5.1), and for pool hosts */
	str_set(&f.cluster.base_dns_domain, "");
	expect(step_args_domains, &f, "(none)");
	str_set(&f.cluster.base_dns_domain, "example.com");
	str_set(&f.cluster.name, NULL);
	expect(step_args_domains, &f, "(none)");
	fix_done(&f);
	fix_init(&f, false);
	expect(step_args_domains, &f, "(none)");
	fix_done(&f);
}

static void test_api_vip_url(void **state)
{
	static const struct {
		const char *endpoint, *ca, *api, *pool, *url;
	} rows[] = {
		{ NULL, NULL, "api.prod.example.com", NULL,
		  "http://api.prod.example.com:22624/config/worker" },
		{ NULL, NULL, "192.0.2.1", NULL, "http://192.0.2.1:22624/config/worker" },
		{ NULL, NULL, "2001:db8::1", NULL, "http://[2001:db8::1]:22624/config/worker" },
		{ NULL, NULL, "api.prod.example.com", "infra",
		  "http://api.prod.example.com:22624/config/infra" },
		/* with a CA by TLS, to the name inside of the cluster (assisted-v2 §5.4) */
		{ NULL, "Q0EK", "api.prod.example.com", NULL,
		  "https://api-int.prod.example.com:22623/config/worker" },
		{ NULL, "Q0EK", "192.0.2.1", NULL, "https://192.0.2.1:22623/config/worker" },
		{ "http://10.0.2.2:22624/config", NULL, "api.prod.example.com", NULL,
		  "http://10.0.2.2:22624/config/worker" },
		{ "https://mcs:1/x", "Q0EK", "api.prod.example.com", "infra",
		  "https://mcs:1/x/infra" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_init(&f, true);
		str_set(&f.cluster.ignition_endpoint_url, rows[i].endpoint);
		str_set(&f.cluster.ignition_endpoint_ca, rows[i].ca);
		str_set(&f.cluster.api_vip_dns_name, rows[i].api);
		str_set(&f.host.machine_config_pool_name, rows[i].pool);
		AUTO(json_decrefp) json_t *v = request_of(step_args_api_vip, &f);
		assert_string_equal(json_str(v, "url"), rows[i].url);
		assert_true(str_eq(json_str(v, "ca_certificate"), rows[i].ca));
		assert_int_equal(json_object_size(v), rows[i].ca ? 2 : 1);
		fix_done(&f);
	}
}

static void test_api_vip_credentials(void **state)
{
	struct fixture f;

	fix_init(&f, true);
	secret_set(&f.host.ignition_endpoint_token, "t0k");
	str_set(&f.host.ignition_endpoint_http_headers, "[{\"key\":\"X-A\",\"value\":\"b\"}]");
	AUTO(json_decrefp) json_t *v = request_of(step_args_api_vip, &f);
	assert_string_equal(json_str(v, "ignition_endpoint_token"), "t0k");
	assert_string_equal(json_str(json_array_get(json_child(v, "request_headers"), 0), "key"),
			    "X-A");
	str_set(&f.host.ignition_endpoint_http_headers, "[]");
	AUTO(json_decrefp) json_t *none = request_of(step_args_api_vip, &f);
	assert_null(json_child(none, "request_headers"));
	fix_done(&f);
	fix_init(&f, false);
	expect(step_args_api_vip, &f, "(none)");
	fix_done(&f);
}

#define REPLY(luks) \
	"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"luks\\\":[" luks "]}}\"}"

static void test_tang(void **state)
{
	static const struct {
		const char *reply;
		const char *servers; /* NULL = not asked */
	} rows[] = {
		{ NULL, NULL },
		{ "tang, but no JSON", NULL },
		{ "{\"ignition\":\"tang\"}", NULL },
		{ REPLY("{\\\"clevis\\\":{\\\"tpm2\\\":true}}"), NULL },
		{ REPLY("{\\\"clevis\\\":{\\\"tang\\\":[]}}"), NULL },
		{ REPLY("{\\\"clevis\\\":{\\\"tang\\\":[{\\\"url\\\":\\\"http://a\\\",\\\"thumbprint\\\":\\\"T\\\"},"
			"{\\\"url\\\":\\\"http://b\\\"}]}}"),
		  "[{\"thumbprint\":\"T\",\"url\":\"http://a\"},{\"thumbprint\":\"\",\"url\":\"http://b\"}]" },
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix_init(&f, true);
		str_set(&f.host.api_vip_connectivity, rows[i].reply);
		if (!rows[i].servers) {
			expect(step_args_tang, &f, "(none)");
		} else {
			/* JSON in a string in JSON in a string (assisted-v2 §5.5) */
			AUTO(json_decrefp) json_t *v = request_of(step_args_tang, &f);
			assert_string_equal(json_str(v, "tang_servers"), rows[i].servers);
		}
		fix_done(&f);
	}
}

static void test_logs(void **state)
{
	struct fixture f;

	fix_init(&f, true);
	AUTO(json_decrefp) json_t *v = request_of(step_args_logs, &f);
	assert_int_equal(json_object_size(v), 6);
	assert_string_equal(json_str(v, "cluster_id"), FIX_CLUSTER_ID);
	assert_string_equal(json_str(v, "infra_env_id"), FIX_IE_ID);
	assert_string_equal(json_str(v, "host_id"), FIX_HOST_ID);
	/* both are required, so false is there too */
	assert_true(json_is_false(json_child(v, "bootstrap")));
	assert_true(json_is_true(json_child(v, "installer_gather")));
	f.host.logs_collected_at = 1;
	expect(step_args_logs, &f, "(none)");
	fix_done(&f);
	fix_init(&f, false);
	expect(step_args_logs, &f, "(none)"); /* they are uploaded for a cluster */
	fix_done(&f);
}

static void test_others(void **state)
{
	struct fixture f;
	json_t *args = NULL;

	fix_init(&f, true);
	expect(step_args_none, &f, "[]");
	AUTO(json_decrefp) json_t *v = request_of(step_args_upgrade, &f);
	assert_int_equal(json_object_size(v), 1);
	assert_string_equal(json_str(v, "agent_image"), "registry.example.com/agent:1");
	fix_done(&f);
	assert_int_equal(step_args_of_json(NULL, &args, NULL), -ENOMEM);
	assert_null(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inventory),
		cmocka_unit_test(test_ntp),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_api_vip_url),
		cmocka_unit_test(test_api_vip_credentials),
		cmocka_unit_test(test_tang),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_others),
	};
	return cmocka_run_group_tests_name("step_args", tests, NULL, NULL);
}
