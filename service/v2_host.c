/*
 * Hosts: registering, reading, binding, installing (assisted-v2 §3.3, §4.1).
 */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/host_life.h"
#include "service/host_logs.h"
#include "service/life.h"
#include "service/route.h"
#include "service/v2_common.h"
#include "service/v2_host.h"
#include "service/v2_view.h"

#define HOST_PATH ROUTE_BASE "/v2/infra-envs/{infra_env_id}/hosts/{host_id}"

#define NAME_SHOWN_MAX 255 /* bytes of a host's name in an event */

static const struct body_field register_fields[] = {
	{ "host_id", BODY_UUID, BODY_REQUIRED },
	{ "discovery_agent_version", BODY_STR, .max_len = V2_AGENT_VERSION_MAX },
	{ NULL },
};
static const struct body_schema register_schema = { "newHostParams", register_fields };

static const struct body_field bind_fields[] = { { "cluster_id", BODY_UUID, BODY_REQUIRED },
						 { NULL } };
static const struct body_schema bind_schema = { "bindHostParams", bind_fields };

const char *v2_agent_version(const struct request *r)
{
	const char *version = request_header(r, "discovery_agent_version");

	return version && strlen(version) <= V2_AGENT_VERSION_MAX ? version : NULL;
}

bool v2_is_slipway_agent(const struct request *r)
{
	return !str_empty(request_header(r, "Slipway-Agent"));
}

/* --- registration --- */

/* {"agent_version","host_id","infra_env_id"} as text: the argument of the next-step runner. */
static char *runner_args(const struct host *h, const char *agent_version)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{ssssss}", "infra_env_id", h->infra_env_id, "host_id", h->id,
			      "agent_version", agent_version);

	return v ? json_text(v, true) : NULL;
}

/*
 * The answer shows the role that a host of a cluster will have, although what is stored stays auto-assign until the installation (seen:
 * assisted-v2 §4.1).
 */
static int answer_registration(struct request *r, const struct host *h)
{
	static char pool[] = "worker";
	AUTO(freep) char *args = runner_args(h, r->service->rules.agent_image);
	struct json_out o = json_out(&r->out);
	struct host shown = *h; /* borrows everything */

	if (!args)
		return -ENOMEM;
	if (h->kind == HOST_KIND_DAY2) {
		shown.role = shown.suggested_role = ROLE_WORKER;
		shown.machine_config_pool_name =
			str_empty(h->machine_config_pool_name) ? pool : h->machine_config_pool_name;
	}
	view_host(&o, &shown, VIEW_HOST_OPEN);
	jo_object(&o, "next_step_runner_command");
	jo_array(&o, "args");
	jo_str(&o, NULL, args);
	jo_array_end(&o);
	jo_object_end(&o);
	jo_object_end(&o);
	return answer_out(r, 201, &o);
}

/* @host: its name, or its id. */
static void note_failure(struct request *r, const char *cluster_id, const char *host_id,
			 const char *host, const char *name, const char *why)
{
	struct api_event e = { .event_time = r->now_us };

	str_copy(e.infra_env_id, sizeof(e.infra_env_id), request_param(r, "infra_env_id"));
	str_copy(e.cluster_id, sizeof(e.cluster_id), cluster_id);
	str_copy(e.host_id, sizeof(e.host_id), host_id);
	e.message = str_printf("Host %.*s: %s", NAME_SHOWN_MAX, host, why);
	if (e.message)
		str_make_utf8(e.message);
	if (!e.message || str_set(&e.name, name) < 0 || str_set(&e.severity, "error") < 0 ||
	    str_set(&e.category, "user") < 0)
		api_event_done(&e);
	else
		request_failure_event(r, &e);
}

static int host_register_request(struct request *r, struct fault *err)
{
	struct fault why = FAULT_INIT;
	const char *version = json_str(r->body, "discovery_agent_version");
	const struct host_registration reg = {
		.host_id = json_str(r->body, "host_id"),
		.agent_version = version ? version : v2_agent_version(r),
		.is_slipway_agent = v2_is_slipway_agent(r),
	};
	struct infra_env *ie;
	struct host *h;
	bool is_new;

	int e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	/* A token bound to a host belongs to an installed system, which never registers. */
	if (r->caller.host_id[0])
		return fault_set(err, -ENOENT, "Object Not Found");
	e = host_register(r->service, ie, &reg, &h, &is_new, &why);
	if (e < 0) {
		note_failure(r, ie->cluster_id, reg.host_id, reg.host_id,
			     "host_registration_failed", fault_text(&why));
		return fault_set(err, e, "%s", fault_text(&why));
	}
	return answer_registration(r, h);
}

/* --- reading and deleting --- */

static int host_list(struct request *r, struct fault *err)
{
	struct json_out o = json_out(&r->out);
	struct infra_env *ie;
	size_t n;

	int e = v2_find_infra_env(r, &ie, err);
	if (e < 0)
		return e;
	struct host *const *hosts = state_hosts_of_infra_env(r->service->state, ie->id, &n);
	jo_array(&o, NULL);
	for (size_t i = 0; i < n; i++) {
		if (auth_in_scope(&r->caller, ie->id, hosts[i]->id))
			view_host(&o, hosts[i], 0);
	}
	jo_array_end(&o);
	return answer_out(r, 200, &o);
}

static int host_get(struct request *r, struct fault *err)
{
	struct host *h;

	int e = v2_find_host(r, &h, err);
	return e < 0 ? e : answer_host(r, 200, h);
}

static int host_delete(struct request *r, struct fault *err)
{
	struct host *h;

	/* 500 for an unknown host: what the reference's clients know (assisted-v2 §3.3). */
	if (v2_find_host(r, &h, err) < 0)
		return err->code = -EPROTO;
	AUTO(freep) char *name = host_effective_name(h);
	char cluster_id[UUID_LEN + 1];
	memcpy(cluster_id, h->cluster_id, sizeof(cluster_id));
	int e = life_event_host(r->service, h, "host_deregistered", "info", "deregistered");
	if (e == 0)
		e = state_remove_host(r->service->state, h);
	if (e == 0)
		e = name ? host_refresh_namesakes(r->service, cluster_id, name, err) : -ENOMEM;
	host_logs_tidy_soon(r->service->logs);
	return e < 0 ? e : answer_empty(r, 204);
}

/* --- actions --- */

typedef int (*action_fn)(struct request *r, struct host *h, struct fault *err);

static int act(struct request *r, action_fn action, int status, struct fault *err)
{
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0)
		e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = action(r, h, err);
	return e < 0 ? e : answer_host(r, status, h);
}

static int do_bind(struct request *r, struct host *h, struct fault *err)
{
	const char *cluster_id = json_str(r->body, "cluster_id");

	int e = host_bind(r->service, h, cluster_id, err);
	if (e < 0)
		note_failure(r, cluster_id, h->id, host_name(h), "host_bind_failed",
			     fault_text(err));
	/* it brings its name, and what it has downloaded, to the others */
	return e < 0 ? e : host_refresh_peers(r->service, h, "", false, err);
}

static int do_unbind(struct request *r, struct host *h, struct fault *err)
{
	char cluster_id[UUID_LEN + 1];

	memcpy(cluster_id, h->cluster_id, sizeof(cluster_id));
	int e = host_check_unbind(r->service, h, err);
	if (e == 0)
		e = host_unbind(r->service, h, err);
	if (e < 0)
		note_failure(r, cluster_id, h->id, host_name(h), "host_unbind_failed",
			     fault_text(err));
	return e < 0 ? e : host_refresh_namesakes(r->service, cluster_id, host_name(h), err);
}

static int do_reset(struct request *r, struct host *h, struct fault *err)
{
	return host_reset(r->service, h, err);
}

static int do_install(struct request *r, struct host *h, struct fault *err)
{
	return host_install(r->service, h, err);
}

static int host_bind_request(struct request *r, struct fault *err)
{
	return act(r, do_bind, 200, err);
}

static int host_unbind_request(struct request *r, struct fault *err)
{
	return act(r, do_unbind, 200, err);
}

static int host_reset_request(struct request *r, struct fault *err)
{
	return act(r, do_reset, 200, err);
}

static int host_install_request(struct request *r, struct fault *err)
{
	return act(r, do_install, 202, err);
}

const struct route v2_host_routes[] = {
	{ "POST", ROUTE_BASE "/v2/infra-envs/{infra_env_id}/hosts", "v2RegisterHost", AUTH_AGENT, 0,
	  host_register_request, &register_schema },
	{ "GET", ROUTE_BASE "/v2/infra-envs/{infra_env_id}/hosts", "v2ListHosts",
	  AUTH_USER | AUTH_AGENT, ROUTE_EACH, host_list },
	{ "GET", HOST_PATH, "v2GetHost", AUTH_USER | AUTH_AGENT, 0, host_get },
	{ "DELETE", HOST_PATH, "v2DeregisterHost", AUTH_USER, 0, host_delete },
	{ "POST", HOST_PATH "/actions/bind", "BindHost", AUTH_USER, 0, host_bind_request,
	  &bind_schema },
	{ "POST", HOST_PATH "/actions/unbind", "UnbindHost", AUTH_USER, 0, host_unbind_request },
	{ "POST", HOST_PATH "/actions/reset", "v2ResetHost", AUTH_USER, 0, host_reset_request },
	{ "POST", HOST_PATH "/actions/install", "v2InstallHost", AUTH_USER, 0,
	  host_install_request },
	ROUTE_END,
};
