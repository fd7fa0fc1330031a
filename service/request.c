/*
 * The request as handlers see it, and their answers.
 */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/route.h"

const char *request_query(const struct request *r, const char *name)
{
	return http_request_query(r->http, name);
}

const char *request_header(const struct request *r, const char *name)
{
	return http_request_header(r->http, name);
}

bool request_query_flag(const struct request *r, const char *name)
{
	const char *v = request_query(r, name);

	return v && (!strcmp(v, "true") || !strcmp(v, "1"));
}

void request_failure_event(struct request *r, struct api_event *e)
{
	api_event_done(&r->failure_event);
	r->failure_event = *e;
	memset(e, 0, sizeof(*e));
}

int answer_empty(struct request *r, int status)
{
	r->status = status;
	r->content_type = NULL;
	return 0;
}

int answer_buf(struct request *r, int status, struct buf *json_text)
{
	buf_done(&r->out);
	r->out = *json_text;
	buf_init(json_text, 0);
	r->status = status;
	r->content_type = "application/json";
	return 0;
}

int answer_json(struct request *r, int status, json_t *value)
{
	AUTO(freep) char *text = value ? json_text(value, true) : NULL;

	json_decref(value);
	if (!text)
		return -ENOMEM;
	return answer_data(r, status, "application/json", text, strlen(text));
}

int answer_data(struct request *r, int status, const char *content_type, const void *data,
		size_t len)
{
	buf_reset(&r->out);
	int e = buf_append(&r->out, data, len);
	if (e < 0)
		return e;
	r->status = status;
	r->content_type = content_type;
	return 0;
}

int answer_header(struct request *r, const char *name, const char *value)
{
	return http_reply_header(r->http, name, value);
}

int answer_after_body(struct request *r, struct http_sink sink)
{
	r->sink = sink;
	return 0;
}

int answer_source(struct request *r, const char *content_type, const char *etag, int64_t mtime_s,
		  struct http_source src)
{
	r->taken = true;
	http_reply_source(r->http, content_type, etag, mtime_s, src);
	return 0;
}
