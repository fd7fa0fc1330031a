#pragma once
/*
 * How the agent speaks to its service: addresses, credentials and headers of every call (assisted-v2 §4), and one API call.
 */
#include <stdbool.h>
#include <stddef.h>
#include "agent/config.h"
#include "common/http_client.h"
#include "common/json_map.h"
#include "common/str.h"

#define API_BODY_MAX (1u << 20) /* bytes of an answer of the API */
#define API_TIMEOUT_MS (120 * 1000ULL)

struct session {
	const struct agent_config *config; /* borrowed */
	char *agent_version;               /* what discovery_agent_version says now */
	char host_id[UUID_LEN + 1];
};

int session_init(struct session *s, const struct agent_config *config);
void session_done(struct session *s);

/* …/v2/infra-envs/{ie}/hosts; owned by the caller, NULL = no memory. */
char *session_hosts_url(const struct session *s);
/* …/v2/infra-envs/{ie}/hosts/{h}/@suffix */
char *session_host_url(const struct session *s, const char *suffix);
/* …/v2/@path */
char *session_url(const struct session *s, const char *path);
/* scheme://host:port of the service + @path ("/os-images/…"). */
char *session_origin_url(const struct session *s, const char *path);

/*
 * The headers of a call: X-Secret-Key (empty without a token), discovery_agent_version, X-Request-ID, Accept, Slipway-Agent, Content-Type for a body.
 * 0 or -ENOMEM.
 */
int session_headers(const struct session *s, const char *request_id, const char *content_type,
		    struct json_strs *ret);

struct session_call {
	const char *method;       /* NULL = GET */
	char *url;                /* taken; NULL = no memory: the call answers -ENOMEM */
	const char *body;         /* JSON unless content_type says otherwise; NULL = none */
	size_t body_len;          /* 0 = strlen(body) */
	const char *content_type; /* NULL = application/json */
	const char *request_id;   /* NULL = a new one */
	const char *accept;       /* NULL = application/json */
	size_t max_body;          /* 0 = API_BODY_MAX */
	uint64_t timeout_ms;      /* 0 = API_TIMEOUT_MS */
	void (*done)(void *ctx, const struct http_answer *a);
	void *ctx;
};
/* Starts it; @done comes from the loop unless an error is returned or the call is cancelled. */
int session_start(const struct session *s, struct http_client *http,
		  const struct session_call *spec, struct http_call **ret, struct fault *err);

/*
 * The service's own words in an error answer (both shapes of assisted-v2 §1.1), else a hint what answered instead. Never NULL; in @buf.
 */
const char *session_reason(const struct http_answer *a, char *buf, size_t size);
