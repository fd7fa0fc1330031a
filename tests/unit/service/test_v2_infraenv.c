#include "api_fixture.h"

#include <time.h>

#define ENVS "/v2/infra-envs"
#define POOL ENVS "/" API_POOL
#define NAMED "{\"name\":\"n\",\"pull_secret\":\"{\\\"auths\\\":{\\\"r\\\":{}}}\""

/* POST of the least that is needed, and @more: ",\"key\":value". */
static void create(struct api *f, const char *more)
{
	AUTO(freep) char *body = str_printf(NAMED "%s}", more);

	api_call(f, "POST", ENVS, body);
}

static void patch(struct api *f, const char *body)
{
	api_call(f, "PATCH", POOL, body);
}

static const struct infra_env *pool(struct api *f)
{
	return state_infra_env(f->svc.state, API_POOL);
}

/* --- creating --- */

static void test_create(void **state)
{
	struct api *f = *state;

	create(f, "");
	api_expect(f, 201);
	api_is(f, "kind", "InfraEnv");
	api_is(f, "name", "n");
	api_is(f, "type", "full-iso");
	api_is(f, "cpu_architecture", "x86_64");
	api_is(f, "openshift_version", "4.18");
	api_is(f, "cluster_id", NULL);
	api_is(f, "expires_at", "0001-01-01T00:00:00.000Z");
	assert_true(json_is_true(api_at(f, "pull_secret_set")));
	assert_null(strstr(f->text, "auths"));
	const struct infra_env *ie = state_infra_env(f->svc.state, api_str(f, "id"));
	assert_non_null(ie);
	assert_string_equal(secret_reveal(&ie->pull_secret), "{\"auths\":{\"r\":{}}}");
	AUTO(freep) char *href = str_printf("/api/assisted-install" ENVS "/%s", ie->id);
	api_is(f, "href", href);
	AUTO(freep)
	char *url = str_printf("https://s.example.com:9543/byapikey/%s/4.18/x86_64/full.iso",
			       ie->image_token_key);
	api_is(f, "download_url", url);
	assert_int_equal(api_events(f, "infra_env_registered").n, 1);
}

/* In mode none there is nothing to hide in the URL (assisted-v2 §2.4). */
static void test_create_open(void **state)
{
	struct api *f = *state;

	create(f, ",\"image_type\":\"minimal-iso\"");
	api_expect(f, 201);
	AUTO(freep)
	char *url = str_printf("https://s.example.com:9543/byid/%s/4.18/x86_64/minimal.iso",
			       api_str(f, "id"));
	api_is(f, "download_url", url);
}

static void test_create_fields(void **state)
{
	static const struct {
		const char *more, *path, *text;
	} rows[] = {
		/* a fuller version finds the image of its minor one (assisted-v2 §3.1) */
		{ ",\"openshift_version\":\"4.18.1\"", "openshift_version", "4.18" },
		{ ",\"openshift_version\":\"4.18\"", "openshift_version", "4.18" },
		{ ",\"cpu_architecture\":\"x86_64\"", "cpu_architecture", "x86_64" },
		{ ",\"cluster_id\":\"" API_CLUSTER "\"", "cluster_id", API_CLUSTER },
		{ ",\"cluster_id\":null", "cluster_id", NULL },
		{ ",\"image_type\":\"disconnected-iso\"", "type", "disconnected-iso" },
		{ ",\"IMAGE_TYPE\":\"minimal-iso\"", "type", "minimal-iso" },
		{ ",\"proxy\":{\"http_proxy\":\"http://u:p@h:1\",\"no_proxy\":\"*\"}",
		  "proxy.http_proxy", "http://u:p@h:1" },
		{ ",\"proxy\":{\"https_proxy\":\"https://h:1\"}", "proxy.https_proxy",
		  "https://h:1" },
		{ ",\"proxy\":{\"https_proxy\":\"http://h:1\"}", "proxy.https_proxy",
		  "http://h:1" },
		{ ",\"ntp_sources\":\"n1,n2\"", "ntp_sources", "n1,n2" },
		{ ",\"ntp_sources\":\"n1\",\"additional_ntp_sources\":\"\"", "ntp_sources", "n1" },
		{ ",\"additional_ntp_sources\":\"n1\"", "additional_ntp_sources", "n1" },
		{ ",\"kernel_arguments\":[{\"operation\":\"append\",\"value\":\"a=b\"}]",
		  "kernel_arguments", "[{\"operation\":\"append\",\"value\":\"a=b\"}]" },
		{ ",\"kernel_arguments\":[{\"operation\":\"append\",\"value\":\"\"}]",
		  "kernel_arguments", "[{\"operation\":\"append\",\"value\":\"\"}]" },
		{ ",\"kernel_arguments\":[]", "kernel_arguments", NULL },
		{ ",\"ignition_config_override\":\"{\\\"ignition\\\":{\\\"version\\\":\\\"3.1.0\\\"}}\"",
		  "ignition_config_override", "{\"ignition\":{\"version\":\"3.1.0\"}}" },
		{ ",\"ssh_authorized_key\":\"  \\n \"", "ssh_authorized_key", NULL },
		{ ",\"ssh_authorized_key\":\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr me\\n\"",
		  "ssh_authorized_key",
		  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr me" },
		{ ",\"additional_trust_bundle\":\"\\n-----BEGIN CERTIFICATE-----\\nQ0E=\\n-----END CERTIFICATE-----\\n \"",
		  "additional_trust_bundle",
		  "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----" },
		{ ",\"rendezvous_ip\":\"192.0.2.1\"", "rendezvous_ip", "192.0.2.1" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		create(f, rows[i].more);
		api_expect(f, 201);
		api_is(f, rows[i].path, rows[i].text);
	}
}

#define NETWORK(yaml, mac)                                                               \
	"{\"network_yaml\":\"#" yaml                                                     \
	"\\ninterfaces:\\n- name: e\\n\",\"mac_interface_map\":[{\"mac_address\":\"" mac \
	"\",\"logical_nic_name\":\"e\"}]}"

/* Hosts are kept in the order of their YAML text, then of their addresses: the host folders are numbered by it (assisted-v2 §8.3). */
static void test_create_sorts_networks(void **state)
{
	static const char *const macs[] = { "52:54:00:00:00:03", "52:54:00:00:00:01",
					    "52:54:00:00:00:04", "52:54:00:00:00:02" };
	struct api *f = *state;

	create(f,
	       ",\"static_network_config\":[" NETWORK("b", "52:54:00:00:00:02") "," NETWORK(
		       "aB",
		       "52:54:00:00:00:04") "," NETWORK("a\\n#B",
							"52:54:00:00:00:03") "," NETWORK("aB",
											 "52:54:00:00:00:01") "]");
	api_expect(f, 201);
	AUTO(json_decrefp)
	json_t *list = json_loads(api_str(f, "static_network_config"), 0, NULL);
	assert_int_equal(json_array_size(list), ARRAY_SIZE(macs));
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		const json_t *map = json_child(json_array_get(list, i), "mac_interface_map");
		assert_string_equal(json_str(json_array_get(map, 0), "mac_address"), macs[i]);
	}
	/* none again */
	AUTO(freep) char *path = str_printf(ENVS "/%s", api_str(f, "id"));
	api_call(f, "PATCH", path, "{\"static_network_config\":[]}");
	api_expect(f, 201);
	api_is(f, "static_network_config", NULL);
}

static void test_create_by_schema(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ NULL, "infraenvCreateParams in body is required" },
		{ "", "infraenvCreateParams in body is required" },
		{ "{}", "name in body is required" },
		{ "{\"name\":\"n\"}", "pull_secret in body is required" },
		{ "{\"name\":null,\"pull_secret\":\"x\"}", "name in body is required" },
		{ "{\"name\":1,\"pull_secret\":\"x\"}", "into field name of type string" },
		{ NAMED ",\"colour\":\"red\"}", "json: unknown field \"colour\"" },
		{ NAMED ",\"cluster_id\":\"1\"}", "cluster_id in body must be of type uuid" },
		{ NAMED ",\"cpu_architecture\":\"mips\"}",
		  "cpu_architecture in body should be one of [x86_64 aarch64 arm64 ppc64le s390x]" },
		{ NAMED ",\"image_type\":\"iso\"}",
		  "image_type in body should be one of [full-iso minimal-iso disconnected-iso]" },
		{ NAMED ",\"network_discovery_delay_seconds\":-1}",
		  "network_discovery_delay_seconds in body should be greater than or equal to 0" },
		{ NAMED ",\"network_discovery_delay_seconds\":\"1\"}", "of type int64" },
		{ NAMED ",\"static_network_config\":[7]}",
		  "into field static_network_config.0 of type object" },
		{ NAMED
		  ",\"static_network_config\":[{\"network_yaml\":\"a\",\"mac_interface_map\":[{}]}]}",
		  "static_network_config.0.mac_interface_map.0.mac_address in body is required" },
		{ NAMED
		  ",\"static_network_config\":[{\"network_yaml\":\"a\",\"mac_interface_map\":[{\"mac_address\":\"1\"}]}]}",
		  "mac_address in body should be a MAC address" },
		{ NAMED ",\"kernel_arguments\":[{\"operation\":\"prepend\"}]}",
		  "kernel_arguments.0.operation in body should be one of [append replace delete]" },
		{ NAMED ",\"kernel_arguments\":[{\"operation\":\"append\",\"value\":\"a b\"}]}",
		  "kernel_arguments.0.value in body is not one kernel argument" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		api_call(f, "POST", ENVS, rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
}

static void test_create_refused(void **state)
{
	static const struct {
		const char *more;
		int status;
		const char *reason;
	} rows[] = {
		{ ",\"cluster_id\":\"" API_NOBODY "\"", 404,
		  "Cluster ID " API_NOBODY " does not exist" },
		{ ",\"openshift_version\":\"4.17\"", 400,
		  "No OS image for Openshift version 4.17 and architecture x86_64" },
		{ ",\"cpu_architecture\":\"aarch64\"", 400,
		  "No OS image for Openshift version (any) and architecture arm64" },
		{ ",\"ntp_sources\":\"a1\",\"additional_ntp_sources\":\"b1\"", 400,
		  "exclude each other" },
		{ ",\"kernel_arguments\":[{\"operation\":\"replace\",\"value\":\"a\"}]", 400,
		  "only kernel argument operation append is supported" },
		{ ",\"kernel_arguments\":[{\"value\":\"a\"}]", 400, "only kernel argument" },
		{ ",\"proxy\":{\"http_proxy\":\"https://h\"}", 400, "http_proxy must be a URL" },
		{ ",\"proxy\":{\"no_proxy\":\"a,a\"}", 400, "names \"a\" twice" },
		{ ",\"ssh_authorized_key\":\"ssh-rsa AAAA\"", 400, "SSH key is not valid" },
		{ ",\"additional_trust_bundle\":\"x\"", 400, "has no PEM certificate" },
		{ ",\"ignition_config_override\":\"{}\"", 400, "" },
		{ ",\"ignition_config_override\":\"{\\\"ignition\\\":{\\\"version\\\":\\\"2.2.0\\\"}}\"",
		  400, "" },
		{ ",\"static_network_config\":[{\"mac_interface_map\":[]}]", 400,
		  "static_network_config.0 has no network_yaml" },
		{ ",\"static_network_config\":[{\"network_yaml\":\"a\"}]", 400,
		  "needs at least one entry in mac_interface_map" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		create(f, rows[i].more);
		api_refused(f, rows[i].status, rows[i].reason);
	}
}

static void test_create_pull_secret(void **state)
{
	static const struct {
		const char *secret;
		int status;
	} rows[] = {
		{ "{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"dTpw\\\"}}}", 201 },
		{ "{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"\\\"}}}", 201 },
		{ "", 400 },
		{ "x", 400 },
		{ "[]", 400 },
		{ "{}", 400 },
		{ "{\\\"auths\\\":{}}", 400 },
		{ "{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":7}}}", 400 },
		{ "{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"!\\\"}}}", 400 },
		{ "{\\\"auths\\\":{\\\"r\\\":{\\\"auth\\\":\\\"dQ==\\\"}}}", 400 }, /* no colon */
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep)
		char *body = str_printf("{\"name\":\"\",\"pull_secret\":\"%s\"}", rows[i].secret);
		api_call(f, "POST", ENVS, body);
		api_expect(f, rows[i].status);
		if (rows[i].status != 201)
			api_refused(f, 400, "pull secret for new infraEnv is invalid");
	}
}

/* The longest trust bundle is taken, one character more is not. */
static void test_create_bundle_length(void **state)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\\n",
			  end[] = "\\n-----END CERTIFICATE-----\\n";
	const size_t escaped = 3; /* "\\n" is one character in the text */
	struct api *f = *state;

	for (size_t more = 0; more < 2; more++) {
		size_t n = 65535 - (strlen(begin) + strlen(end) - escaped) + more;
		AUTO(freep)
		char *body = str_printf(",\"additional_trust_bundle\":\"%s%0*d%s\"", begin, (int)n,
					0, end);
		create(f, body);
		if (more)
			api_invalid(
				f, 400,
				"additional_trust_bundle in body should be at most 65535 chars");
		else
			api_expect(f, 201);
	}
}

/* --- reading --- */

static void test_list(void **state)
{
	struct api *f = *state;

	api_call(f, "GET", ENVS, NULL);
	api_expect(f, 200);
	assert_int_equal(json_array_size(f->json), 2);
	api_call(f, "GET", ENVS "?cluster_id=" API_CLUSTER, NULL);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.id", API_EARLY);
	api_call(f, "GET", ENVS "?cluster_id=" API_NOBODY, NULL);
	assert_string_equal(f->text, "[]");
	api_call(f, "GET", ENVS "?cluster_id=1", NULL);
	api_invalid(f, 400, "cluster_id in query must be of type uuid: \"1\"");
}

static void test_get(void **state)
{
	struct api *f = *state;

	api_call(f, "GET", POOL, NULL);
	api_expect(f, 200);
	api_is(f, "name", "pool1");
	api_call(f, "GET", POOL "/", NULL);
	api_expect(f, 200);
	api_call(f, "GET", ENVS "/" API_NOBODY, NULL);
	api_refused(f, 404, "record not found");
	api_call(f, "GET", ENVS "/pool1", NULL);
	api_invalid(f, 400, "infra_env_id in path must be of type uuid: \"pool1\"");
	/* ids are compared as text (assisted-v2 §1) */
	api_call(f, "GET", ENVS "/0B1E1111-2222-4333-8444-555566667777", NULL);
	api_refused(f, 404, "record not found");
}

static void test_get_by_others(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *own = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", POOL, NULL);
	api_expect(f, 200);
	api_call(f, "GET", ENVS "/" API_EARLY, NULL);
	api_refused(f, 404, "Object Not Found");
	/* a host's own token leads to nothing of its infra-env */
	AUTO(freep) char *bound = api_as_agent(f, API_POOL, API_HOST);
	api_call(f, "GET", POOL, NULL);
	api_refused(f, 404, "Object Not Found");
	api_as_nobody(f);
	api_call(f, "GET", POOL "?api_key=" API_HANDLE, NULL);
	api_expect(f, 200);
	api_call(f, "GET", ENVS "/" API_EARLY "?api_key=" API_HANDLE, NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", POOL "?api_key=wrong", NULL);
	api_invalid(f, 401, "");
	assert_true(
		api_has_header(f, "WWW-Authenticate: Basic realm=\"slipway\", charset=\"UTF-8\""));
}

/* --- changing --- */

static void test_update(void **state)
{
	struct api *f = *state;

	api_advance(f, 5000000);
	patch(f, "{\"ssh_authorized_key\":\"\",\"image_type\":\"minimal-iso\","
		 "\"network_discovery_delay_seconds\":0,\"additional_ntp_sources\":\"a1\"}");
	api_expect(f, 201);
	api_is(f, "type", "minimal-iso");
	api_is(f, "additional_ntp_sources", "a1");
	assert_true(pool(f)->updated_at == f->now_us);
	assert_non_null(strstr(api_str(f, "download_url"), "/minimal.iso"));
	/* what was not named stays; an empty text unsets; null is as absent */
	patch(f, "{\"additional_ntp_sources\":null,\"network_discovery_delay_seconds\":7}");
	api_is(f, "additional_ntp_sources", "a1");
	assert_int_equal(json_integer_value(api_at(f, "network_discovery_delay_seconds")), 7);
	patch(f, "{\"additional_ntp_sources\":\"\",\"ntp_sources\":\"b1\"}");
	api_expect(f, 201);
	api_is(f, "additional_ntp_sources", NULL);
	api_is(f, "ntp_sources", "b1");
}

/* The proxy is one thing: a new one replaces all of the old one. */
static void test_update_proxy(void **state)
{
	struct api *f = *state;

	patch(f, "{\"proxy\":{\"http_proxy\":\"http://a\",\"no_proxy\":\"x\"}}");
	api_expect(f, 201);
	patch(f, "{\"proxy\":{\"https_proxy\":\"http://b\"}}");
	api_is(f, "proxy.http_proxy", NULL);
	api_is(f, "proxy.https_proxy", "http://b");
	api_is(f, "proxy.no_proxy", NULL);
	patch(f, "{\"proxy\":{}}");
	assert_int_equal(json_object_size(api_at(f, "proxy")), 0);
}

/* Only what changes something makes a new medium. */
static void test_update_without_effect(void **state)
{
	struct api *f = *state;
	int64_t was = pool(f)->updated_at;

	api_advance(f, 1000000);
	patch(f, "{}");
	api_expect(f, 201);
	patch(f, "{\"image_type\":\"full-iso\",\"openshift_version\":\"4.18\"}");
	api_expect(f, 201);
	assert_true(pool(f)->updated_at == was);
}

static void test_update_refused(void **state)
{
	struct api *f = *state;

	/* what an infra-env is created with stays (assisted-v2 §3.1) */
	patch(f, "{\"name\":\"x\"}");
	api_invalid(f, 400, "unknown field \"name\"");
	patch(f, "{\"cluster_id\":\"" API_CLUSTER "\"}");
	api_invalid(f, 400, "unknown field \"cluster_id\"");
	patch(f, "{\"cpu_architecture\":\"x86_64\"}");
	api_invalid(f, 400, "unknown field \"cpu_architecture\"");
	patch(f, "{\"image_type\":\"minimal-iso\",\"openshift_version\":\"9\"}");
	api_refused(f, 400, "No OS image for Openshift version 9");
	patch(f, "{\"pull_secret\":\"x\"}");
	api_refused(f, 400, "pull secret for infraEnv is invalid");
	patch(f, "{\"ntp_sources\":\"a1\"}");
	api_expect(f, 201);
	patch(f, "{\"image_type\":\"minimal-iso\",\"additional_ntp_sources\":\"a1\"}");
	api_refused(f, 400, "exclude each other");
	api_call(f, "PATCH", ENVS "/" API_NOBODY, "{}");
	api_refused(f, 404, "record not found");
}

/* --- deleting, signing key --- */

static void test_delete(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_call(f, "DELETE", POOL, NULL);
	api_refused(f, 400, "1 hosts are still associated");
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_expect(f, 204);
	api_call(f, "DELETE", POOL, NULL);
	api_expect(f, 204);
	assert_string_equal(f->text, "");
	assert_null(pool(f));
	assert_int_equal(api_events(f, "infra_env_deregistered").n, 1);
	api_call(f, "DELETE", POOL, NULL);
	api_refused(f, 404, "record not found");
	/* its handle is dead */
	assert_null(auth_handle_find(f->svc.auth, API_HANDLE));
}

static void test_new_key(void **state)
{
	struct api *f = *state;

	api_advance(f, 1000000);
	api_call(f, "POST", POOL "/regenerate-signing-key", NULL);
	api_expect(f, 204);
	assert_null(auth_handle_find(f->svc.auth, API_HANDLE));
	assert_ptr_equal(auth_handle_find(f->svc.auth, pool(f)->image_token_key), pool(f));
	assert_true(pool(f)->updated_at == f->now_us);
	api_call(f, "POST", ENVS "/" API_NOBODY "/regenerate-signing-key", NULL);
	api_refused(f, 404, "record not found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_create),
		API_TEST_OPEN(test_create_open),
		API_TEST(test_create_fields),
		API_TEST(test_create_sorts_networks),
		API_TEST(test_create_by_schema),
		API_TEST(test_create_refused),
		API_TEST(test_create_pull_secret),
		API_TEST(test_create_bundle_length),
		API_TEST(test_list),
		API_TEST(test_get),
		API_TEST(test_get_by_others),
		API_TEST(test_update),
		API_TEST(test_update_proxy),
		API_TEST(test_update_without_effect),
		API_TEST(test_update_refused),
		API_TEST(test_delete),
		API_TEST(test_new_key),
	};
	return cmocka_run_group_tests_name("v2_infraenv", tests, NULL, NULL);
}
