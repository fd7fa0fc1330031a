#include "agent/report.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/log.h"
#include "common/pki.h"

static void start(struct report *r);

bool report_is_due(struct report_rate *r, enum stage stage, unsigned percent, int64_t now_ms)
{
	bool due = !r->is_started || stage != r->stage ||
		   percent >= r->percent + REPORT_STEP_PERCENT ||
		   (percent == 100 && r->percent != 100) || now_ms - r->sent_ms >= REPORT_EVERY_MS;
	if (!due)
		return false;
	*r = (struct report_rate){
		.stage = stage, .percent = percent, .sent_ms = now_ms, .is_started = true
	};
	return true;
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	start(ctx);
}

int report_init(struct report *r, struct event_base *base, const struct session *session,
		struct http_client *http)
{
	*r = (struct report){ .session = session, .http = http };
	r->retry = event_new(base, -1, 0, on_retry, r);
	return r->retry ? 0 : -ENOMEM;
}

void report_done(struct report *r)
{
	if (r->call)
		http_call_cancel(r->call);
	if (r->retry)
		event_free(r->retry);
	free(r->info);
	*r = (struct report){ 0 };
}

static void finish(struct report *r, bool acknowledged)
{
	report_done_fn done = r->done;

	r->stage = STAGE_NONE;
	r->done = NULL;
	if (done)
		done(r->ctx, acknowledged);
}

static void wait(struct report *r, enum backoff_kind kind, uint64_t retry_after_ms)
{
	uint32_t random;

	if (r->tries_left && --r->tries_left == 0) {
		log_warning("the service did not take the report \"%s\"", stage_name(r->stage));
		finish(r, false);
		return;
	}
	random_bytes(&random, sizeof(random));
	uint64_t ms = backoff_next_ms(&r->backoff, kind, retry_after_ms, random);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(r->retry, &tv);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct report *r = ctx;
	char why[256];
	const char *retry_after = a->code ? NULL : http_call_header(r->call, "Retry-After");
	uint64_t retry_after_ms = backoff_retry_after_ms(retry_after);

	r->call = NULL;
	bool is_good = !a->code && a->status >= 200 && a->status < 300;
	/* 409: the service is past this stage, or does not wait for this host any more: sending it again changes nothing (assisted-v2 §4.4). */
	bool is_settled = !a->code && (a->status == 409 || a->status == 400);
	if (is_good || is_settled) {
		backoff_reset(&r->backoff);
		if (is_settled)
			log_warning("the service did not take the progress report: %s",
				    session_reason(a, why, sizeof(why)));
		if (r->is_sent)
			finish(r, is_good || a->status == 409);
		else
			start(r);
		return;
	}
	log_info("progress report: %s", session_reason(a, why, sizeof(why)));
	wait(r, a->code ? BACKOFF_TRANSIENT : backoff_kind_of(a->status), retry_after_ms);
}

static void start(struct report *r)
{
	if (r->stage == STAGE_NONE || r->call)
		return;

	AUTO(json_decrefp)
	json_t *obj = json_pack("{s:s, s:s}", "current_stage", stage_name(r->stage),
				"progress_info", r->info ? r->info : "");
	AUTO(freep) char *body = obj ? json_text(obj, false) : NULL;
	struct session_call call = {
		.method = "PUT",
		.url = session_host_url(r->session, "progress"),
		.body = body,
		.done = on_answer,
		.ctx = r,
	};
	struct fault err = FAULT_INIT;
	r->is_sent = true;
	if (!body || session_start(r->session, r->http, &call, &r->call, &err) < 0) {
		r->call = NULL;
		if (!body)
			free(call.url);
		log_warning("progress report: %s", fault_text(&err));
		wait(r, BACKOFF_TRANSIENT, 0);
	}
}

void report_final(struct report *r, enum stage stage, const char *info, unsigned tries,
		  report_done_fn done, void *ctx)
{
	char text[REPORT_INFO_MAX];

	str_copy(text, sizeof(text), info ? info : "");
	str_make_utf8(text);
	(void)str_set(&r->info, text); /* without memory the stage alone is sent */
	r->stage = stage;
	r->done = done;
	r->ctx = ctx;
	r->tries_left = tries;
	r->is_sent = false;
	backoff_reset(&r->backoff);
	event_del(r->retry);
	start(r);
}

void report_send(struct report *r, enum stage stage, const char *info)
{
	report_final(r, stage, info, REPORT_FINAL_TRIES, NULL, NULL);
}

void report_forget(struct report *r, const void *ctx)
{
	if (r->ctx != ctx)
		return;
	r->done = NULL;
	r->ctx = NULL;
}
