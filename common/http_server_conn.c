/*
 * A connection: evhttp sits on a filter bufferevent, which sits on the socket's. Plain connections have the filter too, so that
 * time limits, back-pressure and closing are the same for both.
 *
 * What libevent 2.1.12 does that shapes this file:
 * - evhttp fills the filter's output while writing is disabled and then only enables it, which moves nothing: http_conn_flush().
 *   Pages that evhttp writes by itself (400, 413, 501) need the same and come through the kick list.
 * - evhttp takes "the filter's output is empty" for "sent", then may close the descriptor: conn_output() keeps one byte until
 *   the socket has taken everything. The same makes the callback of a sent piece tell the truth, which is the back-pressure.
 * - an error of a filter function is not reported to anybody: http_conn_end().
 * - evhttp ends a connection whose client has closed its sending side, even when a reply is on its way: conn_on_event().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/http_server_priv.h"
#include "common/str.h"

#define LINGER_MS 2000
#define LINGER_BYTES (1u << 20)
#define LINGER_MAX 1000   /* at once */
#define ENCODE_STEP 16384 /* one TLS record */

struct http_lingerer {
	TAILQ_ENTRY(http_lingerer) link;
	struct http_server *server;
	struct event *ev;
	int fd;
	size_t left;
	int64_t until_ms;
};

void http_conn_phase(struct http_conn *c, enum conn_phase phase)
{
	c->phase = phase;
	c->since_ms = c->grown_ms = time_mono_ms();
	c->request_bytes = c->last_in = 0;
}

void http_conn_idle(struct http_conn *c)
{
	http_conn_phase(c, CONN_IDLE);
	c->is_used = true;
	if (!c->tls || c->moved <= HTTP_REST_AFTER)
		return;
	tls_conn_rest(c->tls);
	c->moved = 0;
}

struct http_conn *http_conn_of(struct http_server *s, struct evhttp_connection *evcon)
{
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));
	return fd >= 0 && (size_t)fd < s->by_fd_size ? s->by_fd[fd] : NULL;
}

/* evhttp's callbacks know the descriptor only, so this is how a request finds its connection. */
static int conn_register(struct http_conn *c)
{
	struct http_server *s = c->server;
	int fd = bufferevent_getfd(c->underlying);
	if (fd < 0)
		return -EBADF;
	if ((size_t)fd >= s->by_fd_size) {
		size_t size = MAX_OF((size_t)fd + 1, s->by_fd_size * 2);
		struct http_conn **grown = reallocarray(s->by_fd, size, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(grown + s->by_fd_size, 0, (size - s->by_fd_size) * sizeof(*grown));
		s->by_fd = grown;
		s->by_fd_size = size;
	}
	s->by_fd[fd] = c;
	c->fd = fd;
	return 0;
}

/*
 * evhttp has freed the filter, which takes the callbacks away at once, but ends only behind everything else of this turn of the loop.
 * libevent would let a use in between end it a second time.
 */
static bool is_going(const struct http_conn *c)
{
	bufferevent_event_cb on_event = NULL;
	bufferevent_getcb(c->bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

void http_conn_end(struct http_conn *c, short what)
{
	if (!is_going(c))
		bufferevent_trigger_event(c->bev, what, BEV_TRIG_DEFER_CALLBACKS);
}

/* The last words of TLS: evhttp will drop what waits in the socket's buffer, so they go out now or never. */
static void send_alert(struct http_conn *c)
{
	unsigned char alert[256];
	struct evbuffer *out = bufferevent_get_output(c->underlying);
	ev_ssize_t n = evbuffer_copyout(out, alert, sizeof(alert));
	if (n > 0 && c->fd >= 0)
		(void)!send(c->fd, alert, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void conn_fail(struct http_conn *c)
{
	if (c->is_failed)
		return;
	c->is_failed = true;
	send_alert(c);
	http_conn_end(c, BEV_EVENT_ERROR | BEV_EVENT_READING);
}

/* Clear bytes of a request have come. */
static void conn_saw_bytes(struct http_conn *c, size_t n)
{
	if (c->phase == CONN_IDLE || c->phase == CONN_HANDSHAKE)
		http_conn_phase(c, CONN_READING);
	c->request_bytes += n;
	c->moved += n;
}

/* Decrypts what has come; result as tls_conn_input(). */
static int tls_input(struct http_conn *c, struct evbuffer *src, struct evbuffer *dst)
{
	bool was_up = tls_conn_is_up(c->tls);
	int r = tls_conn_input(c->tls, src, dst, bufferevent_get_output(c->underlying));
	if (!was_up && tls_conn_is_up(c->tls)) {
		http_conn_phase(c, CONN_IDLE);
		c->moved += HTTP_REST_AFTER; /* a handshake leaves more behind than its bytes */
	}
	return r;
}

/* close_notify: the end of the client's side, and no byte may follow. @has_more: the last request came with it. */
static void conn_closed(struct http_conn *c, struct evbuffer *src, bool has_more)
{
	evbuffer_drain(src, evbuffer_get_length(src));
	if (c->upload && !http_upload_is_whole(c))
		has_more = false;
	if (c->phase == CONN_HANDLING || c->phase == CONN_WRITING || has_more)
		c->has_eof = true;
	else
		http_conn_end(c, BEV_EVENT_EOF | BEV_EVENT_READING);
}

static int take_clear(struct http_conn *c, struct evbuffer *src, struct evbuffer *to,
		      ev_ssize_t limit)
{
	if (c->tls)
		return tls_input(c, src, to);
	size_t want = limit < 0 ? evbuffer_get_length(src) : (size_t)limit;
	return evbuffer_remove_buffer(src, to, want) < 0 ? -EPROTO : 0;
}

static enum bufferevent_filter_result conn_input(struct evbuffer *src, struct evbuffer *dst,
						 ev_ssize_t limit, enum bufferevent_flush_mode mode,
						 void *ctx)
{
	struct http_conn *c = ctx;
	if (c->is_failed || (c->fd < 0 && conn_register(c))) {
		conn_fail(c);
		return BEV_ERROR;
	}

	struct evbuffer *own = http_upload_buffer(c), *to = own ? own : dst;
	size_t before = evbuffer_get_length(to), before_dst = evbuffer_get_length(dst);
	int r = take_clear(c, src, to, limit);
	size_t n = evbuffer_get_length(to) - before;
	bool is_start = !before_dst && (c->phase == CONN_IDLE || c->phase == CONN_HANDSHAKE);
	if (n)
		conn_saw_bytes(c, n);
	if (n && http_upload_arrived(c, dst, is_start) < 0)
		r = -ENOMEM;
	bool has_more = evbuffer_get_length(dst) > before_dst;
	if (r < 0) {
		conn_fail(c);
		return has_more ? BEV_OK : BEV_ERROR;
	}
	if (r > 0)
		conn_closed(c, src, n);
	return has_more ? BEV_OK : BEV_NEED_MORE;
}

/*
 * evhttp's own pages are HTML. They come as a whole, always with "Connection: close"; what goes out instead says the same in JSON.
 * evhttp answers 400 for headers above the limit, which have their own status (RFC 6585 §5).
 */
static char *own_page(struct http_conn *c, struct evbuffer *src)
{
	char head[16] = "";
	int status = 0;
	evbuffer_copyout(src, head, sizeof(head) - 1);
	if (sscanf(head, "HTTP/%*d.%*d %d", &status) != 1 || status < 100)
		status = 400;
	if (status < 200)
		return NULL;
	if (status == 400 && c->request_bytes > c->server->limits.max_headers)
		status = 431;
	const char *text = http_status_text(status);
	AUTO(freep) char *body = str_printf("{\"code\":%d,\"message\":\"%s\"}\n", status, text);
	return !body ? NULL
		     : str_printf(
			       "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
			       "Connection: close\r\n\r\n%s",
			       status, text, strlen(body), body);
}

static int encode(struct http_conn *c, const void *data, size_t len, struct evbuffer *dst)
{
	c->moved += len;
	if (c->tls)
		return tls_conn_output(c->tls, data, len, dst);
	return evbuffer_add(dst, data, len) ? -ENOMEM : 0;
}

void http_conn_say(struct http_conn *c, const char *text, size_t len)
{
	if (encode(c, text, len, bufferevent_get_output(c->underlying)) < 0)
		conn_fail(c);
}

/* Everything in @src is encoded: one byte stays, as the sign for evhttp that the socket has not taken it all yet. */
static int hold(struct http_conn *c, struct evbuffer *src, size_t encoded)
{
	c->is_held = true;
	if (encoded <= ENCODE_STEP)
		return evbuffer_drain(src, encoded - 1);
	/* A large chain is not kept for one byte. */
	evbuffer_drain(src, encoded);
	return evbuffer_add(src, "", 1) ? -ENOMEM : 0;
}

/* Returns 1 when a page of evhttp's was replaced, 0 when there is none, or -errno. */
static int replace_own_page(struct http_conn *c, struct evbuffer *src, struct evbuffer *dst)
{
	size_t len = evbuffer_get_length(src);
	if (c->is_refused)
		return hold(c, src, len) ? -ENOMEM : 1;
	AUTO(freep) char *page = own_page(c, src);
	if (!page)
		return 0;
	int r = encode(c, page, strlen(page), dst);
	if (!r && c->tls)
		tls_conn_close_notify(c->tls, dst);
	if (!r)
		r = hold(c, src, len);
	if (r)
		return r;
	c->is_refused = true;
	http_conn_phase(c, CONN_WRITING);
	return 1;
}

/* Encodes up to @room bytes; the held one stays behind the last. */
static int encode_some(struct http_conn *c, struct evbuffer *src, struct evbuffer *dst, size_t room)
{
	size_t len = evbuffer_get_length(src);
	if (!c->tls && len > ENCODE_STEP) {
		/* Large plain data is moved, not copied. */
		if (evbuffer_remove_buffer(src, dst, MIN_OF(len, room)) < 0)
			return -ENOMEM;
		c->is_held = len <= room;
		return c->is_held && evbuffer_add(src, "", 1) ? -ENOMEM : 0;
	}
	while (room) {
		size_t n = MIN_OF(MIN_OF(len, room), ENCODE_STEP);
		const unsigned char *p = evbuffer_pullup(src, (ev_ssize_t)n);
		int r = p ? encode(c, p, n, dst) : -ENOMEM;
		if (r)
			return r;
		if (n == len)
			return hold(c, src, n);
		evbuffer_drain(src, n);
		len -= n;
		room -= n;
	}
	return 0;
}

/*
 * A short reply goes to the kernel at once: no event for the descriptor, no second turn of the loop. Only for whole replies, as
 * evhttp hears of the end inside this call; a source would recurse. Returns 1 when all is out, 0 (the rest is below the filter and a
 * byte is held), or -errno.
 */
static int send_now(struct http_conn *c, struct evbuffer *src, struct evbuffer *dst)
{
	struct evbuffer *scratch = c->server->scratch;
	size_t len = evbuffer_get_length(src);
	const unsigned char *p = evbuffer_pullup(src, -1);
	int r = p ? encode(c, p, len, scratch) : -ENOMEM;
	if (!r) {
		(void)evbuffer_write(scratch, c->fd); /* an error shows again below */
		if (!evbuffer_get_length(scratch))
			return evbuffer_drain(src, len) ? -ENOMEM : 1;
		r = evbuffer_add_buffer(dst, scratch) ? -ENOMEM : hold(c, src, len);
	}
	evbuffer_drain(scratch, evbuffer_get_length(scratch));
	return r;
}

static int conn_encode(struct http_conn *c, struct evbuffer *src, struct evbuffer *dst)
{
	size_t waiting = evbuffer_get_length(dst);
	int r = c->has_reply ? 0 : replace_own_page(c, src, dst);
	if (r)
		return r;
	if (c->is_whole && !waiting && evbuffer_get_length(src) <= ENCODE_STEP)
		return send_now(c, src, dst);
	return encode_some(c, src, dst, HTTP_OUT_MAX - waiting);
}

static enum bufferevent_filter_result conn_output(struct evbuffer *src, struct evbuffer *dst,
						  ev_ssize_t limit,
						  enum bufferevent_flush_mode mode, void *ctx)
{
	struct http_conn *c = ctx;
	if (c->is_failed)
		return BEV_ERROR;
	size_t waiting = evbuffer_get_length(dst), len = evbuffer_get_length(src);
	if (c->is_held && (len > 1 || !waiting)) {
		/* The kernel has everything (now evhttp may know), or more has come, which will hold a byte of its own. */
		evbuffer_drain(src, 1);
		c->is_held = false;
		return BEV_OK;
	}
	if (!len || c->is_held || waiting >= HTTP_OUT_MAX || (c->tls && !tls_conn_is_up(c->tls)))
		return BEV_NEED_MORE;

	if (conn_encode(c, src, dst) < 0) {
		conn_fail(c);
		return BEV_ERROR;
	}
	return BEV_OK;
}

/* Something was put into the filter's output. Ours is flushed by http_conn_flush(); the rest is evhttp's own. */
static void conn_on_output(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *ctx)
{
	struct http_conn *c = ctx;
	if (!info->n_added || c->has_reply || c->is_kicked || !c->server->kick)
		return;
	c->is_kicked = true;
	TAILQ_INSERT_TAIL(&c->server->kicks, c, kick_link);
	event_active(c->server->kick, EV_TIMEOUT, 0);
}

void http_conn_flush(struct http_conn *c)
{
	if (!is_going(c))
		bufferevent_flush(c->bev, EV_WRITE, BEV_NORMAL);
}

void http_conn_kick_all(struct http_server *s)
{
	struct http_conn *c;
	while ((c = TAILQ_FIRST(&s->kicks))) {
		TAILQ_REMOVE(&s->kicks, c, kick_link);
		c->is_kicked = false;
		http_conn_flush(c);
	}
}

static void conn_on_read(struct bufferevent *underlying, void *ctx)
{
	struct http_conn *c = ctx;
	c->filter_read(underlying, c->filter_arg);
}

static void conn_on_write(struct bufferevent *underlying, void *ctx)
{
	struct http_conn *c = ctx;
	c->filter_write(underlying, c->filter_arg);
}

static void conn_on_event(struct bufferevent *underlying, short what, void *ctx)
{
	struct http_conn *c = ctx;
	if (what == (BEV_EVENT_EOF | BEV_EVENT_READING) &&
	    (c->phase == CONN_HANDLING || c->phase == CONN_WRITING)) {
		/* It may still read. Whether it does, writing will tell; the end comes with the reply. */
		c->has_eof = true;
		return;
	}
	c->filter_event(underlying, what, c->filter_arg);
}

/*
 * A close with unread bytes makes the kernel send RST, which may reach the client before it has read our last reply (RFC 9112
 * §9.6). evhttp has shut down our side by the time this runs; a duplicate of the descriptor reads on for a moment.
 */
static void linger_end(struct http_lingerer *l)
{
	l->server->n_lingering--;
	TAILQ_REMOVE(&l->server->lingerers, l, link);
	http_server_unref(l->server);
	event_free(l->ev);
	close(l->fd);
	free(l);
}

void http_linger_end_all(struct http_server *s)
{
	struct http_lingerer *l;

	while ((l = TAILQ_FIRST(&s->lingerers)))
		linger_end(l);
}

static void linger_read(evutil_socket_t fd, short what, void *ctx)
{
	struct http_lingerer *l = ctx;
	char drop[16384];
	ssize_t n = what & EV_READ ? recv(fd, drop, sizeof(drop), MSG_DONTWAIT) : 0;
	bool is_over = time_mono_ms() >= l->until_ms;
	if (n <= 0 || (size_t)n >= l->left || is_over) {
		if (n < 0 && errno == EAGAIN && !is_over)
			return;
		linger_end(l);
		return;
	}
	l->left -= (size_t)n;
}

static void linger_begin(struct http_conn *c)
{
	struct http_server *s = c->server;
	char byte;
	/* Only worth it while the client may still send. */
	if (c->fd < 0 || s->is_stopping || s->n_lingering >= LINGER_MAX ||
	    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return;
	AUTO(closep) int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	AUTO(freep) struct http_lingerer *l = calloc(1, sizeof(*l));
	if (fd < 0 || !l)
		return;
	struct timeval tv = { .tv_sec = LINGER_MS / 1000 };
	l->ev = event_new(s->base, fd, EV_READ | EV_PERSIST, linger_read, l);
	if (!l->ev)
		return;
	if (event_add(l->ev, &tv)) {
		event_free(l->ev);
		return;
	}
	l->fd = TAKE_FD(fd);
	l->left = LINGER_BYTES;
	l->until_ms = time_mono_ms() + LINGER_MS;
	l->server = s;
	s->n_lingering++;
	TAILQ_INSERT_TAIL(&s->lingerers, l, link);
	http_server_ref(s);
	TAKE(l);
}

/* The filter bufferevent is being destroyed; the socket is still open. */
static void conn_free(void *ctx)
{
	struct http_conn *c = ctx;
	struct http_server *s = c->server;
	if (c->is_kicked)
		TAILQ_REMOVE(&s->kicks, c, kick_link);
	if (c->fd >= 0 && s->by_fd[c->fd] == c)
		s->by_fd[c->fd] = NULL;
	if (c->request)
		c->request->conn = NULL;
	http_upload_gone(c);
	http_upload_free(c->upload);
	TAILQ_REMOVE(&s->conns, c, link);
	s->n_conns--;
	if (c->is_refused || c->is_failed)
		linger_begin(c);
	tls_conn_free(c->tls);
	free(c);
	http_server_conn_gone(s);
	http_server_unref(s);
}

static void wrap_callbacks(struct http_conn *c)
{
	bufferevent_getcb(c->underlying, &c->filter_read, &c->filter_write, &c->filter_event,
			  &c->filter_arg);
	bufferevent_setcb(c->underlying, conn_on_read, conn_on_write, conn_on_event, c);
}

struct bufferevent *http_conn_new(struct event_base *base, void *listener)
{
	struct http_listener *l = listener;
	struct http_server *s = l->server;
	AUTO(freep) struct http_conn *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->fd = -1;
	c->server = s;
	c->listener = l;
	if (l->tls) {
		c->tls = tls_conn_new(l->tls);
		if (!c->tls)
			return NULL;
	}
	c->underlying = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (c->underlying)
		c->bev = bufferevent_filter_new(c->underlying, conn_input, conn_output,
						BEV_OPT_CLOSE_ON_FREE, conn_free, c);
	if (!c->bev) {
		if (c->underlying)
			bufferevent_free(c->underlying);
		tls_conn_free(c->tls);
		return NULL;
	}
	/* evhttp wants a whole body in the filter's input before it takes it, hence no less than that. */
	bufferevent_setwatermark(c->bev, EV_READ, 0,
				 s->limits.max_body + s->limits.max_headers + ENCODE_STEP);
	evbuffer_add_cb(bufferevent_get_output(c->bev), conn_on_output, c);
	wrap_callbacks(c);
	http_conn_phase(c, c->tls ? CONN_HANDSHAKE : CONN_IDLE);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->n_conns++;
	http_server_ref(s);
	return TAKE(c)->bev;
}

/*
 * Bytes that the client has not acknowledged, ours and the kernel's (SIOCOUTQ, tcp(7)). Ours alone stand still for a long time with
 * a slow reader: the socket becomes writable again only when a good part of its queue has gone.
 */
static size_t bytes_out(const struct http_conn *c)
{
	int queued = 0;
	if (c->fd >= 0)
		(void)ioctl(c->fd, SIOCOUTQ, &queued);
	return evbuffer_get_length(bufferevent_get_output(c->underlying)) + (size_t)queued;
}

/* Has a request come to a halt? What it brought before gives it time for more, but not for a rest. */
static bool is_halted(struct http_conn *c, int64_t now_ms, int64_t idle_ms)
{
	if (c->phase != CONN_READING)
		return false;
	if (c->request_bytes != c->last_in)
		c->grown_ms = now_ms;
	c->last_in = c->request_bytes;
	return now_ms - c->grown_ms >= idle_ms;
}

void http_conn_check(struct http_conn *c, int64_t now_ms)
{
	int64_t idle_ms = (int64_t)c->server->limits.idle_timeout_ms, allowed_ms = idle_ms;
	if (c->phase == CONN_HANDLING)
		return; /* the handler's time */
	if (c->phase == CONN_WRITING) {
		size_t out = bytes_out(c);
		if (out != c->last_out)
			c->since_ms = now_ms;
		c->last_out = out;
	}
	if (c->phase == CONN_READING)
		allowed_ms += (int64_t)(c->request_bytes * 1000 / HTTP_BODY_RATE);
	if (c->phase == CONN_IDLE)
		allowed_ms = c->server->is_stopping ? 0
			     : c->is_used           ? (int64_t)c->server->limits.keep_ms
						    : idle_ms;
	if (now_ms - c->since_ms >= allowed_ms || is_halted(c, now_ms, idle_ms))
		http_conn_end(c, BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
}
