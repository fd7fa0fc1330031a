#include "agent/fetch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <zstd.h>
#include "agent/backoff.h"
#include "agent/fetch_plan.h"
#include "agent/install.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/str.h"

/* Bytes for the writer that wait in memory before the transfer is paused: two chunks keep it busy while the next frame comes in. */
#define QUEUE_CHUNKS 2
#define FRAME_SLACK (64u << 10) /* a frame may be larger than its chunk by this (install.md C.11) */
#define ETAG_MAX 128
/* What libcurl may still deliver after it was paused: one buffer of its own (CURL_MAX_READ_SIZE is 10 MiB, in use are 16–512 KiB). */
#define HOLD_MAX (10u << 20)

struct fetch {
	struct fetch_options o;
	char *url;
	struct fetch_plan plan;
	ZSTD_DCtx *zstd;

	int fd; /* stream socket, non-blocking */
	struct event *readable, *writable, *retry;
	uint8_t want[sizeof(struct install_want)]; /* one that has come in part */
	size_t want_len;
	struct buf out;  /* frames for the writer, */
	size_t out_sent; /* of which this much has gone */
	struct buf hold; /* payload bytes that came while the queue was full */
	bool is_paused, is_over;
	bool in_data;  /* inside libcurl's callback: a call must not be cancelled there */
	bool is_whole; /* the request has ended well; the next one waits for what is held */

	struct http_call *call;
	uint64_t at;      /* payload offset of the next byte that comes in */
	struct buf frame; /* of chunk frame_chunk, as far as it has come */
	uint32_t frame_chunk;
	char etag[ETAG_MAX];
	uint64_t received;
	bool got_bytes;      /* in this request */
	unsigned tries;      /* requests in a row without a byte */
	unsigned bad_frames; /* of the next chunk */
	bool is_waiting;
	struct backoff backoff;
};

static void request_next(struct fetch *f);
static int process_held(struct fetch *f);
static void retry(struct fetch *f, const char *why, uint64_t retry_after_ms);

static size_t queue_max(const struct fetch *f)
{
	return QUEUE_CHUNKS * (size_t)f->o.index->chunk_size;
}

static size_t queued(const struct fetch *f)
{
	return f->out.len - f->out_sent;
}

/* In its own callback a call ends by the code that the callback returns. */
static void end_call(struct fetch *f)
{
	if (!f->call || f->in_data)
		return;
	http_call_cancel(f->call);
	f->call = NULL;
}

static void set_paused(struct fetch *f, bool paused)
{
	if (f->is_paused == paused)
		return;
	f->is_paused = paused;
	if (f->call)
		http_call_pause(f->call, paused);
}

static void set_waiting(struct fetch *f, bool waiting, const char *why)
{
	if (f->is_waiting == waiting)
		return;
	f->is_waiting = waiting;
	if (f->o.waiting)
		f->o.waiting(f->o.ctx, waiting, why);
}

/* --- to the writer ----------------------------------------------------------------------------- */

/* The writer is gone or done: nothing more is fetched for it. */
static void stop(struct fetch *f)
{
	f->is_over = true;
	end_call(f);
	event_del(f->retry);
	event_del(f->readable);
	event_del(f->writable);
	closep(&f->fd);
	f->fd = -1;
}

/* 1 = everything is out, 0 = the socket is full, -EPIPE. */
static int send_queued(struct fetch *f)
{
	while (queued(f)) {
		ssize_t n = send(f->fd, f->out.data + f->out_sent, queued(f),
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			event_add(f->writable, NULL);
			return 0;
		}
		if (n < 0) {
			log_debug("the writer is gone: %s", strerror(errno));
			stop(f);
			return -EPIPE;
		}
		f->out_sent += (size_t)n;
	}
	buf_reset(&f->out);
	f->out_sent = 0;
	return 1;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch *f = ctx;

	if (send_queued(f) < 0)
		return;
	int r = process_held(f);
	if (r < 0 && !f->is_over) {
		/* What is held cannot be used: as if the request had ended here. */
		end_call(f);
		buf_reset(&f->hold);
		f->is_whole = false;
		retry(f, "a damaged frame", 0);
		return;
	}
	if (f->is_over)
		return;
	set_paused(f, f->hold.len || queued(f) >= queue_max(f));
	if (f->is_whole && !f->hold.len) {
		f->is_whole = false;
		request_next(f);
	}
}

static void tell_failure(struct fetch *f, const char *why)
{
	size_t len = MIN_OF(strlen(why), (size_t)INSTALL_ERROR_MAX);
	struct install_frame head = { .index = INSTALL_FRAME_ERROR, .length = (uint32_t)len };

	log_error("image data: %s", why);
	end_call(f);
	f->is_over = true;
	if (buf_append(&f->out, &head, sizeof(head)) < 0 || buf_append(&f->out, why, len) < 0)
		stop(f); /* end of file says that something is wrong, without the words */
	else
		(void)send_queued(f);
}

/* --- frames ------------------------------------------------------------------------------------- */

static int unpack(struct fetch *f, uint32_t chunk, const void *data, size_t len)
{
	size_t size = slx_chunk_len(f->o.index, chunk);
	struct install_frame head = { .index = chunk, .length = (uint32_t)size };

	if (f->out_sent) {
		buf_consume(&f->out, f->out_sent);
		f->out_sent = 0;
	}
	if (buf_append(&f->out, &head, sizeof(head)) < 0 || buf_reserve(&f->out, size) < 0)
		return -ENOMEM;
	char *to = f->out.data + f->out.len;
	if (f->o.index->codec == SLX_CODEC_ZSTD) {
		size_t n = ZSTD_decompressDCtx(f->zstd, to, size, data, len);
		if (ZSTD_isError(n) || n != size) {
			f->out.len -= sizeof(head);
			return -EBADMSG;
		}
	} else if (len == size) {
		memcpy(to, data, size);
	} else {
		f->out.len -= sizeof(head);
		return -EBADMSG;
	}
	f->out.len += size;
	return 0;
}

/* A complete frame. What is damaged on the way is asked for again; the writer checks the digest of the rest. */
static int take_frame(struct fetch *f, const void *data, size_t len)
{
	uint32_t chunk = fetch_plan_next(&f->plan);

	int r = unpack(f, chunk, data, len);
	if (r == -EBADMSG && ++f->bad_frames >= FETCH_CHUNK_TRIES) {
		AUTO(freep)
		char *why = str_printf("chunk %u of %s is damaged: it cannot be decompressed",
				       chunk, f->url);
		tell_failure(f, why ? why : "damaged image data");
		return -ECANCELED;
	}
	if (r < 0)
		return r;
	f->bad_frames = 0;
	fetch_plan_pop(&f->plan);
	return 0;
}

/* Bytes of the payload from f->at on: those of the next chunk are collected, those in front of it skipped. Returns what was used. */
static ssize_t take_some(struct fetch *f, const uint8_t *data, size_t len)
{
	if (fetch_plan_is_empty(&f->plan))
		return (ssize_t)len;
	const struct slx_entry *e = &f->o.index->entries[fetch_plan_next(&f->plan)];
	if (f->at + len <= e->offset || f->at > e->offset + f->frame.len)
		return (ssize_t)
			len; /* before it, or past it: a chunk that was wanted again waits for its own request */
	if (f->at < e->offset)
		return (ssize_t)(e->offset - f->at);

	size_t missing = e->length - f->frame.len;
	size_t n = MIN_OF(missing, len);
	int r;
	if (n == e->length) {
		r = take_frame(f, data, n); /* whole in one piece: no copy */
	} else {
		f->frame_chunk = fetch_plan_next(&f->plan);
		r = buf_append(&f->frame, data, n);
		if (!r && f->frame.len == e->length) {
			r = take_frame(f, f->frame.data, f->frame.len);
			buf_reset(&f->frame);
		}
	}
	return r < 0 ? r : (ssize_t)n;
}

/* Works through @data until the queue for the writer is full; *ret_used: bytes that are done. */
static int process(struct fetch *f, const uint8_t *data, size_t len, size_t *ret_used)
{
	size_t used = 0;

	while (used < len) {
		if (queued(f) >= queue_max(f) && send_queued(f) < 0)
			return -ECANCELED;
		if (queued(f) >= queue_max(f))
			break;
		ssize_t n = take_some(f, data + used, len - used);
		if (n < 0)
			return (int)n;
		f->at += (uint64_t)n;
		used += (size_t)n;
	}
	*ret_used = used;
	if (send_queued(f) < 0)
		return -ECANCELED;
	/* Also when the last send took everything: the rest is worked on from there. */
	if (used < len)
		event_add(f->writable, NULL);
	return 0;
}

static int process_held(struct fetch *f)
{
	size_t used = 0;

	if (!f->hold.len)
		return 0;
	int r = process(f, (const uint8_t *)f->hold.data, f->hold.len, &used);
	if (!r)
		buf_consume(&f->hold, used);
	return r;
}

static int on_data(void *ctx, const void *data, size_t len)
{
	struct fetch *f = ctx;
	size_t used = 0;
	int r = 0;

	f->in_data = true;
	f->got_bytes = true;
	f->tries = 0;
	f->received += len;
	backoff_reset(&f->backoff);
	set_waiting(f, false, NULL);
	if (!f->hold.len)
		r = process(f, data, len, &used);
	if (!r && used < len)
		r = buf_append(&f->hold, (const uint8_t *)data + used, len - used);
	if (!r)
		set_paused(f, f->hold.len || queued(f) >= queue_max(f));
	f->in_data = false;
	return f->is_over ? -ECANCELED : r;
}

/* --- requests ----------------------------------------------------------------------------------- */

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	request_next(ctx);
}

static void retry(struct fetch *f, const char *why, uint64_t retry_after_ms)
{
	uint32_t random;

	if (!f->got_bytes && ++f->tries >= FETCH_TRIES) {
		AUTO(freep)
		char *text = str_printf("%d tries in a row without a byte: %s", FETCH_TRIES, why);
		tell_failure(f, text ? text : why);
		return;
	}
	log_info("image data: %s; trying again", why);
	set_waiting(f, true, why);
	random_bytes(&random, sizeof(random));
	uint64_t ms = backoff_next_ms(&f->backoff, BACKOFF_PAYLOAD, retry_after_ms, random);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	event_add(f->retry, &tv);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct fetch *f = ctx;
	char text[64];
	uint64_t after_ms =
		a->status ? backoff_retry_after_ms(http_call_header(f->call, "Retry-After")) : 0;
	const char *etag = a->status == 206 ? http_call_header(f->call, "ETag") : NULL;

	/* A strong tag only: a weak one does not promise the same bytes (RFC 9110 §8.8.1). */
	if (etag && etag[0] == '"' && !f->etag[0])
		str_copy(f->etag, sizeof(f->etag), etag);
	f->call = NULL;
	if (f->is_over)
		return;
	if (!a->code && a->status == 206) {
		f->is_whole = f->hold.len > 0;
		if (!f->is_whole)
			request_next(f);
		return;
	}
	buf_reset(&f->hold);
	snprintf(text, sizeof(text), "HTTP %ld", a->status);
	retry(f, a->code ? fault_text(&a->fault) : text, after_ms);
}

static void request_next(struct fetch *f)
{
	uint64_t first, last;
	struct fault err = FAULT_INIT;

	if (f->call || f->is_over || f->is_whole || fetch_plan_is_empty(&f->plan) ||
	    evtimer_pending(f->retry, NULL))
		return;
	fetch_plan_range(&f->plan, &first, &last);
	/* A link that breaks within every frame gets on as well: what has come is not asked for again. */
	if (f->frame.len && f->frame_chunk == fetch_plan_next(&f->plan))
		first += f->frame.len;
	else
		buf_reset(&f->frame);
	f->at = first;
	set_paused(f, false);
	f->got_bytes = false;
	struct http_request_spec spec = {
		.url = f->url,
		.max_body = last - first + 1,
		.use_range = true,
		.range_first = first,
		.range_last = last,
		.if_range = f->etag[0] ? f->etag : NULL,
		.on_data = on_data,
		.done = on_answer,
		.ctx = f,
	};
	if (http_call_start(f->o.http, &spec, &f->call, &err) < 0) {
		f->call = NULL;
		retry(f, fault_text(&err), 0);
		return;
	}
}

/* --- from the writer ---------------------------------------------------------------------------- */

static void take_want(struct fetch *f, const struct install_want *w)
{
	if (!w->count && w->first == INSTALL_WANT_END) {
		stop(f);
		return;
	}
	int r = fetch_plan_want(&f->plan, w->first, w->count);
	if (r < 0)
		tell_failure(f, "the writer asked for chunks that the index does not have");
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch *f = ctx;

	while (!f->is_over) {
		ssize_t n = recv(fd, f->want + f->want_len, sizeof(f->want) - f->want_len,
				 MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			stop(f);
			return;
		}
		f->want_len += (size_t)n;
		if (f->want_len < sizeof(f->want))
			continue;
		struct install_want w;
		memcpy(&w, f->want, sizeof(w));
		f->want_len = 0;
		take_want(f, &w);
	}
	request_next(f);
}

static int init(struct fetch *f, const struct fetch_options *o)
{
	const struct slx *x = o->index;

	f->url = str_dup(o->url);
	f->zstd = ZSTD_createDCtx();
	buf_init(&f->frame, (size_t)x->chunk_size + FRAME_SLACK);
	buf_init(&f->hold, HOLD_MAX);
	/* The queue is full when it reaches its limit: one chunk more, and the words of a failure. */
	buf_init(&f->out, queue_max(f) + 2 * ((size_t)x->chunk_size + INSTALL_ERROR_MAX));
	f->readable = event_new(o->base, f->fd, EV_READ | EV_PERSIST, on_readable, f);
	f->writable = event_new(o->base, f->fd, EV_WRITE, on_writable, f);
	f->retry = evtimer_new(o->base, on_retry, f);
	if (!f->url || !f->zstd || !f->readable || !f->writable || !f->retry)
		return -ENOMEM;
	event_add(f->readable, NULL);
	return 0;
}

int fetch_new(const struct fetch_options *o, struct fetch **ret, struct fault *err)
{
	AUTO(closep) int fd = o->stream_fd;
	int r = fd_set_nonblock(fd);
	if (r < 0)
		return fault_set(err, r, "stream socket: %s", strerror(-r));

	struct fetch *f = calloc(1, sizeof(*f));
	if (!f)
		return fault_oom(err);
	f->o = *o;
	f->fd = TAKE_FD(fd);
	fetch_plan_init(&f->plan, o->index);
	r = init(f, o);
	if (r < 0) {
		fetch_free(f);
		return fault_oom(err);
	}
	*ret = f;
	return 0;
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	if (f->call)
		http_call_cancel(f->call);
	if (f->readable)
		event_free(f->readable);
	if (f->writable)
		event_free(f->writable);
	if (f->retry)
		event_free(f->retry);
	closep(&f->fd);
	fetch_plan_done(&f->plan);
	buf_done(&f->frame);
	buf_done(&f->hold);
	buf_done(&f->out);
	ZSTD_freeDCtx(f->zstd);
	free(f->url);
	free(f);
}

uint64_t fetch_payload_bytes(const struct fetch *f)
{
	return f->received;
}
