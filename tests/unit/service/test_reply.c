#include "rules_fixture.h"

struct reply_case {
	const char *what;
	enum host_status from;
	bool bound;
	const char *reply;
	int want;
	enum host_status to;
	const char *event;
};

#define INVENTORY_REPLY "{\"step_type\":\"inventory\",\"output\":\"{\\\"hostname\\\":\\\"x\\\"}\"}"

static const struct reply_case cases[] = {
	{ "empty object", HOST_KNOWN, true, "{}", 0, HOST_KNOWN, NULL },
	{ "unknown type", HOST_KNOWN, true, "{\"step_type\":\"dance\"}", -EINVAL, HOST_KNOWN,
	  NULL },
	{ "a type without an answer", HOST_KNOWN, true,
	  "{\"step_type\":\"execute\",\"output\":\"no JSON\"}", 0, HOST_KNOWN, NULL },
	{ "inventory", HOST_DISCOVERING, true, INVENTORY_REPLY, 0, HOST_DISCOVERING, NULL },
	{ "inventory in a wrong state", HOST_INSTALLING, true, INVENTORY_REPLY, -EPERM,
	  HOST_INSTALLING, NULL },
	{ "inventory while binding", HOST_BINDING, true, INVENTORY_REPLY, -EPERM, HOST_BINDING,
	  NULL },
	{ "inventory without output", HOST_KNOWN, true, "{\"step_type\":\"inventory\"}", -EINVAL,
	  HOST_KNOWN, NULL },
	{ "bad JSON", HOST_KNOWN, true, "{\"step_type\":\"ntp-synchronizer\",\"output\":\"{\"}",
	  -EINVAL, HOST_KNOWN, NULL },
	{ "wrong type inside", HOST_KNOWN, true,
	  "{\"step_type\":\"ntp-synchronizer\",\"output\":\"{\\\"ntp_sources\\\":5}\"}", -EINVAL,
	  HOST_KNOWN, NULL },
	{ "day-1 step, empty", HOST_KNOWN, true,
	  "{\"step_type\":\"installation-disk-speed-check\",\"output\":\"\"}", 0, HOST_KNOWN,
	  NULL },
	{ "day-1 step, bad JSON", HOST_KNOWN, true,
	  "{\"step_type\":\"verify-vips\",\"output\":\"]\"}", -EINVAL, HOST_KNOWN, NULL },
	{ "a failure that nobody acts on", HOST_KNOWN, true,
	  "{\"step_type\":\"inventory\",\"exit_code\":1,\"error\":\"x\"}", 0, HOST_KNOWN, NULL },
	{ "upgraded", HOST_KNOWN, true,
	  "{\"step_type\":\"upgrade-agent\",\"output\":\"{\\\"result\\\":\\\"success\\\"}\"}", 0,
	  HOST_KNOWN, "upgrade_agent_finished" },
	{ "upgrade failed", HOST_KNOWN, true,
	  "{\"step_type\":\"upgrade-agent\",\"output\":\"{\\\"result\\\":\\\"failure\\\"}\"}", 0,
	  HOST_KNOWN, "upgrade_agent_failed" },
	{ "upgrade still runs", HOST_KNOWN, true,
	  "{\"step_type\":\"upgrade-agent\",\"output\":\"{}\"}", 0, HOST_KNOWN, NULL },
	{ "installation failed", HOST_INSTALLING, true,
	  "{\"step_type\":\"install\",\"exit_code\":1,\"error\":\"no disk\"}", 0, HOST_ERROR,
	  NULL },
	{ "failed half-way", HOST_INSTALLING_IN_PROGRESS, true,
	  "{\"step_type\":\"install\",\"exit_code\":-1}", 0, HOST_ERROR, NULL },
	{ "failed, long over", HOST_ADDED_TO_EXISTING_CLUSTER, true,
	  "{\"step_type\":\"install\",\"exit_code\":1}", 0, HOST_ADDED_TO_EXISTING_CLUSTER, NULL },
	{ "second installer", HOST_INSTALLING, true,
	  "{\"step_type\":\"install\",\"exit_code\":125,\"error\":\"the container name \\\"assisted-installer\\\" is already in use by x\"}",
	  0, HOST_INSTALLING, NULL },
	{ "125 for another reason", HOST_INSTALLING, true,
	  "{\"step_type\":\"install\",\"exit_code\":125,\"error\":\"podman\"}", 0, HOST_ERROR,
	  NULL },
	{ "medium lost", HOST_KNOWN, true, "{\"step_type\":\"inventory\",\"exit_code\":256}", 0,
	  HOST_DISCONNECTED, "host_media_disconnected" },
	{ "medium lost in the pool", HOST_KNOWN_UNBOUND, false,
	  "{\"step_type\":\"inventory\",\"exit_code\":256}", 0, HOST_DISCONNECTED_UNBOUND,
	  "host_media_disconnected" },
	{ "medium lost while installing", HOST_INSTALLING, true,
	  "{\"step_type\":\"install\",\"exit_code\":256}", 0, HOST_ERROR,
	  "host_media_disconnected" },
	{ "medium lost when it does not matter", HOST_ADDED_TO_EXISTING_CLUSTER, true,
	  "{\"step_type\":\"inventory\",\"exit_code\":256}", 0, HOST_ADDED_TO_EXISTING_CLUSTER,
	  "host_media_disconnected" },
};

static int apply(struct fixture *f, const char *text, const char **ret_event)
{
	AUTO(json_decrefp) json_t *reply = json_loads(text, 0, NULL);
	struct fault err = FAULT_INIT;

	assert_non_null(reply);
	int r = host_reply_apply(&f->ctx, &f->host, reply, ret_event, &err);
	assert_int_equal(r == 0, err.text[0] == '\0');
	return r;
}

static void test_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		const char *event = NULL;
		print_message("%s\n", cases[i].what);
		fix_init(&f, cases[i].bound);
		f.host.status = cases[i].from;
		assert_int_equal(apply(&f, cases[i].reply, &event), cases[i].want);
		assert_string_equal(host_status_name(f.host.status), host_status_name(cases[i].to));
		assert_true(str_eq(event, cases[i].event));
		fix_done(&f);
	}
}

static void test_failure_says_why(void **state)
{
	struct fixture f;
	const char *event;
	fix_init(&f, true);
	f.host.status = HOST_INSTALLING;
	assert_int_equal(
		apply(&f,
		      "{\"step_type\":\"install\",\"exit_code\":1,\"error\":\"write: EIO on /dev/vda\"}",
		      &event),
		0);
	assert_non_null(strstr(f.host.status_info, "write: EIO on /dev/vda"));
	fix_done(&f);
}

/* Unknown fields go, empty ones go, keys are sorted: what is stored is what the API shows. */
static void test_what_is_kept(void **state)
{
	static const struct {
		const char *type, *output, *want;
		size_t offset;
	} rows[] = {
		{ "api-vip-connectivity-check",
		  "{\"url\":\"u\",\"is_success\":true,\"extra\":1,\"download_error\":\"\"}",
		  "{\"is_success\":true,\"url\":\"u\"}",
		  offsetof(struct host, api_vip_connectivity) },
		{ "ntp-synchronizer",
		  "{\"ntp_sources\":[{\"source_state\":\"synced\",\"source_name\":\"a\"}]}",
		  "[{\"source_name\":\"a\",\"source_state\":\"synced\"}]",
		  offsetof(struct host, ntp_sources) },
		{ "ntp-synchronizer", "{}", "null", offsetof(struct host, ntp_sources) },
		{ "domain-resolution",
		  "{\"resolutions\":[{\"domain_name\":\"a\",\"ipv4_addresses\":[\"192.0.2.1\"]}]}",
		  "{\"resolutions\":[{\"cnames\":null,\"domain_name\":\"a\",\"ipv4_addresses\":[\"192.0.2.1\"],\"ipv6_addresses\":null}]}",
		  offsetof(struct host, domain_name_resolutions) },
		{ "connectivity-check", "{\"remote_hosts\":[]}", "{\"remote_hosts\":[]}",
		  offsetof(struct host, connectivity) },
		{ "tang-connectivity-check", "{\"is_success\":true}",
		  "{\"is_success\":true,\"tang_server_response\":null}",
		  offsetof(struct host, tang_connectivity) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		const char *event;
		fix_init(&f, true);
		AUTO(json_decrefp)
		json_t *reply = json_pack("{s:s, s:s}", "step_type", rows[i].type, "output",
					  rows[i].output);
		assert_int_equal(host_reply_apply(&f.ctx, &f.host, reply, &event, NULL), 0);
		assert_string_equal(*(char **)((char *)&f.host + rows[i].offset), rows[i].want);
		fix_done(&f);
	}
}

static void test_media_comes_back(void **state)
{
	struct fixture f;
	const char *event;
	fix_init(&f, false);
	f.host.status = HOST_KNOWN_UNBOUND;
	assert_int_equal(apply(&f, "{\"step_type\":\"inventory\",\"exit_code\":256}", &event), 0);
	assert_int_equal(f.host.media_disconnected, 2);
	assert_int_equal(apply(&f, "{\"step_type\":\"inventory\",\"exit_code\":256}", &event), 0);
	assert_null(event); /* said once */
	assert_int_equal(apply(&f, INVENTORY_REPLY, &event), 0);
	assert_int_equal(f.host.media_disconnected, 1);
	fix_done(&f);
}

/* --- recorded replies (SLIPWAY_CORPUS): taken, and kept as the original kept them --- */

static void replay(const char *file, const char *stored_file, const char *key, size_t offset)
{
	AUTO(json_decrefp) json_t *recording = fix_recording(file);
	struct fixture f;
	const char *event;
	fix_init(&f, true);
	f.host.status = HOST_DISCOVERING;
	json_t *body = json_object_get(json_object_get(recording, "request"), "body");
	assert_int_equal(host_reply_apply(&f.ctx, &f.host, body, &event, NULL), 0);
	if (stored_file) {
		AUTO(json_decrefp) json_t *stored = fix_recording(stored_file);
		const char *want =
			json_str(json_object_get(json_object_get(stored, "response"), "body"), key);
		AUTO(json_decrefp) json_t *a = json_loads(want, 0, NULL);
		AUTO(json_decrefp)
		json_t *b = json_loads(*(char **)((char *)&f.host + offset), 0, NULL);
		assert_non_null(a);
		assert_true(json_equal(a, b));
	}
	fix_done(&f);
}

#define REPLAY(name, file, stored, member)                          \
	static void test_replay_##name(void **state)                \
	{                                                           \
		replay("host-reply-" file ".json", stored, #member, \
		       offsetof(struct host, member));              \
	}
REPLAY(api_vip, "api-vip", "host-get-known.json", api_vip_connectivity)
REPLAY(api_vip_failure, "api-vip-failure", "host-get-insufficient.json", api_vip_connectivity)
REPLAY(domains, "domain-resolution", "host-get-known.json", domain_name_resolutions)
REPLAY(ntp, "ntp", "host-get-known.json", ntp_sources)
REPLAY(inventory, "inventory", "host-get-known.json", inventory)
REPLAY(media, "media-disconnected", NULL, inventory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_failure_says_why),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_media_comes_back),
		cmocka_unit_test(test_replay_api_vip),
		cmocka_unit_test(test_replay_api_vip_failure),
		cmocka_unit_test(test_replay_domains),
		cmocka_unit_test(test_replay_ntp),
		cmocka_unit_test(test_replay_inventory),
		cmocka_unit_test(test_replay_media),
	};
	return FIX_RUN(tests, 6);
}
