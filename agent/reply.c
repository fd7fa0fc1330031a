#include "agent/reply.h"

#include <string.h>
#include "common/cleanup.h"
#include "common/log.h"
#include "common/pki.h"

#define ERROR_MAX 4000 /* bytes of the error text that are sent */

struct reply {
	struct replies *all;
	struct reply *next;
	enum step_type type;
	char *body, *request_id, *step_id;
	uint8_t hash[SHA256_LEN];
	bool is_cacheable;
	unsigned epoch;
	unsigned tries;
	struct backoff backoff;
	struct http_call *call;
	struct event *retry;
};

static void start(struct reply *p);

void replies_init(struct replies *r, struct event_base *base, const struct session *session,
		  struct http_client *http)
{
	*r = (struct replies){ .session = session, .base = base, .http = http };
}

static void reply_free(struct reply *p)
{
	if (!p)
		return;
	if (p->call)
		http_call_cancel(p->call);
	if (p->retry)
		event_free(p->retry);
	free(p->body);
	free(p->request_id);
	free(p->step_id);
	free(p);
}

static void forget(struct reply *p)
{
	struct replies *r = p->all;

	for (struct reply **at = &r->first; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			r->n--;
			break;
		}
	reply_free(p);
}

void replies_done(struct replies *r)
{
	while (r->first)
		forget(r->first);
}

void replies_forget(struct replies *r)
{
	memset(r->cache, 0, sizeof(r->cache));
	r->epoch++;
}

bool reply_is_cached(const struct replies *r, enum step_type type, const char *output,
		     int64_t now_ms)
{
	const struct reply_cache_entry *e = &r->cache[type];
	uint8_t hash[SHA256_LEN];

	if (!e->posted_ms || now_ms - e->posted_ms >= REPLY_CACHE_MS)
		return false;
	sha256(output, strlen(output), hash);
	return !memcmp(hash, e->hash, sizeof(hash));
}

char *reply_body(const char *step_type, const char *step_id, int exit_code, const char *output,
		 const char *error)
{
	AUTO(json_decrefp) json_t *obj = json_object();
	int r = 0;

	if (exit_code)
		r |= json_object_set_new(obj, "exit_code", json_integer(exit_code));
	if (!str_empty(error))
		r |= json_object_set_new(obj, "error", json_string(error));
	if (!str_empty(output))
		r |= json_object_set_new(obj, "output", json_string(output));
	if (!str_empty(step_id))
		r |= json_object_set_new(obj, "step_id", json_string(step_id));
	r |= json_object_set_new(obj, "step_type", json_string(step_type));
	return obj && !r ? json_text(obj, true) : NULL;
}

static void retry_later(struct reply *p, uint64_t retry_after_ms)
{
	uint32_t random;

	if (++p->tries >= REPLY_TRIES) {
		log_warning("step=%s the reply could not be delivered", p->step_id);
		forget(p);
		return;
	}
	random_bytes(&random, sizeof(random));
	uint64_t ms = backoff_next_ms(&p->backoff, BACKOFF_TRANSIENT, retry_after_ms, random);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(p->retry, &tv);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct reply *p = ctx;
	char why[256];
	uint64_t after_ms =
		a->code ? 0 : backoff_retry_after_ms(http_call_header(p->call, "Retry-After"));

	p->call = NULL;
	if (!a->code && a->status >= 200 && a->status < 300) {
		struct reply_cache_entry *e = &p->all->cache[p->type];
		if (p->epoch == p->all->epoch) {
			memcpy(e->hash, p->hash, sizeof(e->hash));
			/* A failure may have undone what the last good reply has told. */
			e->posted_ms = p->is_cacheable ? time_mono_ms() : 0;
		}
		forget(p);
		return;
	}
	log_info("step=%s reply: %s", p->step_id, session_reason(a, why, sizeof(why)));
	/* A refusal (bad output, host gone, wrong state) does not change by repeating it. */
	if (!a->code && a->status < 500 && a->status != 429 && a->status != 408) {
		forget(p);
		return;
	}
	retry_later(p, after_ms);
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	start(ctx);
}

static void start(struct reply *p)
{
	struct session_call call = {
		.method = "POST",
		.url = session_host_url(p->all->session, "instructions"),
		.body = p->body,
		.request_id = p->request_id,
		.done = on_answer,
		.ctx = p,
	};
	struct fault err = FAULT_INIT;
	if (session_start(p->all->session, p->all->http, &call, &p->call, &err) < 0) {
		log_warning("step=%s reply: %s", p->step_id, fault_text(&err));
		p->call = NULL;
		retry_later(p, 0);
	}
}

void reply_post(struct replies *r, enum step_type type, const char *step_type, const char *step_id,
		const char *request_id, int exit_code, const char *output, const char *error)
{
	if (!output)
		output = "";
	if (!exit_code && reply_is_cached(r, type, output, time_mono_ms()))
		return;
	if (r->n >= REPLIES_MAX) {
		log_warning("step=%s too many replies wait for the service: dropped", step_id);
		return;
	}
	char cut[ERROR_MAX];
	str_copy(cut, sizeof(cut), error ? error : "");
	str_make_utf8(cut);

	struct reply *p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->all = r;
	p->type = type;
	p->is_cacheable = !exit_code;
	p->epoch = r->epoch;
	sha256(output, strlen(output), p->hash);
	p->body = reply_body(step_type, step_id, exit_code, output, cut);
	p->request_id = str_dup(request_id);
	p->step_id = str_dup(step_id ? step_id : "");
	p->retry = event_new(r->base, -1, 0, on_retry, p);
	if (!p->body || !p->step_id || !p->retry) {
		log_error("step=%s out of memory for the reply", step_id);
		reply_free(p);
		return;
	}
	p->next = r->first;
	r->first = p;
	r->n++;
	start(p);
}
