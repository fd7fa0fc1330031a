/*
 * Bodies that are taken piece by piece. evhttp 2.1 collects a whole body before anybody hears of it and has no hook between head and
 * body, so the filter below it parts the two: evhttp gets the head of such a request without the headers that frame a body, and what
 * follows on the connection goes to the handler's sink. The connection ends with the reply.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/http_server_priv.h"
#include "common/str.h"

#define METHOD "POST "
#define LINE_MAX_LEN 1024 /* of a chunk's size, of a trailer */
#define TRAILERS_MAX 100
#define PIECE (64u << 10) /* bytes given to a sink at once */
#define SNIFF 1024 /* bytes in which the request line is looked for without holding it back */

enum upload_part {
	UPLOAD_HEAD,    /* the head is not whole yet */
	UPLOAD_BODY,    /* a body of known length, or the data of a chunk */
	UPLOAD_SIZE,    /* the line with a chunk's size comes next (RFC 9112 §7.1) */
	UPLOAD_GAP,     /* the line end behind a chunk's data */
	UPLOAD_TRAILER, /* lines up to an empty one */
	UPLOAD_END,
};

struct http_upload {
	struct evbuffer *in; /* clear bytes that nobody has taken yet */
	enum upload_part part;
	bool is_chunked, is_bad, expects, has_sink;
	bool is_stopped; /* the sink takes no more */
	unsigned lengths, codings, trailers;
	uint64_t length; /* of the body; UINT64_MAX = unknown */
	uint64_t left;   /* of the body or chunk */
	struct http_sink sink;
};

/* --- the head --- */

/* Is @text (not terminated) the start of a request that the server takes in pieces? 1 yes, 0 no, -EAGAIN: cannot be told yet. */
static int is_wanted(const struct http_conn *c, char *text, size_t len)
{
	size_t n = MIN_OF(len, strlen(METHOD));
	if (memcmp(text, METHOD, n) != 0)
		return 0;
	char *path = text + strlen(METHOD);
	char *end = len > n ? memchr(path, '\n', len - n) : NULL;
	if (!end)
		return -EAGAIN;
	*end = '\0';
	path[strcspn(path, "? \r")] = '\0';
	return c->server->limits.is_upload(c->server->ctx, path);
}

static int starts_upload(const struct http_conn *c, struct evbuffer *in)
{
	char start[SNIFF + 1];
	ev_ssize_t n = evbuffer_copyout(in, start, SNIFF);
	if (n <= 0)
		return 0;
	start[n] = '\0';
	int r = is_wanted(c, start, (size_t)n);
	/* a longer request line is none that is taken in pieces */
	return r == -EAGAIN && n == SNIFF ? 0 : r;
}

/* Length of the head with its empty line; 0 = not whole. Lines end in LF or CR LF, as evhttp has it. */
static size_t head_length(struct evbuffer *in)
{
	struct evbuffer_ptr lf = evbuffer_search(in, "\n\n", 2, NULL),
			    crlf = evbuffer_search(in, "\n\r\n", 3, NULL);
	if (lf.pos < 0 && crlf.pos < 0)
		return 0;
	return crlf.pos < 0 || (lf.pos >= 0 && lf.pos < crlf.pos) ? (size_t)lf.pos + 2
								  : (size_t)crlf.pos + 3;
}

static bool is_header(const char *line, const char *name, const char **ret_value)
{
	size_t n = strlen(name);
	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	*ret_value = line + n + 1;
	return true;
}

/* Notes a header that frames the body; false = it is none of these. @line is terminated and changed. */
static bool note_framing(struct http_upload *u, char *line)
{
	const char *value;
	if (is_header(line, "Content-Length", &value)) {
		u->is_bad |= u->lengths++ || str_to_u64(str_trim((char *)value), &u->length) ||
			     u->length == UINT64_MAX;
		return true;
	}
	if (is_header(line, "Transfer-Encoding", &value)) {
		u->is_chunked = true;
		u->is_bad |= u->codings++ || strcasecmp(str_trim((char *)value), "chunked") != 0;
		return true;
	}
	if (is_header(line, "Expect", &value)) {
		u->expects = true;
		u->is_bad |= strcasecmp(str_trim((char *)value), "100-continue") != 0;
		return true;
	}
	return false;
}

/* The head for evhttp: @head, which is taken apart, without its framing. */
static int head_pass(struct http_upload *u, char *head, struct evbuffer *dst)
{
	bool was_framing = false;
	for (char *line = head, *next; *line; line = next) {
		size_t n = strcspn(line, "\n");
		next = line + n + (line[n] == '\n');
		AUTO(freep) char *copy = strndup(line, n);
		if (!copy)
			return -ENOMEM;
		/* a folded line (RFC 9112 §5.2) would belong to another header than before */
		if (was_framing && (*copy == ' ' || *copy == '\t'))
			u->is_bad = true;
		was_framing = note_framing(u, copy);
		if (!was_framing && evbuffer_add(dst, line, (size_t)(next - line)))
			return -ENOMEM;
	}
	u->is_bad |= u->lengths && u->codings;
	if (!u->lengths)
		u->length = u->codings ? UINT64_MAX : 0;
	u->part = u->is_chunked ? UPLOAD_SIZE : u->length ? UPLOAD_BODY : UPLOAD_END;
	u->left = u->length;
	return 0;
}

static int head_take(struct http_conn *c, struct evbuffer *dst, size_t len)
{
	struct http_upload *u = c->upload;
	AUTO(freep) char *head = malloc(len + 1);
	if (!head || evbuffer_remove(u->in, head, len) != (int)len)
		return -ENOMEM;
	head[len] = '\0';
	if (strlen(head) != len) {
		/* evhttp cuts lines at a NUL; nobody may see it otherwise */
		u->is_bad = true;
		for (size_t i = 0; i < len; i++)
			head[i] = head[i] ? head[i] : '?';
	}
	return head_pass(u, head, dst);
}

/* The request goes the usual way. */
static void give_back(struct http_conn *c, struct evbuffer *dst)
{
	evbuffer_add_buffer(dst, c->upload->in);
	http_upload_free(c->upload);
	c->upload = NULL;
}

static int upload_new(struct http_conn *c, struct evbuffer *dst)
{
	struct http_upload *u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->in = evbuffer_new();
	if (!u->in || evbuffer_add_buffer(u->in, dst)) {
		http_upload_free(u);
		return -ENOMEM;
	}
	c->upload = u;
	return 0;
}

static int head_look(struct http_conn *c, struct evbuffer *dst)
{
	struct http_upload *u = c->upload;
	int r = starts_upload(c, u->in);
	if (r == -EAGAIN)
		return 0;
	size_t len = r ? head_length(u->in) : 0;
	size_t held = len ? len : evbuffer_get_length(u->in);
	/* too much for a head: evhttp says so */
	if (!r || held > c->server->limits.max_headers) {
		give_back(c, dst);
		return 0;
	}
	return len ? head_take(c, dst, len) : 0;
}

int http_upload_arrived(struct http_conn *c, struct evbuffer *dst, bool is_start)
{
	if (!c->upload) {
		if (!is_start || !c->server->limits.is_upload || !starts_upload(c, dst))
			return 0;
		int r = upload_new(c, dst);
		if (r < 0)
			return r;
	}
	if (c->upload->part == UPLOAD_HEAD)
		return head_look(c, dst);
	http_upload_feed(c);
	return 0;
}

struct evbuffer *http_upload_buffer(struct http_conn *c)
{
	return c->upload ? c->upload->in : NULL;
}

bool http_upload_is_bad(const struct http_conn *c)
{
	return c->upload && c->upload->is_bad;
}

bool http_upload_is_whole(const struct http_conn *c)
{
	return c->upload && c->upload->part == UPLOAD_END;
}

/* --- the body --- */

static int give_data(struct http_upload *u)
{
	size_t n = (size_t)MIN_OF((uint64_t)MIN_OF(evbuffer_get_length(u->in), PIECE), u->left);
	const unsigned char *p = n ? evbuffer_pullup(u->in, (ev_ssize_t)n) : NULL;
	if (!p)
		return -EAGAIN;
	int r = u->sink.write(u->sink.ctx, p, n);
	if (r < 0) {
		u->is_stopped = true;
		return r;
	}
	evbuffer_drain(u->in, n);
	u->left -= n;
	if (!u->left)
		u->part = u->is_chunked ? UPLOAD_GAP : UPLOAD_END;
	return 0;
}

static int chunk_size(const char *line, uint64_t *ret)
{
	uint64_t size = 0;
	size_t digits = strspn(line, "0123456789abcdefABCDEF");
	if (!digits || digits > 15 || !strchr("; \t", line[digits]))
		return -EPROTO;
	for (size_t i = 0; i < digits; i++) {
		int ch = tolower((unsigned char)line[i]);
		size = size * 16 + (uint64_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
	}
	*ret = size;
	return 0;
}

static int take_line(struct http_upload *u, const char *line)
{
	if (u->part == UPLOAD_GAP) {
		u->part = UPLOAD_SIZE;
		return *line ? -EPROTO : 0;
	}
	if (u->part == UPLOAD_TRAILER) {
		u->part = *line ? UPLOAD_TRAILER : UPLOAD_END;
		return u->trailers++ < TRAILERS_MAX ? 0 : -EPROTO;
	}
	int r = chunk_size(line, &u->left);
	if (r == 0)
		u->part = u->left ? UPLOAD_BODY : UPLOAD_TRAILER;
	return r;
}

static int give_line(struct http_upload *u)
{
	AUTO(freep) char *line = evbuffer_readln(u->in, NULL, EVBUFFER_EOL_CRLF);
	if (line)
		return strlen(line) > LINE_MAX_LEN ? -EPROTO : take_line(u, line);
	return evbuffer_get_length(u->in) > LINE_MAX_LEN ? -EPROTO : -EAGAIN;
}

static void upload_end(struct http_upload *u, int code)
{
	u->has_sink = false;
	u->sink.end(u->sink.ctx, code);
}

void http_upload_feed(struct http_conn *c)
{
	struct http_upload *u = c->upload;
	int r = 0;
	while (u->has_sink && !u->is_stopped && u->part != UPLOAD_END && r == 0)
		r = u->part == UPLOAD_BODY ? give_data(u) : give_line(u);
	if (u->is_stopped) {
		/* what is still on its way is read by the one who lingers */
		evbuffer_drain(u->in, evbuffer_get_length(u->in));
		return;
	}
	if (!u->has_sink || r == -EAGAIN)
		return;
	if (c->phase == CONN_READING) {
		http_conn_phase(c, CONN_HANDLING);
		bufferevent_disable(c->bev, EV_READ);
	}
	upload_end(u, r);
}

/* The client waits for leave to send (RFC 9110 §10.1.1). */
static void say_continue(struct http_conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	if (c->upload->expects && !evbuffer_get_length(c->upload->in))
		http_conn_say(c, text, strlen(text));
}

void http_upload_gone(struct http_conn *c)
{
	struct http_upload *u = c->upload;
	if (u && u->has_sink && !u->is_stopped)
		upload_end(u, -ECONNRESET);
}

void http_upload_free(struct http_upload *u)
{
	if (!u)
		return;
	if (u->in)
		evbuffer_free(u->in);
	free(u);
}

/* --- what handlers call --- */

uint64_t http_request_length(const struct http_request *r)
{
	if (r->conn && r->conn->upload)
		return r->conn->upload->length;
	size_t len;
	(void)http_request_body(r, &len);
	return len;
}

void http_request_read(struct http_request *r, const struct http_sink *sink)
{
	struct http_conn *c = r->conn;
	if (!c || !r->ev) {
		sink->end(sink->ctx, -ECONNRESET);
		return;
	}
	if (!c->upload) {
		size_t len;
		const char *body = http_request_body(r, &len);
		if (!len || sink->write(sink->ctx, body, len) >= 0)
			sink->end(sink->ctx, 0);
		return;
	}
	c->upload->sink = *sink;
	c->upload->has_sink = true;
	http_conn_phase(c, CONN_READING);
	bufferevent_enable(c->bev, EV_READ); /* evhttp has stopped it while there is a request */
	say_continue(c);
	http_upload_feed(c);
}
