/*
 * Replies to steps (assisted-v2 §4.3, §5.1): what they change in a host.
 */
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "common/wire/step.h"
#include "service/connection.h"
#include "service/host_fsm.h"
#include "service/rules.h"
#include "service/shape.h"

#define REPLY_OUTPUT_MAX (4u << 20)
#define ERROR_TEXT_MAX 1024

#define EXIT_MEDIA_LOST 256       /* the discovery medium cannot be read */
#define EXIT_CONTAINER_EXISTS 125 /* podman: the installer of an earlier poll still runs */

struct reply {
	const struct rule_ctx *ctx;
	struct host *host;
	enum step_type type;
	int64_t exit_code;
	const char *output, *error;
	const char *event;
};

typedef int (*reply_fn)(struct reply *r, struct fault *err);

static int parse_output(const struct reply *r, const struct shape *shape, json_t **ret,
			struct fault *err)
{
	AUTO(json_decrefp)
	json_t *raw = json_parse(r->output, strlen(r->output), REPLY_OUTPUT_MAX, true, err);
	if (!raw)
		return -EINVAL;
	int e = shape_apply(shape, raw, ret, err);
	return e == -EMSGSIZE ? -EINVAL : e;
}

static int keep_text(const json_t *v, char **slot, struct fault *err)
{
	char *text = json_text(v, true);
	if (!text)
		return fault_oom(err);
	free(*slot);
	*slot = text;
	return 0;
}

static int keep_output(const struct reply *r, const struct shape *shape, char **slot,
		       struct fault *err)
{
	AUTO(json_decrefp) json_t *v = NULL;
	int e = parse_output(r, shape, &v, err);

	return e < 0 ? e : keep_text(v, slot, err);
}

/* --- one function per step that is answered with something --- */

static bool takes_inventory(enum host_status s)
{
	static const bool takes[HOST_STATUS_COUNT] = {
		[HOST_DISCOVERING] = true,          [HOST_KNOWN] = true,
		[HOST_DISCONNECTED] = true,         [HOST_INSUFFICIENT] = true,
		[HOST_PENDING_FOR_INPUT] = true,    [HOST_INSTALLING_IN_PROGRESS] = true,
		[HOST_DISCOVERING_UNBOUND] = true,  [HOST_KNOWN_UNBOUND] = true,
		[HOST_INSUFFICIENT_UNBOUND] = true, [HOST_DISCONNECTED_UNBOUND] = true,
	};
	return takes[s];
}

static int take_inventory(struct reply *r, struct fault *err)
{
	if (!takes_inventory(r->host->status))
		return fault_set(err, -EPERM, "no inventory is taken from a host that is %s",
				 host_status_name(r->host->status));
	return inventory_apply(r->ctx, r->host, r->output, strlen(r->output), err);
}

static int take_connectivity(struct reply *r, struct fault *err)
{
	return keep_output(r, shape_connectivity, &r->host->connectivity, err);
}

static int take_api_vip(struct reply *r, struct fault *err)
{
	return keep_output(r, shape_api_vip, &r->host->api_vip_connectivity, err);
}

static int take_tang(struct reply *r, struct fault *err)
{
	return keep_output(r, shape_tang, &r->host->tang_connectivity, err);
}

static int take_ntp(struct reply *r, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = NULL;
	int e = parse_output(r, shape_ntp, &v, err);

	return e < 0 ? e : keep_text(json_child(v, "ntp_sources"), &r->host->ntp_sources, err);
}

static int take_domains(struct reply *r, struct fault *err)
{
	return keep_output(r, shape_domains, &r->host->domain_name_resolutions, err);
}

static int take_upgrade(struct reply *r, struct fault *err)
{
	AUTO(json_decrefp) json_t *v = NULL;
	int e = parse_output(r, shape_upgrade, &v, err);
	if (e < 0)
		return e;
	const char *result = json_str(v, "result");
	if (result)
		r->event = strcmp(result, "success") == 0 ? "upgrade_agent_finished"
							  : "upgrade_agent_failed";
	return 0;
}

/* A step of a first installation: never asked for, so nothing is kept, but it must be JSON as the original demands. */
static int take_json(struct reply *r, struct fault *err)
{
	if (!*r->output)
		return 0;
	AUTO(json_decrefp)
	json_t *v = json_parse(r->output, strlen(r->output), REPLY_OUTPUT_MAX, true, err);
	return v ? 0 : -EINVAL;
}

/* --- failures --- */

static int fail_installation(struct reply *r, struct fault *err)
{
	/* the step is handed out at every poll while the host is "installing": the second run of it is no failure */
	if (r->exit_code == EXIT_CONTAINER_EXISTS &&
	    strstr(r->error, "container name \"assisted-installer\" is already in use"))
		return 0;
	if (r->host->status != HOST_INSTALLING && r->host->status != HOST_INSTALLING_IN_PROGRESS)
		return 0;
	AUTO(freep)
	char *info = str_printf("The installation failed on the host: %.*s", ERROR_TEXT_MAX,
				*r->error ? r->error : "it gave no reason");
	if (!info)
		return fault_oom(err);
	str_make_utf8(info);
	return host_move(r->host, HT_INSTALLATION_FAILED, HOST_ERROR, info, r->ctx->now_us, err);
}

static int fail_tang(struct reply *r, struct fault *err)
{
	return str_set(&r->host->tang_connectivity, r->error) < 0 ? fault_oom(err) : 0;
}

struct reply_rule {
	reply_fn taken, failed;
};

static const struct reply_rule rules[STEP_TYPE_COUNT] = {
	[STEP_INVENTORY] = { take_inventory, NULL },
	[STEP_CONNECTIVITY_CHECK] = { take_connectivity, NULL },
	[STEP_API_VIP_CONNECTIVITY_CHECK] = { take_api_vip, NULL },
	[STEP_TANG_CONNECTIVITY_CHECK] = { take_tang, fail_tang },
	[STEP_NTP_SYNCHRONIZER] = { take_ntp, NULL },
	[STEP_DOMAIN_RESOLUTION] = { take_domains, NULL },
	[STEP_UPGRADE_AGENT] = { take_upgrade, NULL },
	[STEP_FREE_NETWORK_ADDRESSES] = { take_json, NULL },
	[STEP_DHCP_LEASE_ALLOCATE] = { take_json, NULL },
	[STEP_INSTALLATION_DISK_SPEED_CHECK] = { take_json, take_json },
	[STEP_CONTAINER_IMAGE_AVAILABILITY] = { take_json, take_json },
	[STEP_VERIFY_VIPS] = { take_json, NULL },
	[STEP_INSTALL] = { NULL, fail_installation },
};

/* Where a host goes when its medium is gone; a host of another state only remembers it. */
static enum host_status status_without_media(enum host_status s)
{
	static const enum host_status targets[] = { HOST_DISCONNECTED, HOST_DISCONNECTED_UNBOUND,
						    HOST_ERROR };

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (s != targets[i] && host_may_move(HT_MEDIA_DISCONNECT, s, targets[i]))
			return targets[i];
	}
	return s;
}

static int lose_media(struct reply *r, struct fault *err)
{
	struct host *h = r->host;
	enum host_status to = status_without_media(h->status);

	if (h->media_disconnected != HOST_MEDIA_DISCONNECTED)
		r->event = "host_media_disconnected";
	h->media_disconnected = HOST_MEDIA_DISCONNECTED;
	if (to == h->status)
		return 0;
	return host_move(
		h, HT_MEDIA_DISCONNECT, to,
		"The host cannot read its discovery medium any more: it was taken out, or the way to it is too slow. Keep it "
		"connected until the installation has ended",
		r->ctx->now_us, err);
}

static int apply_failure(struct reply *r, struct fault *err)
{
	int e = r->exit_code == EXIT_MEDIA_LOST ? lose_media(r, err) : 0;

	if (e == 0 && rules[r->type].failed)
		e = rules[r->type].failed(r, err);
	return e;
}

static int apply_success(struct reply *r, struct fault *err)
{
	if (r->host->media_disconnected == HOST_MEDIA_DISCONNECTED)
		r->host->media_disconnected = HOST_MEDIA_CONNECTED;
	return rules[r->type].taken ? rules[r->type].taken(r, err) : 0;
}

static int read_reply(json_t *body, struct reply *r, struct fault *err)
{
	const char *type = json_str(body, "step_type"), *output = json_str(body, "output"),
		   *error = json_str(body, "error");

	r->type = str_empty(type) ? STEP_UNKNOWN : step_type_parse(type);
	if (!str_empty(type) && r->type == STEP_UNKNOWN)
		return fault_set(err, -EINVAL,
				 "step_type in body should be one of the step types, not %s", type);
	r->exit_code = json_i64(body, "exit_code");
	r->output = output ? output : "";
	r->error = error ? error : "";
	return 0;
}

int host_reply_apply(const struct rule_ctx *ctx, struct host *h, json_t *reply,
		     const char **ret_event_name, struct fault *err)
{
	struct reply r = { .ctx = ctx, .host = h };
	int e = read_reply(reply, &r, err);

	if (e == 0)
		e = r.exit_code ? apply_failure(&r, err) : apply_success(&r, err);
	if (e < 0)
		return e;
	*ret_event_name = r.event;
	return 0;
}
