/*
 * What agents call while they live: instructions, replies, progress, logs (assisted-v2 §4.2–4.5).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/host_life.h"
#include "service/life.h"
#include "service/route.h"
#include "service/v2_common.h"
#include "service/v2_host.h"

#define HOST_PATH ROUTE_BASE "/v2/infra-envs/{infra_env_id}/hosts/{host_id}"
#define PROGRESS_INFO_MAX 4096
#define FINDINGS_FREE (64u << 10) /* bytes of each host that do not count against the quota */
#define CLOCK_STEP_S 60 /* a host's clock that moved by more against ours is looked at again */
#define CLOCK_MAX_S \
	253402300799ll /* the end of the year 9999: a host may say anything, and it is reckoned with */

static const char *const step_types[] = {
	"connectivity-check",
	"execute",
	"inventory",
	"install",
	"free-network-addresses",
	"dhcp-lease-allocate",
	"api-vip-connectivity-check",
	"tang-connectivity-check",
	"ntp-synchronizer",
	"installation-disk-speed-check",
	"container-image-availability",
	"domain-resolution",
	"stop-installation",
	"logs-gather",
	"next-step-runner",
	"upgrade-agent",
	"download-boot-artifacts",
	"reboot-for-reclaim",
	"verify-vips",
	NULL,
};
static const struct body_field reply_fields[] = {
	{ "step_type", BODY_STR, .values = step_types },
	{ "step_id", BODY_STR },
	{ "exit_code", BODY_INT },
	{ "output", BODY_STR },
	{ "error", BODY_STR },
	{ NULL },
};
static const struct body_schema reply_schema = { "reply", reply_fields };

static const char *const stages[] = {
	"Starting installation",
	"Waiting for control plane",
	"Waiting for bootkube",
	"Waiting for controller",
	"Installing",
	"Writing image to disk",
	"Copying registry data to disk",
	"Rebooting",
	"Waiting for ignition",
	"Configuring",
	"Joined",
	"Done",
	"Failed",
	NULL,
};
static const struct body_field progress_fields[] = {
	{ "current_stage", BODY_STR, .values = stages },
	{ "progress_info", BODY_STR, .max_len = PROGRESS_INFO_MAX },
	{ NULL },
};
static const struct body_schema progress_schema = { "hostProgress", progress_fields };

static const char *const logs_states[] = { "requested", "collecting", "completed",
					   "timeout",   "",           NULL };
static const struct body_field logs_fields[] = {
	{ "logs_state", BODY_STR, BODY_REQUIRED, .values = logs_states }, { NULL }
};
static const struct body_schema logs_schema = { "logsProgressParams", logs_fields };

/* --- GET …/instructions --- */

static int query_timestamp(const struct request *r, int64_t *ret, struct fault *err)
{
	const char *text = request_query(r, "timestamp");

	*ret = 0;
	if (!str_empty(text) && str_to_i64(text, ret) < 0)
		return fault_set(err, -EBADMSG, "timestamp in query must be of type int64: \"%s\"",
				 text);
	*ret = MAX_OF(MIN_OF(*ret, CLOCK_MAX_S), -CLOCK_MAX_S);
	return 0;
}

/* Whether what the poll says about the host differs from what is stored. */
static bool has_news(const struct request *r, const struct host *h)
{
	const char *version = v2_agent_version(r);

	if (!str_empty(version) && !str_eq(version, h->discovery_agent_version))
		return true;
	if (v2_is_slipway_agent(r) != h->slipway_agent)
		return true;
	return h->status == HOST_INSTALLING &&
	       !str_eq(h->installer_version, r->service->rules.installer_image);
}

static int take_news(struct request *r, struct host *h)
{
	const char *version = v2_agent_version(r);

	int e = state_edit_host(r->service->state, h);
	if (e == 0 && !str_empty(version))
		e = str_set(&h->discovery_agent_version, version);
	if (e == 0 && h->status == HOST_INSTALLING)
		e = str_set(&h->installer_version, r->service->rules.installer_image);
	if (e == 0)
		h->slipway_agent = v2_is_slipway_agent(r);
	return e;
}

static int64_t clock_offset(const struct host *h)
{
	return h->timestamp - h->checked_in_at / 1000000;
}

static bool needs_refresh(const struct host *h, int64_t old_timestamp, int64_t old_offset)
{
	if (h->status == HOST_DISCONNECTED || h->status == HOST_DISCONNECTED_UNBOUND)
		return true;
	if (h->timestamp == old_timestamp)
		return false;
	return !old_timestamp || llabs(clock_offset(h) - old_offset) > CLOCK_STEP_S;
}

/* A poll that changes nothing touches nothing but memory. */
static int host_poll(struct request *r, struct fault *err)
{
	int64_t timestamp;
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0)
		e = query_timestamp(r, &timestamp, err);
	if (e == 0 && has_news(r, h))
		e = take_news(r, h);
	if (e < 0)
		return e;

	int64_t old_timestamp = h->timestamp, offset = clock_offset(h);
	state_host_checkin(r->service->state, h, r->now_us, timestamp);
	if (needs_refresh(h, old_timestamp, offset)) {
		e = state_edit_host(r->service->state, h);
		if (e == 0)
			e = life_refresh(r->service, h, h->status, err);
		if (e < 0)
			return e;
	}
	struct rule_ctx ctx = life_ctx_alone(r->service, h);
	json_t *answer = host_instructions(&ctx, h, err);
	return answer ? answer_json(r, 200, answer) : -ENOMEM;
}

/* --- POST …/instructions --- */

static int reply_event(struct request *r, const struct host *h, const char *name)
{
	if (!name)
		return 0;
	bool is_bad = str_ends(name, "_failed") || str_ends(name, "_disconnected");
	return life_event_host(r->service, h, name, is_bad ? "error" : "info", "%s",
			       json_str(r->body, "step_type"));
}

/*
 * What the hosts of an infra-env say together is limited: whoever has its token can register hosts and let them say what he likes. A
 * usual host's share is small enough for max_hosts of them, so that only large ones need to be added up.
 */
static int check_findings(const struct service *svc, struct host *h, struct fault *err)
{
	uint64_t sum = 0;
	size_t n, old = h->findings_len;

	if (host_count_findings(h) <= FINDINGS_FREE || h->findings_len <= old)
		return 0;
	struct host *const *hosts = state_hosts_of_infra_env(svc->state, h->infra_env_id, &n);
	for (size_t i = 0; i < n; i++)
		sum += hosts[i]->findings_len > FINDINGS_FREE ? hosts[i]->findings_len : 0;
	if (sum <= svc->config->findings_quota)
		return 0;
	h->findings_len = old;
	return fault_set(
		err, -E2BIG,
		"the hosts of infra-env %s have reported more than %llu bytes (findings_quota)",
		h->infra_env_id, (unsigned long long)svc->config->findings_quota);
}

static int apply_reply(struct request *r, struct host *h, struct fault *err)
{
	struct service *svc = r->service;
	enum host_status old_status = h->status;
	bool had_api_vip = host_has_api_vip(h);
	AUTO(freep) char *old_name = host_effective_name(h);
	AUTO(freep) char *old_inventory = str_dup(h->inventory);
	const char *event = NULL;

	struct rule_ctx ctx = life_ctx(svc, h);
	int e = host_reply_apply(&ctx, h, r->body, &event, err);
	if (e == -EPERM)
		e = -EPROTO; /* a wrong state is 500 here (assisted-v2 §4.3) */
	if (e == 0 && !str_eq(old_inventory, h->inventory))
		e = host_note_inventory(h);
	if (e == 0)
		e = check_findings(svc, h, err);
	if (e == 0)
		e = reply_event(r, h, event);
	if (e == 0)
		e = life_refresh(svc, h, old_status, err);
	return e < 0 ? e : host_refresh_peers(svc, h, old_name, had_api_vip, err);
}

static int host_reply(struct request *r, struct fault *err)
{
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0)
		e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = apply_reply(r, h, err);
	rule_parsed_done(&r->service->parsed);
	return e < 0 ? e : answer_empty(r, 204);
}

/* --- progress, logs --- */

static int host_progress_request(struct request *r, struct fault *err)
{
	const char *stage = json_str(r->body, "current_stage"),
		   *info = json_str(r->body, "progress_info");
	const struct host_report report = {
		.stage = stage ? stage : "",
		.info = info ? info : "",
		.is_slipway_agent = v2_is_slipway_agent(r),
		.is_installed_system = r->caller.host_id[0] != '\0',
		.install_id = r->caller.install_id,
	};
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0)
		e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = host_progress(r->service, h, &report, err);
	if (e < 0)
		return e;
	h->slipway_agent = report.is_slipway_agent;
	state_host_checkin(r->service->state, h, r->now_us, 0);
	life_schedule(r->service, h);
	return answer_empty(r, 200);
}

static int host_logs_progress(struct request *r, struct fault *err)
{
	const char *logs_state = json_str(r->body, "logs_state");
	struct host *h;

	int e = v2_find_host(r, &h, err);
	if (e == 0)
		e = state_edit_host(r->service->state, h);
	if (e == 0)
		e = str_set(&h->logs_info, logs_state);
	if (e < 0)
		return e;
	if (str_eq(logs_state, "requested"))
		h->logs_started_at = r->now_us;
	h->updated_at = r->now_us;
	return answer_empty(r, 204);
}

const struct route v2_step_routes[] = {
	{ "GET", HOST_PATH "/instructions", "v2GetNextSteps", AUTH_AGENT, 0, host_poll },
	{ "POST", HOST_PATH "/instructions", "v2PostStepReply", AUTH_AGENT, 0, host_reply,
	  &reply_schema },
	{ "PUT", HOST_PATH "/progress", "v2UpdateHostInstallProgress", AUTH_AGENT, 0,
	  host_progress_request, &progress_schema },
	{ "PUT", HOST_PATH "/logs-progress", "v2UpdateHostLogsProgress", AUTH_AGENT, 0,
	  host_logs_progress, &logs_schema },
	ROUTE_END,
};
