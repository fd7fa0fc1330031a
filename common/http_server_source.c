/*
 * Replies from a source: piece by piece, the next one when the socket has taken the last.
 */
#include <errno.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/http_range.h"
#include "common/http_server_priv.h"
#include "common/pki.h"
#include "common/str.h"

/* A run of bytes to send: a head made here (multipart), then a range of the source. */
struct part {
	char *head; /* owned; NULL = none */
	uint64_t offset, left;
};

struct stream {
	struct http_request *request;
	struct http_source src;
	struct part parts[HTTP_RANGES_MAX + 1]; /* the last one may be the closing boundary */
	unsigned n_parts, at;
};

static void stream_free(struct stream *s)
{
	for (unsigned i = 0; i < s->n_parts; i++)
		free(s->parts[i].head);
	if (s->src.free)
		s->src.free(s->src.ctx);
	http_request_free(s->request);
	free(s);
}

/* The connection is going down in mid-reply. */
static void on_closed(struct evhttp_connection *evcon, void *ctx)
{
	struct stream *s = ctx;
	struct evhttp_request *ev = s->request->ev;
	/* evhttp has let go of the request when the client went away; it frees it itself when the server goes. */
	if (ev && !evhttp_request_get_connection(ev))
		evhttp_request_free(ev);
	stream_free(s);
}

/* The reply cannot be completed: the client must see it cut, not short. */
static void stream_abort(struct stream *s)
{
	http_conn_end(s->request->conn, BEV_EVENT_ERROR | BEV_EVENT_WRITING);
}

/* Reads the next piece into @out. 1 = something, 0 = the end, -errno. */
static int stream_fill(struct stream *s, struct evbuffer *out)
{
	while (s->at < s->n_parts) {
		struct part *p = &s->parts[s->at];
		if (p->head) {
			size_t len = strlen(p->head);
			int r = evbuffer_add(out, p->head, len) ? -ENOMEM : 1;
			free(TAKE(p->head));
			return r;
		}
		if (!p->left) {
			s->at++;
			continue;
		}
		struct evbuffer_iovec v;
		size_t want = MIN_OF(p->left, HTTP_PIECE);
		if (evbuffer_reserve_space(out, (ev_ssize_t)want, &v, 1) < 1)
			return -ENOMEM;
		long n = s->src.pread(s->src.ctx, v.iov_base, want, p->offset);
		if (n <= 0)
			return n ? (int)n : -EIO;
		v.iov_len = (size_t)n;
		evbuffer_commit_space(out, &v, 1);
		p->offset += (uint64_t)n;
		p->left -= (uint64_t)n;
		return 1;
	}
	return 0;
}

static void on_piece_sent(struct evhttp_connection *evcon, void *ctx)
{
	struct stream *s = ctx;
	struct http_conn *c = s->request->conn;
	struct evbuffer *piece = evbuffer_new();
	int r = piece ? stream_fill(s, piece) : -ENOMEM;
	c->since_ms = time_mono_ms();
	if (r > 0) {
		evhttp_send_reply_chunk_with_cb(s->request->ev, piece, on_piece_sent, s);
		http_conn_flush(c);
	} else if (r < 0) {
		stream_abort(s);
	} else {
		struct evhttp_request *ev = s->request->ev;
		evhttp_connection_set_closecb(evcon, NULL, NULL);
		stream_free(s);
		/* Everything is out, so this ends the request at once. */
		evhttp_send_reply_end(ev);
	}
	if (piece)
		evbuffer_free(piece);
}

static void add_number(struct http_request *r, const char *name, uint64_t n)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	(void)http_reply_header(r, name, text);
}

static void add_validators(struct http_request *r, const char *etag, int64_t mtime_s)
{
	char date[HTTP_DATE_LEN];
	if (etag)
		(void)http_reply_header(r, "ETag", etag);
	if (mtime_s > 0) {
		http_date_format(mtime_s, date);
		(void)http_reply_header(r, "Last-Modified", date);
	}
	(void)http_reply_header(r, "Accept-Ranges", "bytes");
}

/* RFC 9110 §13.2.2 steps 3 and 4: If-None-Match decides alone when it is there. */
static bool is_not_modified(const struct http_request *r, const char *etag, int64_t mtime_s)
{
	const char *list = http_request_header(r, "If-None-Match");
	if (list)
		return http_etag_in_list(list, etag);
	const char *since = http_request_header(r, "If-Modified-Since");
	int64_t t;
	return since && mtime_s > 0 && !http_date_parse(since, &t) && mtime_s <= t;
}

/* Ranges wanted: as http_range_parse(). Only GET has ranges (RFC 9110 §14.2). */
static int ranges_wanted(const struct http_request *r, uint64_t size, const char *etag,
			 int64_t mtime_s, struct http_range ret[HTTP_RANGES_MAX])
{
	const char *value = http_request_header(r, "Range");
	const char *condition = http_request_header(r, "If-Range");
	if (!value || strcmp(http_request_method(r), "GET") != 0)
		return 0;
	if (condition && !http_if_range_holds(condition, etag, mtime_s))
		return 0;
	return http_range_parse(value, size, ret);
}

static int range_text(char *out, size_t size, const struct http_range *g, uint64_t total)
{
	return snprintf(out, size, "bytes %llu-%llu/%llu", (unsigned long long)g->first,
			(unsigned long long)g->last, (unsigned long long)total);
}

/* multipart/byteranges (RFC 9110 §14.6). Adds the length of all heads to *@length. */
static int parts_multi(struct stream *s, const struct http_range *g, unsigned n,
		       const char *content_type, uint64_t *length)
{
	char boundary[33], type[80], range[80];
	uint8_t noise[16];
	random_bytes(noise, sizeof(noise));
	hex_encode(noise, sizeof(noise), boundary);
	snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
	(void)http_reply_header(s->request, "Content-Type", type);

	for (unsigned i = 0; i <= n; i++) {
		struct part *p = &s->parts[i];
		if (i < n) {
			range_text(range, sizeof(range), &g[i], s->src.size);
			p->head = str_printf(
				"%s--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n",
				i ? "\r\n" : "", boundary, content_type, range);
			p->offset = g[i].first;
			p->left = g[i].last - g[i].first + 1;
		} else {
			p->head = str_printf("\r\n--%s--\r\n", boundary);
		}
		if (!p->head)
			return -ENOMEM;
		s->n_parts = i + 1;
		*length += strlen(p->head) + p->left;
	}
	return 0;
}

/* Status, parts, and the headers that go with them. Returns the status or -ENOMEM. */
static int stream_plan(struct stream *s, const struct http_range *g, int n,
		       const char *content_type)
{
	uint64_t length = 0;
	if (n > 1) {
		if (parts_multi(s, g, (unsigned)n, content_type, &length))
			return -ENOMEM;
	} else {
		struct http_range whole = { .first = 0, .last = s->src.size - 1 };
		const struct http_range *one = n ? g : &whole;
		s->parts[0].offset = one->first;
		s->parts[0].left = s->src.size ? one->last - one->first + 1 : 0;
		s->n_parts = 1;
		length = s->parts[0].left;
		(void)http_reply_header(s->request, "Content-Type", content_type);
		if (n) {
			char range[80];
			range_text(range, sizeof(range), one, s->src.size);
			(void)http_reply_header(s->request, "Content-Range", range);
		}
	}
	add_number(s->request, "Content-Length", length);
	return n ? 206 : 200;
}

/* Headers, then the first piece. Takes @s. */
static void stream_start(struct stream *s, int status)
{
	struct http_request *r = s->request;
	struct evhttp_connection *evcon = evhttp_request_get_connection(r->ev);
	struct evbuffer *piece = evbuffer_new();
	int n = piece ? stream_fill(s, piece) : -ENOMEM;
	if (n < 0) {
		/* Nothing is out yet: this can still be said. */
		static const char body[] = "{\"code\":500,\"message\":\"Internal Server Error\"}\n";
		if (piece)
			evbuffer_free(piece);
		evhttp_clear_headers(r->ev->output_headers);
		s->request = NULL;
		stream_free(s);
		http_reply(r, 500, "application/json", body, sizeof(body) - 1);
		return;
	}
	http_reply_begin(r);
	evhttp_connection_set_closecb(evcon, on_closed, s);
	struct http_conn *c = r->conn;
	evhttp_send_reply_start(r->ev, status, http_status_text(status));
	evhttp_send_reply_chunk_with_cb(r->ev, piece, on_piece_sent, s);
	evbuffer_free(piece);
	http_conn_flush(c);
}

void http_reply_source(struct http_request *r, const char *content_type, const char *etag,
		       int64_t mtime_s, struct http_source src)
{
	struct http_range ranges[HTTP_RANGES_MAX];
	bool is_head = !strcmp(http_request_method(r), "HEAD");
	struct stream *s = calloc(1, sizeof(*s));
	if (!s || !r->ev || !r->conn || !evhttp_request_get_connection(r->ev)) {
		free(s);
		if (src.free)
			src.free(src.ctx);
		http_reply(r, 500, NULL, NULL, 0);
		return;
	}
	s->request = r;
	s->src = src;

	add_validators(r, etag, mtime_s);
	int n = is_not_modified(r, etag, mtime_s)
			? -EALREADY
			: ranges_wanted(r, src.size, etag, mtime_s, ranges);
	int status = n == -EALREADY ? 304 : n < 0 ? 416 : stream_plan(s, ranges, n, content_type);
	if (status > 0 && status < 300 && !is_head && src.size) {
		stream_start(s, status);
		return;
	}
	if (status == 416) {
		char range[48];
		snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)src.size);
		(void)http_reply_header(r, "Content-Range", range);
	}
	s->request = NULL;
	stream_free(s);
	http_reply(r, status < 0 ? 500 : status, NULL, NULL, 0);
}
