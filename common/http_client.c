#include "common/http_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/http_client_priv.h"
#include "common/str.h"

static void action(struct http_client *c, curl_socket_t fd, int flags)
{
	int running;
	http_client_enter(c);
	c->is_in_curl = true;
	(void)curl_multi_socket_action(c->multi, fd, flags, &running);
	c->is_in_curl = false;
	http_client_leave(c);
}

static void on_socket_event(evutil_socket_t fd, short what, void *ctx)
{
	int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		    (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	action(ctx, fd, flags);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	action(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void on_kick(evutil_socket_t fd, short what, void *ctx)
{
	http_client_enter(ctx);
	http_client_leave(ctx);
}

/* CURLMOPT_SOCKETFUNCTION: which events curl wants on @fd. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *c = ctx;
	struct event *ev = socket_ctx;
	if (ev)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		short want = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
				     (what & CURL_POLL_OUT ? EV_WRITE : 0));
		ev = event_new(c->base, fd, want, on_socket_event, c);
		if (!ev || event_add(ev, NULL)) {
			if (ev)
				event_free(ev);
			ev = NULL;
		}
	}
	curl_multi_assign(c->multi, fd, ev);
	return ev || what == CURL_POLL_REMOVE ? 0 : -1;
}

/* CURLMOPT_TIMERFUNCTION */
static int set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_client *c = ctx;
	struct timeval tv = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	if (timeout_ms < 0)
		return event_del(c->timer);
	return event_add(c->timer, &tv);
}

void http_client_kick(struct http_client *c)
{
	event_active(c->kick, EV_TIMEOUT, 0);
}

/* Calls that we have ended ourselves, and those that could not be started from inside curl. */
static void calls_settle(struct http_client *c)
{
	struct http_call *call, *next;
	for (call = TAILQ_FIRST(&c->calls); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->is_cancelled && !call->is_done)
			http_call_free(call);
		else if (!call->is_added && !call->is_done && !call->code)
			(void)http_call_add(call);
	}
	/* A done() may cancel or start others, so the list is begun anew after each. */
	do {
		TAILQ_FOREACH(call, &c->calls, link)
		{
			if (call->code && !call->is_done)
				break;
		}
		if (call)
			http_call_finish(call, CURLE_WRITE_ERROR);
	} while (call);
}

static void client_destroy(struct http_client *c)
{
	struct http_call *call;
	while ((call = TAILQ_FIRST(&c->calls)))
		http_call_free(call);
	if (c->multi)
		curl_multi_cleanup(c->multi);
	if (c->timer)
		event_free(c->timer);
	if (c->kick)
		event_free(c->kick);
	free(c->user_agent);
	free(c);
	curl_global_cleanup();
}

void http_client_enter(struct http_client *c)
{
	c->depth++;
}

void http_client_leave(struct http_client *c)
{
	struct CURLMsg *msg;
	int left;
	while (c->depth == 1 && !c->is_dead && (msg = curl_multi_info_read(c->multi, &left))) {
		struct http_call *call;
		CURLcode result = msg->data.result;
		if (msg->msg == CURLMSG_DONE &&
		    !curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call))
			http_call_finish(call, result);
	}
	if (c->depth == 1 && !c->is_dead)
		calls_settle(c);
	if (!--c->depth && c->is_dead)
		client_destroy(c);
}

int http_client_new(struct event_base *base, const struct http_client_options *opt,
		    struct http_client **ret, struct fault *err)
{
	static const struct http_client_options none;
	if (!opt)
		opt = &none;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return fault_set(err, -EIO, "libcurl cannot be initialised");
	struct http_client *c = calloc(1, sizeof(*c));
	if (!c) {
		curl_global_cleanup();
		return fault_oom(err);
	}
	TAILQ_INIT(&c->calls);
	c->base = base;
	c->ca_pem = opt->ca_pem;
	c->insecure = opt->insecure;
	c->connect_timeout_ms = opt->connect_timeout_ms ? opt->connect_timeout_ms
							: HTTP_CONNECT_MS_DEFAULT;
	c->stall_timeout_ms = opt->stall_timeout_ms ? opt->stall_timeout_ms : HTTP_STALL_MS_DEFAULT;
	c->user_agent = strdup(opt->user_agent ? opt->user_agent : "slipway/" SLIPWAY_VERSION);
	c->timer = event_new(base, -1, 0, on_timer, c);
	c->kick = event_new(base, -1, 0, on_kick, c);
	c->multi = curl_multi_init();
	if (!c->user_agent || !c->timer || !c->kick || !c->multi) {
		client_destroy(c);
		return fault_oom(err);
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_IDLE_CONNECTIONS);
	*ret = c;
	return 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	struct http_call *call;
	c->is_dead = true;
	TAILQ_FOREACH(call, &c->calls, link)
	call->is_cancelled = true;
	if (!c->depth)
		client_destroy(c);
}

/* --- one request on a private loop -------------------------------------------------------------------- */

struct fetch {
	const struct http_request_spec *spec;
	struct event_base *base;
	struct http_answer answer; /* body and effective_url are copies */
	bool is_over;
};

static int fetch_data(void *ctx, const void *data, size_t len)
{
	struct fetch *f = ctx;
	return f->spec->on_data(f->spec->ctx, data, len);
}

static void fetch_done(void *ctx, const struct http_answer *a)
{
	struct fetch *f = ctx;
	f->answer = *a;
	f->answer.body = malloc(a->body_len + 1);
	f->answer.effective_url = strdup(a->effective_url);
	if (f->answer.body)
		memcpy((char *)f->answer.body, a->body, a->body_len + 1);
	if (!f->answer.code && (!f->answer.body || !f->answer.effective_url))
		f->answer.code = fault_oom(&f->answer.fault);
	f->is_over = true;
	event_base_loopbreak(f->base);
}

static void base_freep(struct event_base **base)
{
	if (*base)
		event_base_free(*base);
}

int http_fetch(const struct http_client_options *opt, const struct http_request_spec *spec,
	       struct http_answer *ret, struct fault *err)
{
	AUTO(base_freep) struct event_base *base = event_base_new();
	if (!base)
		return fault_oom(err);
	struct fetch f = { .spec = spec, .base = base };
	struct http_client *c = NULL;
	int r = http_client_new(base, opt, &c, err);
	if (r)
		return r;

	struct http_request_spec mine = *spec;
	mine.done = fetch_done;
	mine.on_data = spec->on_data ? fetch_data : NULL;
	mine.ctx = &f;
	r = http_call_start(c, &mine, NULL, err);
	if (!r)
		event_base_dispatch(base);
	http_client_free(c);
	if (r)
		return r;
	if (!f.is_over)
		return fault_set(err, -EIO, "the event loop ended before the answer");
	if (f.answer.code) {
		if (err)
			*err = f.answer.fault;
		r = f.answer.code;
		http_answer_done(&f.answer);
		return r;
	}
	*ret = f.answer;
	return 0;
}

void http_answer_done(struct http_answer *a)
{
	free((char *)a->body);
	free((char *)a->effective_url);
	a->body = a->effective_url = NULL;
}
