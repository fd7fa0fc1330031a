/*
 * Workers on a disk in memory: what is written, checked, zeroed, flushed, and what happens when the
 * disk does not do as it is told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include "agent/chunk_pool.h"
#include "tests/unit/agent/install_rig.h"

#define CHUNK 65536u
#define COUNT 21u
#define SIZE ((uint64_t)(COUNT - 1) * CHUNK + 4096) /* the last one is short */
#define ZERO_CHUNK 3u

struct set {
	uint8_t *image;
	struct rig_index x;
	struct mem_disk *m;
	struct chunk_pool *pool;
};

static int set_up(void **state)
{
	struct set *s = calloc(1, sizeof(*s));

	s->image = malloc(SIZE);
	rig_noise(s->image, SIZE, 11);
	memset(s->image + ZERO_CHUNK * CHUNK, 0, CHUNK);
	rig_index_make(&s->x, s->image, SIZE, CHUNK, 512);
	s->m = mem_disk_new(2 * SIZE / 4096 * 4096, 512);
	*state = s;
	return chunk_pool_new(&s->m->d, &s->x.slx, 3, &s->pool, NULL);
}

static int tear_down(void **state)
{
	struct set *s = *state;

	chunk_pool_free(s->pool);
	mem_disk_free(s->m);
	rig_index_done(&s->x);
	free(s->image);
	free(s);
	return 0;
}

/* One job to its end; @data (NULL = none) is what comes in its buffer. */
static int run(struct set *s, enum chunk_job_kind kind, uint32_t index, const void *data)
{
	struct chunk_job *job = chunk_pool_take(s->pool);

	assert_non_null(job);
	if (data)
		memcpy(job->data, data, slx_chunk_len(&s->x.slx, index));
	chunk_pool_submit(s->pool, job, kind, index);
	assert_true(chunk_pool_wait(s->pool));
	struct chunk_job *done = chunk_pool_reap(s->pool);
	assert_ptr_equal(done, job);
	int r = done->result;
	chunk_pool_release(s->pool, done);
	assert_null(chunk_pool_reap(s->pool));
	return r;
}

static void test_write(void **state)
{
	struct set *s = *state;

	assert_int_equal(run(s, CHUNK_WRITE, 5, s->image + 5 * CHUNK), 0);
	assert_memory_equal(s->m->cache + 5 * CHUNK, s->image + 5 * CHUNK, CHUNK);
	assert_int_equal(s->m->cache[5 * CHUNK - 1], 0xAA);
	assert_int_equal(s->m->cache[6 * CHUNK], 0xAA);
	/* the last one, and not a byte more */
	assert_int_equal(run(s, CHUNK_WRITE, COUNT - 1, s->image + (COUNT - 1) * CHUNK), 0);
	assert_int_equal(s->m->cache[SIZE], 0xAA);
}

/* What has another digest is never written. */
static void test_wrong_bytes_are_not_written(void **state)
{
	struct set *s = *state;
	AUTO(freep) uint8_t *data = malloc(CHUNK);

	for (size_t at = 0; at < CHUNK; at += CHUNK - 1) {
		memcpy(data, s->image, CHUNK);
		data[at] ^= 0x80;
		assert_int_equal(run(s, CHUNK_WRITE, 0, data), -EBADMSG);
	}
	assert_int_equal(run(s, CHUNK_WRITE, 1, s->image), -EBADMSG); /* another chunk */
	assert_int_equal(s->m->writes, 0);
}

static void test_check(void **state)
{
	struct set *s = *state;

	assert_int_equal(run(s, CHUNK_CHECK, 5, NULL), -EBADMSG);
	memcpy(s->m->cache, s->image, SIZE);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(run(s, CHUNK_CHECK, i, NULL), 0);
	s->m->cache[ZERO_CHUNK * CHUNK + 100] = 1;
	assert_int_equal(run(s, CHUNK_CHECK, ZERO_CHUNK, NULL), -EBADMSG);
	assert_int_equal(s->m->writes, 0);
}

/* Zeros are written only where there are none. */
static void test_zero(void **state)
{
	struct set *s = *state;

	assert_int_equal(run(s, CHUNK_ZERO, ZERO_CHUNK, NULL), 0);
	assert_int_equal(s->m->writes, 1);
	assert_true(chunk_is_zero(s->m->cache + ZERO_CHUNK * CHUNK, CHUNK));
	assert_int_equal(run(s, CHUNK_ZERO, ZERO_CHUNK, NULL), 0);
	assert_int_equal(s->m->writes, 1);
}

static void test_flush(void **state)
{
	struct set *s = *state;

	assert_int_equal(run(s, CHUNK_WRITE, 5, s->image + 5 * CHUNK), 0);
	assert_int_equal(s->m->persist[5 * CHUNK], 0xAA);
	assert_int_equal(run(s, CHUNK_FLUSH, 0, NULL), 0);
	assert_memory_equal(s->m->persist + 5 * CHUNK, s->image + 5 * CHUNK, CHUNK);
	s->m->fail_flush = 2;
	assert_int_equal(run(s, CHUNK_FLUSH, 0, NULL), -EIO);
}

static int write_fails(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	struct mem_disk *m = d->ctx;

	if (m->cut_at && m->writes++ < m->cut_at)
		return -EIO;
	memcpy(m->cache + offset, data, len);
	return 0;
}

/* One error is forgiven, two are not. */
static void test_write_errors(void **state)
{
	struct set *s = *state;
	struct disk_ops ops = mem_ops;

	ops.write = write_fails;
	s->m->d.ops = &ops;
	s->m->cut_at = 1;
	assert_int_equal(run(s, CHUNK_WRITE, 5, s->image + 5 * CHUNK), 0);
	assert_memory_equal(s->m->cache + 5 * CHUNK, s->image + 5 * CHUNK, CHUNK);
	s->m->writes = 0;
	s->m->cut_at = 2;
	assert_int_equal(run(s, CHUNK_WRITE, 6, s->image + 6 * CHUNK), -EIO);
	assert_int_equal(s->m->writes, 2);
}

static void test_read_error(void **state)
{
	struct set *s = *state;

	s->m->has_power = false;
	assert_int_equal(run(s, CHUNK_CHECK, 5, NULL), -EIO);
	assert_int_equal(run(s, CHUNK_ZERO, ZERO_CHUNK, NULL), -EIO);
}

/* All jobs at once: each comes back exactly once, and there are no more than memory was laid in for. */
static void test_all_at_once(void **state)
{
	struct set *s = *state;
	bool seen[COUNT] = { false };
	unsigned submitted = 0, back = 0;
	struct chunk_job *job;

	while ((job = chunk_pool_take(s->pool))) {
		uint32_t i = submitted++;

		assert_true(i < COUNT - 1);
		assert_int_equal((uintptr_t)job->data % 4096, 0);
		memcpy(job->data, s->image + i * CHUNK, CHUNK);
		chunk_pool_submit(s->pool, job, CHUNK_WRITE, i);
	}
	assert_true(submitted >= 4);
	while (back < submitted && chunk_pool_wait(s->pool))
		while ((job = chunk_pool_reap(s->pool))) {
			assert_int_equal(job->result, 0);
			assert_false(seen[job->index]);
			seen[job->index] = true;
			back++;
			chunk_pool_release(s->pool, job);
		}
	assert_int_equal(back, submitted);
	assert_int_equal(chunk_pool_running(s->pool), 0);
	assert_false(chunk_pool_wait(s->pool)); /* nothing runs: it does not block */
	assert_memory_equal(s->m->cache, s->image, submitted * CHUNK);
}

/* The event descriptor says when there is something to reap, and is quiet again afterwards. */
static void test_event(void **state)
{
	struct set *s = *state;
	struct pollfd p = { .fd = chunk_pool_fd(s->pool), .events = POLLIN };
	struct chunk_job *job = chunk_pool_take(s->pool);

	assert_int_equal(poll(&p, 1, 0), 0);
	chunk_pool_submit(s->pool, job, CHUNK_CHECK, 0);
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_ptr_equal(chunk_pool_reap(s->pool), job);
	assert_int_equal(poll(&p, 1, 0),
			 1); /* it may be the only news: until a reap gives nothing */
	assert_null(chunk_pool_reap(s->pool));
	assert_int_equal(poll(&p, 1, 0), 0);
	chunk_pool_release(s->pool, job);
}

/* Freed with work in its queue: that is finished first, and nothing is lost or touched later. */
static void test_free_while_running(void **state)
{
	struct set *s = *state;
	unsigned n = 0;
	struct chunk_job *job;

	while ((job = chunk_pool_take(s->pool))) {
		memcpy(job->data, s->image + n * CHUNK, CHUNK);
		chunk_pool_submit(s->pool, job, CHUNK_WRITE, n++);
	}
	chunk_pool_freep(&s->pool);
	s->pool = NULL;
	assert_memory_equal(s->m->cache, s->image, n * CHUNK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_write),      CASE(test_wrong_bytes_are_not_written),
		CASE(test_check),      CASE(test_zero),
		CASE(test_flush),      CASE(test_write_errors),
		CASE(test_read_error), CASE(test_all_at_once),
		CASE(test_event),      CASE(test_free_while_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
