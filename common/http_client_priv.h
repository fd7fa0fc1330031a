#pragma once
/*
 * Inside of common/http_client: http_client.c joins libcurl's multi interface to the loop, http_call.c makes requests and judges
 * answers, http_redirect.c says where a redirect may lead.
 */
#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/http_client.h"

#define HTTP_ANSWER_MAX_DEFAULT (1u << 20)
#define HTTP_ANSWER_HEADERS_MAX (64u << 10)
#define HTTP_REDIRECTS_MAX 8
#define HTTP_CONNECT_MS_DEFAULT 20000
#define HTTP_STALL_MS_DEFAULT 30000
#define HTTP_IDLE_CONNECTIONS 8

struct http_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* curl's */
	struct event *kick;  /* looks at calls that ended outside of curl */
	const char *ca_pem;  /* borrowed */
	bool insecure;
	char *user_agent;
	uint64_t connect_timeout_ms, stall_timeout_ms;
	unsigned depth; /* of our functions that call out: the client may not be freed below them */
	bool is_in_curl; /* curl's callbacks may not call back into the multi handle */
	bool is_dead;
	TAILQ_HEAD(, http_call) calls;
};

struct http_call {
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers; /* of the request */
	char *method, *url;
	char *request_body; /* owned; NULL = none */
	size_t request_len;
	size_t max_body;
	uint64_t range_first, range_last;
	bool use_range, follow;
	unsigned redirects;
	int64_t deadline_ms; /* 0 = none */
	int (*on_data)(void *ctx, const void *data, size_t len);
	void (*done)(void *ctx, const struct http_answer *a);
	void *ctx;

	struct buf answer_headers; /* lines, each ended by NUL; of the last answer */
	struct buf body;
	uint64_t received;
	long status;
	int code; /* why we ended it: negative errno */
	struct fault fault;
	char curl_error[CURL_ERROR_SIZE];
	bool is_added, is_paused, is_cancelled, is_done;
	TAILQ_ENTRY(http_call) link;
};

/* http_client.c */
void http_client_kick(struct http_client *c);
void http_client_enter(struct http_client *c);
/* The end of a way in from outside: finishes what has ended, frees the client when asked for meanwhile. */
void http_client_leave(struct http_client *c);

/* http_call.c */
int http_call_add(struct http_call *call); /* to the multi handle */
/* curl is done with it: redirects, or reports and frees. */
void http_call_finish(struct http_call *call, CURLcode result);
void http_call_free(struct http_call *call);

/* http_redirect.c */
/*
 * Points the call at @url: method, body and headers follow the rules (RFC 9110 §15.4, and: never from https to http; credentials
 * and bodies go to no other origin). -EPROTO when it may not be followed.
 */
int http_redirect_apply(struct http_call *call, const char *url, struct fault *err);
/* URL without user, password and query, for messages; owned by the caller. */
char *http_url_public(const char *url);
/* Can it be read, and is it http or https? */
bool http_url_is_usable(const char *url);
