/*
 * The first MiB of an image, fetched and checked before anything is touched; and what of the first
 * chunks lies behind it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "agent/install_engine.h"
#include "tests/unit/agent/install_rig.h"

#define MIB 16u
#define IMAGE ((uint64_t)MIB * RIG_MIB)

struct set {
	uint8_t *image;
	struct rig_index x;
	struct mem_disk *m;
	struct feeder feeder;
	struct engine e;
	struct install_sink sink;
	volatile sig_atomic_t cancel;
	struct fault err;
	int fd;
};

static void make(struct set *s, uint32_t chunk)
{
	*s = (struct set){ .image = rig_image(MIB, 512, 3) };
	rig_noise(s->image + RIG_MIB, RIG_MIB, 7); /* chunks of 4 MiB are to have something here */
	rig_noise(s->image + 3 * 65536, 1000, 8);
	rig_index_make(&s->x, s->image, IMAGE, chunk, 512);
	s->m = mem_disk_new(2 * IMAGE, 512);
	s->sink.cancel = &s->cancel;
	s->e.sink = &s->sink;
	s->e.slx = s->x.slx;
	s->e.d = &s->m->d;
	s->e.id = s->m->d.id;
	s->e.is_efi = true;
}

static int run(struct set *s)
{
	s->fd = feeder_start(&s->feeder, s->image, &s->x.slx);
	assert_int_equal(stream_init(&s->e.stream, s->fd, &s->e.slx, NULL), 0);
	return engine_head(&s->e, &s->err);
}

static void done(struct set *s)
{
	stream_done(&s->e.stream);
	close(s->fd);
	feeder_join(&s->feeder);
	feeder_done(&s->feeder);
	commit_done(&s->e.commit);
	free(s->e.head);
	mem_disk_free(s->m);
	rig_index_done(&s->x);
	free(s->image);
}

static void test_sizes_of_chunks(void **state)
{
	static const struct {
		uint32_t chunk, chunks;
		size_t head;
	} cases[] = {
		{ 65536, 16, RIG_MIB },
		{ RIG_MIB, 1, RIG_MIB },
		{ 4 * RIG_MIB, 1, 4 * RIG_MIB },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct set s;

		make(&s, cases[i].chunk);
		if (run(&s) < 0)
			fail_msg("%s", s.err.text);
		assert_int_equal(s.e.head_chunks, cases[i].chunks);
		assert_int_equal(s.e.head_len, cases[i].head);
		assert_memory_equal(s.e.head, s.image, cases[i].head);
		assert_true(s.e.commit.has_gpt);
		/* nothing but the head was asked for, zeros not at all */
		assert_true(s.feeder.sent <= cases[i].chunks);
		assert_int_equal(s.feeder.zero_wanted, 0);
		assert_int_equal(s.m->writes, 0);
		/* the rest of it goes to the disk now, the first MiB does not */
		assert_int_equal(engine_head_rest(&s.e, &s.err), 0);
		assert_int_equal(s.m->writes, cases[i].head > RIG_MIB);
		assert_memory_equal(s.m->persist + RIG_MIB, s.e.head + RIG_MIB,
				    cases[i].head - RIG_MIB);
		assert_int_equal(s.m->cache[RIG_MIB - 1], 0xAA);
		assert_int_equal(s.m->cache[cases[i].head], 0xAA);
		done(&s);
	}
}

static void test_wrong_digest(void **state)
{
	static const struct {
		unsigned times;
		int code;
	} cases[] = { { INSTALL_CHUNK_TRIES - 1, 0 }, { INSTALL_CHUNK_TRIES, -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct set s;

		make(&s, 65536);
		s.feeder.wrong_times = cases[i].times;
		assert_int_equal(run(&s), cases[i].code);
		if (cases[i].code)
			assert_non_null(strstr(s.err.text, "chunk 0 (offset 0)"));
		done(&s);
	}
}

static void test_image_that_cannot_be_fetched(void **state)
{
	struct set s;

	make(&s, 65536);
	s.feeder.error_after = "404 Not Found";
	s.feeder.die_after = 1;
	assert_int_equal(run(&s), -EREMOTEIO);
	assert_string_equal(s.err.text, "404 Not Found");
	done(&s);
	make(&s, 65536);
	s.feeder.die_after = 1;
	assert_int_equal(run(&s), -EPIPE);
	done(&s);
}

static void test_cancelled(void **state)
{
	struct set s;

	make(&s, 65536);
	s.cancel = 1;
	assert_int_equal(run(&s), -ECANCELED);
	done(&s);
}

/* What cannot boot here is refused while nothing has been touched. */
static void test_unusable_head(void **state)
{
	struct set s;

	make(&s, RIG_MIB);
	s.image[512 + 20] ^=
		1; /* the index is made after the damage: the bytes are as they should be */
	rig_index_done(&s.x);
	rig_index_make(&s.x, s.image, IMAGE, RIG_MIB, 512);
	s.e.slx = s.x.slx;
	assert_int_equal(run(&s), -EBADMSG);
	assert_int_equal(s.m->writes, 0);
	done(&s);
}

static void test_disk_that_lies(void **state)
{
	struct set s;

	make(&s, 4 * RIG_MIB);
	assert_int_equal(run(&s), 0);
	s.m->corrupt_at = 2 * RIG_MIB;
	s.m->corrupt_times = 1;
	assert_int_equal(engine_head_rest(&s.e, &s.err), -EIO);
	assert_non_null(strstr(s.err.text, "replace the disk"));
	s.m->fail_flush = s.m->flushes + 1;
	assert_int_equal(engine_head_rest(&s.e, &s.err), -EIO);
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_of_chunks),
		cmocka_unit_test(test_wrong_digest),
		cmocka_unit_test(test_image_that_cannot_be_fetched),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_unusable_head),
		cmocka_unit_test(test_disk_that_lies),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
