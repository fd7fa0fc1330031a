/*
 * The writer's end of the stream socket: what it asks, what it takes, and everything that the other
 * side must not send.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include "agent/stream.h"
#include "tests/unit/agent/install_rig.h"

#define CHUNK 65536u
#define COUNT 5u
#define LAST 1000u /* bytes of the last chunk */

struct ends {
	struct slx slx;
	struct slx_entry entries[COUNT];
	struct stream s;
	int fd, other;
	uint8_t data[CHUNK];
	struct fault err;
};

static int set_up(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));
	int fds[2];

	e->slx = (struct slx){ .image_size = (COUNT - 1) * (uint64_t)CHUNK + LAST,
			       .chunk_size = CHUNK,
			       .count = COUNT,
			       .entries = e->entries };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	e->fd = fds[0];
	e->other = fds[1];
	*state = e;
	return stream_init(&e->s, e->fd, &e->slx, &e->err);
}

static int tear_down(void **state)
{
	struct ends *e = *state;

	stream_done(&e->s);
	closep(&e->fd);
	closep(&e->other);
	free(e);
	return 0;
}

static void say(struct ends *e, uint32_t index, uint32_t length, const void *data, size_t len)
{
	const struct install_frame f = { .index = index, .length = length };

	assert_int_equal(fd_write(e->other, &f, sizeof(f)), 0);
	assert_int_equal(fd_write(e->other, data, len), 0);
}

static void expect_want(struct ends *e, uint32_t first, uint32_t count)
{
	struct install_want w;

	assert_int_equal(fd_read(e->other, &w, sizeof(w)), sizeof(w));
	assert_int_equal(w.first, first);
	assert_int_equal(w.count, count);
}

static int step(struct ends *e, uint32_t *ret)
{
	return stream_step(&e->s, e->data, -1, 0, ret, &e->err);
}

static void test_wants_go_out_in_order(void **state)
{
	struct ends *e = *state;

	assert_int_equal(stream_want(&e->s, 3, 1, NULL), 0);
	assert_int_equal(stream_want(&e->s, 0, 2, NULL), 0);
	assert_int_equal(stream_want_end(&e->s, NULL), 0);
	assert_int_equal(e->s.wanted_n, 3);
	assert_int_equal(stream_step(&e->s, NULL, -1, 0, NULL, NULL), 0);
	expect_want(e, 3, 1);
	expect_want(e, 0, 2);
	expect_want(e, INSTALL_WANT_END, 0);
}

/* In any order, in pieces of any size, the last one shorter than the others. */
static void test_chunks_in_pieces(void **state)
{
	static const uint32_t order[] = { 4, 0 };
	struct ends *e = *state;
	AUTO(freep) uint8_t *noise = malloc(CHUNK);
	uint32_t got = 99;

	rig_noise(noise, CHUNK, 5);
	assert_int_equal(stream_want(&e->s, 0, COUNT, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint32_t len = slx_chunk_len(&e->slx, order[i]);
		const struct install_frame f = { .index = order[i], .length = len };
		const uint8_t *head = (const uint8_t *)&f;

		for (size_t k = 0; k < sizeof(f); k++) {
			assert_int_equal(step(e, &got), 0);
			assert_int_equal(fd_write(e->other, head + k, 1), 0);
		}
		for (size_t k = 0; k < len; k += 333) {
			assert_int_equal(step(e, &got), 0);
			assert_int_equal(
				fd_write(e->other, noise + k, MIN_OF((size_t)333, len - k)), 0);
		}
		assert_int_equal(step(e, &got), 1);
		assert_int_equal(got, order[i]);
		assert_memory_equal(e->data, noise, len);
		assert_int_equal(e->s.wanted_n, COUNT - 1 - i);
	}
}

static void test_what_must_not_come(void **state)
{
	static const struct {
		struct install_frame frame;
		int code;
		const char *says;
	} cases[] = {
		{ { 3, CHUNK }, -EPROTO, "chunk 3 was not asked for" },
		{ { COUNT, CHUNK }, -EPROTO, "not asked for" },
		{ { UINT32_MAX - 1, CHUNK }, -EPROTO, "not asked for" },
		{ { 0, CHUNK - 1 }, -EPROTO, "65535 bytes instead of 65536" },
		{ { 0, CHUNK + 1 }, -EPROTO, "instead of" },
		{ { 0, 0 }, -EPROTO, "instead of" },
		{ { 4, CHUNK }, -EPROTO, "instead of 1000" },
		{ { INSTALL_FRAME_ERROR, INSTALL_ERROR_MAX + 1 }, -EPROTO, "error text" },
		{ { INSTALL_FRAME_ERROR, UINT32_MAX }, -EPROTO, "error text" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ends *e;
		uint32_t got;

		assert_int_equal(set_up((void **)&e), 0);
		assert_int_equal(stream_want(&e->s, 0, 1, NULL), 0);
		assert_int_equal(stream_want(&e->s, 4, 1, NULL), 0);
		say(e, cases[i].frame.index, cases[i].frame.length, "x", 1);
		int r = step(e, &got);
		if (r != cases[i].code || !strstr(e->err.text, cases[i].says))
			fail_msg("case %zu: %d %s", i, r, e->err.text);
		tear_down((void **)&e);
	}
}

/* The same chunk twice for one request. */
static void test_twice(void **state)
{
	struct ends *e = *state;
	const uint8_t data[LAST] = { 7 };
	uint32_t got;

	assert_int_equal(stream_want(&e->s, 4, 1, NULL), 0);
	say(e, 4, LAST, data, LAST);
	assert_int_equal(step(e, &got), 1);
	say(e, 4, LAST, data, LAST);
	assert_int_equal(step(e, &got), -EPROTO);
}

/* … but it may be asked for again. */
static void test_again(void **state)
{
	struct ends *e = *state;
	const uint8_t data[LAST] = { 7 };
	uint32_t got;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(stream_want(&e->s, 4, 1, NULL), 0);
		say(e, 4, LAST, data, LAST);
		assert_int_equal(step(e, &got), 1);
		assert_int_equal(got, 4);
	}
}

/* The other side's words are cleaned before anybody reads them. */
static void test_reported_errors(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
		{ "404 Not Found", 13, "404 Not Found" },
		{ "", 0, "the image cannot be fetched" },
		{ "a\0b", 3, "a" },
		{ "x\xff\xfe", 3, "x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ends *e;
		uint32_t got;

		assert_int_equal(set_up((void **)&e), 0);
		say(e, INSTALL_FRAME_ERROR, (uint32_t)cases[i].len, cases[i].text, cases[i].len);
		assert_int_equal(step(e, &got), -EREMOTEIO);
		if (strncmp(e->err.text, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("case %zu: %s", i, e->err.text);
		tear_down((void **)&e);
	}
}

static void test_other_side_is_gone(void **state)
{
	struct ends *e = *state;
	uint32_t got;

	assert_int_equal(stream_want(&e->s, 1, 2, NULL), 0);
	closep(&e->other);
	e->other = -1;
	assert_int_equal(step(e, &got), -EPIPE);
	assert_non_null(strstr(e->err.text, "2 chunks are missing"));
}

/* Asked to wait, it is woken by the other descriptor. */
static void test_wake(void **state)
{
	struct ends *e = *state;
	AUTO(closep) int wake = eventfd(1, EFD_CLOEXEC);
	uint32_t got;

	assert_int_equal(stream_step(&e->s, e->data, wake, 600000, &got, &e->err), 0);
	assert_int_equal(stream_step(&e->s, NULL, wake, 600000, &got, &e->err), 0);
}

/* More requests than the socket takes at once wait here, and none is lost. */
static void test_many_wants(void **state)
{
	struct ends *e = *state;
	const int small = 4096;
	unsigned seen = 0;
	uint32_t got;

	setsockopt(e->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(stream_want(&e->s, i % COUNT, 1, NULL), 0);
	fd_set_nonblock(e->other);
	while (seen < 20000) {
		struct install_want w;

		assert_int_equal(stream_step(&e->s, NULL, -1, 0, &got, &e->err), 0);
		while (recv(e->other, &w, sizeof(w), 0) == sizeof(w)) {
			assert_int_equal(w.first, seen % COUNT);
			seen++;
		}
	}
	assert_int_equal(e->s.out.len, 0);
}

static void test_too_many_wants(void **state)
{
	struct ends *e = *state;
	const size_t most = STREAM_OUT_MAX / sizeof(struct install_want);

	for (size_t i = 0; i < most; i++)
		assert_int_equal(stream_want(&e->s, 0, 0, NULL), 0);
	assert_true(stream_want(&e->s, 0, 0, &e->err) < 0);
	assert_non_null(strstr(e->err.text, "too many requests"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_wants_go_out_in_order),
		CASE(test_chunks_in_pieces),
		cmocka_unit_test(test_what_must_not_come),
		CASE(test_twice),
		CASE(test_again),
		cmocka_unit_test(test_reported_errors),
		CASE(test_other_side_is_gone),
		CASE(test_wake),
		CASE(test_many_wants),
		CASE(test_too_many_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
