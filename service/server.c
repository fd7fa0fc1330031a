#include "service/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/http_server.h"
#include "common/log.h"
#include "service/error.h"
#include "service/media_type.h"
#include "service/route.h"

#define HEADERS_MAX (32u << 10)
#define KEEP_MS 60000 /* connections wait for this much longer than hosts do between polls */
#define ANSWER_MAX (1u << 30) /* bytes of one answer held in memory */
#define JSON_TYPE "application/json"
#define OCTET_TYPE "application/octet-stream"

struct server {
	struct service *svc;
	struct route_tree *tree;
	struct http_server *https, *http;
	struct event *commit;
	struct request *waiting, **waiting_end;
	bool plain_api;
};

/* --- answering --- */

static void request_free(struct request *r)
{
	json_decref(r->body);
	buf_done(&r->out);
	api_event_done(&r->failure_event);
	free(r);
}

static void send_answer(struct server *s, struct request *r)
{
	int class = r->status / 100;

	if (class >= 1 && class <= 5)
		s->svc->requests[class]++;
	log_debug("%s %s %d %s", http_request_method(r->http), http_request_path(r->http),
		  r->status, r->route ? r->route->operation : "");
	http_reply(r->http, r->status, r->content_type, r->out.data, r->out.len);
	request_free(r);
}

static void set_error(struct request *r, int status, enum error_shape shape, const char *text)
{
	buf_reset(&r->out);
	r->status = status;
	r->content_type = r->route && r->route->flags & ROUTE_OCTET ? OCTET_TYPE : JSON_TYPE;
	if (error_body(status, shape, text, &r->out) < 0)
		buf_reset(&r->out);
}

static void set_fault(struct request *r, int code, const struct fault *why)
{
	enum error_shape shape;
	int status = error_status(code, &shape);

	if (status == 401)
		(void)answer_header(r, "WWW-Authenticate",
				    "Basic realm=\"slipway\", charset=\"UTF-8\"");
	/* 501, 503 and "not in this state" are answers, not trouble of ours. */
	if (status == 500 && code != -EPROTO)
		/* not the path: that of a discovery medium is its credential */
		log_warning("%s: %s", r->route->operation,
			    why->text[0] ? why->text : strerror(-code));
	set_error(r, status, shape, why->text[0] ? why->text : strerror(-code));
}

/* Now, or after the commit. */
static void finish(struct server *s, struct request *r)
{
	if (!state_is_dirty(s->svc->state)) {
		send_answer(s, r);
		return;
	}
	*s->waiting_end = r;
	s->waiting_end = &r->next;
}

static void commit_turn(struct server *s)
{
	struct fault why = FAULT_INIT;
	struct request *r = s->waiting;

	int code = state_commit(s->svc->state, &why);
	if (code < 0)
		log_error("changes were taken back: %s", fault_text(&why));
	s->waiting = NULL;
	s->waiting_end = &s->waiting;
	while (r) {
		struct request *next = r->next;
		if (code < 0)
			set_error(r, 500, ERROR_MODEL,
				  "the store failed and the change was taken back");
		send_answer(s, r);
		r = next;
	}
}

static void on_commit(evutil_socket_t fd, short what, void *ctx)
{
	commit_turn(ctx);
}

/* A timer of zero: runs after what this turn of the loop, and the next look at the sockets, bring. So many requests share one fsync. */
static void on_dirty(void *ctx)
{
	struct server *s = ctx;
	static const struct timeval now = { 0, 0 };

	evtimer_add(s->commit, &now);
}

/* --- the steps before the handler --- */

static bool is_api(const struct request *r)
{
	return str_starts(r->route->path, ROUTE_BASE);
}

static int check_listener(const struct server *s, const struct request *r, struct fault *err)
{
	if (http_request_is_tls(r->http) || s->plain_api || r->route->flags & ROUTE_PLAIN)
		return 0;
	return fault_set(err, -ENOENT, "%s is served over HTTPS only", http_request_path(r->http));
}

static int check_credentials(const struct server *s, struct request *r, struct fault *err)
{
	const struct credentials c = {
		.authorization = http_request_header(r->http, "Authorization"),
		.secret_key = http_request_header(r->http, "X-Secret-Key"),
		.api_key = http_request_query(r->http, "api_key"),
	};

	int e = auth_check(s->svc->auth, r->route->auth, &c, r->now_us, &r->caller, err);
	if (e < 0)
		return e;
	if (r->caller.scheme == AUTH_USER && r->caller.role == USER_READ_ONLY &&
	    strcmp(r->route->method, "GET") != 0 && strcmp(r->route->method, "HEAD") != 0)
		return fault_set(err, -EPERM, "user %s may only read", r->caller.user);
	return 0;
}

static int check_types(const struct request *r, size_t body_len, struct fault *err)
{
	const char *produces = r->route->flags & ROUTE_OCTET ? OCTET_TYPE : JSON_TYPE;
	const char *accept = http_request_header(r->http, "Accept"),
		   *type = http_request_header(r->http, "Content-Type");

	if (!is_api(r))
		return 0;
	if (r->route->body && body_len && type && !media_type_is(type, JSON_TYPE))
		return fault_set(err, -EBADMSG,
				 "unsupported media type \"%.*s\", only [" JSON_TYPE
				 "] are allowed",
				 (int)strcspn(type, ";"), type);
	if (!media_type_accepted(accept, produces))
		return fault_set(err, -EBADMSG,
				 "unsupported media type requested, only [%s] are available",
				 produces);
	return 0;
}

/* Who may not see an object is told that it does not exist (assisted-v2 §2.2). */
static int check_scope(const struct request *r, struct fault *err)
{
	const char *infra_env_id = request_param(r, "infra_env_id"),
		   *host_id = request_param(r, "host_id");

	if (!host_id[0])
		host_id = r->route->flags & ROUTE_EACH ? r->caller.host_id : NULL;
	if (infra_env_id[0] && !auth_in_scope(&r->caller, infra_env_id, host_id))
		return fault_set(err, -ENOENT, "Object Not Found");
	return 0;
}

static int check_request(const struct server *s, struct request *r, struct fault *err)
{
	size_t len;
	const char *body = http_request_body(r->http, &len);

	int e = check_listener(s, r, err);
	if (e == 0)
		e = check_credentials(s, r, err);
	if (e == 0)
		e = check_types(r, len, err);
	if (e == 0)
		e = route_check_params(r, err);
	if (e == 0 && r->route->body)
		e = body_parse(r->route->body, body ? body : "", len, &r->body, err);
	if (e == 0)
		e = check_scope(r, err);
	if (e == 0 && !r->route->handler)
		e = fault_set(err, -ENOSYS, "%s is not served by this version",
			      r->route->operation);
	return e;
}

/* --- the handler --- */

static void write_failure_event(struct server *s, struct request *r)
{
	if (!r->failure_event.name)
		return;
	state_begin(s->svc->state);
	if (state_event(s->svc->state, &r->failure_event) < 0)
		log_warning("no memory for an event");
}

/* @code, @why: what came of the handler. */
static void handled(struct server *s, struct request *r, int code, const struct fault *why)
{
	if (code < 0) {
		state_abort(s->svc->state);
		set_fault(r, code, why);
		write_failure_event(s, r);
	} else if (r->sink.end) {
		const struct http_sink sink = r->sink;
		r->sink.end = NULL;
		http_request_read(r->http, &sink);
		return;
	} else if (r->taken) {
		s->svc->requests[2]++;
		request_free(r);
		return;
	}
	finish(s, r);
}

static void handle(struct server *s, struct request *r)
{
	struct fault why = FAULT_INIT;

	int code = check_request(s, r, &why);
	if (code < 0) {
		set_fault(r, code, &why);
		finish(s, r);
		return;
	}
	state_begin(s->svc->state);
	code = r->route->handler(r, &why);
	handled(s, r, code, &why);
}

void server_continue(struct server *s, struct request *r,
		     int (*next)(struct request *r, void *ctx, struct fault *err), void *ctx)
{
	struct fault why = FAULT_INIT;

	r->now_us = service_now_us(s->svc);
	state_begin(s->svc->state);
	int code = next(r, ctx, &why);
	handled(s, r, code, &why);
}

static void refuse_route(struct server *s, struct request *r, bool is_known, const char *allow)
{
	char text[1024];

	if (is_known) {
		(void)answer_header(r, "Allow", allow);
		snprintf(text, sizeof(text), "method %.32s is not allowed, but [%s] are",
			 http_request_method(r->http), allow);
	} else {
		snprintf(text, sizeof(text), "path %.900s was not found",
			 http_request_path(r->http));
		str_make_utf8(text);
	}
	set_error(r, is_known ? 405 : 404, ERROR_PLAIN, text);
	finish(s, r);
}

static void on_request(void *ctx, struct http_request *http)
{
	struct server *s = ctx;
	char allow[128];

	struct request *r = calloc(1, sizeof(*r));
	if (!r) {
		http_reply(http, 503, NULL, NULL, 0);
		return;
	}
	r->service = s->svc;
	r->http = http;
	r->now_us = service_now_us(s->svc);
	buf_init(&r->out, ANSWER_MAX);

	enum route_match match =
		route_find(s->tree, http_request_method(http), http_request_path(http), r, allow);
	if (match == ROUTE_FOUND)
		handle(s, r);
	else
		refuse_route(s, r, match == ROUTE_WRONG_METHOD, allow);
}

/* Files of hosts, which are not held in memory. */
static bool is_upload(void *ctx, const char *path)
{
	return str_starts(path, ROUTE_BASE "/v2/clusters/") &&
	       (str_ends(path, "/logs") || str_ends(path, "/logs/"));
}

/* Hosts come back on the connection of their last poll: another TLS handshake costs more than a hundred polls. */
static uint64_t keep_ms(const struct service_config *c)
{
	return MAX_OF(c->instruction_interval_ms, c->slow_interval_ms) + KEEP_MS;
}

/* --- life --- */

int server_new(struct service *svc, struct server **ret, struct fault *err)
{
	static const struct route *const tables[] = {
		v2_infraenv_routes,    v2_download_routes, v2_cluster_routes,  v2_host_routes,
		v2_host_config_routes, v2_step_routes,     v2_event_routes,    v2_logs_routes,
		v2_misc_routes,        image_routes,       v2_unserved_routes, NULL,
	};
	const struct http_limits limits = { .max_headers = HEADERS_MAX,
					    .max_body = BODY_MAX,
					    .keep_ms = keep_ms(svc->config),
					    .is_upload = is_upload };

	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return fault_oom(err);
	s->svc = svc;
	s->waiting_end = &s->waiting;
	s->plain_api = svc->config->plain_api || auth_mode(svc->auth) == AUTH_MODE_NONE;
	s->commit = evtimer_new(svc->base, on_commit, s);
	int r = s->commit ? route_tree_new(tables, &s->tree) : -ENOMEM;
	if (r == 0)
		r = http_server_new(svc->base, &limits, on_request, s, &s->https, err);
	if (r == 0)
		r = http_server_new(svc->base, &limits, on_request, s, &s->http, err);
	if (r < 0) {
		server_free(s);
		return r;
	}
	state_on_dirty(svc->state, on_dirty, s);
	*ret = s;
	return 0;
}

int server_listen(struct server *s, const char *cert_pem, const char *key_pem, struct fault *err)
{
	struct service *svc = s->svc;
	char addr[64];

	int r = http_server_listen(s->https, svc->config->https, cert_pem, key_pem, addr, err);
	if (r == 0)
		r = str_set(&svc->https_addr, addr);
	if (r < 0 || str_eq(svc->config->http, "off"))
		return r;
	r = http_server_listen(s->http, svc->config->http, NULL, NULL, addr, err);
	return r < 0 ? r : str_set(&svc->http_addr, addr);
}

void server_stop_accepting(struct server *s)
{
	http_server_stop_accepting(s->https);
	http_server_stop_accepting(s->http);
}

void server_flush(struct server *s)
{
	commit_turn(s);
}

unsigned server_connections(const struct server *s)
{
	return http_server_connections(s->https) + http_server_connections(s->http);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	state_on_dirty(s->svc->state, NULL, NULL);
	if (s->commit)
		event_free(s->commit);
	http_server_free(s->https);
	http_server_free(s->http);
	route_tree_free(s->tree);
	free(s);
}
