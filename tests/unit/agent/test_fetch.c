#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* fetch.c between a real HTTP server and a writer played by this test, all on one loop. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>
#include "agent/fetch.h"
#include "agent/install.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/http_server.h"
#include "common/str.h"

#define CHUNK (64u << 10)
#define CHUNKS 96
#define DEADLINE_S 60

struct rig {
	struct event_base *base;
	struct http_server *server;
	struct http_client *http;
	struct fetch *fetch;
	struct slx index;
	char *payload;
	size_t payload_len;
	char url[128];

	/* the server's faults */
	unsigned requests, refuse; /* so many requests get 503 */
	unsigned cut;              /* so many answers end early … */
	uint64_t cut_after;        /* … when so many bytes are sent */
	unsigned damage;           /* so many answers have a wrong byte in the first frame */
	bool no_ranges;            /* answers 200 */

	/* the writer */
	int fd;
	struct event *readable;
	struct install_frame head;
	size_t head_have, data_have;
	uint8_t data[CHUNK];
	uint8_t got[CHUNKS];
	size_t n_got;
	char error[INSTALL_ERROR_MAX + 1];
	bool is_eof;
	size_t stop_after;
	unsigned waits;
};

static uint8_t byte_of(uint32_t chunk, size_t i)
{
	return (uint8_t)((chunk * 31 + i * (chunk % 7 + 1)) >> (i % 3));
}

static void make_image(struct rig *r)
{
	size_t room = CHUNKS * ZSTD_compressBound(CHUNK);
	uint8_t *raw = malloc(CHUNK);

	r->index = (struct slx){ .image_size = (uint64_t)CHUNKS * CHUNK,
				 .chunk_size = CHUNK,
				 .sector_size = 512,
				 .count = CHUNKS,
				 .codec = SLX_CODEC_ZSTD,
				 .hash = 1,
				 .entries = calloc(CHUNKS, sizeof(struct slx_entry)) };
	r->payload = malloc(room);
	for (uint32_t c = 0; c < CHUNKS; c++) {
		struct slx_entry *e = &r->index.entries[c];
		bool is_zero = c % 5 == 3;
		for (size_t i = 0; i < CHUNK; i++)
			raw[i] = is_zero ? 0 : byte_of(c, i);
		e->offset = r->payload_len;
		e->flags = is_zero ? SLX_ENTRY_ZERO : 0;
		e->length = (uint32_t)ZSTD_compress(r->payload + r->payload_len,
						    room - r->payload_len, raw, CHUNK, 1);
		r->payload_len += e->length;
	}
	r->index.payload_size = r->payload_len;
	free(raw);
}

/* --- the server ------------------------------------------------------------------------------------ */

struct answer {
	struct rig *rig;
	bool is_cut, is_damaged;
	uint64_t sent;
};

static long source_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	struct answer *a = ctx;
	len = MIN_OF(len, a->is_cut ? MIN_OF(a->rig->cut_after, 16384u) : 16384u);
	if (a->is_cut && a->sent >= a->rig->cut_after)
		return -EIO;
	memcpy(data, a->rig->payload + offset, len);
	if (a->is_damaged && !a->sent)
		((uint8_t *)data)[0] ^=
			0x55; /* the frame's magic number: what lies deeper is for the writer's digest */
	a->sent += len;
	return (long)len;
}

static void source_free(void *ctx)
{
	free(ctx);
}

static void on_request(void *ctx, struct http_request *req)
{
	struct rig *r = ctx;

	r->requests++;
	if (r->refuse) {
		r->refuse--;
		http_reply(req, 503, "text/plain", "", 0);
		return;
	}
	if (r->no_ranges) {
		http_reply(req, 200, "application/zstd", r->payload, r->payload_len);
		return;
	}
	struct answer *a = calloc(1, sizeof(*a));
	a->rig = r;
	a->is_cut = r->cut && r->cut--;
	a->is_damaged = r->damage && r->damage--;
	struct http_source src = {
		.size = r->payload_len, .pread = source_pread, .free = source_free, .ctx = a
	};
	http_reply_source(req, "application/zstd", "\"payload-1\"", 0, src);
}

/* --- the writer -------------------------------------------------------------------------------------- */

static void frame_done(struct rig *r)
{
	if (r->head.index == INSTALL_FRAME_ERROR) {
		memcpy(r->error, r->data, r->head.length);
		event_base_loopbreak(r->base);
		return;
	}
	assert_in_range(r->head.index, 0, CHUNKS - 1);
	assert_int_equal(r->head.length, CHUNK);
	for (size_t i = 0; i < CHUNK; i++)
		assert_int_equal(r->data[i], byte_of(r->head.index, i));
	r->got[r->head.index]++;
	if (++r->n_got == r->stop_after)
		event_base_loopbreak(r->base);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct rig *r = ctx;

	for (;;) {
		bool in_head = r->head_have < sizeof(r->head);
		size_t want = in_head ? sizeof(r->head) - r->head_have
				      : r->head.length - r->data_have;
		ssize_t n = recv(
			fd, in_head ? (uint8_t *)&r->head + r->head_have : r->data + r->data_have,
			want, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			r->is_eof = true;
			event_del(r->readable);
			event_base_loopbreak(r->base);
			return;
		}
		if (in_head) {
			r->head_have += (size_t)n;
			if (r->head_have == sizeof(r->head))
				assert_in_range(r->head.length, 1, CHUNK);
			continue;
		}
		r->data_have += (size_t)n;
		if (r->data_have < r->head.length)
			continue;
		r->head_have = r->data_have = 0;
		frame_done(r);
	}
}

static void want(struct rig *r, uint32_t first, uint32_t count)
{
	struct install_want w = { first, count };
	assert_int_equal(fd_write(r->fd, &w, sizeof(w)), 0);
}

/* All non-zero chunks in runs, as a writer asks for them. Returns how many chunks that is. */
static size_t want_all(struct rig *r)
{
	size_t n = 0;
	for (uint32_t c = 0; c < CHUNKS;) {
		uint32_t end = c;
		while (end < CHUNKS && !(r->index.entries[end].flags & SLX_ENTRY_ZERO))
			end++;
		if (end > c)
			want(r, c, end - c);
		n += end - c;
		c = end + 1;
	}
	return n;
}

static void on_waiting(void *ctx, bool is_waiting, const char *why)
{
	struct rig *r = ctx;
	r->waits += is_waiting;
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct rig *r = ctx;
	str_copy(r->error, sizeof(r->error), "the test's deadline has passed");
	event_base_loopbreak(r->base);
}

static void run(struct rig *r)
{
	struct timeval tv = { .tv_sec = DEADLINE_S };
	struct event *deadline = evtimer_new(r->base, on_deadline, r);
	evtimer_add(deadline, &tv);
	event_base_dispatch(r->base);
	event_free(deadline);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	char address[64];
	int fds[2];
	struct fault err = FAULT_INIT;

	r->base = event_base_new();
	r->cut_after = 40001;
	make_image(r);
	if (http_server_new(r->base, NULL, on_request, r, &r->server, &err) < 0 ||
	    http_server_listen(r->server, "127.0.0.1:0", NULL, NULL, address, &err) < 0 ||
	    http_client_new(r->base, &(struct http_client_options){ 0 }, &r->http, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	snprintf(r->url, sizeof(r->url), "http://%s/os-images/1/image.raw.zst", address);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	r->fd = fds[0];
	r->readable = event_new(r->base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
	event_add(r->readable, NULL);
	struct fetch_options o = {
		.base = r->base,
		.http = r->http,
		.url = r->url,
		.index = &r->index,
		.stream_fd = fds[1],
		.waiting = on_waiting,
		.ctx = r,
	};
	*state = r;
	return fetch_new(&o, &r->fetch, &err);
}

static int teardown(void **state)
{
	struct rig *r = *state;

	fetch_free(r->fetch);
	http_client_free(r->http);
	http_server_free(r->server);
	event_free(r->readable);
	close(r->fd);
	event_base_free(r->base);
	slx_done(&r->index);
	free(r->payload);
	free(r);
	return 0;
}

/* --- cases ----------------------------------------------------------------------------------------------- */

static void expect_all_once(struct rig *r)
{
	assert_string_equal(r->error, "");
	for (uint32_t c = 0; c < CHUNKS; c++)
		assert_int_equal(r->got[c], r->index.entries[c].flags & SLX_ENTRY_ZERO ? 0 : 1);
}

static void test_whole(void **state)
{
	struct rig *r = *state;

	r->stop_after = want_all(r);
	run(r);
	expect_all_once(r);
	assert_int_equal(r->requests, 1); /* zero chunks are read over, not around */
	assert_in_range(fetch_payload_bytes(r->fetch), 1, r->payload_len);
}

/* In any order, and once more. */
static void test_again(void **state)
{
	struct rig *r = *state;

	want(r, 90, 3);
	want(r, 0, 2);
	r->stop_after = 5;
	run(r);
	want(r, 90, 1);
	r->stop_after = 6;
	run(r);
	assert_string_equal(r->error, "");
	assert_int_equal(r->got[90], 2);
	assert_int_equal(r->got[92], 1);
	assert_int_equal(r->got[1], 1);
	assert_int_equal(r->requests, 3);
}

static void test_end(void **state)
{
	struct rig *r = *state;

	want(r, INSTALL_WANT_END, 0);
	run(r);
	assert_true(r->is_eof);
	assert_int_equal(r->requests, 0);
}

static void test_cut_goes_on(void **state)
{
	struct rig *r = *state;

	r->cut = 3;
	r->stop_after = want_all(r);
	run(r);
	expect_all_once(r);
	assert_int_equal(r->requests, 4);
	assert_int_equal(r->waits, 3);
	assert_in_range(fetch_payload_bytes(r->fetch), r->payload_len / 2,
			r->payload_len + 3 * 64 * 1024);
}

/* A link that never lasts for a whole frame: each byte that came counts, and none comes twice. */
static void test_cut_within_every_frame(void **state)
{
	struct rig *r = *state;
	const struct slx_entry *e = &r->index.entries[2];

	assert_true(e->length > 400);
	r->cut_after = e->length / 4 + 1;
	r->cut = 3;
	r->stop_after = 1;
	want(r, 2, 1);
	run(r);
	assert_string_equal(r->error, "");
	assert_int_equal(r->got[2], 1);
	assert_int_equal(r->requests, 4);
	assert_int_equal(fetch_payload_bytes(r->fetch), e->length);
}

/* The payload is shorter than its index says. */
static void test_payload_cut_short(void **state)
{
	struct rig *r = *state;

	r->payload_len = r->index.entries[50].offset + 1;
	want(r, 50, 1);
	want(r, CHUNKS - 1, 1);
	run(r);
	assert_non_null(strstr(r->error, "5 tries in a row without a byte"));
	assert_int_equal(r->n_got, 0);
}

static void test_four_refusals_are_borne(void **state)
{
	struct rig *r = *state;

	r->refuse = FETCH_TRIES - 1;
	r->stop_after = want_all(r);
	run(r);
	expect_all_once(r);
	assert_int_equal(r->requests, FETCH_TRIES);
}

static void test_five_refusals_are_the_end(void **state)
{
	struct rig *r = *state;

	r->refuse = 1000;
	want_all(r);
	run(r);
	assert_int_equal(r->requests, FETCH_TRIES);
	assert_non_null(strstr(r->error, "5 tries in a row without a byte"));
	assert_non_null(strstr(r->error, "503"));
	assert_int_equal(r->n_got, 0);
}

static void test_server_without_ranges(void **state)
{
	struct rig *r = *state;

	r->no_ranges = true;
	want(r, 0, 1);
	run(r);
	assert_non_null(strstr(r->error, "answered 200 to a request for a range"));
	assert_int_equal(r->n_got, 0);
}

static void test_damaged_frame_is_fetched_again(void **state)
{
	struct rig *r = *state;

	r->damage = FETCH_CHUNK_TRIES - 1;
	r->stop_after = want_all(r);
	run(r);
	expect_all_once(r);
	assert_int_equal(r->requests, FETCH_CHUNK_TRIES);
}

static void test_always_damaged(void **state)
{
	struct rig *r = *state;

	/* the frame's own header: it never decompresses */
	memset(r->payload + r->index.entries[1].offset, 0xff, 8);
	want(r, 1, 1);
	run(r);
	assert_int_equal(r->requests, FETCH_CHUNK_TRIES);
	assert_non_null(strstr(r->error, "chunk 1 of"));
	assert_non_null(strstr(r->error, "damaged"));
}

static void test_foreign_wants(void **state)
{
	struct rig *r = *state;

	want(r, CHUNKS, 1);
	run(r);
	assert_non_null(strstr(r->error, "asked for chunks that the index does not have"));
}

/* A writer that does not read: memory stays within a few chunks, and nothing is lost when it goes on. */
static void test_slow_writer(void **state)
{
	struct rig *r = *state;
	struct timeval pause = { .tv_sec = 1 };

	event_del(r->readable);
	r->stop_after = want_all(r);
	event_base_loopexit(r->base, &pause);
	event_base_dispatch(r->base);
	/* libcurl's buffers and sockets have taken some, but not the payload */
	uint64_t before = fetch_payload_bytes(r->fetch);
	event_base_loopexit(r->base, &pause);
	event_base_dispatch(r->base);
	assert_int_equal(fetch_payload_bytes(r->fetch), before);
	event_add(r->readable, NULL);
	run(r);
	expect_all_once(r);
}

static void test_writer_dies(void **state)
{
	struct rig *r = *state;
	struct timeval soon = { .tv_usec = 500000 };

	want_all(r);
	event_del(r->readable);
	shutdown(r->fd, SHUT_RDWR);
	event_base_loopexit(r->base, &soon);
	event_base_dispatch(r->base); /* nothing crashes, nothing spins */
	uint64_t before = fetch_payload_bytes(r->fetch);
	event_base_loopexit(r->base, &soon);
	event_base_dispatch(r->base);
	assert_int_equal(fetch_payload_bytes(r->fetch), before);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_whole),
		CASE(test_again),
		CASE(test_end),
		CASE(test_cut_goes_on),
		CASE(test_cut_within_every_frame),
		CASE(test_payload_cut_short),
		CASE(test_four_refusals_are_borne),
		CASE(test_five_refusals_are_the_end),
		CASE(test_server_without_ranges),
		CASE(test_damaged_frame_is_fetched_again),
		CASE(test_always_damaged),
		CASE(test_foreign_wants),
		CASE(test_slow_writer),
		CASE(test_writer_dies),
	};
	signal(SIGPIPE, SIG_IGN); /* as in the agent */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
