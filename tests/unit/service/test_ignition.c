#include "rules_fixture.h"

static const struct {
	const char *text;
	bool good;
} checks[] = {
	{ "{\"ignition\":{\"version\":\"3.1.0\"}}", true },
	{ "{\"ignition\":{\"version\":\"3.6.0\"},\"storage\":{\"files\":[{\"path\":\"/a\"}]},\"systemd\":{\"units\":[{\"name\":\"a.service\"}]}}",
	  true },
	{ "{\"ignition\":{\"version\":\"3.2.0\"},\"storage\":{\"files\":null}}", true },
	{ "", false },
	{ "[]", false },
	{ "{}", false },
	{ "{\"ignition\":{}}", false },
	{ "{\"ignition\":{\"version\":3}}", false },
	{ "{\"ignition\":{\"version\":\"2.2.0\"}}", false },
	{ "{\"ignition\":{\"version\":\"3.7.0\"}}", false },
	{ "{\"ignition\":{\"version\":\"3.1.0-beta\"}}", false },
	{ "{\"ignition\":{\"version\":\"3.1\"}}", false },
	{ "{\"ignition\":{\"version\":\"3.1.0\"},\"storage\":[]}", false },
	{ "{\"ignition\":{\"version\":\"3.1.0\"},\"storage\":{\"files\":{}}}", false },
	{ "{\"ignition\":{\"version\":\"3.1.0\"},\"storage\":{\"files\":[{}]}}", false },
	{ "{\"ignition\":{\"version\":\"3.1.0\"},\"storage\":{\"files\":[{\"path\":\"a\"}]}}",
	  false },
	{ "{\"ignition\":{\"version\":\"3.1.0\"},\"systemd\":{\"units\":[1]}}", false },
};

static void test_check(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct fault err = FAULT_INIT;
		int r = ignition_check(checks[i].text, &err);
		if (r != (checks[i].good ? 0 : -EINVAL))
			fail_msg("%s: %d %s", checks[i].text, r, err.text);
		assert_int_equal(err.text[0] != '\0', !checks[i].good);
	}
}

static const struct {
	const char *api, *endpoint, *ca, *override, *pool, *url, *want_ca;
} urls[] = {
	{ "api.prod.example.com", NULL, NULL, NULL, NULL,
	  "http://api.prod.example.com:22624/config/worker", NULL },
	{ "192.0.2.20", NULL, NULL, NULL, "infra", "http://192.0.2.20:22624/config/infra", NULL },
	{ "2001:db8::20", NULL, NULL, NULL, NULL, "http://[2001:db8::20]:22624/config/worker",
	  NULL },
	{ "api.prod.example.com", NULL, "UEVNCg==", NULL, NULL,
	  "https://api-int.prod.example.com:22623/config/worker", "UEVNCg==" },
	{ "192.0.2.20", NULL, "UEVNCg==", NULL, NULL, "https://192.0.2.20:22623/config/worker",
	  "UEVNCg==" },
	{ "api.x.y", "https://mcs:1/c", NULL, NULL, "infra", "https://mcs:1/c/infra", NULL },
	{ "api.x.y", "https://mcs:1/c", "UEVN", NULL, NULL, "https://mcs:1/c/worker", "UEVNCg==" },
	/* "PEM" from the cluster and "TWO" from the host's own configuration */
	{ "api.x.y", NULL, "UEVN",
	  "{\"ignition\":{\"version\":\"3.2.0\",\"security\":{\"tls\":{\"certificateAuthorities\":[{\"source\":\"data:,TWO\"},{\"source\":\"http://x\"}]}}}}",
	  NULL, "https://api-int.x.y:22623/config/worker", "UEVNClRXTwo=" },
};

static void test_source_url(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct fixture f;
		AUTO(freep) char *url = NULL;
		AUTO(freep) char *ca = NULL;
		fix_init(&f, true);
		str_set(&f.cluster.api_vip_dns_name, urls[i].api);
		str_set(&f.cluster.ignition_endpoint_url, urls[i].endpoint);
		str_set(&f.cluster.ignition_endpoint_ca, urls[i].ca);
		str_set(&f.host.ignition_config_overrides, urls[i].override);
		str_set(&f.host.machine_config_pool_name, urls[i].pool);
		assert_int_equal(ignition_source_url(&f.ctx, &f.host, &url, &ca, NULL), 0);
		assert_string_equal(url, urls[i].url);
		assert_true(str_eq(ca, urls[i].want_ca));
		fix_done(&f);
	}
}

static void test_source_needs_a_cluster(void **state)
{
	struct fixture f;
	char *url, *ca;
	fix_init(&f, false);
	assert_int_equal(ignition_source_url(&f.ctx, &f.host, &url, &ca, NULL), -EINVAL);
	fix_done(&f);
	fix_init(&f, true);
	str_set(&f.cluster.ignition_endpoint_ca, "!");
	assert_int_equal(ignition_source_url(&f.ctx, &f.host, &url, &ca, NULL), -EINVAL);
	fix_done(&f);
}

static void test_target(void **state)
{
	struct fixture f;
	AUTO(freep) char *text = NULL;
	fix_init(&f, true);
	str_set(&f.host.requested_hostname, "worker-0");
	str_set(&f.cluster.ignition_endpoint_ca, "UEVN");
	secret_set(&f.host.ignition_endpoint_token, "t0k");
	str_set(&f.host.ignition_endpoint_http_headers, "[{\"key\":\"X-A\",\"value\":\"b\"}]");
	assert_int_equal(ignition_target(&f.ctx, &f.host, &text, NULL), 0);
	assert_int_equal(ignition_check(text, NULL), 0);
	assert_string_equal(
		text,
		"{\"ignition\":{\"config\":{\"merge\":[{\"httpHeaders\":[{\"name\":\"Authorization\",\"value\":\"Bearer t0k\"},"
		"{\"name\":\"X-A\",\"value\":\"b\"}],\"source\":\"https://api-int.prod.example.com:22623/config/worker\"}]},"
		"\"security\":{\"tls\":{\"certificateAuthorities\":[{\"source\":\"data:text/plain;base64,UEVNCg==\"}]}},"
		"\"version\":\"3.2.0\"},\"storage\":{\"files\":[{\"contents\":{\"source\":\"data:,worker-0\"},\"mode\":420,"
		"\"overwrite\":true,\"path\":\"/etc/hostname\",\"user\":{\"name\":\"root\"}}]}}");
	fix_done(&f);
}

static void test_target_bad_override(void **state)
{
	struct fixture f;
	char *text;
	fix_init(&f, true);
	str_set(&f.host.ignition_config_overrides, "{\"ignition\":{\"version\":\"2.0.0\"}}");
	assert_int_equal(ignition_target(&f.ctx, &f.host, &text, NULL), -EINVAL);
	fix_done(&f);
}

/* Go's encoder writes empty objects that say nothing; without them the documents must be equal (SLIPWAY_CORPUS). */
static void drop_empty(json_t *v)
{
	const char *key;
	void *next;
	json_t *child;
	size_t i;

	json_array_foreach(v, i, child)
		drop_empty(child);
	json_object_foreach_safe(v, next, key, child) {
		drop_empty(child);
		if (json_is_object(child) && json_object_size(child) == 0)
			json_object_del(v, key);
	}
}

static void test_replay_target(void **state)
{
	AUTO(json_decrefp) json_t *recording = fix_recording("host-target-ignition.json");
	AUTO(json_decrefp) json_t *known = fix_recording("host-get-known.json");
	struct fixture f;
	AUTO(freep) char *text = NULL;
	fix_init(&f, true);
	str_set(&f.host.requested_hostname, "worker-0");
	str_set(&f.host.ignition_config_overrides,
		json_str(json_object_get(json_object_get(known, "response"), "body"),
			 "ignition_config_overrides"));
	assert_int_equal(ignition_target(&f.ctx, &f.host, &text, NULL), 0);
	AUTO(json_decrefp) json_t *have = json_loads(text, 0, NULL);
	json_t *want = json_object_get(json_object_get(recording, "response"), "body");
	drop_empty(want);
	drop_empty(have);
	AUTO(freep) char *want_text = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1));
	AUTO(freep) char *have_text = json_dumps(have, JSON_SORT_KEYS | JSON_INDENT(1));
	assert_string_equal(have_text, want_text);
	fix_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_source_url),
		cmocka_unit_test(test_source_needs_a_cluster),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_target_bad_override),
		cmocka_unit_test(test_replay_target),
	};
	return FIX_RUN(tests, 1);
}
