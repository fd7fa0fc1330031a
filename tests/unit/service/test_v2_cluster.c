#include "api_fixture.h"

#define CLUSTER "/v2/clusters/" API_CLUSTER
#define OPENSHIFT_ID "9c112222-2222-4333-8444-555566667777"

static const struct cluster *last_cluster(struct api *f)
{
	return state_cluster(f->svc.state, api_str(f, "id"));
}

/* --- import --- */

static void import(struct api *f, const char *name, const char *api)
{
	AUTO(freep)
	char *body = str_printf("{\"name\":\"%s\",\"api_vip_dnsname\":\"%s\","
				"\"openshift_cluster_id\":\"" OPENSHIFT_ID "\"}",
				name, api);
	api_call(f, "POST", "/v2/clusters/import", body);
}

static void test_import_names(void **state)
{
	/* "api.NAME.DOMAIN" names the cluster, whatever name was given (assisted-v2 §3.2). */
	static const struct {
		const char *given, *api, *name, *domain;
	} rows[] = {
		{ "x", "api.prod.example.com", "prod", "example.com" },
		{ "Not A Name", "api.prod.example.com", "prod", "example.com" },
		{ "x", "api.prod.local", "prod", "local" },
		{ "x", "192.0.2.1", "x", NULL },
		{ "x", "2001:db8::1", "x", NULL },
		{ "x", "api.prod", "x", NULL },
		{ "x", "api.prod.", "x", NULL },
		{ "x", "api..example.com", "x", NULL },
		{ "x", "my.prod.example.com", "x", NULL },
		{ "", "192.0.2.1", "", NULL },
		{ "x", "", "x", NULL },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		import(f, rows[i].given, rows[i].api);
		api_expect(f, 201);
		api_is(f, "name", *rows[i].name ? rows[i].name : NULL);
		api_is(f, "base_dns_domain", rows[i].domain);
		const struct cluster *c = last_cluster(f);
		assert_non_null(c);
		assert_string_equal(c->name, rows[i].name);
		assert_string_equal(c->api_vip_dns_name, rows[i].api);
		assert_string_equal(c->openshift_cluster_id, OPENSHIFT_ID);
		assert_string_not_equal(c->id, OPENSHIFT_ID);
	}
	assert_int_equal(api_events(f, "cluster_registration_succeeded").n, ARRAY_SIZE(rows));
}

static void test_import_answer(void **state)
{
	struct api *f = *state;

	import(f, "x", "api.prod.example.com");
	api_expect(f, 201);
	api_is(f, "created_at", "2026-09-21T14:13:20Z");
	api_is(f, "updated_at", "2026-09-21T14:13:20Z");
	api_is(f, "status_updated_at", "2026-09-21T14:13:20.000Z");
	api_is(f, "kind", "AddHostsCluster");
	api_is(f, "status", "adding-hosts");
	api_is(f, "platform.type", "baremetal");
	api_is(f, "user_name", "admin");
	assert_true(json_is_true(api_at(f, "imported")));
	assert_int_equal(json_array_size(api_at(f, "hosts")), 0);
	assert_true(json_is_array(api_at(f, "hosts")) && json_is_array(api_at(f, "host_networks")));
	assert_true(json_is_object(api_at(f, "image_info")));
	assert_null(api_at(f, "cpu_architecture"));
	assert_null(api_at(f, "pull_secret_set"));
	AUTO(freep)
	char *href = str_printf("/api/assisted-install/v2/clusters/%s", api_str(f, "id"));
	api_is(f, "href", href);
}

static void test_import_refused(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ NULL, "newImportClusterParams in body is required" },
		{ "[]", "cannot unmarshal array" },
		{ "{\"name\":\"x\"", "parsing newImportClusterParams body" },
		{ "{}", "name in body is required" },
		{ "{\"name\":\"x\"}", "api_vip_dnsname in body is required" },
		{ "{\"name\":\"x\",\"api_vip_dnsname\":\"1.2.3.4\"}",
		  "openshift_cluster_id in body is required" },
		{ "{\"name\":\"x\",\"api_vip_dnsname\":\"1.2.3.4\",\"openshift_cluster_id\":null}",
		  "openshift_cluster_id in body is required" },
		{ "{\"name\":\"x\",\"api_vip_dnsname\":\"1.2.3.4\",\"openshift_cluster_id\":\"7\"}",
		  "openshift_cluster_id in body must be of type uuid: \"7\"" },
		{ "{\"name\":7}", "json: cannot unmarshal number into field name of type string" },
		{ "{\"name\":\"x\",\"id\":\"" OPENSHIFT_ID "\"}", "json: unknown field \"id\"" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, "POST", "/v2/clusters/import", rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
	import(f, "No_Name", "192.0.2.1");
	api_refused(f, 400, "Cluster name \"No_Name\" is not valid");
	import(f, "x", "api.UPPER.example.com");
	api_refused(f, 400, "Cluster name \"UPPER\" is not valid");
}

/* --- reading --- */

static void test_list(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	import(f, "x", "192.0.2.1");
	api_call(f, "GET", "/v2/clusters", NULL);
	api_expect(f, 200);
	assert_int_equal(json_array_size(f->json), 2);
	/* without with_hosts the counts are there, the hosts are not */
	assert_int_equal(json_array_size(api_at(f, "0.hosts")), 0);
	assert_int_equal(json_integer_value(api_at(f, "0.total_host_count")), 1);
	assert_int_equal(json_integer_value(api_at(f, "0.ready_host_count")), 1);

	api_call(f, "GET", "/v2/clusters?with_hosts=true", NULL);
	api_is(f, "0.hosts.0.id", API_HOST);
	api_call(f, "GET", "/v2/clusters?openshift_cluster_id=" OPENSHIFT_ID, NULL);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.name", "x");
	api_call(f, "GET", "/v2/clusters?openshift_cluster_id=" API_NOBODY, NULL);
	assert_string_equal(f->text, "[]");
	api_call(f, "GET", "/v2/clusters?openshift_cluster_id=x", NULL);
	api_invalid(f, 400, "openshift_cluster_id in query must be of type uuid: \"x\"");
}

static void test_get(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	api_call(f, "GET", CLUSTER, NULL);
	api_expect(f, 200);
	api_is(f, "name", "prod");
	api_is(f, "hosts.0.id", API_HOST);
	api_call(f, "GET", CLUSTER "?exclude-hosts=true", NULL);
	assert_int_equal(json_array_size(api_at(f, "hosts")), 0);
	api_call(f, "GET", "/v2/clusters/" API_NOBODY, NULL);
	api_refused(f, 404, "record not found");
	api_call(f, "GET", "/v2/clusters/7", NULL);
	api_invalid(f, 400, "cluster_id in path must be of type uuid: \"7\"");
}

static void test_get_by_agents(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_EARLY, API_HOST, true, HOST_KNOWN);
	AUTO(freep) char *own = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "GET", CLUSTER, NULL);
	api_expect(f, 200);
	/* the agent of a pool without a host in the cluster does not see it */
	AUTO(freep) char *other = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", CLUSTER, NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", CLUSTER "/hosts", NULL);
	api_expect(f, 200);
	assert_string_equal(f->text, "[]");
	/* with a bound host it sees the cluster and that host only */
	api_add_host(f, API_POOL, API_OTHER, true, HOST_KNOWN);
	api_call(f, "GET", CLUSTER, NULL);
	api_expect(f, 200);
	assert_int_equal(json_array_size(api_at(f, "hosts")), 1);
	api_is(f, "hosts.0.id", API_OTHER);
	api_call(f, "GET", CLUSTER "/hosts", NULL);
	assert_int_equal(json_array_size(f->json), 1);
	/* what only users may do */
	api_call(f, "DELETE", CLUSTER, NULL);
	api_expect(f, 403);
	api_as_nobody(f);
	api_call(f, "GET", CLUSTER, NULL);
	api_expect(f, 401);
}

static void test_hosts(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	h->role = ROLE_WORKER;
	str_set(&h->connectivity, "{}");
	api_add_host(f, API_POOL, API_OTHER, true, HOST_INSTALLING);
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	h->updated_at++;
	api_commit(f);

	api_call(f, "GET", CLUSTER "/hosts", NULL);
	assert_int_equal(json_array_size(f->json), 2);
	assert_null(api_at(f, "0.inventory"));
	assert_null(api_at(f, "0.connectivity"));
	api_call(f, "GET", CLUSTER "/hosts?with-inventory=true&with-connectivity=true", NULL);
	assert_non_null(api_str(f, "0.inventory"));
	assert_non_null(api_str(f, "0.connectivity"));
	api_call(f, "GET", CLUSTER "/hosts?role=worker", NULL);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.id", API_HOST);
	api_call(f, "GET", CLUSTER "/hosts?status=installing", NULL);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.id", API_OTHER);
	api_call(f, "GET", CLUSTER "/hosts?status=installing&role=worker", NULL);
	assert_string_equal(f->text, "[]");
	/* an unknown cluster has no hosts, and that is no error */
	api_call(f, "GET", "/v2/clusters/" API_NOBODY "/hosts", NULL);
	api_expect(f, 200);
	assert_string_equal(f->text, "[]");
}

/* --- changing --- */

static void patch(struct api *f, const char *body)
{
	api_call(f, "PATCH", CLUSTER, body);
}

static void test_update(void **state)
{
	static const struct {
		const char *body, *path, *text;
	} rows[] = {
		{ "{\"name\":\"new-1\"}", "name", "new-1" },
		{ "{\"Base_Dns_Domain\":\"lab.example.org\"}", "base_dns_domain",
		  "lab.example.org" },
		{ "{\"base_dns_domain\":\"\"}", "base_dns_domain", NULL },
		{ "{\"base_dns_domain\":null,\"tags\":\"a\"}", "tags", "a" },
		{ "{\"ignition_endpoint\":{\"url\":\"http://10.0.2.2:22624/config\"}}",
		  "ignition_endpoint.url", "http://10.0.2.2:22624/config" },
		{ "{\"ignition_endpoint\":{\"ca_certificate\":\"Q0E=\"}}",
		  "ignition_endpoint.ca_certificate", "Q0E=" },
		{ "{\"http_proxy\":\"http://p:3128\"}", "http_proxy", "http://p:3128" },
		{ "{\"ntp_sources\":\"a.example.com,192.0.2.9\"}", "ntp_sources",
		  "a.example.com,192.0.2.9" },
		{ "{\"machine_networks\":[{\"cidr\":\"192.0.2.0/24\"}]}", "machine_networks.0.cidr",
		  "192.0.2.0/24" },
		{ "{\"platform\":{\"type\":\"none\"}}", "platform.type", "none" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_advance(f, 1000000);
		patch(f, rows[i].body);
		api_expect(f, 201);
		api_is(f, rows[i].path, rows[i].text);
		assert_true(state_cluster(f->svc.state, API_CLUSTER)->updated_at == f->now_us);
	}
	/* earlier fields stayed what they were made */
	api_is(f, "name", "new-1");
	api_is(f, "ignition_endpoint.url", "http://10.0.2.2:22624/config");
	api_is(f, "ignition_endpoint.ca_certificate", "Q0E=");
}

static void test_update_secret(void **state)
{
	struct api *f = *state;

	patch(f,
	      "{\"pull_secret\":\"{\\\"auths\\\":{\\\"r.example.com\\\":{\\\"auth\\\":\\\"dTpw\\\"}}}\"}");
	api_expect(f, 201);
	assert_true(json_is_true(api_at(f, "pull_secret_set")));
	/* the secret itself is never shown */
	assert_null(strstr(f->text, "dTpw"));
	assert_non_null(strstr(
		secret_reveal(&state_cluster(f->svc.state, API_CLUSTER)->pull_secret), "dTpw"));
}

static void test_update_without_effect(void **state)
{
	struct api *f = *state;
	int64_t was = state_cluster(f->svc.state, API_CLUSTER)->updated_at;

	api_advance(f, 1000000);
	patch(f, "{\"name\":\"prod\"}");
	api_expect(f, 201);
	patch(f, "{}");
	api_expect(f, 201);
	assert_true(state_cluster(f->svc.state, API_CLUSTER)->updated_at == was);
}

/* The longest name is taken, one character more is not. */
static void test_update_name_length(void **state)
{
	struct api *f = *state;
	char body[128];

	snprintf(body, sizeof(body), "{\"name\":\"%054d\"}", 0);
	patch(f, body);
	api_expect(f, 201);
	snprintf(body, sizeof(body), "{\"name\":\"%055d\"}", 0);
	patch(f, body);
	api_invalid(f, 400, "name in body should be at most 54 chars long");
	patch(f, "{\"name\":\"\"}");
	api_invalid(f, 400, "name in body should be at least 1 chars long");
}

static void test_update_refused_by_schema(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ "{\"status\":\"installed\"}", "json: unknown field \"status\"" },
		{ "{\"ignition_endpoint\":\"x\"}", "into field ignition_endpoint of type object" },
		{ "{\"ignition_endpoint\":{\"colour\":\"x\"}}", "unknown field \"colour\"" },
		{ "{\"api_vips\":{}}", "into field api_vips of type array" },
		{ "{\"machine_networks\":[{\"host_prefix\":-1}]}",
		  "machine_networks.0.host_prefix in body should be greater than or equal to 0" },
		{ "{\"schedulable_masters\":\"yes\"}", "of type bool" },
		{ "{\"control_plane_count\":1.5}", "of type int64" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		patch(f, rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
}

static void test_update_refused(void **state)
{
	static const struct {
		const char *body, *reason;
	} rows[] = {
		{ "{\"name\":\"a_b\"}", "Cluster name \"a_b\" is not valid" },
		{ "{\"base_dns_domain\":\"-x.com\"}", "is not a DNS domain" },
		{ "{\"pull_secret\":\"x\"}", "pull secret for update cluster is invalid" },
		{ "{\"ssh_public_key\":\"key\"}", "SSH key is not valid" },
		{ "{\"http_proxy\":\"https://p\"}", "http_proxy must be a URL" },
		{ "{\"no_proxy\":\"a,a\"}", "no_proxy names \"a\" twice" },
		{ "{\"ntp_sources\":\"UPPER\"}", "Invalid NTP source: UPPER" },
		{ "{\"ntp_sources\":\"a1\",\"additional_ntp_source\":\"b1\"}",
		  "exclude each other" },
		{ "{\"ignition_endpoint\":{\"url\":\"ftp://x\"}}",
		  "must begin with http:// or https://" },
		{ "{\"ignition_endpoint\":{\"ca_certificate\":\"%%\"}}", "must be base64" },
		/* what was good in the same body is taken back */
		{ "{\"name\":\"other\",\"tags\":\"t\",\"ignition_endpoint\":{\"url\":\"x\"}}",
		  "must begin with" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		patch(f, rows[i].body);
		api_refused(f, 400, rows[i].reason);
	}
	api_call(f, "PATCH", "/v2/clusters/" API_NOBODY, "{}");
	api_refused(f, 404, "record not found");
}

/* One choice of NTP sources excludes the other also when they come one after the other; an empty text makes room. */
static void test_update_ntp_choice(void **state)
{
	struct api *f = *state;

	patch(f, "{\"ntp_sources\":\"a1\"}");
	api_expect(f, 201);
	patch(f, "{\"additional_ntp_source\":\"b1\"}");
	api_refused(f, 400, "exclude each other");
	patch(f, "{\"ntp_sources\":\"\",\"additional_ntp_source\":\"b1\"}");
	api_expect(f, 201);
	api_is(f, "ntp_sources", NULL);
	api_is(f, "additional_ntp_source", "b1");
}

/* A cluster that names its networks lets its hosts' addresses be compared: the host is looked at again at once. */
static void test_update_refreshes_hosts(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSUFFICIENT);

	patch(f, "{\"tags\":\"x\"}");
	api_expect(f, 201);
	assert_int_equal(h->status, HOST_KNOWN);
	api_is(f, "hosts.0.status", "known");
	assert_int_equal(api_events(f, "host_status_updated").n, 1);
}

/* --- deleting --- */

static void test_delete(void **state)
{
	struct api *f = *state;

	struct host *late = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	struct host *busy = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSTALLING_IN_PROGRESS);
	api_add_host(f, API_EARLY, API_HOST, true, HOST_KNOWN);
	api_advance(f, 1000000);
	api_call(f, "DELETE", CLUSTER, NULL);
	api_expect(f, 204);
	assert_string_equal(f->text, "");
	assert_null(state_cluster(f->svc.state, API_CLUSTER));
	/* hosts that came by an infra-env of the cluster go; late ones return to their pool (assisted-v2 §3.2) */
	assert_null(state_host(f->svc.state, API_EARLY, API_HOST));
	assert_int_equal(late->status, HOST_UNBINDING);
	assert_int_equal(busy->status, HOST_UNBINDING_PENDING_USER_ACTION);
	assert_string_equal(late->cluster_id, "");
	const struct infra_env *early = state_infra_env(f->svc.state, API_EARLY);
	assert_string_equal(early->cluster_id, "");
	assert_true(early->updated_at == f->now_us);
	assert_true(state_infra_env(f->svc.state, API_POOL)->updated_at == FIX_NOW_US);
	assert_int_equal(api_events(f, "cluster_deregistered").n, 1);
	assert_int_equal(api_events(f, "host_deregistered").n, 1);
	assert_int_equal(api_events(f, "host_unbind_succeeded").n, 2);

	api_call(f, "DELETE", CLUSTER, NULL);
	api_refused(f, 404, "record not found");
}

/* --- what such a cluster refuses --- */

static void test_day1_actions(void **state)
{
	static const struct {
		const char *action;
		int status;
		const char *reason;
	} rows[] = {
		{ "allow-add-hosts", 400, "Expected cluster status: installed" },
		{ "allow-add-workers", 400, "cluster status is: adding-hosts" },
		{ "install", 409, "v2InstallCluster" },
		{ "cancel", 409, "V2CancelInstallation" },
		{ "reset", 409, "v2ResetCluster" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *path = str_printf(CLUSTER "/actions/%s", rows[i].action);
		api_call(f, "POST", path, NULL);
		api_refused(f, rows[i].status, rows[i].reason);
		AUTO(freep)
		char *unknown =
			str_printf("/v2/clusters/" API_NOBODY "/actions/%s", rows[i].action);
		api_call(f, "POST", unknown, NULL);
		api_refused(f, 404, "record not found");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_import_names),
		API_TEST(test_import_answer),
		API_TEST(test_import_refused),
		API_TEST(test_list),
		API_TEST(test_get),
		API_TEST(test_get_by_agents),
		API_TEST(test_hosts),
		API_TEST(test_update),
		API_TEST(test_update_secret),
		API_TEST(test_update_without_effect),
		API_TEST(test_update_name_length),
		API_TEST(test_update_refused_by_schema),
		API_TEST(test_update_refused),
		API_TEST(test_update_ntp_choice),
		API_TEST(test_update_refreshes_hosts),
		API_TEST(test_delete),
		API_TEST(test_day1_actions),
	};
	return cmocka_run_group_tests_name("v2_cluster", tests, NULL, NULL);
}
