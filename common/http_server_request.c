#include <ctype.h>
#include <errno.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/http_server_priv.h"
#include "common/str.h"

/* A query value that was asked for, kept as long as the request. */
struct http_value {
	struct http_value *next;
	char *text;
};

static const struct {
	enum evhttp_cmd_type type;
	const char *name;
} methods[] = {
	{ EVHTTP_REQ_GET, "GET" },         { EVHTTP_REQ_HEAD, "HEAD" },
	{ EVHTTP_REQ_POST, "POST" },       { EVHTTP_REQ_PUT, "PUT" },
	{ EVHTTP_REQ_DELETE, "DELETE" },   { EVHTTP_REQ_PATCH, "PATCH" },
	{ EVHTTP_REQ_OPTIONS, "OPTIONS" },
};

/* RFC 9110 §15, RFC 6585, RFC 4918 (422 is in RFC 9110 now); evhttp's own list ends at 417. */
static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].text;
	}
	return "Unknown";
}

void http_request_free(struct http_request *r)
{
	if (!r)
		return;
	if (r->conn)
		r->conn->request = NULL;
	while (r->values) {
		struct http_value *v = r->values;
		r->values = v->next;
		free(v->text);
		free(v);
	}
	TAILQ_REMOVE(&r->server->requests, r, link);
	http_server_unref(r->server);
	free(r->path);
	free(r->peer);
	free(r);
}

/* --- arrival ---------------------------------------------------------------------------------------- */

static unsigned count_header(struct evhttp_request *ev, const char *name)
{
	unsigned n = 0;
	struct evkeyval *h;
	TAILQ_FOREACH(h, ev->input_headers, next)
	n += !strcasecmp(h->key, name);
	return n;
}

/* RFC 9110 §5.6.2. A blank before the colon is what another reader may take for another header (RFC 9112 §5.1). */
static bool names_are_tokens(struct evhttp_request *ev)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	struct evkeyval *h;
	TAILQ_FOREACH(h, ev->input_headers, next)
	{
		for (const char *p = h->key; *p; p++) {
			if (!isalnum((unsigned char)*p) && !strchr(others, *p))
				return false;
		}
	}
	return true;
}

/* A control character in a value is a line end for somebody (RFC 9110 §5.5). */
static bool values_are_text(struct evhttp_request *ev)
{
	struct evkeyval *h;
	TAILQ_FOREACH(h, ev->input_headers, next)
	{
		for (const char *p = h->value; *p; p++) {
			if (iscntrl((unsigned char)*p) && *p != '\t')
				return false;
		}
	}
	return true;
}

/*
 * Exactly one Host in a request of HTTP/1.1, never two, and one that is host and port (RFC 9112 §3.2; RFC 3986 §3.2.2). It may be
 * empty: for a target without authority.
 */
static bool host_is_clear(struct evhttp_request *ev)
{
	static const char others[] = "-._~!$&'()*+,;=%:[]";
	const char *host = evhttp_find_header(ev->input_headers, "Host");
	if (!host)
		return ev->major == 1 && ev->minor == 0;
	for (const char *p = host; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr(others, *p))
			return false;
	}
	return count_header(ev, "Host") == 1;
}

/*
 * Where does the request end? A body in two lengths, a coding that evhttp does not know, or a body where it reads none would
 * make the next request begin in the wrong place (RFC 9112 §6.3, §11.2).
 */
static bool framing_is_clear(struct evhttp_request *ev)
{
	const char *coding = evhttp_find_header(ev->input_headers, "Transfer-Encoding");
	const char *length = evhttp_find_header(ev->input_headers, "Content-Length");
	if (coding &&
	    (length || strcasecmp(coding, "chunked") || count_header(ev, "Transfer-Encoding") > 1))
		return false;
	if (!length)
		return !(coding && ev->type == EVHTTP_REQ_HEAD);
	uint64_t n;
	if (count_header(ev, "Content-Length") > 1 || str_to_u64(length, &n))
		return false;
	return !n || ev->type != EVHTTP_REQ_HEAD;
}

/* The path part of the target as sent: origin-form, absolute-form or "*" (RFC 9112 §3.2). */
static char *path_decode(const char *target)
{
	const char *start = target;
	if (!strncasecmp(start, "http://", 7) || !strncasecmp(start, "https://", 8)) {
		start = strchr(start + 8, '/');
		if (!start)
			return strdup("/");
	}
	AUTO(freep) char *raw = strndup(start, strcspn(start, "?#"));
	size_t len = 0;
	/* a slash that is no separator (RFC 3986 §2.2) is in no path of ours, and others in the way may see it otherwise */
	if (raw && strcasestr(raw, "%2f"))
		return NULL;
	AUTO(freep) char *path = raw ? evhttp_uridecode(raw, 0, &len) : NULL;
	if (!path || (*path != '/' && strcmp(path, "*") != 0) || strlen(path) != len)
		return NULL;
	return TAKE(path);
}

/* With IPv4 clients on an IPv6 socket the address reads ::ffff:192.0.2.1. */
static char *peer_text(struct evhttp_request *ev)
{
	const char *host = ev->remote_host ? ev->remote_host : "";
	if (str_starts(host, "::ffff:") && strchr(host, '.'))
		host += strlen("::ffff:");
	return strdup(host);
}

static struct http_request *request_new(struct evhttp_request *ev, struct http_conn *c)
{
	struct http_request *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->server = c->server;
	r->ev = ev;
	r->conn = c;
	r->is_tls = c->tls;
	r->peer = peer_text(ev);
	r->path = path_decode(ev->uri);
	c->request = r;
	http_server_ref(r->server);
	TAILQ_INSERT_TAIL(&r->server->requests, r, link);
	return r;
}

static void refuse(struct http_request *r, int status)
{
	char body[96];
	int n = snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"%s\"}\n", status,
			 http_status_text(status));
	r->conn->is_refused = true;
	/* RFC 9110 §15.5.6; the methods of this server, the handler has its own for each path */
	if (status == 405)
		evhttp_add_header(r->ev->output_headers, "Allow",
				  "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
	evhttp_add_header(r->ev->output_headers, "Connection", "close");
	/* evhttp never closes after CONNECT, which would make a request of what was meant for the tunnel */
	if (r->ev->type == EVHTTP_REQ_CONNECT)
		r->ev->type = EVHTTP_REQ_GET;
	http_reply(r, status, "application/json", body, (size_t)n);
}

/* The status with which the request is refused before anybody sees it, or 0. */
static int judge(const struct http_request *r)
{
	struct evhttp_request *ev = r->ev;
	if (!names_are_tokens(ev) || !values_are_text(ev) || !host_is_clear(ev))
		return 400;
	/* A tunnel has no path; there is none through this server. */
	if (ev->type == EVHTTP_REQ_CONNECT)
		return 405;
	return !r->path || !r->peer || !framing_is_clear(ev) || http_upload_is_bad(r->conn) ? 400
											    : 0;
}

void http_request_arrived(struct evhttp_request *ev, void *listener)
{
	struct http_listener *l = listener;
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	struct http_conn *c = http_conn_of(l->server, evcon);
	struct http_request *r = c ? request_new(ev, c) : NULL;
	if (!r) {
		/* No memory. Without @c evhttp has made a bufferevent of its own, which must not be served: it has no TLS. */
		evhttp_connection_free(evcon);
		return;
	}

	http_conn_phase(c, CONN_HANDLING);
	int status = judge(r);
	if (status) {
		refuse(r, status);
		return;
	}
	l->server->handler(l->server->ctx, r);
	/*
	 * With a reply to come later nothing may be read: evhttp exits the process when its read callback runs in that state. (@c lives
	 * until the loop's next turn, whatever the handler has done. Not done before it: two system calls for each request.)
	 */
	if (c->phase == CONN_HANDLING)
		bufferevent_disable(c->bev, EV_READ);
}

/* --- reading the request ---------------------------------------------------------------------------- */

const char *http_request_method(const struct http_request *r)
{
	for (size_t i = 0; r->ev && i < ARRAY_SIZE(methods); i++) {
		if (methods[i].type == r->ev->type)
			return methods[i].name;
	}
	return "";
}

const char *http_request_path(const struct http_request *r)
{
	return r->path;
}

const char *http_request_target(const struct http_request *r)
{
	return r->ev ? r->ev->uri : "";
}

const char *http_request_header(const struct http_request *r, const char *name)
{
	return r->ev ? evhttp_find_header(r->ev->input_headers, name) : NULL;
}

const char *http_request_peer(const struct http_request *r)
{
	return r->peer;
}

bool http_request_is_tls(const struct http_request *r)
{
	return r->is_tls;
}

const char *http_request_body(const struct http_request *r, size_t *ret_len)
{
	*ret_len = 0;
	if (!r->ev)
		return "";
	struct evbuffer *in = r->ev->input_buffer;
	size_t len = evbuffer_get_length(in);
	/* The NUL behind the body is put once: a second call finds the buffer pulled up and ending in it. */
	if (!r->is_terminated) {
		if (evbuffer_add(in, "", 1))
			return "";
		((struct http_request *)r)->is_terminated = true;
		len++;
	}
	const char *data = (const char *)evbuffer_pullup(in, -1);
	if (!data)
		return "";
	*ret_len = len - 1;
	return data;
}

/* "a=b" or "a" at @p..@end: the value (decoded, '+' is a blank) when the name is @name. */
static char *query_match(const char *p, const char *end, const char *name)
{
	const char *eq = memchr(p, '=', (size_t)(end - p));
	AUTO(freep) char *raw_name = strndup(p, (size_t)((eq ? eq : end) - p));
	AUTO(freep) char *key = raw_name ? evhttp_uridecode(raw_name, 1, NULL) : NULL;
	if (!key || strcmp(key, name) != 0)
		return NULL;
	AUTO(freep) char *raw = eq ? strndup(eq + 1, (size_t)(end - eq - 1)) : strdup("");
	return raw ? evhttp_uridecode(raw, 1, NULL) : NULL;
}

const char *http_request_query(const struct http_request *r, const char *name)
{
	const char *p = r->ev ? strchr(r->ev->uri, '?') : NULL;
	if (!p)
		return NULL;
	const char *stop = p + strcspn(p, "#");
	for (p++; p < stop;) {
		size_t n = strcspn(p, "&#");
		char *value = query_match(p, p + n, name);
		if (value) {
			struct http_value *v = calloc(1, sizeof(*v));
			if (!v) {
				free(value);
				return NULL;
			}
			v->text = value;
			v->next = r->values;
			((struct http_request *)r)->values = v;
			return value;
		}
		p += n + 1;
	}
	return NULL;
}

/* --- the reply -------------------------------------------------------------------------------------- */

static void on_replied(struct evhttp_request *ev, void *ctx)
{
	struct http_conn *c = ctx;
	c->has_reply = c->is_whole = false;
	http_conn_idle(c);
	if (c->has_eof)
		http_conn_end(c, BEV_EVENT_EOF | BEV_EVENT_READING);
}

void http_reply_begin(struct http_request *r)
{
	struct http_conn *c = r->conn;
	if (c->upload)
		c->is_refused |= !http_upload_is_whole(c);
	if ((c->upload || r->server->is_stopping) &&
	    !evhttp_find_header(r->ev->output_headers, "Connection"))
		evhttp_add_header(r->ev->output_headers, "Connection", "close");
	evhttp_request_set_on_complete_cb(r->ev, on_replied, c);
	c->has_reply = true;
	http_conn_phase(c, CONN_WRITING);
}

int http_reply_header(struct http_request *r, const char *name, const char *value)
{
	if (!*name || strpbrk(name, "\r\n: ") || strpbrk(value, "\r\n"))
		return -EINVAL;
	if (!r->ev)
		return 0;
	return evhttp_add_header(r->ev->output_headers, name, value) ? -ENOMEM : 0;
}

static void body_set(struct http_request *r, int status, const char *content_type, const void *data,
		     size_t len)
{
	char text[24];
	if (status < 200 || status == 204 || status == 304)
		return;
	/* The answer to HEAD may name the length of what GET would give. */
	if (!evhttp_find_header(r->ev->output_headers, "Content-Length")) {
		snprintf(text, sizeof(text), "%zu", len);
		evhttp_add_header(r->ev->output_headers, "Content-Length", text);
	}
	if (content_type)
		evhttp_add_header(r->ev->output_headers, "Content-Type", content_type);
	if (r->ev->type != EVHTTP_REQ_HEAD && len)
		evbuffer_add(r->ev->output_buffer, data, len);
}

void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len)
{
	struct evhttp_request *ev = r->ev;
	struct http_conn *c = r->conn;
	if (!ev || !c || !evhttp_request_get_connection(ev)) {
		/* The server or the client has gone; in the second case the request is ours to free. */
		if (ev)
			evhttp_request_free(ev);
		http_request_free(r);
		return;
	}
	body_set(r, status, content_type, data, len);
	http_reply_begin(r);
	http_request_free(r);
	evhttp_send_reply(ev, status, http_status_text(status), NULL);
	c->is_whole = true;
	/* evhttp may end the request, even the connection, in here; @c itself lives on until the loop's next turn. */
	http_conn_flush(c);
}
