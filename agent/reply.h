#pragma once
/*
 * Replies to steps: posted with a few retries; a good reply that equals the last one of its type is not posted again for an hour (the poll
 * itself is the check-in), as the original does.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include "agent/backoff.h"
#include "agent/session.h"
#include "common/digest.h"
#include "common/wire/step.h"

#define REPLY_CACHE_MS (3600 * 1000)
#define REPLY_TRIES 4
#define REPLIES_MAX 64 /* in work at the same time; more are dropped with a message */

struct reply_cache_entry {
	uint8_t hash[SHA256_LEN]; /* of the output */
	int64_t posted_ms;        /* 0 = none */
};

struct reply;
struct replies {
	const struct session *session;
	struct event_base *base;
	struct http_client *http;
	struct reply_cache_entry cache[STEP_TYPE_COUNT];
	unsigned epoch; /* counts replies_forget(): an answer to an older reply says nothing about what the service knows now */
	struct reply *first;
	unsigned n;
};

void replies_init(struct replies *r, struct event_base *base, const struct session *session,
		  struct http_client *http);
void replies_done(struct replies *r);
/* A new registration, or a service that is back after an outage: it may have forgotten what it knew. */
void replies_forget(struct replies *r);

/* Is @output of @type what was posted less than an hour before @now_ms? Pure. */
bool reply_is_cached(const struct replies *r, enum step_type type, const char *output,
		     int64_t now_ms);

/* The body: {"step_type","step_id","exit_code","output","error"}, absent where Go leaves it out. NULL = no memory. */
char *reply_body(const char *step_type, const char *step_id, int exit_code, const char *output,
		 const char *error);

/* Posts it unless cached. */
void reply_post(struct replies *r, enum step_type type, const char *step_type, const char *step_id,
		const char *request_id, int exit_code, const char *output, const char *error);
