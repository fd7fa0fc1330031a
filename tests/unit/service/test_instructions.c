#include "rules_fixture.h"

struct plan_case {
	enum host_status status;
	bool bound;
	const char *steps; /* names joined by commas */
	int64_t seconds;
	bool leaves;
};

#define FULL "inventory,api-vip-connectivity-check,ntp-synchronizer,domain-resolution"

static const struct plan_case cases[] = {
	{ HOST_DISCOVERING_UNBOUND, false, "inventory,ntp-synchronizer", 60, false },
	{ HOST_INSUFFICIENT_UNBOUND, false, "inventory,ntp-synchronizer", 60, false },
	{ HOST_KNOWN_UNBOUND, false, "inventory,ntp-synchronizer", 60, false },
	{ HOST_DISCONNECTED_UNBOUND, false, "inventory", 120, false },
	{ HOST_DISABLED_UNBOUND, false, "", 120, false },
	{ HOST_UNBINDING, false, "", 0, true },
	{ HOST_UNBINDING_PENDING_USER_ACTION, false, "", 0, true },
	{ HOST_BINDING, true, "", 0, true },
	{ HOST_DISCOVERING, true, "inventory,ntp-synchronizer,domain-resolution", 60, false },
	{ HOST_INSUFFICIENT, true, FULL, 60, false },
	{ HOST_KNOWN, true,
	  "api-vip-connectivity-check,inventory,ntp-synchronizer,domain-resolution", 60, false },
	{ HOST_PENDING_FOR_INPUT, true, "inventory,api-vip-connectivity-check", 60, false },
	{ HOST_DISCONNECTED, true, "inventory", 120, false },
	{ HOST_INSTALLING, true, "install", 60, false },
	{ HOST_INSTALLING_IN_PROGRESS, true, "", 60, false },
	{ HOST_INSTALLING_PENDING_USER_ACTION, true, "", 60, false },
	{ HOST_ADDED_TO_EXISTING_CLUSTER, true, "", 60, false },
	{ HOST_RESETTING_PENDING_USER_ACTION, true, "", 60, false },
	{ HOST_RESETTING, true, "", 120, false },
	{ HOST_ERROR, true, "logs-gather,stop-installation", 120, false },
	{ HOST_CANCELLED, true, "logs-gather,stop-installation", 120, false },
};

static json_t *answer_of(struct fixture *f)
{
	struct fault err = FAULT_INIT;
	json_t *v = host_instructions(&f->ctx, &f->host, &err);

	if (!v)
		fail_msg("%s", fault_text(&err));
	return v;
}

static char *step_names(json_t *answer)
{
	char *out = str_dup("");
	size_t i;
	json_t *step;
	json_array_foreach(json_object_get(answer, "instructions"), i, step) {
		char *more =
			str_printf("%s%s%s", out, *out ? "," : "", json_str(step, "step_type"));
		free(out);
		out = more;
	}
	return out;
}

/* The first argument of the only step of that type. */
static const char *argument(json_t *answer, const char *type)
{
	size_t i;
	json_t *step;
	json_array_foreach(json_object_get(answer, "instructions"), i, step) {
		if (strcmp(json_str(step, "step_type"), type) == 0)
			return json_string_value(json_array_get(json_object_get(step, "args"), 0));
	}
	fail_msg("no step %s", type);
	return NULL;
}

static void test_states(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		fix_init(&f, cases[i].bound);
		fix_post(&f, fix_inventory);
		f.host.status = cases[i].status;
		AUTO(json_decrefp) json_t *a = answer_of(&f);
		AUTO(freep) char *names = step_names(a);
		assert_string_equal(names, cases[i].steps);
		assert_true(*cases[i].steps || json_is_null(json_object_get(a, "instructions")));
		assert_int_equal(json_i64(a, "next_instruction_seconds"), cases[i].seconds);
		assert_int_equal(json_object_get(a, "next_instruction_seconds") == NULL,
				 cases[i].seconds == 0);
		assert_string_equal(json_str(a, "post_step_action"),
				    cases[i].leaves ? "exit" : "continue");
		fix_done(&f);
	}
}

static void test_intervals(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	f.config.instruction_interval_s = 2;
	f.config.slow_interval_s = 1; /* never shorter than the usual one */
	f.host.status = HOST_KNOWN_UNBOUND;
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	assert_int_equal(json_i64(a, "next_instruction_seconds"), 2);
	f.host.status = HOST_DISCONNECTED_UNBOUND;
	AUTO(json_decrefp) json_t *b = answer_of(&f);
	assert_int_equal(json_i64(b, "next_instruction_seconds"), 2);
	fix_done(&f);
}

static void test_step_ids(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	AUTO(json_decrefp) json_t *b = answer_of(&f);
	const char *one =
		json_str(json_array_get(json_object_get(a, "instructions"), 0), "step_id");
	const char *two =
		json_str(json_array_get(json_object_get(b, "instructions"), 0), "step_id");
	assert_true(str_starts(one, "inventory-"));
	assert_int_equal(strlen(one), strlen("inventory-") + 8);
	assert_string_not_equal(one, two);
	fix_done(&f);
}

static void test_upgrade(void **state)
{
	static const struct {
		enum host_status status;
		bool upgraded;
	} rows[] = {
		{ HOST_BINDING, true },
		{ HOST_DISCOVERING, true },
		{ HOST_KNOWN_UNBOUND, true },
		{ HOST_KNOWN, true },
		{ HOST_INSTALLING, false },
		{ HOST_ERROR, false },
		{ HOST_DISCONNECTED_UNBOUND, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		fix_init(&f, true);
		f.host.status = rows[i].status;
		f.config.upgrade_agent = true;
		str_set(&f.host.discovery_agent_version, "registry.example.com/agent:0");
		AUTO(json_decrefp) json_t *a = answer_of(&f);
		AUTO(freep) char *names = step_names(a);
		assert_int_equal(strcmp(names, "upgrade-agent") == 0, rows[i].upgraded);
		if (rows[i].upgraded) {
			assert_string_equal(argument(a, "upgrade-agent"),
					    "{\"agent_image\":\"registry.example.com/agent:1\"}");
			assert_string_equal(json_str(a, "post_step_action"), "continue");
		}
		str_set(&f.host.discovery_agent_version, "registry.example.com/agent:1");
		AUTO(json_decrefp) json_t *b = answer_of(&f);
		AUTO(freep) char *others = step_names(b);
		assert_null(strstr(others, "upgrade-agent"));
		fix_done(&f);
	}
}

static void test_left_out(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	f.host.status = HOST_INSUFFICIENT;
	f.config.disabled_steps = "ntp-synchronizer,inventory";
	str_set(&f.cluster.base_dns_domain, NULL); /* no name to ask for */
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	AUTO(freep) char *names = step_names(a);
	assert_string_equal(names, "api-vip-connectivity-check");
	fix_done(&f);

	fix_init(&f, true);
	f.host.status = HOST_ERROR;
	f.host.logs_collected_at = 1;
	AUTO(json_decrefp) json_t *b = answer_of(&f);
	AUTO(freep) char *after = step_names(b);
	assert_string_equal(after, "stop-installation");
	fix_done(&f);
}

static void test_tang_is_asked_for(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	f.host.status = HOST_KNOWN;
	str_set(&f.host.api_vip_connectivity,
		"{\"is_success\":true,\"ignition\":\"{\\\"storage\\\":{\\\"luks\\\":[{\\\"clevis\\\":{\\\"tang\\\":"
		"[{\\\"url\\\":\\\"http://t\\\",\\\"thumbprint\\\":\\\"x\\\"}]}}]}}\"}");
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	assert_string_equal(
		argument(a, "tang-connectivity-check"),
		"{\"tang_servers\":\"[{\\\"thumbprint\\\":\\\"x\\\",\\\"url\\\":\\\"http://t\\\"}]\"}");
	fix_done(&f);
}

static void test_inventory_limits(void **state)
{
	struct fixture f;
	fix_init(&f, false);
	f.config.inventory_max_size = 1000;
	f.config.disk_min_size = 5;
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	json_t *args =
		json_object_get(json_array_get(json_object_get(a, "instructions"), 0), "args");
	assert_int_equal(json_array_size(args), 3);
	assert_string_equal(json_string_value(json_array_get(args, 1)), "--output-max-size=1000");
	fix_done(&f);
}

static void test_ntp_sources(void **state)
{
	static const struct {
		const char *cluster, *ie, *want;
	} rows[] = {
		{ NULL, NULL, "{\"ntp_source\":\"\"}" },
		{ NULL, "a,b", "{\"ntp_source\":\"a,b\"}" },
		{ "c", "a,b", "{\"ntp_source\":\"c\"}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		fix_init(&f, true);
		str_set(&f.cluster.additional_ntp_source, rows[i].cluster);
		str_set(&f.ie.additional_ntp_sources, rows[i].ie);
		AUTO(json_decrefp) json_t *a = answer_of(&f);
		assert_string_equal(argument(a, "ntp-synchronizer"), rows[i].want);
		fix_done(&f);
	}
}

static void test_api_vip_request(void **state)
{
	struct fixture f;
	fix_init(&f, true);
	f.host.status = HOST_KNOWN;
	str_set(&f.cluster.ignition_endpoint_url, "https://mcs.example.com/config");
	str_set(&f.cluster.ignition_endpoint_ca, "UEVN");
	str_set(&f.host.ignition_endpoint_http_headers, "[{\"key\":\"A\",\"value\":\"b\"}]");
	secret_set(&f.host.ignition_endpoint_token, "t0k");
	AUTO(json_decrefp) json_t *a = answer_of(&f);
	AUTO(json_decrefp)
	json_t *request = json_loads(argument(a, "api-vip-connectivity-check"), 0, NULL);
	assert_string_equal(json_str(request, "url"), "https://mcs.example.com/config/worker");
	assert_string_equal(json_str(request, "ca_certificate"),
			    "UEVNCg=="); /* the PEM text, ended by a newline */
	assert_string_equal(json_str(request, "ignition_endpoint_token"), "t0k");
	assert_int_equal(json_array_size(json_object_get(request, "request_headers")), 1);
	fix_done(&f);
}

/* --- against what the original asked for (SLIPWAY_CORPUS) --- */

/* Step ids are random; arguments that are JSON count as JSON. */
static json_t *comparable(json_t *answer)
{
	json_t *out = json_deep_copy(answer);
	size_t i, k;
	json_t *step, *arg;

	json_array_foreach(json_object_get(out, "instructions"), i, step) {
		const char *id = json_str(step, "step_id");
		if (id)
			json_object_set_new(step, "step_id", json_string("set"));
		json_t *args = json_object_get(step, "args");
		json_array_foreach(args, k, arg) {
			json_t *parsed = json_loads(json_string_value(arg), 0, NULL);
			if (parsed)
				json_array_set_new(args, k, parsed);
		}
	}
	return out;
}

static void prepare(struct fixture *f, const char *path)
{
	const char *ie = strstr(path, "/infra-envs/") + strlen("/infra-envs/");
	snprintf(f->ie.id, sizeof(f->ie.id), "%.36s", ie);
	snprintf(f->host.infra_env_id, sizeof(f->host.infra_env_id), "%.36s", ie);
	snprintf(f->host.id, sizeof(f->host.id), "%.36s",
		 strstr(path, "/hosts/") + strlen("/hosts/"));
	f->config.agent_image = "registry.example.com/assisted/agent:latest";
	f->config.controller_image = "registry.example.com/assisted/controller:latest";
	f->config.installer_image = "registry.example.com/assisted/installer:latest";
	f->config.upgrade_agent = true;
	strcpy(f->cluster.id, "69eedef3-4215-4c3a-8321-905af8383e8e");
	strcpy(f->host.cluster_id, f->ctx.cluster ? f->cluster.id : "");
	str_set(&f->host.installation_disk_id, "/dev/disk/by-id/wwn-0x5000c500d3c2483a");
	str_set(&f->host.installer_args, "[\"--append-karg\",\"nameserver=192.0.2.53\"]");
}

static void replay(const char *file, enum host_status status, bool bound)
{
	AUTO(json_decrefp) json_t *recording = fix_recording(file);
	json_t *request = json_object_get(recording, "request");
	struct fixture f;
	fix_init(&f, bound);
	f.host.status = status;
	prepare(&f, json_str(request, "path"));
	str_set(&f.host.discovery_agent_version,
		json_str(json_object_get(request, "headers"), "discovery_agent_version"));

	AUTO(json_decrefp) json_t *ours = answer_of(&f);
	AUTO(json_decrefp) json_t *have = comparable(ours);
	AUTO(json_decrefp)
	json_t *want = comparable(json_object_get(json_object_get(recording, "response"), "body"));
	AUTO(freep) char *have_text = json_dumps(have, JSON_SORT_KEYS | JSON_INDENT(1));
	AUTO(freep) char *want_text = json_dumps(want, JSON_SORT_KEYS | JSON_INDENT(1));
	assert_string_equal(have_text, want_text);
	fix_done(&f);
}

#define REPLAY(name, file, status, bound)                                        \
	static void test_replay_##name(void **state)                             \
	{                                                                        \
		replay("host-instructions-" file ".json", HOST_##status, bound); \
	}
REPLAY(binding, "binding", BINDING, true)
REPLAY(discovering_unbound, "discovering-unbound", DISCOVERING_UNBOUND, false)
REPLAY(discovering, "discovering", DISCOVERING, true)
REPLAY(error, "error", ERROR, true)
REPLAY(installing_in_progress, "installing-in-progress", INSTALLING_IN_PROGRESS, true)
REPLAY(installing, "installing", INSTALLING, true)
REPLAY(insufficient, "insufficient", INSUFFICIENT, true)
REPLAY(known, "known", KNOWN, true)
REPLAY(unbinding, "unbinding", UNBINDING, false)
REPLAY(upgrade_agent, "upgrade-agent", DISCOVERING_UNBOUND, false)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_step_ids),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_tang_is_asked_for),
		cmocka_unit_test(test_inventory_limits),
		cmocka_unit_test(test_ntp_sources),
		cmocka_unit_test(test_api_vip_request),
		cmocka_unit_test(test_replay_binding),
		cmocka_unit_test(test_replay_discovering_unbound),
		cmocka_unit_test(test_replay_discovering),
		cmocka_unit_test(test_replay_error),
		cmocka_unit_test(test_replay_installing_in_progress),
		cmocka_unit_test(test_replay_installing),
		cmocka_unit_test(test_replay_insufficient),
		cmocka_unit_test(test_replay_known),
		cmocka_unit_test(test_replay_unbinding),
		cmocka_unit_test(test_replay_upgrade_agent),
	};
	return FIX_RUN(tests, 10);
}
