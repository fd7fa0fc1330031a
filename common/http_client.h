#pragma once
/*
 * HTTP requests by libcurl's multi interface on a libevent loop. One client = one connection pool.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"
#include "common/fault.h"

struct http_client;
struct http_call;

struct http_client_options {
	const char *
		ca_pem; /* PEM text that replaces the system's CAs; NULL = system's; borrowed for the client's life */
	bool insecure; /* no check of the server's certificate (foreign option --insecure) */
	const char *user_agent;      /* NULL = slipway/VERSION */
	uint64_t connect_timeout_ms; /* 0 = 20,000 */
	uint64_t stall_timeout_ms;   /* no byte for that long = -ETIMEDOUT; 0 = 30,000 */
};

int http_client_new(struct event_base *base, const struct http_client_options *opt,
		    struct http_client **ret, struct fault *err);
void http_client_free(struct http_client *c); /* cancels what runs; callbacks are not called */

/* The answer, valid during the callback only. */
struct http_answer {
	int code;         /* 0, or -errno when there is no complete answer (fault says why) */
	long status;      /* HTTP status; 0 = none */
	const char *body; /* NUL-terminated; "" when on_data took it */
	size_t body_len;
	const char *effective_url;
	struct fault fault;
};

struct http_request_spec {
	const char *method; /* NULL = GET, or POST with a body */
	const char *url;
	const char *const *
		headers; /* "Name: value", NULL-terminated; "Name;" sends an empty one (curl's rule) */
	const void *body; /* copied */
	size_t body_len;
	size_t max_body; /* bytes of answer kept or passed on; 0 = 1 MiB. More = -EMSGSIZE */
	uint64_t range_first; /* with use_range: bytes=first-last; the answer must be 206 with that Content-Range, else -EPROTO */
	uint64_t range_last; /* inclusive */
	bool use_range;
	const char *if_range;      /* strong ETag, or NULL */
	bool follow;               /* redirects, at most 8, never https -> http */
	uint64_t total_timeout_ms; /* 0 = none (stall timeout always holds) */
	/* Called with pieces of a 2xx body as they come; negative = abort with that code. NULL = body is collected. */
	int (*on_data)(void *ctx, const void *data, size_t len);
	void (*done)(void *ctx, const struct http_answer *a);
	void *ctx;
};

/* Starts a request; @done is called from the loop exactly once unless http_call_cancel() comes first. *ret may be NULL. */
int http_call_start(struct http_client *c, const struct http_request_spec *spec,
		    struct http_call **ret, struct fault *err);
void http_call_cancel(struct http_call *call); /* done() is not called; @call is gone afterwards */
void http_call_pause(struct http_call *call, bool paused); /* back-pressure for on_data */
/* Inside done() and on_data(): a header of the answer (borrowed), or NULL. */
const char *http_call_header(struct http_call *call, const char *name);

/* Runs one request to its end on a private loop; 0 for every complete answer, whatever its status; on failure *ret is untouched. For programs without one (slipwayctl, tests). Answer fields are copies: free with http_answer_done(). */
int http_fetch(const struct http_client_options *opt, const struct http_request_spec *spec,
	       struct http_answer *ret, struct fault *err);
void http_answer_done(struct http_answer *a);
