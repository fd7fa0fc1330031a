#pragma once
/*
 * An HTTP server that is made of strings: this header defines the functions of common/http_server.h and the clock of the program, so that
 * the linker takes these. Include it, by api_fixture.h, in one file per program.
 */
#include <strings.h>

#include "unit.h"
#include "common/http_server.h"
#include "common/pki.h"
#include "rules_fixture.h"
#include "service/error.h"
#include "service/host_life.h"
#include "service/images.h"
#include "service/life.h"
#include "service/route.h"
#include "service/server.h"
#include "service/store.h"

#define API_TEXT_MAX 4096

struct api {
	char path[64];
	int fd;
	char *key_pem, *user_token;
	struct store *store;
	struct service_config config;
	struct service svc;
	int64_t now_us;

	/* of the next calls */
	const char *authorization, *secret_key;
	const char *headers; /* more of them: "Name: value\nName: value" */
	bool is_plain;       /* they come by the plain listener */
	size_t upload_step;  /* bytes of a body that is read in pieces; 0 = all at once */
	int upload_code;     /* how such a body ends: 0 = whole */

	/* the last answer */
	unsigned n_answers; /* to the last call */
	bool is_octet;      /* it asked for a file */
	int status;
	char type[64], headers_out[API_TEXT_MAX];
	char *text;
	json_t *json;
	struct http_source
		source; /* .pread != NULL: answered by a source, which is open until the next call */
	char etag[128];
	int64_t mtime_s;

	struct state *before; /* what the store held before the last call */
	uint64_t n_events_before;
};

struct api_value {
	struct api_value *next;
	char text[];
};

struct http_request {
	const char *method, *body;
	char path[API_TEXT_MAX];
	const char *query; /* behind the path; "" = none */
	struct api_value *values;
};

/* The one service of the program: the functions below have no other way to it. */
static struct api *api_running;
static http_handler api_handler;
static void *api_handler_ctx;

int64_t service_now_us(const struct service *s)
{
	return api_running->now_us;
}

/* --- common/http_server.h --- */

int http_server_new(struct event_base *base, const struct http_limits *limits, http_handler handler,
		    void *ctx, struct http_server **ret, struct fault *err)
{
	api_handler = handler;
	api_handler_ctx = ctx;
	*ret = NULL;
	return 0;
}

int http_server_check_address(const char *addr_port, struct fault *err)
{
	return 0;
}

int http_server_listen(struct http_server *s, const char *addr_port, const char *cert_pem,
		       const char *key_pem, char ret_addr_port[64], struct fault *err)
{
	return -ENOTSUP;
}

void http_server_stop_accepting(struct http_server *s)
{
}

unsigned http_server_connections(const struct http_server *s)
{
	return 0;
}

void http_server_free(struct http_server *s)
{
}

const char *http_request_method(const struct http_request *r)
{
	return r->method;
}

const char *http_request_path(const struct http_request *r)
{
	return r->path;
}

const char *http_request_target(const struct http_request *r)
{
	return r->path;
}

const char *http_request_peer(const struct http_request *r)
{
	return "127.0.0.1";
}

bool http_request_is_tls(const struct http_request *r)
{
	return !api_running->is_plain;
}

const char *http_request_body(const struct http_request *r, size_t *ret_len)
{
	*ret_len = r->body ? strlen(r->body) : 0;
	return r->body;
}

uint64_t http_request_length(const struct http_request *r)
{
	return r->body ? strlen(r->body) : 0;
}

/* The body comes in pieces of .upload_step bytes and ends with .upload_code. */
void http_request_read(struct http_request *r, const struct http_sink *sink)
{
	const struct http_sink copy = *sink; /* write() or end() may end the request */
	size_t len = r->body ? strlen(r->body) : 0,
	       step = api_running->upload_step ? api_running->upload_step : len;

	for (size_t at = 0; at < len; at += step) {
		if (copy.write(copy.ctx, r->body + at, MIN_OF(step, len - at)) < 0)
			return;
	}
	copy.end(copy.ctx, api_running->upload_code);
}

/* The value of @name in "name<mid>value<end>name<mid>value", kept as long as the request. */
static const char *api_pair(const struct http_request *r, const char *pairs, const char *name,
			    const char *mid, const char *end)
{
	size_t n = strlen(name);

	for (const char *p = pairs; p && *p; p += strcspn(p, end), p += *p != '\0') {
		if (strncasecmp(p, name, n) != 0 || strncmp(p + n, mid, strlen(mid)) != 0)
			continue;
		const char *value = p + n + strlen(mid);
		size_t len = strcspn(value, end);
		struct api_value *v = calloc(1, sizeof(*v) + len + 1);
		assert_non_null(v);
		memcpy(v->text, value, len);
		v->next = r->values;
		((struct http_request *)r)->values = v;
		return v->text;
	}
	return NULL;
}

const char *http_request_query(const struct http_request *r, const char *name)
{
	return api_pair(r, r->query, name, "=", "&");
}

const char *http_request_header(const struct http_request *r, const char *name)
{
	if (!strcasecmp(name, "Authorization"))
		return api_running->authorization;
	if (!strcasecmp(name, "X-Secret-Key"))
		return api_running->secret_key;
	return api_pair(r, api_running->headers, name, ": ", "\n");
}

int http_reply_header(struct http_request *r, const char *name, const char *value)
{
	char *out = api_running->headers_out;
	size_t len = strlen(out);

	snprintf(out + len, API_TEXT_MAX - len, "%s: %s\n", name, value);
	return 0;
}

static void api_take_answer(int status, const char *content_type, const void *data, size_t len)
{
	struct api *f = api_running;

	f->n_answers++;
	f->status = status;
	str_copy(f->type, sizeof(f->type), content_type ? content_type : "");
	/* the answers of several requests that waited for one commit: the last one is kept */
	free(f->text);
	json_decref(f->json);
	f->json = NULL;
	f->text = calloc(1, len + 1);
	assert_non_null(f->text);
	if (len)
		memcpy(f->text, data, len);
	if (len && (str_eq(f->type, "application/json") || status >= 400))
		f->json = json_loads(f->text, JSON_DECODE_ANY, NULL);
}

void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len)
{
	api_take_answer(status, content_type, data, len);
}

void http_reply_source(struct http_request *r, const char *content_type, const char *etag,
		       int64_t mtime_s, struct http_source src)
{
	api_take_answer(200, content_type, NULL, 0);
	api_running->source = src;
	str_copy(api_running->etag, sizeof(api_running->etag), etag ? etag : "");
	api_running->mtime_s = mtime_s;
}
