/* Registration and polling (assisted-v2 §4.1, §4.2, §4.6). Nothing here ever gives up. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "agent/net.h"
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/pki.h"

#define REGISTER_SPACE_MS \
	1000 /* at least this long between two registrations, whatever the service says */
#define VERSIONS_MAX 65536

static uint32_t draw(void)
{
	uint32_t r;
	random_bytes(&r, sizeof(r));
	return r;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct net *n = ctx;
	n->is_waiting_to_retry = false;
	n->on_timer(n);
}

void net_schedule(struct net *n, uint64_t delay_ms, void (*fn)(struct net *n))
{
	struct timeval tv = { .tv_sec = (time_t)(delay_ms / 1000),
			      .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000) };

	if (!n->timer)
		n->timer = evtimer_new(n->base, on_timer, n);
	if (!n->timer || (n->on_timer = fn, evtimer_add(n->timer, &tv)) < 0) {
		/* Without its timer this process would sleep for ever: the root process starts it again. */
		n->exit_status = 1;
		event_base_loopbreak(n->base);
	}
}

void net_retry(struct net *n, enum backoff_kind kind, uint64_t retry_after_ms,
	       void (*fn)(struct net *n))
{
	n->last_try_ms = time_mono_ms();
	net_schedule(n, backoff_next_ms(&n->backoff, kind, retry_after_ms, draw()), fn);
	n->is_waiting_to_retry = kind == BACKOFF_TRANSIENT;
}

static void send_status(struct net *n)
{
	json_t *s = json_pack(
		"{s:s, s:s*, s:b, s:I, s:s*}", "state", n->state ? n->state : "starting",
		"last_error", n->last_error, "is_registered", n->is_registered, "last_poll_us",
		(json_int_t)n->last_poll_us, "agent_version", n->session.agent_version);
	net_send_json(n, MSG_STATUS, s, -1);
}

void net_set_state(struct net *n, const char *state)
{
	(void)str_set(&n->state, state); /* only what people see */
	free(TAKE(n->last_error));
	send_status(n);
}

void net_failed(struct net *n, const char *what, const char *why)
{
	AUTO(freep) char *text = str_printf("%s: %s", what, why);
	if (!text || str_eq(n->last_error, text))
		return;
	log_warning("%s", text);
	free(n->last_error);
	n->last_error = TAKE(text);
	send_status(n);
}

static uint64_t retry_after(const struct net *n, const struct http_answer *a)
{
	return a->code ? 0 : backoff_retry_after_ms(http_call_header(n->call, "Retry-After"));
}

/* --- the version that the service expects ------------------------------------------------------- */

/*
 * discovery_agent_version must be the image that the service is configured with, or it sends nothing but upgrade-agent steps (assisted-v2 §5.1).
 */
static void on_versions(void *ctx, const struct http_answer *a)
{
	struct net *n = ctx;
	char why[256];
	uint64_t after_ms = retry_after(n, a);

	n->call = NULL;
	if (a->code || a->status >= 500) {
		net_failed(n, "cannot ask the service for its versions",
			   session_reason(a, why, sizeof(why)));
		net_retry(n, BACKOFF_TRANSIENT, after_ms, net_go);
		return;
	}
	AUTO(json_decrefp)
	json_t *body = a->status == 200 ? json_parse(a->body, a->body_len, VERSIONS_MAX, true, NULL)
					: NULL;
	const char *image = json_str(json_child(body, "versions"), "discovery-agent");
	if (str_empty(image) || str_set(&n->session.agent_version, image) < 0)
		(void)str_set(&n->session.agent_version, "slipway-agent:" SLIPWAY_VERSION);
	backoff_reset(&n->backoff);
	net_go(n);
}

static void ask_versions(struct net *n)
{
	struct fault err = FAULT_INIT;
	struct session_call call = {
		.url = session_url(&n->session, "component-versions"),
		.max_body = VERSIONS_MAX,
		.done = on_versions,
		.ctx = n,
	};
	if (session_start(&n->session, n->http, &call, &n->call, &err) < 0) {
		n->call = NULL;
		net_failed(n, "cannot ask the service for its versions", fault_text(&err));
		net_retry(n, BACKOFF_TRANSIENT, 0, net_go);
	}
}

void net_go(struct net *n)
{
	if (n->call)
		return;
	if (!n->session.agent_version)
		ask_versions(n);
	else if (n->is_registered)
		net_poll(n);
	else
		net_register(n);
}

/* --- registration --------------------------------------------------------------------------------- */

static void on_registered(void *ctx, const struct http_answer *a)
{
	struct net *n = ctx;
	char why[512];
	uint64_t after_ms = retry_after(n, a);

	n->call = NULL;
	/* The body repeats what we know; seen from the original: status null, zero dates. Only that it is an object is asked for. */
	AUTO(json_decrefp)
	json_t *body = a->status == 201 ? json_parse(a->body, a->body_len, API_BODY_MAX, true, NULL)
					: NULL;
	if (a->code || !json_is_object(body)) {
		net_failed(n, "registration", session_reason(a, why, sizeof(why)));
		net_retry(n, a->code ? BACKOFF_TRANSIENT : backoff_kind_of(a->status), after_ms,
			  net_register);
		return;
	}
	struct timespec up = { 0 };
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	log_notice("host=%s is registered, kernel clock %lld.%02ld s", n->session.host_id,
		   (long long)up.tv_sec, up.tv_nsec / 10000000);
	/* The back-off goes on until a poll has been answered: a service may take this host in again and again, and not know it. */
	replies_forget(&n->replies);
	n->is_registered = true;
	n->registered_ms = time_mono_ms();
	net_set_state(n, "registered");
	net_poll(n);
}

void net_register(struct net *n)
{
	struct fault err = FAULT_INIT;

	if (n->call)
		return;
	int64_t since_ms = time_mono_ms() - n->registered_ms;
	if (n->registered_ms && since_ms < REGISTER_SPACE_MS) {
		net_schedule(n, (uint64_t)(REGISTER_SPACE_MS - since_ms), net_register);
		return;
	}
	n->is_registered = false;
	net_set_state(n, "registering");
	AUTO(json_decrefp)
	json_t *obj = json_pack("{s:s, s:s}", "discovery_agent_version", n->session.agent_version,
				"host_id", n->session.host_id);
	AUTO(freep) char *body = obj ? json_text(obj, false) : NULL;
	struct session_call call = {
		.method = "POST",
		.url = session_hosts_url(&n->session),
		.body = body ? body : "{}",
		.done = on_registered,
		.ctx = n,
	};
	if (session_start(&n->session, n->http, &call, &n->call, &err) < 0) {
		n->call = NULL;
		net_failed(n, "registration", fault_text(&err));
		net_retry(n, BACKOFF_TRANSIENT, 0, net_register);
	}
}

/* --- polling -------------------------------------------------------------------------------------- */

static uint64_t fallback_s(const struct net *n)
{
	return n->config.interval_s ? n->config.interval_s : AGENT_INTERVAL_DEFAULT_S;
}

/*
 * "exit" means: wait, then register anew; without a number of seconds at once. Who is sent away again right after that waits ever longer.
 */
static void register_anew(struct net *n, bool is_again, int64_t wait_s)
{
	uint64_t wait_ms = wait_s > 0 ? backoff_poll_ms(wait_s, 0, draw()) : 0;

	if (is_again)
		net_retry(n, BACKOFF_REFUSED, wait_ms, net_register);
	else if (wait_ms)
		net_schedule(n, wait_ms, net_register);
	else
		net_register(n);
}

static void take_steps(struct net *n, const struct steps *steps)
{
	bool was_sent_away = n->is_sent_away;

	n->last_poll_us = time_now_us();
	/* A service that was away may have lost what it was told: restored, replaced. */
	if (n->backoff.failures && !was_sent_away)
		replies_forget(&n->replies);
	net_set_state(n, n->install ? "installing" : "polling");
	step_dispatch(n, steps, n->request_id);
	/* While an installation runs nothing may interrupt it. */
	n->is_sent_away = (str_eq(steps->post_step_action, "exit") || !n->is_registered) &&
			  !n->install;
	if (!n->is_sent_away || !was_sent_away)
		backoff_reset(&n->backoff);
	if (n->is_sent_away)
		register_anew(n, was_sent_away, steps->next_instruction_seconds);
	else
		net_schedule(
			n, backoff_poll_ms(steps->next_instruction_seconds, fallback_s(n), draw()),
			net_poll);
}

static void on_steps(void *ctx, const struct http_answer *a)
{
	struct net *n = ctx;
	char why[512];
	struct steps steps = { 0 };
	struct fault err = FAULT_INIT;
	uint64_t after_ms = retry_after(n, a);

	n->call = NULL;
	AUTO(json_decrefp)
	json_t *body = a->status == 200 ? json_parse(a->body, a->body_len, API_BODY_MAX, true, NULL)
					: NULL;
	if (!a->code && json_is_object(body) && steps_decode(body, &steps, &err) == 0) {
		take_steps(n, &steps);
		steps_done(&steps);
		return;
	}
	steps_done(&steps);
	net_failed(n, "poll", err.code ? fault_text(&err) : session_reason(a, why, sizeof(why)));
	/* 404: the service does not know this host (any more). The original freezes here; we ask to be taken in again, ever more slowly. */
	bool is_unknown = !a->code && a->status == 404 && !n->install;
	net_retry(n, a->code ? BACKOFF_TRANSIENT : backoff_kind_of(a->status), after_ms,
		  is_unknown ? net_register : net_poll);
}

void net_poll(struct net *n)
{
	struct fault err = FAULT_INIT;
	char suffix[64];

	if (n->call)
		return;
	uuid_random(n->request_id);
	snprintf(suffix, sizeof(suffix), "instructions?timestamp=%lld",
		 (long long)(time_now_us() / 1000000));
	struct session_call call = {
		.url = session_host_url(&n->session, suffix),
		.request_id = n->request_id,
		.done = on_steps,
		.ctx = n,
	};
	if (session_start(&n->session, n->http, &call, &n->call, &err) < 0) {
		n->call = NULL;
		net_failed(n, "poll", fault_text(&err));
		net_retry(n, BACKOFF_TRANSIENT, 0, net_poll);
	}
}
