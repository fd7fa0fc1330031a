#include "api_fixture.h"

#include "service/v2_view.h"

/* --- into JSON --- */

static json_t *parsed(struct buf *b)
{
	json_t *v = json_loadb(b->data, b->len, 0, NULL);

	if (!v)
		fail_msg("no JSON: %.*s", (int)b->len, b->data);
	buf_done(b);
	return v;
}

static json_t *host_json(const struct host *h, unsigned flags)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	view_host(&o, h, flags);
	assert_int_equal(o.r, 0);
	return parsed(&b);
}

static json_t *infra_env_json(struct api *f, const struct infra_env *ie)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	view_infra_env(&o, &f->svc, ie);
	assert_int_equal(o.r, 0);
	return parsed(&b);
}

static json_t *cluster_json(struct api *f, const struct cluster *c, const struct caller *hosts_for)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	view_cluster(&o, &f->svc, c, hosts_for);
	assert_int_equal(o.r, 0);
	return parsed(&b);
}

/* Exactly these members, in any order. */
static void expect_keys(const json_t *v, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!json_object_get(v, keys[i]))
			fail_msg("%s is missing", keys[i]);
	}
	if (json_object_size(v) != n) {
		AUTO(freep) char *text = json_dumps(v, 0);
		fail_msg("%zu members instead of %zu: %s", json_object_size(v), n, text);
	}
}

/* --- infra-envs --- */

static void test_infra_env_least(void **state)
{
	static const char *const keys[] = { "kind",       "id",           "href",
					    "name",       "type",         "created_at",
					    "updated_at", "expires_at",   "openshift_version",
					    "proxy",      "download_url", "cpu_architecture" };
	struct api *f = *state;
	struct infra_env ie = { .id = API_POOL,
				.name = (char *)"n",
				.image_type = (char *)"full-iso",
				.openshift_version = (char *)"4.18",
				.cpu_architecture = (char *)"x86_64",
				.image_token_key = (char *)"k",
				.created_at = 1790000000123450,
				.updated_at = 1790000000000000 };

	AUTO(json_decrefp) json_t *v = infra_env_json(f, &ie);
	/* optional scalars are left out when they are empty (assisted-v2 §1.2) */
	expect_keys(v, keys, ARRAY_SIZE(keys));
	/* the dates of rows have as many digits as they need, those of models always three */
	assert_string_equal(json_str(v, "created_at"), "2026-09-21T14:13:20.12345Z");
	assert_string_equal(json_str(v, "updated_at"), "2026-09-21T14:13:20Z");
	assert_string_equal(json_str(v, "expires_at"), "0001-01-01T00:00:00.000Z");
	assert_int_equal(json_object_size(json_child(v, "proxy")), 0);
}

static void test_infra_env_secrets(void **state)
{
	struct api *f = *state;
	struct infra_env *ie = state_infra_env(f->svc.state, API_POOL);
	AUTO(json_decrefp) json_t *v = infra_env_json(f, ie);
	AUTO(freep) char *text = json_dumps(v, 0);

	assert_true(json_flag(v, "pull_secret_set"));
	assert_null(strstr(text, "auths"));
	assert_null(json_object_get(v, "pull_secret"));
	assert_null(json_object_get(v, "image_token_key"));
}

static void test_download_url(void **state)
{
	static const struct {
		const char *type, *file;
	} rows[] = {
		{ "full-iso", "full.iso" },
		{ "minimal-iso", "minimal.iso" },
		{ "disconnected-iso", "disconnected.iso" },
	};
	struct api *f = *state;
	struct infra_env *ie = state_infra_env(f->svc.state, API_POOL);
	bool by_handle = auth_mode(f->svc.auth) == AUTH_MODE_LOCAL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		str_set(&ie->image_type, rows[i].type);
		AUTO(freep) char *url = view_download_url(&f->svc, ie);
		AUTO(freep)
		char *want = str_printf("https://s.example.com:9543/%s/4.18/x86_64/%s",
					by_handle ? "byapikey/" API_HANDLE : "byid/" API_POOL,
					rows[i].file);
		assert_string_equal(url, want);
		/* firmware takes no more, and nothing but a name that ends so (assisted-v2 §2.4) */
		assert_true(strlen(url) <= 255 && str_ends(url, ".iso") && !strchr(url, '?'));
	}
}

/* --- hosts --- */

static void test_host_least(void **state)
{
	static const char *const keys[] = {
		"kind",
		"id",
		"href",
		"status",
		"status_info",
		"infra_env_id",
		"progress",
		"progress_stages",
		"requested_hostname",
		"role",
		"suggested_role",
		"checked_in_at",
		"registered_at",
		"status_updated_at",
		"stage_started_at",
		"stage_updated_at",
		"logs_started_at",
		"logs_collected_at",
		"created_at",
		"updated_at",
		"deleted_at",
	};
	struct host h = { .id = API_HOST,
			  .infra_env_id = API_POOL,
			  .status = HOST_DISCOVERING_UNBOUND };
	AUTO(json_decrefp) json_t *v = host_json(&h, 0);

	expect_keys(v, keys, ARRAY_SIZE(keys));
	assert_string_equal(json_str(v, "kind"), "Host");
	assert_string_equal(json_str(v, "requested_hostname"), API_HOST);
	assert_string_equal(json_str(v, "status_info"), "");
	assert_string_equal(json_str(v, "href"),
			    "/api/assisted-install/v2/infra-envs/" API_POOL "/hosts/" API_HOST);
	/* unset dates are there all the same; what was deleted is null (assisted-v2 §1.2) */
	assert_string_equal(json_str(v, "checked_in_at"), "0001-01-01T00:00:00.000Z");
	assert_string_equal(json_str(v, "created_at"), "0001-01-01T00:00:00Z");
	assert_true(json_is_null(json_object_get(v, "deleted_at")));
	assert_true(json_is_array(json_object_get(v, "progress_stages")));
	assert_null(json_object_get(v, "installation_percentage"));
}

/* Every text that a host has is shown under its own name, none of them is lost or swapped. */
static void test_host_texts(void **state)
{
	static const struct {
		const char *key;
		size_t offset;
	} texts[] = {
#define TEXT(name) { #name, offsetof(struct host, name) }
		TEXT(inventory),
		TEXT(connectivity),
		TEXT(api_vip_connectivity),
		TEXT(tang_connectivity),
		TEXT(ntp_sources),
		TEXT(domain_name_resolutions),
		TEXT(disks_info),
		TEXT(images_status),
		TEXT(validations_info),
		TEXT(requested_hostname),
		TEXT(installation_disk_id),
		TEXT(installation_disk_path),
		TEXT(disks_to_be_formatted),
		TEXT(skip_formatting_disks),
		TEXT(installer_version),
		TEXT(installer_args),
		TEXT(ignition_config_overrides),
		TEXT(machine_config_pool_name),
		TEXT(node_labels),
		TEXT(discovery_agent_version),
		TEXT(logs_info),
		TEXT(user_name),
	};
	struct host h = { .status = HOST_KNOWN };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*(char **)((char *)&h + texts[i].offset) = str_printf("text of %s", texts[i].key);
	AUTO(json_decrefp) json_t *v = host_json(&h, 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(freep) char *want = str_printf("text of %s", texts[i].key);
		if (!str_eq(json_str(v, texts[i].key), want))
			fail_msg("%s is %s", texts[i].key, json_str(v, texts[i].key));
	}
	AUTO(json_decrefp)
	json_t *less = host_json(&h, VIEW_HOST_NO_INVENTORY | VIEW_HOST_NO_CONNECTIVITY);
	assert_null(json_object_get(less, "inventory"));
	assert_null(json_object_get(less, "connectivity"));
	assert_string_equal(json_str(less, "ntp_sources"), "text of ntp_sources");
	host_done(&h);
}

static void test_host_secrets(void **state)
{
	struct host h = { .status = HOST_INSTALLING,
			  .target_ignition = (char *)"a5ecret",
			  .install_id = (char *)"a5ecret",
			  .ignition_endpoint_http_headers = (char *)"a5ecret" };

	assert_int_equal(secret_set(&h.ignition_endpoint_token, "a5ecret"), 0);
	AUTO(json_decrefp) json_t *v = host_json(&h, 0);
	AUTO(freep) char *text = json_dumps(v, 0);
	assert_null(strstr(text, "a5ecret"));
	assert_true(json_flag(v, "ignition_endpoint_token_set"));
	secret_set(&h.ignition_endpoint_token, NULL);
}

static void test_host_media(void **state)
{
	static const char *const want[] = { NULL, "connected", "disconnected", NULL };

	for (int i = -1; i < 4; i++) {
		struct host h = { .status = HOST_KNOWN, .media_disconnected = i };
		AUTO(json_decrefp) json_t *v = host_json(&h, 0);
		const char *have = json_str(v, "media_status");
		assert_true(str_eq(have, i < 0 ? NULL : want[i]));
	}
}

/* The stages of a host that joins (assisted-v2 §4.4), and those that our own agent adds. */
static void test_host_progress(void **state)
{
	static const struct {
		enum host_kind kind;
		enum host_role role;
		bool ours;
		enum stage stage;
		unsigned n_stages, percentage;
	} rows[] = {
		{ HOST_KIND_HOST, ROLE_WORKER, false, STAGE_NONE, 0, 0 },
		{ HOST_KIND_DAY2, ROLE_AUTO_ASSIGN, false, STAGE_NONE, 0, 0 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_NONE, 5, 0 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_STARTING_INSTALLATION, 5, 20 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_INSTALLING, 5, 40 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_WRITING_IMAGE, 5, 60 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_WAITING_FOR_CONTROL_PLANE, 5, 80 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_REBOOTING, 5, 100 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_DONE, 5, 100 },
		{ HOST_KIND_DAY2, ROLE_WORKER, false, STAGE_WAITING_FOR_BOOTKUBE, 5, 0 },
		{ HOST_KIND_DAY2, ROLE_WORKER, true, STAGE_STARTING_INSTALLATION, 8, 12 },
		{ HOST_KIND_DAY2, ROLE_WORKER, true, STAGE_REBOOTING, 8, 62 },
		{ HOST_KIND_DAY2, ROLE_WORKER, true, STAGE_CONFIGURING, 8, 75 },
		{ HOST_KIND_DAY2, ROLE_WORKER, true, STAGE_JOINED, 8, 87 },
		{ HOST_KIND_DAY2, ROLE_WORKER, true, STAGE_DONE, 8, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host h = { .status = HOST_INSTALLING,
				  .kind = rows[i].kind,
				  .role = rows[i].role,
				  .slipway_agent = rows[i].ours,
				  .stage = rows[i].stage };
		size_t n;
		const enum stage *stages = view_stages(&h, &n);
		assert_int_equal(n, rows[i].n_stages);
		for (size_t k = 1; k < n; k++)
			assert_true(stages[k] > stages[k - 1]);
		if (view_percentage(&h) != rows[i].percentage)
			fail_msg("row %zu: %u %%", i, view_percentage(&h));
		AUTO(json_decrefp) json_t *v = host_json(&h, 0);
		assert_int_equal(json_array_size(json_child(v, "progress_stages")), n);
		assert_int_equal(json_i64(json_child(v, "progress"), "installation_percentage"),
				 rows[i].percentage);
	}
}

/* The caller of an open view adds its own and closes it. */
static void test_host_open(void **state)
{
	struct host h = { .status = HOST_KNOWN };
	struct buf b;

	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	view_host(&o, &h, VIEW_HOST_OPEN);
	jo_str(&o, "more", "text");
	jo_object_end(&o);
	AUTO(json_decrefp) json_t *v = parsed(&b);
	assert_string_equal(json_str(v, "more"), "text");
}

/* --- clusters --- */

static void test_cluster(void **state)
{
	static const char *const arrays[] = { "api_vips",
					      "ingress_vips",
					      "cluster_networks",
					      "service_networks",
					      "machine_networks",
					      "host_networks",
					      "hosts",
					      "monitored_operators",
					      "operator_bundles" };
	struct api *f = *state;
	struct cluster *c = state_cluster(f->svc.state, API_CLUSTER);
	AUTO(json_decrefp) json_t *v = cluster_json(f, c, NULL);

	assert_string_equal(json_str(v, "kind"), "AddHostsCluster");
	assert_string_equal(json_str(v, "status"), "adding-hosts");
	assert_string_equal(json_str(json_child(v, "platform"), "type"), "baremetal");
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		const json_t *list = json_child(v, arrays[i]);
		assert_true(json_is_array(list));
		assert_int_equal(json_array_size(list), 0);
	}
	assert_null(json_object_get(v, "pull_secret_set"));
	assert_null(json_object_get(v, "total_host_count")); /* 0 is left out */
}

/* What an update gave is shown in the place of the defaults, once. */
static void test_cluster_extra(void **state)
{
	struct api *f = *state;
	struct cluster *c = state_cluster(f->svc.state, API_CLUSTER);

	str_set(&c->extra,
		"{\"api_vips\":[{\"ip\":\"192.0.2.1\"}],\"machine_networks\":null,\"tags\":\"t\","
		"\"platform\":{\"type\":\"none\"},\"disk_encryption\":{\"mode\":\"tpmv2\"},"
		"\"load_balancer\":{\"type\":\"user-managed\"}}");
	struct buf b;
	buf_init(&b, 1 << 20);
	struct json_out o = json_out(&b);
	view_cluster(&o, &f->svc, c, NULL);
	AUTO(json_decrefp) json_t *v = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	buf_done(&b);
	assert_int_equal(json_array_size(json_child(v, "api_vips")), 1);
	assert_int_equal(json_array_size(json_child(v, "machine_networks")), 0);
	assert_string_equal(json_str(v, "tags"), "t");
	assert_string_equal(json_str(json_child(v, "platform"), "type"), "none");
	assert_string_equal(json_str(json_child(v, "disk_encryption"), "mode"), "tpmv2");
	assert_string_equal(json_str(json_child(v, "load_balancer"), "type"), "user-managed");
	/* a broken row hides its extras, not the cluster */
	str_set(&c->extra, "{broken");
	AUTO(json_decrefp) json_t *broken = cluster_json(f, c, NULL);
	assert_string_equal(json_str(broken, "name"), "prod");
	str_set(&c->extra, NULL);
}

static void test_cluster_hosts(void **state)
{
	struct api *f = *state;
	struct cluster *c = state_cluster(f->svc.state, API_CLUSTER);
	const struct caller everybody = { .scheme = AUTH_USER },
			    pool = { .scheme = AUTH_AGENT, .infra_env_id = API_POOL },
			    one = { .scheme = AUTH_AGENT,
				    .infra_env_id = API_POOL,
				    .host_id = API_OTHER };

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	api_add_host(f, API_POOL, API_OTHER, true, HOST_DISABLED);
	api_add_host(f, API_EARLY, API_HOST, true, HOST_INSTALLING);
	const struct {
		const struct caller *caller;
		size_t n;
	} rows[] = { { NULL, 0 }, { &everybody, 3 }, { &pool, 2 }, { &one, 1 } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decrefp) json_t *v = cluster_json(f, c, rows[i].caller);
		const json_t *hosts = json_child(v, "hosts");
		assert_int_equal(json_array_size(hosts), rows[i].n);
		if (rows[i].n)
			assert_non_null(json_str(json_array_get(hosts, 0), "inventory"));
		/* the counts are of all */
		assert_int_equal(json_i64(v, "total_host_count"), 3);
		assert_int_equal(json_i64(v, "ready_host_count"), 1);
		assert_int_equal(json_i64(v, "enabled_host_count"), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_infra_env_least),
		API_TEST(test_infra_env_secrets),
		API_TEST(test_download_url),
		API_TEST_OPEN(test_download_url),
		cmocka_unit_test(test_host_least),
		cmocka_unit_test(test_host_texts),
		cmocka_unit_test(test_host_secrets),
		cmocka_unit_test(test_host_media),
		cmocka_unit_test(test_host_progress),
		cmocka_unit_test(test_host_open),
		API_TEST(test_cluster),
		API_TEST(test_cluster_extra),
		API_TEST(test_cluster_hosts),
	};
	return cmocka_run_group_tests_name("v2_view", tests, NULL, NULL);
}
