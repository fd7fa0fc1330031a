#include "service/life.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/log.h"
#include "service/images.h"

#define EVENT_TEXT_MAX 4096
#define NAME_SHOWN_MAX 255 /* bytes of a host's name in events: an inventory may name it anything */

/* Looked at whenever a rule is: a clock that was set makes no host silent and no stage too long. */
static int64_t silence_from(struct service *svc, int64_t now_us)
{
	if (clock_watch_jumped(&svc->clock, now_us, time_mono_ms())) {
		log_warning("the clock was set: silence of hosts is counted from now on");
		svc->silence_from_us = now_us;
	}
	return svc->silence_from_us;
}

/* What is written to the host's disk; only an install step asks for it. */
static const char *image_for(struct service *svc, const struct infra_env *ie, const struct host *h)
{
	return ie && svc->images && h->status == HOST_INSTALLING ? images_os_url(svc, ie) : NULL;
}

struct rule_ctx life_ctx_alone(struct service *svc, const struct host *h)
{
	const struct infra_env *ie = state_infra_env(svc->state, h->infra_env_id);
	int64_t now_us = service_now_us(svc);

	return (struct rule_ctx){
		.infra_env = ie,
		.cluster = h->cluster_id[0] ? state_cluster(svc->state, h->cluster_id) : NULL,
		.now_us = now_us,
		.silence_from_us = silence_from(svc, now_us),
		.config = &svc->rules,
		.parsed = &svc->parsed,
		.os_image_url = image_for(svc, ie, h),
	};
}

struct rule_ctx life_ctx(struct service *svc, struct host *h)
{
	struct rule_ctx ctx = life_ctx_alone(svc, h);

	ctx.peers = state_peers(svc->state, h, &ctx.n_peers);
	return ctx;
}

/* --- events --- */

static int event_write(struct service *svc, const char *cluster_id, const char *infra_env_id,
		       const char *host_id, const char *name, const char *severity,
		       const char *message)
{
	struct api_event e = { .event_time = service_now_us(svc) };

	str_copy(e.cluster_id, sizeof(e.cluster_id), cluster_id ? cluster_id : "");
	str_copy(e.infra_env_id, sizeof(e.infra_env_id), infra_env_id ? infra_env_id : "");
	str_copy(e.host_id, sizeof(e.host_id), host_id ? host_id : "");
	if (str_set(&e.name, name) < 0 || str_set(&e.severity, severity) < 0 ||
	    str_set(&e.category, "user") < 0 || str_set(&e.message, message) < 0) {
		api_event_done(&e);
		return -ENOMEM;
	}
	return state_event(svc->state, &e);
}

int life_event_host(struct service *svc, const struct host *h, const char *name,
		    const char *severity, const char *fmt, ...)
{
	char text[EVENT_TEXT_MAX];
	va_list ap;

	int n = snprintf(text, sizeof(text), "Host %.*s: ", NAME_SHOWN_MAX, host_name(h));
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	str_make_utf8(text);
	return event_write(svc, h->cluster_id, h->infra_env_id, h->id, name, severity, text);
}

int life_event(struct service *svc, const char *cluster_id, const char *infra_env_id,
	       const char *name, const char *severity, const char *fmt, ...)
{
	char text[EVENT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_make_utf8(text);
	return event_write(svc, cluster_id, infra_env_id, NULL, name, severity, text);
}

static const char *status_severity(enum host_status s)
{
	switch (s) {
	case HOST_ERROR:
	case HOST_PREPARING_FAILED:
		return "error";
	case HOST_INSUFFICIENT:
	case HOST_INSUFFICIENT_UNBOUND:
	case HOST_DISCONNECTED:
	case HOST_DISCONNECTED_UNBOUND:
	case HOST_INSTALLING_PENDING_USER_ACTION:
	case HOST_RESETTING_PENDING_USER_ACTION:
	case HOST_UNBINDING_PENDING_USER_ACTION:
		return "warning";
	default:
		return "info";
	}
}

static int event_status(struct service *svc, const struct host *h, enum host_status old)
{
	return life_event_host(svc, h, "host_status_updated", status_severity(h->status),
			       "updated status from %s to %s (%s)", host_status_name(old),
			       host_status_name(h->status), h->status_info ? h->status_info : "");
}

/* --- validations that turned --- */

/* The status of validation @id in a parsed validations_info; NULL = it is not there. */
static const char *validation_status(json_t *info, const char *id)
{
	const char *category;
	json_t *list, *v;
	size_t i;

	json_object_foreach(info, category, list) {
		json_array_foreach(list, i, v) {
			if (str_eq(json_str(v, "id"), id))
				return json_str(v, "status");
		}
	}
	return NULL;
}

static bool is_bad(const char *status)
{
	return str_eq(status, "failure") || str_eq(status, "error");
}

static int event_validation(struct service *svc, const struct host *h, json_t *before, json_t *v)
{
	const char *id = json_str(v, "id"), *now = json_str(v, "status"),
		   *old = validation_status(before, id);

	if (!old || !id || str_eq(old, now))
		return 0;
	if (is_bad(now) && !is_bad(old))
		return life_event_host(svc, h, "host_validation_failed", "warning",
				       "validation '%s' failed: %s", id,
				       json_str(v, "message") ? json_str(v, "message") : "");
	if (is_bad(old) && str_eq(now, "success"))
		return life_event_host(svc, h, "host_validation_fixed", "info",
				       "validation '%s' is now fixed", id);
	return 0;
}

static int events_validations(struct service *svc, const struct host *h, const char *old_text)
{
	const char *category;
	json_t *list, *v;
	size_t i;
	int r = 0;

	if (!old_text || !h->validations_info || !strcmp(old_text, h->validations_info))
		return 0;
	AUTO(json_decrefp)
	json_t *before = json_parse(old_text, strlen(old_text), SIZE_MAX, true, NULL);
	AUTO(json_decrefp)
	json_t *after =
		json_parse(h->validations_info, strlen(h->validations_info), SIZE_MAX, true, NULL);

	json_object_foreach(after, category, list) {
		json_array_foreach(list, i, v) {
			if (r == 0)
				r = event_validation(svc, h, before, v);
		}
	}
	return r;
}

/* --- refresh and moves --- */

static int suggest_role(struct service *svc, struct host *h)
{
	if (h->kind != HOST_KIND_DAY2 || h->suggested_role == ROLE_WORKER || !h->inventory)
		return 0;
	h->suggested_role =
		ROLE_WORKER; /* a cluster that exists is joined by workers only (assisted-v2 §4.1) */
	return life_event_host(svc, h, "host_role_updated", "info", "the role is worker");
}

int life_refresh(struct service *svc, struct host *h, enum host_status old_status,
		 struct fault *err)
{
	bool changed, had_timed_out = h->stage_timed_out;
	struct rule_ctx ctx = life_ctx(svc, h);
	AUTO(freep) char *old_validations = str_dup(h->validations_info);

	int r = host_refresh(&ctx, h, &changed, err);
	if (r == 0)
		r = events_validations(svc, h, old_validations);
	if (r == 0 && h->stage_timed_out && !had_timed_out)
		r = life_event_host(svc, h, "host_stage_timed_out", "warning",
				    "stage %s took too long", h->stage_text ? h->stage_text : "");
	if (r == 0)
		r = suggest_role(svc, h);
	if (r == 0 && h->status != old_status)
		r = event_status(svc, h, old_status);
	if (r == 0 && state_is_changed(svc->state, h))
		h->updated_at = service_now_us(svc);
	if (r == 0)
		life_schedule(svc, h);
	return r;
}

int life_move(struct service *svc, struct host *h, enum host_trigger why, enum host_status to,
	      const char *info, struct fault *err)
{
	enum host_status old = h->status;

	int r = host_move(h, why, to, info, service_now_us(svc), err);
	if (r < 0)
		return r;
	h->updated_at = service_now_us(svc);
	r = old == to ? 0 : event_status(svc, h, old);
	life_schedule(svc, h);
	return r;
}

/* --- timers: one per host that time alone can change --- */

struct host_timer {
	struct event *event;
	struct service *svc;
	struct host_timer *next, **link; /* in the service's list; *link points here */
	int64_t due_us;
	char infra_env_id[UUID_LEN + 1],
		id[UUID_LEN + 1]; /* the host may be gone when the timer fires */
};

static void timer_free(struct host_timer *t)
{
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	event_free(t->event);
	free(t);
}

static int refresh_on_timer(struct service *svc, struct host *h, struct fault *err)
{
	struct rule_ctx ctx = life_ctx_alone(svc, h);
	int64_t due = host_next_refresh_us(&ctx, h);

	if (!due || due > ctx.now_us)
		return 0; /* the host was heard of since the timer was set */
	int r = state_edit_host(svc->state, h);
	return r < 0 ? r : life_refresh(svc, h, h->status, err);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct host_timer *t = arg;
	struct service *svc = t->svc;
	struct fault why = FAULT_INIT;
	struct host *h = state_host(svc->state, t->infra_env_id, t->id);

	if (!h || state_host_slot(h) != t) {
		timer_free(t);
		return;
	}
	t->due_us = 0;
	state_begin(svc->state);
	int r = refresh_on_timer(svc, h, &why);
	if (r < 0) {
		state_abort(svc->state);
		log_error_errno(r, "host %s: %s", t->id, fault_text(&why));
	}
	life_schedule(svc, h);
}

static struct host_timer *timer_get(struct service *svc, struct host *h)
{
	struct host_timer *t = state_host_slot(h);

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->event = evtimer_new(svc->base, on_timer, t);
	if (!t->event) {
		free(t);
		return NULL;
	}
	t->svc = svc;
	memcpy(t->infra_env_id, h->infra_env_id, sizeof(t->infra_env_id));
	memcpy(t->id, h->id, sizeof(t->id));
	t->link = &svc->timers;
	t->next = svc->timers;
	if (t->next)
		t->next->link = &t->next;
	svc->timers = t;
	state_host_set_slot(h, t);
	return t;
}

void life_schedule(struct service *svc, struct host *h)
{
	struct rule_ctx ctx = life_ctx_alone(svc, h);
	int64_t due = host_next_refresh_us(&ctx, h);
	struct host_timer *t = state_host_slot(h);

	if (!due || (t && t->due_us && t->due_us <= due))
		return; /* a timer that fires too early looks again */
	t = timer_get(svc, h);
	if (!t) {
		log_error("no memory for the timer of host %s", h->id);
		return;
	}
	int64_t wait_us = MAX_OF(due - ctx.now_us, (int64_t)1000);
	struct timeval tv = { .tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000 };
	t->due_us = due;
	evtimer_add(t->event, &tv);
}

void life_start(struct service *svc)
{
	struct host *h;

	for (size_t i = 0; (h = state_host_at(svc->state, i)); i++) {
		(void)host_count_findings(h);
		life_schedule(svc, h);
	}
}

void life_stop(struct service *svc)
{
	struct host *h;

	for (size_t i = 0; (h = state_host_at(svc->state, i)); i++)
		state_host_set_slot(h, NULL);
	while (svc->timers)
		timer_free(svc->timers);
}
