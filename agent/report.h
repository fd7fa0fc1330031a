#pragma once
/*
 * Progress of an installation to the service: only the newest report is kept, a slow service never blocks anybody (install.md A.5).
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include "agent/backoff.h"
#include "agent/session.h"
#include "common/wire/stage.h"

#define REPORT_INFO_MAX 2000 /* bytes; the service takes 2,048 characters */
#define REPORT_STEP_PERCENT 5
#define REPORT_EVERY_MS (60 * 1000)
#define REPORT_FINAL_TRIES 5

/* What the rate rule remembers: the last report that was decided to be sent. */
struct report_rate {
	enum stage stage;
	unsigned percent;
	int64_t sent_ms;
	bool is_started;
};

/*
 * Is a report due? A stage change, five points more, or 60 s since the last one. Updates @r when true.
 */
bool report_is_due(struct report_rate *r, enum stage stage, unsigned percent, int64_t now_ms);

/* @acknowledged: the service has taken it, or says that it is already further (409). */
typedef void (*report_done_fn)(void *ctx, bool acknowledged);

struct report {
	const struct session *session;
	struct http_client *http;
	struct event *retry;
	struct backoff backoff;
	struct http_call *call;

	enum stage stage; /* the newest, STAGE_NONE = nothing waits */
	char *info;
	unsigned tries_left; /* 0 = retried for ever */
	report_done_fn done;
	void *ctx;
	bool is_sent; /* the one in flight is the newest */
};

int report_init(struct report *r, struct event_base *base, const struct session *session,
		struct http_client *http);
void report_done(struct report *r);

/* Replaces what waits (whose callback, if any, is not called). Lossy: given up after REPORT_FINAL_TRIES when nothing newer comes. */
void report_send(struct report *r, enum stage stage, const char *info);
/* The same with an answer: after @tries (0 = for ever) without success @done gets false. */
void report_final(struct report *r, enum stage stage, const char *info, unsigned tries,
		  report_done_fn done, void *ctx);
/* What waits for @ctx is not its business any more: its callback will not be called. */
void report_forget(struct report *r, const void *ctx);
