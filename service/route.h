#pragma once
/*
 * Routes as tables: method, path with {parameters}, who may call, handler. One table per resource, at the end of its file; server.c names
 * them all: v2_infraenv_routes, v2_host_routes, …, and image_routes (service/v2_image.c: everything outside /api that serves images,
 * payloads and boot artefacts).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "common/buf.h"
#include "common/fault.h"
#include "common/http_server.h"
#include "service/auth.h"
#include "service/body.h"
#include "service/service.h"

#define ROUTE_PARAMS_MAX 6
#define ROUTE_BASE "/api/assisted-install"

enum route_flags {
	ROUTE_OCTET =
		1 << 0, /* errors keep Content-Type: application/octet-stream (assisted-v2 §1) */
	ROUTE_PLAIN = 1 << 1, /* also on the plain listener, whatever the mode */
	ROUTE_EACH =
		1
		<< 2, /* the handler itself leaves out the hosts that are not in the caller's scope */
};

struct request;

struct route {
	const char *method; /* "GET"; HEAD needs its own entry */
	const char *
		path; /* "/images/{infra_env_id}/pxe-initrd"; parameters called …_id (except os_image_id) must be UUIDs, else 400 */
	const char *operation; /* name in the reference; in logs */
	unsigned auth;         /* enum auth_scheme bits */
	unsigned flags;        /* enum route_flags */
	/*
	 * 0 = answered by one answer_*() call. Negative = error; error.c turns code and sentence into status and shape. Changes made
	 * before an error are taken back. NULL = known but not served: 501.
	 */
	int (*handler)(struct request *r, struct fault *err);
	const struct body_schema *body; /* NULL = no body expected */
};
#define ROUTE_END              \
	{                      \
		.method = NULL \
	}

struct request {
	struct service *service;
	struct http_request *http;
	const struct route *route;
	struct caller caller;
	const char *param_name[ROUTE_PARAMS_MAX]; /* borrowed from the route */
	char param[ROUTE_PARAMS_MAX][256];
	json_t *body;   /* checked against route->body; NULL = none */
	int64_t now_us; /* the time of this request */
	/* the answer */
	int status;
	const char *content_type;
	struct buf out;
	bool taken;            /* http was replied to by the handler (answer_source) */
	struct http_sink sink; /* where the body goes, when .end is set (answer_after_body) */
	struct api_event
		failure_event; /* written although the request fails, when .name is set; request_failure_event() */
	struct request *next; /* in the queue that waits for the commit */
};

/* Value of a path parameter; "" when the route has none of that name. */
const char *request_param(const struct request *r, const char *name);
const char *request_query(const struct request *r, const char *name);  /* NULL = absent */
const char *request_header(const struct request *r, const char *name); /* NULL = absent */
bool request_query_flag(const struct request *r, const char *name);    /* "true" or "1" */

/* An event that shall stay when this request fails and its changes are taken back. Takes the strings of @e. */
void request_failure_event(struct request *r, struct api_event *e);

/* --- answers; exactly one per successful handler; each returns 0 or a negative errno to be returned --- */
int answer_empty(struct request *r, int status);
int answer_json(struct request *r, int status, json_t *value);        /* takes the reference */
int answer_buf(struct request *r, int status, struct buf *json_text); /* takes the content */
int answer_data(struct request *r, int status, const char *content_type, const void *data,
		size_t len); /* copies */
int answer_header(struct request *r, const char *name, const char *value);
/* Range-capable answer at once (see http_reply_source()); takes the source. Only for handlers that change nothing. */
int answer_source(struct request *r, const char *content_type, const char *etag, int64_t mtime_s,
		  struct http_source src);

/*
 * The handler's answer follows when @sink has got the body: its end(), or its write() before it fails, must call server_continue(), and
 * nothing touches the request after that.
 */
int answer_after_body(struct request *r, struct http_sink sink);

/* --- matching --- */
enum route_match { ROUTE_FOUND, ROUTE_UNKNOWN /* 404 */, ROUTE_WRONG_METHOD /* 405 */ };
struct route_tree; /* all tables, indexed by path segments */
int route_tree_new(const struct route *const *tables, struct route_tree **ret);
void route_tree_free(struct route_tree *t);
/*
 * Finds @method @path; a trailing slash is accepted. Fills @r->route and the parameters. ROUTE_WRONG_METHOD: @ret_allow gets the
 * methods that exist ("GET,PATCH").
 */
enum route_match route_find(const struct route_tree *t, const char *method, const char *path,
			    struct request *r, char ret_allow[128]);
/* -EBADMSG (400) with the sentence of the reference when an …_id parameter is no UUID. */
int route_check_params(const struct request *r, struct fault *err);

extern const struct route image_routes[]; /* service/v2_image.c */
extern const struct route v2_infraenv_routes[];
extern const struct route v2_cluster_routes[];
extern const struct route v2_host_routes[];
extern const struct route v2_host_config_routes[];
extern const struct route v2_download_routes[];
extern const struct route v2_step_routes[];
extern const struct route v2_event_routes[];
extern const struct route v2_logs_routes[];
extern const struct route v2_misc_routes[];
extern const struct route v2_unserved_routes[]; /* known on the wire, 501 */
