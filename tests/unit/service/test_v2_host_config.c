#include "api_fixture.h"

#define DISK "/dev/disk/by-id/d1"
#define LABELS "\"node_labels\":[{\"key\":\"a.example.com/b\",\"value\":\"c\"}]"

static void patch(struct api *f, const char *body)
{
	api_call(f, "PATCH", API_HOST_PATH, body);
}

static struct host *edit(struct api *f, struct host *h)
{
	state_begin(f->svc.state);
	assert_int_equal(state_edit_host(f->svc.state, h), 0);
	return h;
}

/* --- PATCH of a host --- */

static void test_update(void **state)
{
	static const struct {
		const char *body, *path, *text;
	} rows[] = {
		{ "{\"host_name\":\"node-1.example.com\"}", "requested_hostname",
		  "node-1.example.com" },
		{ "{\"host_role\":\"master\"}", "role", "master" },
		{ "{\"Host_Role\":\"worker\"}", "role", "worker" },
		{ "{\"host_role\":\"auto-assign\"}", "role", "auto-assign" },
		{ "{\"machine_config_pool_name\":\"infra\"}", "machine_config_pool_name", "infra" },
		/* a disk by any of its names (assisted-v2 §3.3) */
		{ "{\"disks_selected_config\":[{\"id\":\"" DISK "\",\"role\":\"install\"}]}",
		  "installation_disk_path", "/dev/vda" },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/vda\",\"role\":\"install\"}]}",
		  "installation_disk_id", DISK },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/disk/by-path/p1\",\"role\":\"install\"}]}",
		  "installation_disk_id", DISK },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/none\",\"role\":\"none\"}]}",
		  "installation_disk_id", DISK },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/none\"}]}", "installation_disk_id",
		  DISK },
		{ "{" LABELS "}", "node_labels", "{\"a.example.com/b\":\"c\"}" },
		{ "{\"node_labels\":[]}", "node_labels", "{}" },
		{ "{\"disks_skip_formatting\":[{\"disk_id\":\"" DISK
		  "\",\"skip_formatting\":true}]}",
		  "skip_formatting_disks", DISK },
		{ "{\"disks_skip_formatting\":[{\"disk_id\":\"" DISK
		  "\",\"skip_formatting\":true}]}",
		  "skip_formatting_disks", DISK },
		{ "{\"disks_skip_formatting\":[{\"disk_id\":\"" DISK
		  "\",\"skip_formatting\":false}]}",
		  "skip_formatting_disks", NULL },
		{ "{}", "requested_hostname", "node-1.example.com" },
		{ "{\"host_name\":null}", "requested_hostname", "node-1.example.com" },
	};
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		patch(f, rows[i].body);
		api_expect(f, 201);
		api_is(f, rows[i].path, rows[i].text);
	}
}

#define SKIP(id, skip) "{\"disk_id\":\"" id "\",\"skip_formatting\":" skip "}"

/* The list of disks that keep what is on them: in the order in which they were named, each once. */
static void test_update_skipped_disks(void **state)
{
	static const char disks[] =
		"[{\"name\":\"a\",\"path\":\"/dev/a\",\"id\":\"a\"},{\"name\":\"ab\",\"path\":\"/dev/ab\",\"id\":\"ab\"},"
		"{\"name\":\"c\",\"path\":\"/dev/c\",\"id\":\"c\"}]";
	static const struct {
		const char *list, *want;
		const char *named; /* to be formatted, in so many words */
	} rows[] = {
		{ SKIP("a", "true") "," SKIP("ab", "true") "," SKIP("c", "true"), "a,ab,c", NULL },
		{ SKIP("a", "true"), "ab,c,a", NULL },
		{ SKIP("c", "false"), "ab,a", "c" },
		{ SKIP("c", "false"), "ab,a", "c" },
		{ SKIP("a", "false") "," SKIP("a", "true"), "ab,a", "c" },
		{ SKIP("ab", "false"), "a", "c,ab" },
		{ SKIP("a", "false"), NULL, "c,ab,a" },
		{ SKIP("ab", "true"), "ab", "c,a" },
	};
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	free(edit(f, h)->inventory);
	h->inventory = fix_changed("disks", disks);
	api_commit(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep)
		char *body = str_printf("{\"disks_skip_formatting\":[%s]}", rows[i].list);
		patch(f, body);
		api_expect(f, 201);
		api_is(f, "skip_formatting_disks", rows[i].want);
		if (!str_eq(h->formatting_disks, rows[i].named))
			fail_msg("row %zu: named %s", i, h->formatting_disks);
	}
}

/* A token is written and never read. */
static void test_update_secrets(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	patch(f, "{\"ignition_endpoint_token\":\"t0ps3cret\","
		 "\"ignition_endpoint_http_headers\":[{\"key\":\"X-A\",\"value\":\"b c\"}]}");
	api_expect(f, 201);
	assert_true(json_is_true(api_at(f, "ignition_endpoint_token_set")));
	assert_null(strstr(f->text, "t0ps3cret"));
	assert_string_equal(secret_reveal(&h->ignition_endpoint_token), "t0ps3cret");
	assert_string_equal(h->ignition_endpoint_http_headers,
			    "[{\"key\":\"X-A\",\"value\":\"b c\"}]");
}

static void test_update_time(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	api_advance(f, 1000000);
	patch(f, "{}");
	api_expect(f, 201);
	assert_true(h->updated_at == FIX_NOW_US);
	patch(f, "{\"host_name\":\"n1\"}");
	assert_true(h->updated_at == f->now_us);
}

static void test_update_by_schema(void **state)
{
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ NULL, "hostUpdateParams in body is required" },
		{ "{\"host_role\":\"bootstrap\"}",
		  "host_role in body should be one of [auto-assign master arbiter worker]" },
		{ "{\"host_role\":1}", "into field host_role of type string" },
		{ "{\"status\":\"known\"}", "unknown field \"status\"" },
		{ "{\"disks_selected_config\":{}}", "of type array" },
		{ "{\"disks_selected_config\":[{\"role\":\"install\"}]}",
		  "disks_selected_config.0.id in body is required" },
		{ "{\"disks_selected_config\":[{\"id\":\"a\",\"role\":\"use\"}]}",
		  "disks_selected_config.0.role in body should be one of [none install]" },
		{ "{\"disks_skip_formatting\":[{\"disk_id\":\"a\"}]}",
		  "disks_skip_formatting.0.skip_formatting in body is required" },
		{ "{\"node_labels\":[{\"key\":\"a\"}]}",
		  "node_labels.0.value in body is required" },
		{ "{\"ignition_endpoint_http_headers\":[{\"value\":\"a\"}]}",
		  "ignition_endpoint_http_headers.0.key in body is required" },
	};
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		patch(f, rows[i].body);
		api_invalid(f, 400, rows[i].message);
	}
}

static void test_update_refused(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *reason;
	} rows[] = {
		{ "{\"host_name\":\"\"}", 400, "Hostname does not pass validation" },
		{ "{\"host_name\":\"Upper\"}", 400,
		  "Hostname does not pass validation: \"Upper\"" },
		{ "{\"host_name\":\"localhost\"}", 400, "localhost is forbidden" },
		{ "{\"host_name\":\"localhost6.localdomain6\"}", 400, "is forbidden" },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/vdb\",\"role\":\"install\"}]}", 409,
		  "is not part of the host's valid disks: /dev/vdb" },
		{ "{\"disks_selected_config\":[{\"id\":\"/dev/vda\",\"role\":\"install\"},"
		  "{\"id\":\"/dev/vda\",\"role\":\"install\"}]}",
		  409, "duplicate setting of installation path" },
		{ "{\"node_labels\":[{\"key\":\"-a\",\"value\":\"b\"}]}", 400,
		  "not a label's key" },
		{ "{\"node_labels\":[{\"key\":\"a\",\"value\":\"b \"}]}", 400,
		  "not a label's value" },
		{ "{\"ignition_endpoint_http_headers\":[{\"key\":\"a b\",\"value\":\"c\"}]}", 400,
		  "not a header that can be sent" },
		{ "{\"ignition_endpoint_http_headers\":[{\"key\":\"\",\"value\":\"c\"}]}", 400,
		  "not a header that can be sent" },
		{ "{\"ignition_endpoint_http_headers\":[{\"key\":\"a\",\"value\":\"c\\r\\nd: e\"}]}",
		  400, "not a header that can be sent" },
		{ "{\"disks_skip_formatting\":[{\"disk_id\":\"/dev/vda\",\"skip_formatting\":true}]}",
		  400, "Disk identifier /dev/vda doesn't match any disk in the inventory" },
		{ "{\"fencing_credentials\":{}}", 400, "not supported here" },
		/* one transaction: what came before the error is taken back (assisted-v2 §3.3) */
		{ "{\"host_role\":\"master\",\"host_name\":\"n1\"," LABELS
		  ",\"disks_skip_formatting\":[{\"disk_id\":\"x\",\"skip_formatting\":true}]}",
		  400, "Disk identifier x" },
	};
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		patch(f, rows[i].body);
		api_refused(f, rows[i].status, rows[i].reason);
	}
	api_call(f, "PATCH", API_HOSTS "/" API_NOBODY, "{}");
	api_refused(f, 404, "record not found");
}

/* Limits: exactly so many are taken, one more is not. */
static void update_with_many(struct api *f, const char *key, int n)
{
	AUTO(buf_done) struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(buf_printf(&b, "{\"%s\":[", key), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(
			buf_printf(&b, "%s{\"key\":\"k%d\",\"value\":\"v\"}", i ? "," : "", i), 0);
	assert_int_equal(buf_append_str(&b, "]}"), 0);
	patch(f, b.data);
}

static void test_update_limits(void **state)
{
	struct api *f = *state;
	char body[128];

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	update_with_many(f, "node_labels", 256);
	api_expect(f, 201);
	update_with_many(f, "node_labels", 257);
	api_refused(f, 400, "at most 256 node_labels");
	update_with_many(f, "ignition_endpoint_http_headers", 64);
	api_expect(f, 201);
	update_with_many(f, "ignition_endpoint_http_headers", 65);
	api_refused(f, 400, "at most 64 ignition_endpoint_http_headers");
	snprintf(body, sizeof(body), "{\"host_name\":\"a%062d\"}", 0);
	patch(f, body);
	api_expect(f, 201);
	snprintf(body, sizeof(body), "{\"host_name\":\"a%063d\"}", 0);
	patch(f, body);
	api_refused(f, 400, "at most 63");
}

/* The states in which a host can be changed, and how the others answer, field by field (assisted-v2 §3.3). */
static void test_update_states(void **state)
{
	static const struct {
		const char *body;
		int status;
	} fields[] = {
		{ "{\"host_name\":\"n1\"}", 409 },
		{ "{\"disks_selected_config\":[]}", 409 },
		{ "{\"machine_config_pool_name\":\"x\"}", 409 },
		{ "{\"ignition_endpoint_token\":\"x\"}", 409 },
		{ "{\"host_role\":\"worker\"}", 500 },
		{ "{\"node_labels\":[]}", 500 },
		{ "{\"ignition_endpoint_http_headers\":[]}", 500 },
		{ "{\"disks_skip_formatting\":[]}", 500 },
	};
	static const enum host_status open[] = {
		HOST_DISCOVERING,          HOST_KNOWN,
		HOST_DISCONNECTED,         HOST_INSUFFICIENT,
		HOST_PENDING_FOR_INPUT,    HOST_DISCOVERING_UNBOUND,
		HOST_KNOWN_UNBOUND,        HOST_INSUFFICIENT_UNBOUND,
		HOST_DISCONNECTED_UNBOUND, HOST_BINDING,
	};
	bool is_open[HOST_STATUS_COUNT] = { false };
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		is_open[open[i]] = true;
	for (int s = 0; s < HOST_STATUS_COUNT; s++) {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
			edit(f, h)->status = (enum host_status)s;
			api_commit(f);
			patch(f, fields[i].body);
			if (is_open[s])
				api_expect(f, 201);
			else
				api_refused(f, fields[i].status, "state, ");
		}
		/* nothing asked for is nothing refused */
		edit(f, h)->status = (enum host_status)s;
		api_commit(f);
		patch(f, "{}");
		api_expect(f, 201);
	}
}

/* A new name frees another host of the cluster from its twin. */
static void test_rename_refreshes_namesakes(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSUFFICIENT),
		    *twin = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSUFFICIENT);

	patch(f, "{\"host_name\":\"n1\"}");
	api_expect(f, 201);
	assert_int_equal(h->status, HOST_KNOWN);
	assert_int_equal(twin->status, HOST_KNOWN);
	patch(f, "{\"host_name\":\"w1\"}");
	assert_int_equal(h->status, HOST_INSUFFICIENT);
	assert_int_equal(twin->status, HOST_INSUFFICIENT);
	assert_int_equal(api_events(f, "host_validation_failed").n, 2);
}

/* --- installer arguments --- */

static void test_installer_args(void **state)
{
	static const char path[] = API_HOST_PATH "/installer-args";
	static const struct {
		const char *args;
		const char *refused; /* NULL = stored */
	} rows[] = {
		{ "[\"--append-karg\",\"ip=dhcp\"]", NULL },
		{ "[\"-n\",\"--copy-network\",\"--network-dir\",\"/a/b\"]", NULL },
		{ "[\"--save-partlabel\",\"data*\",\"--save-partindex\",\"5-7\"]", NULL },
		{ "[\"--image-url\",\"http://a.example.com:1/b.raw\"]", NULL },
		{ "[\"--delete-karg\",\"a<b:c;d\"]",
		  NULL }, /* the class's range (assisted-v2 §10.14) */
		{ "[\"--firstboot-args\",\"x\"]", "found unexpected flag --firstboot-args" },
		{ "[\"-N\"]", "found unexpected flag -N" },
		{ "[\"-\"]", "found unexpected flag -" },
		{ "[\"a b\"]", "found unexpected chars in value a b" },
		{ "[\"a&b\"]", "found unexpected chars" },
		{ "[\"`id`\"]", "found unexpected chars" },
		{ "[\"a|b\"]", "found unexpected chars" },
		{ "[\"a~b\"]", "found unexpected chars" },
		{ "[\"a?b\"]", "found unexpected chars" },
		{ "[\"a\\\\b\"]", "found unexpected chars" },
		{ "[\"--append-karg\",\"\"]", "is empty" },
	};
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *body = str_printf("{\"args\":%s}", rows[i].args);
		api_call(f, "PATCH", path, body);
		if (rows[i].refused) {
			api_refused(f, 400, rows[i].refused);
			continue;
		}
		api_expect(f, 201);
		api_is(f, "installer_args", rows[i].args);
		assert_string_equal(h->installer_args, rows[i].args);
	}
	api_call(f, "PATCH", path, "{\"args\":[]}");
	api_expect(f, 201);
	api_is(f, "installer_args", NULL);
	api_call(f, "PATCH", path, "{\"args\":[1]}");
	api_invalid(f, 400, "into field args.0 of type string");
	api_call(f, "PATCH", path, "{\"args\":\"-n\"}");
	api_invalid(f, 400, "into field args of type array");
	api_call(f, "PATCH", path, "{\"flags\":[]}");
	api_invalid(f, 400, "unknown field \"flags\"");
	api_call(f, "PATCH", API_HOSTS "/" API_NOBODY "/installer-args", "{\"args\":[]}");
	api_refused(f, 404, "record not found");
}

/* --- ignition --- */

static void test_ignition_override(void **state)
{
	static const char path[] = API_HOST_PATH "/ignition";
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	api_call(f, "PATCH", path,
		 "{\"config\":\"{\\\"ignition\\\":{\\\"version\\\":\\\"3.2.0\\\"}}\"}");
	api_expect(f, 201);
	assert_string_equal(f->text, "");
	assert_string_equal(h->ignition_config_overrides, "{\"ignition\":{\"version\":\"3.2.0\"}}");
	api_call(f, "PATCH", path, "{\"config\":\"{\\\"ignition\\\":{}}\"}");
	api_refused(f, 400, "");
	api_call(f, "PATCH", path, "{\"config\":\"x\"}");
	api_refused(f, 400, "");
	api_call(f, "PATCH", path, "{\"config\":{}}");
	api_invalid(f, 400, "into field config of type string");
	api_call(f, "PATCH", path, "{\"config\":\"\"}");
	api_expect(f, 201);
	assert_null(h->ignition_config_overrides);
	/* no config clears it as well */
	str_set(&edit(f, h)->ignition_config_overrides, "{}");
	api_commit(f);
	api_call(f, "PATCH", path, "{}");
	api_expect(f, 201);
	assert_null(h->ignition_config_overrides);
	api_call(f, "PATCH", API_HOSTS "/" API_NOBODY "/ignition", "{}");
	api_refused(f, 404, "record not found");
}

#define SINGULAR "/v2/infra-env/" API_POOL "/hosts/" API_HOST "/downloads/ignition"

static void test_ignition_of_target(void **state)
{
	static const char *const paths[] = { API_HOST_PATH "/ignition", SINGULAR };
	struct api *f = *state;
	struct host *h;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		api_call(f, "GET", paths[i], NULL);
		api_refused(f, 404, "record not found");
		h = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
		api_call(f, "GET", paths[i], NULL);
		api_refused(f, 404, "Cluster not found for host");
		assert_int_equal(state_host_set_cluster(f->svc.state, edit(f, h), API_CLUSTER), 0);
		api_commit(f);
		api_call(f, "GET", paths[i], NULL);
		api_refused(f, 500, "has no ignition yet");
		str_set(&edit(f, h)->target_ignition, "{\"ignition\":1}");
		h->role = ROLE_WORKER;
		api_commit(f);
		api_call(f, "GET", paths[i], NULL);
		api_expect(f, 200);
		if (!i)
			api_is(f, "config", "{\"ignition\":1}");
		else
			assert_string_equal(f->text, "{\"ignition\":1}");
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
}

static void test_ignition_download(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_INSTALLING);

	str_set(&edit(f, h)->target_ignition, "{}");
	h->role = ROLE_WORKER;
	api_commit(f);
	AUTO(freep) char *own = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", SINGULAR, NULL);
	api_expect(f, 200);
	assert_string_equal(f->type, "application/octet-stream");
	assert_true(api_has_header(f, "Content-Disposition: attachment; filename=\"worker-" API_HOST
				      ".ign\""));
	AUTO(freep) char *other = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "GET", SINGULAR, NULL);
	api_refused(f, 404, "Object Not Found");
	/* the error of an octet-stream endpoint keeps its type (assisted-v2 §1) */
	assert_string_equal(f->type, "application/octet-stream");
}

/* --- the seed of the installed system --- */

static void test_seed(void **state)
{
	static const char path[] = API_HOST_PATH "/downloads/seed";
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	struct caller caller;

	AUTO(freep) char *own = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", path, NULL);
	api_refused(f, 409, "is not being installed");
	edit(f, h)->status = HOST_INSTALLING_IN_PROGRESS;
	str_set(&h->install_id, "aaaa1111-2222-4333-8444-555566667777");
	api_commit(f);
	api_call(f, "GET", path, NULL);
	api_expect(f, 200);
	api_is(f, "install_id", h->install_id);
	api_is(f, "url", "https://s.example.com:9543");
	api_is(f, "infra_env_id", API_POOL);
	api_is(f, "host_id", API_HOST);
	api_is(f, "ca", f->svc.ca_pem);
	/* the token is good for this host and this installation only */
	const struct credentials c = { .secret_key = api_str(f, "token") };
	assert_int_equal(auth_check(f->svc.auth, AUTH_AGENT, &c, f->now_us, &caller, NULL), 0);
	assert_string_equal(caller.infra_env_id, API_POOL);
	assert_string_equal(caller.host_id, API_HOST);
	assert_string_equal(caller.install_id, h->install_id);
	api_as_user(f);
	api_call(f, "GET", path, NULL);
	api_invalid(f, 403, "");
}

/* --- reset of a validation --- */

static void test_reset_validation(void **state)
{
	static const char path[] = API_HOST_PATH "/actions/reset-validation/";
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	str_set(&edit(f, h)->disks_info, "d");
	str_set(&h->images_status, "i");
	api_commit(f);
	AUTO(freep) char *disk = str_printf("%ssufficient-installation-disk-speed", path);
	api_call(f, "PATCH", disk, NULL);
	api_expect(f, 200);
	assert_string_equal(f->text, "");
	assert_null(h->disks_info);
	assert_string_equal(h->images_status, "i");
	AUTO(freep) char *images = str_printf("%scontainer-images-available", path);
	api_call(f, "PATCH", images, NULL);
	api_expect(f, 200);
	assert_null(h->images_status);
	AUTO(freep) char *other = str_printf("%shostname-valid", path);
	api_call(f, "PATCH", other, NULL);
	api_refused(f, 400, "Validation \"hostname-valid\" cannot be reset or does not exist");
	state_begin(f->svc.state);
	assert_int_equal(state_host_set_cluster(f->svc.state, h, ""), 0);
	api_commit(f);
	api_call(f, "PATCH", disk, NULL);
	api_refused(f, 500, "is not bound to any cluster");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_update),
		API_TEST(test_update_skipped_disks),
		API_TEST(test_update_secrets),
		API_TEST(test_update_time),
		API_TEST(test_update_by_schema),
		API_TEST(test_update_refused),
		API_TEST(test_update_limits),
		API_TEST(test_update_states),
		API_TEST(test_rename_refreshes_namesakes),
		API_TEST(test_installer_args),
		API_TEST(test_ignition_override),
		API_TEST(test_ignition_of_target),
		API_TEST(test_ignition_download),
		API_TEST(test_seed),
		API_TEST(test_reset_validation),
	};
	return cmocka_run_group_tests_name("v2_host_config", tests, NULL, NULL);
}
