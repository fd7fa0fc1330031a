#include "api_fixture.h"

#define CLUSTER_BODY "{\"cluster_id\":\"" API_CLUSTER "\"}"
#define REGISTER "{\"host_id\":\"" API_HOST "\",\"discovery_agent_version\":\"r.example.com/a:2\"}"

static struct host *host_of(struct api *f, const char *infra_env_id)
{
	return state_host(f->svc.state, infra_env_id, API_HOST);
}

/* --- registering --- */

static void test_register_pool(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_expect(f, 201);
	api_is(f, "kind", "Host");
	api_is(f, "status", "discovering-unbound");
	api_is(f, "role", "auto-assign");
	api_is(f, "suggested_role", "auto-assign");
	api_is(f, "cluster_id", NULL);
	api_is(f, "discovery_agent_version", "r.example.com/a:2");
	/* no name yet: the id is shown */
	api_is(f, "requested_hostname", API_HOST);
	assert_int_equal(json_array_size(api_at(f, "progress_stages")), 0);
	/* exactly one argument: JSON of three fields, with the image that is to run */
	assert_int_equal(json_array_size(api_at(f, "next_step_runner_command.args")), 1);
	api_is(f, "next_step_runner_command.args.0",
	       "{\"agent_version\":\"registry.example.com/agent:1\",\"host_id\":\"" API_HOST
	       "\",\"infra_env_id\":\"" API_POOL "\"}");
	assert_false(host_of(f, API_POOL)->slipway_agent);
	assert_int_equal(api_events(f, "host_registration_succeeded").n, 1);
}

static void test_register_bound(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_EARLY, NULL);
	f->headers = "Slipway-Agent: 1\ndiscovery_agent_version: r.example.com/a:9";
	api_call(f, "POST", "/v2/infra-envs/" API_EARLY "/hosts", "{\"host_id\":\"" API_HOST "\"}");
	api_expect(f, 201);
	api_is(f, "kind", "AddToExistingClusterHost");
	api_is(f, "status", "discovering");
	api_is(f, "role", "worker");
	api_is(f, "suggested_role", "worker");
	api_is(f, "machine_config_pool_name", "worker");
	api_is(f, "cluster_id", API_CLUSTER);
	/* the body names no version: the header does */
	api_is(f, "discovery_agent_version", "r.example.com/a:9");
	assert_true(host_of(f, API_EARLY)->slipway_agent);
}

/* The same machine booted by two infra-envs is two hosts (assisted-v2 §3.3). */
static void test_register_twice(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *pool = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_expect(f, 201);
	AUTO(freep) char *early = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "POST", "/v2/infra-envs/" API_EARLY "/hosts", REGISTER);
	api_expect(f, 201);
	assert_non_null(host_of(f, API_POOL));
	assert_non_null(host_of(f, API_EARLY));
	assert_int_equal(api_events(f, "host_registration_succeeded").n, 2);
}

/* A late-bound host's answer shows the role it will have, while the stored one stays open (assisted-v2 §4.1). */
static void test_register_after_binding(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_BINDING);

	h->kind = HOST_KIND_HOST;
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_expect(f, 201);
	api_is(f, "status", "discovering");
	api_is(f, "kind", "AddToExistingClusterHost");
	api_is(f, "role", "worker");
	api_is(f, "machine_config_pool_name", "worker");
	api_is(f, "inventory", NULL);
	assert_int_equal(h->role, ROLE_AUTO_ASSIGN);
	assert_int_equal(api_events(f, "host_registration_succeeded").n, 0);
}

static void test_register_refused(void **state)
{
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", API_HOSTS, "{}");
	api_invalid(f, 400, "host_id in body is required");
	api_call(f, "POST", API_HOSTS, "{\"host_id\":\"1\"}");
	api_invalid(f, 400, "host_id in body must be of type uuid: \"1\"");
	api_call(f, "POST", API_HOSTS, "{\"host_id\":\"" API_HOST "\",\"cpu\":4}");
	api_invalid(f, 400, "unknown field \"cpu\"");
	api_call(f, "POST", API_HOSTS, NULL);
	api_invalid(f, 400, "newHostParams in body is required");
	/* another infra-env's token */
	api_call(f, "POST", "/v2/infra-envs/" API_EARLY "/hosts", REGISTER);
	api_refused(f, 404, "Object Not Found");
	/* an installed system's token */
	AUTO(freep) char *bound = api_as_agent(f, API_POOL, API_HOST);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_refused(f, 404, "Object Not Found");
	f->secret_key = "nonsense";
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_invalid(f, 401, "");
	api_as_user(f);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_invalid(f, 403, "");
}

static void test_register_unknown_infra_env(void **state)
{
	struct api *f = *state;

	api_call(f, "POST", "/v2/infra-envs/" API_NOBODY "/hosts", REGISTER);
	api_refused(f, 404, "record not found");
}

static void test_register_states(void **state)
{
	static const struct {
		enum host_status from;
		enum stage stage;
		int status;
		const char *text; /* 201: the new state; else the reason */
	} rows[] = {
		{ HOST_KNOWN, 0, 201, "discovering" },
		{ HOST_RESETTING_PENDING_USER_ACTION, 0, 201, "discovering" },
		{ HOST_INSTALLING, 0, 201, "error" },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_WRITING_IMAGE, 201, "error" },
		{ HOST_INSTALLING_IN_PROGRESS, STAGE_REBOOTING, 201,
		  "installing-pending-user-action" },
		{ HOST_ADDED_TO_EXISTING_CLUSTER, STAGE_DONE, 201,
		  "installing-pending-user-action" },
		{ HOST_INSTALLING_PENDING_USER_ACTION, STAGE_REBOOTING, 400,
		  "Host is required to be booted from disk /dev/disk/by-id/d1" },
		{ HOST_ERROR, 0, 201, "error" },
		{ HOST_INSTALLED, 0, 409, "is installed already" },
		{ HOST_CANCELLED, 0, 400, "a host that is cancelled cannot register" },
		{ HOST_RECLAIMING, 0, 400, "a host that is reclaiming cannot register" },
	};
	struct api *f = *state;

	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = api_add_host(f, API_POOL, API_HOST, true, rows[i].from);
		state_begin(f->svc.state);
		assert_int_equal(state_edit_host(f->svc.state, h), 0);
		h->stage = rows[i].stage;
		api_commit(f);
		api_call(f, "POST", API_HOSTS, REGISTER);
		if (rows[i].status == 201) {
			api_expect(f, 201);
			api_is(f, "status", rows[i].text);
		} else {
			/* the attempt is remembered, though nothing else */
			api_refused_noting(f, rows[i].status, rows[i].text, 1);
			assert_string_equal(api_events(f, "host_registration_failed").severity,
					    "error");
		}
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
}

static void test_register_disconnected_iso(void **state)
{
	struct api *f = *state;

	api_call(f, "PATCH", "/v2/infra-envs/" API_POOL, "{\"image_type\":\"disconnected-iso\"}");
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "POST", API_HOSTS, REGISTER);
	api_refused_noting(f, 400, "hosts of a disconnected-iso infra-env", 1);
}

/* --- reading --- */

static void test_list_and_get(void **state)
{
	struct api *f = *state;

	api_call(f, "GET", API_HOSTS, NULL);
	api_expect(f, 200);
	assert_string_equal(f->text, "[]");
	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_add_host(f, API_POOL, API_OTHER, true, HOST_KNOWN);
	api_call(f, "GET", API_HOSTS, NULL);
	assert_int_equal(json_array_size(f->json), 2);
	api_is(f, "0.id", API_HOST);
	api_is(f, "1.id", API_OTHER);
	api_call(f, "GET", "/v2/infra-envs/" API_NOBODY "/hosts", NULL);
	api_refused(f, 404, "record not found");
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_expect(f, 200);
	api_is(f, "requested_hostname", "w1");
	assert_non_null(api_str(f, "inventory"));
	api_call(f, "GET", API_HOSTS "/" API_NOBODY, NULL);
	api_refused(f, 404, "record not found");
	api_call(f, "GET", API_HOSTS "/w1", NULL);
	api_invalid(f, 400, "host_id in path must be of type uuid: \"w1\"");
	/* it is a host of one infra-env, not of another */
	api_call(f, "GET", "/v2/infra-envs/" API_EARLY "/hosts/" API_HOST, NULL);
	api_refused(f, 404, "record not found");
}

static void test_read_by_agents(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_add_host(f, API_POOL, API_OTHER, false, HOST_KNOWN_UNBOUND);
	AUTO(freep) char *pool = api_as_agent(f, API_POOL, NULL);
	api_call(f, "GET", API_HOSTS, NULL);
	assert_int_equal(json_array_size(f->json), 2);
	/* a token of one host shows that host alone */
	AUTO(freep) char *one = api_as_agent(f, API_POOL, API_OTHER);
	api_call(f, "GET", API_HOSTS, NULL);
	api_expect(f, 200);
	assert_int_equal(json_array_size(f->json), 1);
	api_is(f, "0.id", API_OTHER);
	api_call(f, "GET", API_HOSTS "/" API_OTHER, NULL);
	api_expect(f, 200);
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_refused(f, 404, "Object Not Found");
	AUTO(freep) char *early = api_as_agent(f, API_EARLY, NULL);
	api_call(f, "GET", API_HOST_PATH, NULL);
	api_refused(f, 404, "Object Not Found");
	api_call(f, "GET", API_HOSTS, NULL);
	api_refused(f, 404, "Object Not Found");
}

static void test_delete(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	AUTO(freep) char *token = api_as_agent(f, API_POOL, NULL);
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_invalid(f, 403, "");
	api_as_user(f);
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_expect(f, 204);
	assert_string_equal(f->text, "");
	assert_null(host_of(f, API_POOL));
	assert_int_equal(api_events(f, "host_deregistered").n, 1);
	/* an unknown one is 500 (assisted-v2 §3.3) */
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_refused(f, 500, "record not found");
}

/* The name becomes free: a host that was held back by it is looked at again. */
static void test_delete_frees_the_name(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);
	struct host *other = api_add_host(f, API_POOL, API_OTHER, true, HOST_INSUFFICIENT);
	api_call(f, "DELETE", API_HOST_PATH, NULL);
	api_expect(f, 204);
	assert_int_equal(other->status, HOST_KNOWN);
}

/* --- binding --- */

static void test_bind(void **state)
{
	struct api *f = *state;

	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_call(f, "POST", API_HOST_PATH "/actions/bind", CLUSTER_BODY);
	api_expect(f, 200);
	api_is(f, "status", "binding");
	api_is(f, "cluster_id", API_CLUSTER);
	/* the kind changes only with the next registration (assisted-v2 §5.1) */
	api_is(f, "kind", "Host");
	api_is(f, "inventory", NULL);
	assert_int_equal(api_events(f, "host_bind_succeeded").n, 1);
	api_call(f, "GET", "/v2/clusters/" API_CLUSTER "/hosts", NULL);
	api_is(f, "0.id", API_HOST);
}

/* A host that was named in its pool may bring a name that is taken: the one that has it is told at once. */
static void test_bind_brings_its_name(void **state)
{
	struct api *f = *state;
	struct host *named = api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND),
		    *twin = api_add_host(f, API_POOL, API_OTHER, true, HOST_KNOWN);

	api_call(f, "PATCH", API_HOST_PATH, "{\"host_name\":\"n1\"}");
	api_expect(f, 201);
	api_call(f, "PATCH", API_HOSTS "/" API_OTHER, "{\"host_name\":\"n1\"}");
	api_expect(f, 201);
	assert_int_equal(twin->status, HOST_KNOWN);
	api_call(f, "POST", API_HOST_PATH "/actions/bind", CLUSTER_BODY);
	api_expect(f, 200);
	assert_int_equal(twin->status, HOST_INSUFFICIENT);
	assert_non_null(strstr(twin->status_info, "is called n1"));
	assert_int_equal(named->status, HOST_BINDING);
}

static void test_bind_refused(void **state)
{
	static const struct {
		const char *cluster;
		bool is_bound;
		enum host_status from;
		int status;
		const char *reason;
	} rows[] = {
		{ API_CLUSTER, true, HOST_KNOWN, 409, "is already bound to cluster " API_CLUSTER },
		{ API_NOBODY, true, HOST_KNOWN, 409, "is already bound" },
		{ API_NOBODY, false, HOST_DISCOVERING_UNBOUND, 400,
		  "Failed to find cluster " API_NOBODY },
		{ API_CLUSTER, false, HOST_DISCOVERING_UNBOUND, 500, "must be known-unbound" },
		{ API_CLUSTER, false, HOST_INSUFFICIENT_UNBOUND, 500, "must be known-unbound" },
		{ API_CLUSTER, false, HOST_DISCONNECTED_UNBOUND, 500, "must be known-unbound" },
		{ API_CLUSTER, false, HOST_UNBINDING, 500, "must be known-unbound" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h =
			api_add_host(f, API_POOL, API_HOST, rows[i].is_bound, rows[i].from);
		AUTO(freep)
		char *body = str_printf("{\"cluster_id\":\"%s\"}", rows[i].cluster);
		api_call(f, "POST", API_HOST_PATH "/actions/bind", body);
		api_refused_noting(f, rows[i].status, rows[i].reason, 1);
		assert_string_equal(api_events(f, "host_bind_failed").severity, "error");
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
	api_call(f, "POST", API_HOST_PATH "/actions/bind", CLUSTER_BODY);
	api_refused(f, 404, "record not found");
	api_call(f, "POST", API_HOST_PATH "/actions/bind", "{}");
	api_invalid(f, 400, "cluster_id in body is required");
	api_call(f, "POST", API_HOST_PATH "/actions/bind", NULL);
	api_invalid(f, 400, "bindHostParams in body is required");
}

static void test_bind_architecture(void **state)
{
	struct api *f = *state;
	struct cluster *c = state_cluster(f->svc.state, API_CLUSTER);

	state_begin(f->svc.state);
	assert_int_equal(state_edit_cluster(f->svc.state, c), 0);
	str_set(&c->cpu_architecture, "arm64");
	api_commit(f);
	api_add_host(f, API_POOL, API_HOST, false, HOST_KNOWN_UNBOUND);
	api_call(f, "POST", API_HOST_PATH "/actions/bind", CLUSTER_BODY);
	api_refused_noting(f, 400, "the infra-env is for x86_64, the cluster for arm64", 1);
}

static void test_unbind(void **state)
{
	static const struct {
		enum host_status from;
		const char *to;
	} rows[] = {
		{ HOST_KNOWN, "unbinding" },
		{ HOST_DISCONNECTED, "unbinding" },
		{ HOST_ERROR, "unbinding-pending-user-action" },
		{ HOST_ADDED_TO_EXISTING_CLUSTER, "unbinding-pending-user-action" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = api_add_host(f, API_POOL, API_HOST, true, rows[i].from);
		api_call(f, "POST", API_HOST_PATH "/actions/unbind", NULL);
		api_expect(f, 200);
		api_is(f, "status", rows[i].to);
		api_is(f, "kind", "Host");
		api_is(f, "cluster_id", NULL);
		api_is(f, "api_vip_connectivity", NULL);
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
	assert_int_equal(api_events(f, "host_unbind_succeeded").n, ARRAY_SIZE(rows));
}

static void test_unbind_refused(void **state)
{
	static const struct {
		const char *infra_env;
		bool is_bound;
		enum host_status from;
		const char *reason;
	} rows[] = {
		{ API_POOL, false, HOST_KNOWN_UNBOUND, "is already unbound" },
		{ API_EARLY, true, HOST_KNOWN,
		  "InfraEnv " API_EARLY " is bound to Cluster " API_CLUSTER },
		{ API_POOL, true, HOST_INSTALLING, "while it is installing" },
		{ API_POOL, true, HOST_INSTALLING_IN_PROGRESS,
		  "while it is installing-in-progress" },
		{ API_POOL, true, HOST_INSTALLING_PENDING_USER_ACTION, "while it is" },
		{ API_POOL, true, HOST_PREPARING_FOR_INSTALLATION, "while it is" },
		{ API_POOL, true, HOST_PREPARING_SUCCESSFUL, "while it is" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = api_add_host(f, rows[i].infra_env, API_HOST, rows[i].is_bound,
					      rows[i].from);
		AUTO(freep)
		char *path = str_printf("/v2/infra-envs/%s/hosts/" API_HOST "/actions/unbind",
					rows[i].infra_env);
		api_call(f, "POST", path, NULL);
		api_refused_noting(f, 409, rows[i].reason, 1);
		assert_int_equal(api_events(f, "host_unbind_failed").n, i + 1);
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
	api_call(f, "POST", API_HOST_PATH "/actions/unbind", NULL);
	api_refused(f, 404, "record not found");
}

/* --- reset, install --- */

static void test_reset(void **state)
{
	static const struct {
		bool is_bound;
		enum host_kind kind;
		enum host_status from;
		const char *refused; /* NULL = done */
	} rows[] = {
		{ true, HOST_KIND_DAY2, HOST_KNOWN, NULL },
		{ true, HOST_KIND_DAY2, HOST_INSTALLING_IN_PROGRESS, NULL },
		{ true, HOST_KIND_DAY2, HOST_ERROR, NULL },
		{ true, HOST_KIND_DAY2, HOST_ADDED_TO_EXISTING_CLUSTER, NULL },
		{ true, HOST_KIND_DAY2, HOST_DISCONNECTED, "that is disconnected cannot be reset" },
		{ true, HOST_KIND_DAY2, HOST_INSUFFICIENT, "cannot be reset" },
		{ true, HOST_KIND_HOST, HOST_BINDING, "is not a host that is added" },
		{ true, HOST_KIND_DAY2, HOST_BINDING, "cannot be reset" },
		{ false, HOST_KIND_HOST, HOST_KNOWN_UNBOUND, "is not bound to any cluster" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h =
			api_add_host(f, API_POOL, API_HOST, rows[i].is_bound, rows[i].from);
		state_begin(f->svc.state);
		assert_int_equal(state_edit_host(f->svc.state, h), 0);
		h->kind = rows[i].kind;
		api_commit(f);
		api_call(f, "POST", API_HOST_PATH "/actions/reset", NULL);
		if (rows[i].refused) {
			api_refused(f, 409, rows[i].refused);
		} else {
			api_expect(f, 200);
			api_is(f, "status", "resetting-pending-user-action");
		}
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
	api_call(f, "POST", API_HOST_PATH "/actions/reset", NULL);
	api_refused(f, 404, "record not found");
}

static void test_install(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	api_call(f, "POST", API_HOST_PATH "/actions/install", NULL);
	api_expect(f, 202);
	api_is(f, "status", "installing");
	api_is(f, "role", "worker");
	api_is(f, "machine_config_pool_name", "worker");
	assert_true(uuid_is_valid(h->install_id));
	assert_non_null(h->target_ignition);
	api_call(f, "POST", API_HOST_PATH "/actions/install", NULL);
	api_refused(f, 409, "cannot install host in state installing");
}

/* What was not looked at lately is looked at on the spot (assisted-v2 §3.3). */
static void test_install_looks_first(void **state)
{
	struct api *f = *state;
	struct host *h = api_add_host(f, API_POOL, API_HOST, true, HOST_KNOWN);

	api_advance(f, 181 * 1000000ll);
	api_call(f, "POST", API_HOST_PATH "/actions/install", NULL);
	api_refused(f, 409, "cannot install host in state disconnected");
	assert_null(h->install_id);
}

static void test_install_refused(void **state)
{
	static const struct {
		bool is_bound;
		enum host_kind kind;
		enum host_status from;
		int status;
		const char *reason;
	} rows[] = {
		{ false, HOST_KIND_HOST, HOST_KNOWN_UNBOUND, 404, "is not bound to any cluster" },
		{ true, HOST_KIND_HOST, HOST_BINDING, 409, "is not a host that is added" },
		{ true, HOST_KIND_DAY2, HOST_INSTALLING_IN_PROGRESS, 409,
		  "in state installing-in-progress" },
		{ true, HOST_KIND_DAY2, HOST_ERROR, 409, "in state error" },
		{ true, HOST_KIND_DAY2, HOST_ADDED_TO_EXISTING_CLUSTER, 409, "in state added-to" },
		{ true, HOST_KIND_DAY2, HOST_RESETTING_PENDING_USER_ACTION, 409, "in state reset" },
	};
	struct api *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h =
			api_add_host(f, API_POOL, API_HOST, rows[i].is_bound, rows[i].from);
		state_begin(f->svc.state);
		assert_int_equal(state_edit_host(f->svc.state, h), 0);
		h->kind = rows[i].kind;
		h->stage = STAGE_STARTING_INSTALLATION;
		h->stage_started_at = h->stage_updated_at = f->now_us;
		api_commit(f);
		api_call(f, "POST", API_HOST_PATH "/actions/install", NULL);
		api_refused(f, rows[i].status, rows[i].reason);
		state_begin(f->svc.state);
		assert_int_equal(state_remove_host(f->svc.state, h), 0);
		api_commit(f);
	}
	api_call(f, "POST", API_HOST_PATH "/actions/install", NULL);
	api_refused(f, 404, "record not found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		API_TEST(test_register_pool),
		API_TEST(test_register_bound),
		API_TEST(test_register_twice),
		API_TEST(test_register_after_binding),
		API_TEST(test_register_refused),
		API_TEST_OPEN(test_register_unknown_infra_env),
		API_TEST(test_register_states),
		API_TEST(test_register_disconnected_iso),
		API_TEST(test_list_and_get),
		API_TEST(test_read_by_agents),
		API_TEST(test_delete),
		API_TEST(test_delete_frees_the_name),
		API_TEST(test_bind),
		API_TEST(test_bind_brings_its_name),
		API_TEST(test_bind_refused),
		API_TEST(test_bind_architecture),
		API_TEST(test_unbind),
		API_TEST(test_unbind_refused),
		API_TEST(test_reset),
		API_TEST(test_install),
		API_TEST(test_install_looks_first),
		API_TEST(test_install_refused),
	};
	return cmocka_run_group_tests_name("v2_host", tests, NULL, NULL);
}
