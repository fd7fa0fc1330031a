/*
 * Which status a host should have now (assisted-v2 §7.3). Runs on events: a reply, a change by a user, a timer.
 */
#include <errno.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "service/connection.h"
#include "service/host_fsm.h"
#include "service/rules.h"

#define INFO_MAX 4096 /* host_move() cuts it further */
#define MS_US 1000

/* What a refresh works with; the verdict is reached by the functions below, in the order of the reference's rules. */
struct refresh {
	const struct rule_ctx *ctx;
	struct host *host;
	struct validations validations;
	enum host_status to;
	struct buf info;
};

static int verdict(struct refresh *r, enum host_status to, const char *info)
{
	r->to = to;
	buf_reset(&r->info);
	return buf_append_str(&r->info, info);
}

static bool is_failing(const struct validation *v)
{
	return v->blocking && v->status != VALIDATION_SUCCESS && v->status != VALIDATION_DISABLED;
}

static bool any_failing(const struct validations *list, bool minimum_only)
{
	for (size_t i = 0; i < list->n; i++) {
		if (is_failing(&list->v[i]) && (!minimum_only || list->v[i].hardware_minimum))
			return true;
	}
	return false;
}

/* Failures first, because a person can mend them; then what the host only waits for. */
static int append_messages(struct refresh *r, bool pending)
{
	for (size_t i = 0; i < r->validations.n; i++) {
		const struct validation *v = &r->validations.v[i];
		bool is_pending = v->status == VALIDATION_PENDING;
		/* a failure that does not block is worth a word too when something else does */
		bool shown = is_failing(v) || v->status == VALIDATION_FAILURE;
		if (!shown || is_pending != pending)
			continue;
		int e = buf_printf(&r->info, "%s%s", str_ends(r->info.data, ": ") ? "" : "; ",
				   v->message);
		if (e < 0)
			return e == -EMSGSIZE ? 0 : e;
	}
	return 0;
}

static int insufficient(struct refresh *r, enum host_status to, const char *head)
{
	int e = verdict(r, to, head);
	if (e == 0)
		e = append_messages(r, false);
	if (e == 0)
		e = append_messages(r, true);
	return e;
}

static bool is_gone(const struct refresh *r)
{
	return r->host->media_disconnected == HOST_MEDIA_DISCONNECTED ||
	       !host_is_connected(r->ctx, r->host);
}

static const char *gone_text(const struct refresh *r)
{
	if (r->host->media_disconnected == HOST_MEDIA_DISCONNECTED)
		return "The host cannot read its discovery medium any more: keep it connected until the installation has ended";
	return "The host has stopped talking to the service: see that it runs and that its network is up";
}

static int refresh_pool(struct refresh *r)
{
	if (is_gone(r))
		return verdict(r, HOST_DISCONNECTED_UNBOUND, gone_text(r));
	if (!r->host->inventory)
		return verdict(r, HOST_DISCOVERING_UNBOUND, "Waiting for the host's inventory");
	if (any_failing(&r->validations, false))
		return insufficient(r, HOST_INSUFFICIENT_UNBOUND,
				    "The host cannot be a member of any cluster: ");
	return verdict(r, HOST_KNOWN_UNBOUND, "The host can be bound to a cluster");
}

static int refresh_waiting(struct refresh *r)
{
	if (is_gone(r))
		return verdict(r, HOST_DISCONNECTED, gone_text(r));
	if (!r->host->inventory)
		return verdict(r, HOST_DISCOVERING, "Waiting for the host's inventory");
	if (any_failing(&r->validations, true))
		return insufficient(r, HOST_INSUFFICIENT, "The hardware is not enough: ");
	if (any_failing(&r->validations, false))
		return insufficient(r, HOST_INSUFFICIENT, "The host cannot be installed yet: ");
	return verdict(r, HOST_KNOWN, "The host can be installed");
}

/* When the running installation has taken too long, microseconds; 0 = never. */
static int64_t stage_limit_us(const struct rule_ctx *ctx, const struct host *h)
{
	if (h->status == HOST_INSTALLING)
		return connection_counts_from(ctx, h->status_updated_at) +
		       (int64_t)ctx->config->no_progress_timeout_ms * MS_US;
	if (h->status != HOST_INSTALLING_IN_PROGRESS)
		return 0;
	uint64_t timeout_ms = ctx->config->stage_timeout_ms[h->stage];
	int64_t since = h->stage_started_at;
	/* an image may be large: only a write that stands still is one that failed */
	if (h->stage == STAGE_WRITING_IMAGE && h->stage_updated_at > since)
		since = h->stage_updated_at;
	return timeout_ms && since
		       ? connection_counts_from(ctx, since) + (int64_t)timeout_ms * MS_US
		       : 0;
}

static int refresh_stage(struct refresh *r)
{
	struct host *h = r->host;
	char text[512];

	if (h->status == HOST_INSTALLING)
		return verdict(
			r, HOST_ERROR,
			"The installation was asked for, but the host never reported that it began");
	h->stage_timed_out = true;
	if (h->stage == STAGE_REBOOTING)
		return verdict(
			r, HOST_INSTALLING_PENDING_USER_ACTION,
			"The host has not come back from its reboot: look at its console, at the boot order (the installed disk must "
			"come first) and at its network");
	snprintf(text, sizeof(text), "The installation took too long in the stage \"%s\"",
		 h->stage_text ? h->stage_text : stage_name(h->stage));
	return verdict(r, HOST_ERROR, text);
}

static int refresh_installing(struct refresh *r)
{
	int64_t limit = stage_limit_us(r->ctx, r->host);

	if (!host_is_connected(r->ctx, r->host))
		return verdict(
			r, HOST_ERROR,
			"The host stopped talking to the service in the middle of its installation");
	if (limit && r->ctx->now_us >= limit)
		return refresh_stage(r);
	return 0;
}

static int (*const by_status[HOST_STATUS_COUNT])(struct refresh *r) = {
	[HOST_DISCOVERING] = refresh_waiting,
	[HOST_INSUFFICIENT] = refresh_waiting,
	[HOST_KNOWN] = refresh_waiting,
	[HOST_PENDING_FOR_INPUT] = refresh_waiting,
	[HOST_DISCONNECTED] = refresh_waiting,
	[HOST_INSTALLING] = refresh_installing,
	[HOST_INSTALLING_IN_PROGRESS] = refresh_installing,
	[HOST_DISCOVERING_UNBOUND] = refresh_pool,
	[HOST_INSUFFICIENT_UNBOUND] = refresh_pool,
	[HOST_KNOWN_UNBOUND] = refresh_pool,
	[HOST_DISCONNECTED_UNBOUND] = refresh_pool,
};

/*
 * Validations of a host without an inventory say nothing new: those of its last life stay to be read (assisted-v2: a host that
 * registers again still shows them).
 */
static int store_validations(struct refresh *r, struct fault *err)
{
	if (!r->host->inventory && r->host->validations_info)
		return 0;
	char *text = validations_text(&r->validations);
	if (!text)
		return fault_oom(err);
	free(r->host->validations_info);
	r->host->validations_info = text;
	return 0;
}

static int apply(struct refresh *r, bool *ret_changed, struct fault *err)
{
	struct host *h = r->host;
	enum host_status before = h->status;

	*ret_changed = false;
	if (!r->info.len)
		return 0;
	int e = host_move(h, HT_REFRESH, r->to, r->info.data, r->ctx->now_us, err);
	if (e == 0)
		*ret_changed = h->status != before;
	return e;
}

int host_refresh(const struct rule_ctx *ctx, struct host *h, bool *ret_changed, struct fault *err)
{
	struct refresh r = { .ctx = ctx, .host = h, .to = h->status };
	bool changed = false;

	if (!by_status[h->status]) {
		*ret_changed = false;
		return 0;
	}
	buf_init(&r.info, INFO_MAX);
	int e = host_validate(ctx, h, &r.validations, err);
	if (e == 0)
		e = store_validations(&r, err);
	if (e == 0 && by_status[h->status](&r) < 0)
		e = fault_oom(err);
	if (e == 0)
		e = apply(&r, &changed, err);
	validations_done(&r.validations);
	buf_done(&r.info);
	if (e == 0)
		*ret_changed = changed;
	return e;
}

int64_t host_next_refresh_us(const struct rule_ctx *ctx, const struct host *h)
{
	if (!by_status[h->status] || h->status == HOST_DISCONNECTED ||
	    h->status == HOST_DISCONNECTED_UNBOUND)
		return 0;
	int64_t gone = host_disconnects_at_us(ctx, h), stage = stage_limit_us(ctx, h);

	if (!gone || !stage)
		return gone ? gone : stage;
	return MIN_OF(gone, stage);
}
