/*
 * The chunks of an image onto a disk in memory: what is found and not asked for, what a flush makes
 * safe, what is read back and repaired, and how it ends when it cannot go on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "agent/writer.h"
#include "tests/unit/agent/install_rig.h"

#define CHUNK 65536u
#define COUNT 1024u /* 64 MiB: three flushes at least */
#define SIZE ((uint64_t)COUNT * CHUNK - 4096)
#define FIRST 16u /* the first MiB is not the writer's */

struct set {
	uint8_t *image;
	struct rig_index x;
	struct mem_disk *m;
	struct feeder feeder;
	struct stream stream;
	int fd;
	struct writer *w;
	struct fault err;
	volatile sig_atomic_t cancel;
	/* what the callbacks saw */
	unsigned flushes;
	uint64_t done, total, verified, verified_total;
	bool is_wrong, has_soiled;
	uint64_t soil; /* is changed when the first chunk has been read back; 0 = none */
};

static bool is_zero(const struct set *s, uint32_t i)
{
	return s->x.slx.entries[i].flags & SLX_ENTRY_ZERO;
}

/* Whatever is called safe has arrived on the medium, not only in its cache. */
static void on_flushed(void *ctx, uint64_t done, uint64_t total, const uint8_t *bitmap)
{
	struct set *s = ctx;

	s->flushes++;
	s->is_wrong |= done < s->done || done > total;
	s->done = done;
	s->total = total;
	pthread_mutex_lock(&s->m->lock);
	for (uint32_t i = FIRST; i < COUNT; i++)
		if (bitmap[i / 8] >> (i % 8) & 1)
			s->is_wrong |= memcmp(s->m->persist + (uint64_t)i * CHUNK,
					      s->image + (uint64_t)i * CHUNK,
					      slx_chunk_len(&s->x.slx, i)) != 0;
	pthread_mutex_unlock(&s->m->lock);
}

static void on_verified(void *ctx, uint64_t done, uint64_t total)
{
	struct set *s = ctx;

	s->verified = done;
	s->verified_total = total;
	if (s->soil && !s->has_soiled)
		s->m->cache[s->soil] ^= 1;
	s->has_soiled = true;
}

static int set_up(void **state)
{
	struct set *s = calloc(1, sizeof(*s));

	s->image = malloc(SIZE);
	rig_noise(s->image, SIZE, 3);
	for (uint32_t i = 20; i < COUNT; i += i % 9 + 1) /* runs of zeros, and single ones */
		memset(s->image + (uint64_t)i * CHUNK, 0,
		       slx_chunk_len(&(struct slx){ .chunk_size = CHUNK,
						    .image_size = SIZE,
						    .count = COUNT },
				     i));
	rig_index_make(&s->x, s->image, SIZE, CHUNK, 512);
	s->m = mem_disk_new(SIZE + (1u << 20) - SIZE % 4096, 512);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct set *s = *state;

	mem_disk_free(s->m);
	rig_index_done(&s->x);
	feeder_done(&s->feeder);
	free(s->image);
	free(s);
	return 0;
}

static void begin(struct set *s)
{
	const struct writer_spec spec = { .slx = &s->x.slx,
					  .disk = &s->m->d,
					  .stream = &s->stream,
					  .first_chunk = FIRST,
					  .cancel = &s->cancel,
					  .flushed = on_flushed,
					  .verified = on_verified,
					  .ctx = s };

	s->fd = feeder_start(&s->feeder, s->image, &s->x.slx);
	assert_int_equal(stream_init(&s->stream, s->fd, &s->x.slx, NULL), 0);
	assert_int_equal(writer_new(&spec, &s->w, NULL), 0);
}

static void end(struct set *s)
{
	writer_free(s->w);
	stream_done(&s->stream);
	close(s->fd);
	feeder_join(&s->feeder);
}

static void check_image(const struct set *s, const uint8_t *disk)
{
	assert_memory_equal(disk + FIRST * CHUNK, s->image + FIRST * CHUNK, SIZE - FIRST * CHUNK);
	assert_int_equal(disk[FIRST * CHUNK - 1], 0xAA); /* not the writer's */
	assert_int_equal(disk[SIZE], 0xAA);
}

static void test_fill_and_verify(void **state)
{
	for (int has_zero = 0; has_zero < 2; has_zero++) {
		struct set *s;

		set_up((void **)&s);
		s->m->has_no_zero = !has_zero;
		begin(s);
		assert_int_equal(writer_survey(s->w, NULL, &s->err), 0);
		assert_int_equal(writer_reused_bytes(s->w), 0);
		assert_int_equal(writer_fill(s->w, &s->err), 0);
		check_image(s, s->m->persist);
		assert_int_equal(s->feeder.zero_wanted, 0);
		assert_int_equal(s->feeder.per_chunk[0], 0);
		assert_int_equal(s->done, s->total);
		assert_true(s->flushes >= 3);
		assert_false(s->is_wrong);
		assert_int_equal(writer_verify(s->w, &s->err), 0);
		assert_int_equal(s->verified, SIZE - FIRST * CHUNK);
		assert_int_equal(s->verified, s->verified_total);
		assert_int_equal(writer_repaired(s->w), 0);
		end(s);
		tear_down((void **)&s);
	}
}

/* What is there already is not asked for: found by samples, or by a hint that is only a hint. */
static void test_reuse(void **state)
{
	for (int has_hint = 0; has_hint < 2; has_hint++) {
		AUTO(freep) uint8_t *hint = malloc(COUNT / 8 + 1);
		struct set *s;

		set_up((void **)&s);
		memset(hint, 0xFF, COUNT / 8 + 1);
		memcpy(s->m->cache, s->image, SIZE);
		memset(s->m->cache, 0xAA, FIRST * CHUNK);
		s->m->cache[300 * CHUNK + 17] ^= 1;
		memset(s->m->cache + 400 * CHUNK, 0x11, CHUNK);
		memcpy(s->m->persist, s->m->cache, s->m->size);
		begin(s);
		assert_int_equal(writer_survey(s->w, has_hint ? hint : NULL, &s->err), 0);
		assert_int_equal(s->m->writes, 0);
		assert_true(writer_reused_bytes(s->w) > 0);
		assert_int_equal(writer_fill(s->w, &s->err), 0);
		check_image(s, s->m->persist);
		assert_int_equal(s->feeder.sent, !is_zero(s, 300) + !is_zero(s, 400));
		assert_int_equal(writer_verify(s->w, &s->err), 0);
		end(s);
		tear_down((void **)&s);
	}
}

/* A hint of nothing: not a chunk is read before it is written. */
static void test_empty_hint(void **state)
{
	struct set *s = *state;
	AUTO(freep) uint8_t *hint = calloc(1, COUNT / 8 + 1);

	memcpy(s->m->cache, s->image, SIZE);
	begin(s);
	assert_int_equal(writer_survey(s->w, hint, &s->err), 0);
	assert_int_equal(s->m->reads, 0);
	assert_int_equal(writer_reused_bytes(s->w), 0);
	end(s);
}

/* A byte that changes between write and verification, in data or in zeros: repaired. */
static void test_repair(void **state)
{
	const uint32_t places[] = { COUNT - 1, COUNT / 2, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct set *s;
		uint32_t chunk = places[i];

		set_up((void **)&s);
		for (chunk = chunk ? chunk : COUNT - 2; is_zero(s, chunk) != !places[i];)
			chunk--;
		s->soil = (uint64_t)chunk * CHUNK + 100;
		begin(s);
		assert_int_equal(writer_fill(s->w, &s->err), 0);
		assert_int_equal(writer_verify(s->w, &s->err), 0);
		assert_int_equal(writer_repaired(s->w), 1);
		assert_int_equal(s->feeder.per_chunk[chunk], places[i] ? 2 : 0);
		check_image(s, s->m->persist);
		end(s);
		tear_down((void **)&s);
	}
}

/* A medium that gives back other bytes again and again. */
static void test_not_repairable(void **state)
{
	struct set *s = *state;
	uint32_t chunk = COUNT - 3;

	while (is_zero(s, chunk))
		chunk--;
	begin(s);
	assert_int_equal(writer_fill(s->w, &s->err), 0);
	s->m->corrupt_at = (uint64_t)chunk * CHUNK + 1;
	s->m->corrupt_times = 1000;
	assert_int_equal(writer_verify(s->w, &s->err), -EBADMSG);
	assert_non_null(strstr(s->err.text, "with other bytes than written"));
	assert_int_equal(s->feeder.per_chunk[chunk], INSTALL_CHUNK_TRIES);
	end(s);
}

static void test_wrong_on_arrival(void **state)
{
	static const struct {
		unsigned times;
		int code;
	} cases[] = { { 1, 0 }, { INSTALL_CHUNK_TRIES - 1, 0 }, { INSTALL_CHUNK_TRIES, -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct set *s;

		set_up((void **)&s);
		s->feeder.wrong_chunk = FIRST;
		s->feeder.wrong_times = cases[i].times;
		begin(s);
		assert_int_equal(writer_fill(s->w, &s->err), cases[i].code);
		assert_int_equal(s->feeder.per_chunk[FIRST],
				 MIN_OF(cases[i].times + 1, (unsigned)INSTALL_CHUNK_TRIES));
		if (cases[i].code)
			assert_int_equal(s->m->cache[FIRST * CHUNK], 0xAA);
		end(s);
		tear_down((void **)&s);
	}
}

/* After a failed flush nothing is known: each one that fails ends it, and nothing it was for is called safe. */
static void test_flush_fails(void **state)
{
	for (unsigned n = 1; n <= 3; n++) {
		struct set *s;

		set_up((void **)&s);
		s->m->fail_flush = n;
		begin(s);
		assert_int_equal(writer_fill(s->w, &s->err), -EIO);
		assert_non_null(strstr(s->err.text, "flush"));
		assert_int_equal(s->flushes, n - 1);
		assert_false(s->is_wrong);
		end(s);
		tear_down((void **)&s);
	}
}

static void test_write_fails(void **state)
{
	struct set *s = *state;

	s->m->fail_write_at = (uint64_t)(COUNT - 1) * CHUNK;
	begin(s);
	assert_int_equal(writer_fill(s->w, &s->err), -EIO);
	assert_non_null(strstr(s->err.text, "on mem (S1) at offset"));
	assert_non_null(strstr(s->err.text, "replace the disk"));
	end(s);
}

/* The source dies in the middle: what has come is flushed for the next try, which goes on there. */
static void test_source_dies(void **state)
{
	struct set *s = *state;
	AUTO(freep) uint8_t *old = malloc(SIZE);

	s->feeder.die_after = 200;
	begin(s);
	assert_int_equal(writer_fill(s->w, &s->err), -EPIPE);
	assert_false(s->is_wrong);
	unsigned had = s->feeder.sent;
	end(s);
	assert_true(s->done > 0);
	memcpy(s->m->cache, s->m->persist, s->m->size); /* the power fails as well */
	feeder_done(&s->feeder);
	s->feeder = (struct feeder){ 0 };
	s->done = 0;
	begin(s);
	assert_int_equal(writer_survey(s->w, NULL, &s->err), 0);
	assert_int_equal(writer_fill(s->w, &s->err), 0);
	check_image(s, s->m->persist);
	unsigned all = 0;
	for (uint32_t i = FIRST; i < COUNT; i++)
		all += !is_zero(s, i);
	assert_int_equal(had + s->feeder.sent, all);
	end(s);
}

static void test_cancel(void **state)
{
	struct set *s = *state;

	s->m->cancel = &s->cancel;
	s->m->cancel_at = 150;
	begin(s);
	assert_int_equal(writer_fill(s->w, &s->err), -ECANCELED);
	assert_true(s->m->writes < 400);
	end(s);
	s->m->cancel = NULL;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_and_verify),
		cmocka_unit_test(test_reuse),
		CASE(test_empty_hint),
		cmocka_unit_test(test_repair),
		CASE(test_not_repairable),
		cmocka_unit_test(test_wrong_on_arrival),
		cmocka_unit_test(test_flush_fails),
		CASE(test_write_fails),
		CASE(test_source_dies),
		CASE(test_cancel),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
