/*
 * Installations that go wrong, on a disk in memory: bad data, bad disks, a process that is gone,
 * stops and refusals. Whatever happens, the disk is untouched, not bootable or complete.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/file.h>
#include "tests/unit/agent/install_set.h"

static void test_wrong_digest_is_asked_again(void **state)
{
	static const uint32_t chunks[] = { 0, 3, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.run.feeder.wrong_chunk = chunks[i];
		s.run.feeder.wrong_times = 2;
		assert_int_equal(set_run(&s, NULL), 0);
		assert_int_equal(s.run.feeder.per_chunk[chunks[i]], 3);
		check_installed(s.m, s.m->persist, s.image);
	}
}

static void test_always_wrong_digest_fails(void **state)
{
	AUTO(set_done) struct set s, head;

	set_make(&s, 1u << 20, 512);
	s.run.feeder.wrong_chunk = 8;
	s.run.feeder.wrong_times = 1000;
	assert_int_equal(set_run(&s, NULL), -EBADMSG);
	assert_int_equal(s.run.feeder.per_chunk[8], INSTALL_CHUNK_TRIES);
	assert_non_null(strstr(s.run.err.text, "wrong digest"));
	/* not a byte of it was written */
	assert_int_equal(s.m->cache[8 * RIG_MIB], 0xAA);
	assert_int_equal(s.m->cache[8 * RIG_MIB + RIG_MIB / 2], 0xAA);
	check_not_bootable(s.m);

	/* the first chunk is checked before anything is touched */
	set_make(&head, 1u << 20, 512);
	head.run.feeder.wrong_chunk = 0;
	head.run.feeder.wrong_times = 1000;
	assert_int_equal(set_run(&head, NULL), -EBADMSG);
	check_untouched(head.m);
}

static void test_stream_ends(void **state)
{
	AUTO(set_done) struct set early, middle, error;

	set_make(&early, 64u << 10, 512);
	rig_noise(early.image + (128u << 10), 64u << 10, 5);
	rig_index_done(&early.x);
	rig_index_make(&early.x, early.image, IMAGE, 64u << 10, 512);
	early.run.feeder.die_after = 1; /* inside the first MiB */
	assert_int_equal(set_run(&early, NULL), -EPIPE);
	check_untouched(early.m);

	set_make(&middle, 1u << 20, 512);
	middle.run.feeder.die_after = 5;
	assert_int_equal(set_run(&middle, NULL), -EPIPE);
	assert_non_null(strstr(middle.run.err.text, "missing"));
	check_not_bootable(middle.m);
	assert_true(is_zero(middle.m->cache + DISK - RIG_MIB, RIG_MIB));

	set_make(&error, 1u << 20, 512);
	error.run.feeder.die_after = 5;
	error.run.feeder.error_after = "the image server answers 404";
	assert_int_equal(set_run(&error, NULL), -EREMOTEIO);
	assert_non_null(strstr(error.run.last.text, "the image server answers 404"));
	check_not_bootable(error.m);
}

static void test_protocol_errors(void **state)
{
	static const struct install_frame frames[] = {
		{ 0, 1u << 20 },       /* came already */
		{ 5, 1u << 20 },       /* zero: never asked for */
		{ 9, 4096 },           /* too short */
		{ 9, (1u << 20) + 1 }, /* too long */
		{ 4096, 1u << 20 },    /* no such chunk */
		{ INSTALL_FRAME_ERROR, 1u << 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.run.feeder.die_after = 4;
		s.run.feeder.bad_frame = frames[i];
		assert_int_equal(set_run(&s, NULL), -EPROTO);
		check_not_bootable(s.m);
	}
}

static void test_any_order(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 64u << 10, 512);
	s.run.feeder.is_backwards = true;
	assert_int_equal(set_run(&s, NULL), 0);
	check_installed(s.m, s.m->persist, s.image);
}

/* A byte that changes between write and verification. */
static void test_read_back_repairs(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.m->corrupt_at = 8 * RIG_MIB + 12345;
	s.m->corrupt_times = 1;
	assert_int_equal(set_run(&s, NULL), 0);
	assert_int_equal(s.run.last.repaired, 1);
	assert_int_equal(s.run.feeder.per_chunk[8], 2);
	check_installed(s.m, s.m->persist, s.image);
}

static void test_read_back_gives_up(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.m->corrupt_at = 8 * RIG_MIB + 12345;
	s.m->corrupt_times = 1000;
	assert_int_equal(set_run(&s, NULL), -EBADMSG);
	assert_non_null(strstr(s.run.err.text, "read back"));
	assert_non_null(strstr(s.run.err.text, "8388608")); /* the offset */
	check_not_bootable(s.m);
}

static void test_bad_table_read_back(void **state)
{
	static const uint64_t places[] = { 100, 512 + 16, DISK - 600 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.m->corrupt_at = places[i];
		s.m->corrupt_times = 1000;
		assert_int_equal(set_run(&s, NULL), -EIO);
		assert_true(is_zero(s.m->cache, 512));
		assert_true(is_zero(s.m->persist, 512));
		assert_int_equal(s.run.last.is_committed, 0);
	}
}

static void test_write_error(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.m->fail_write_at = 9 * RIG_MIB;
	assert_int_equal(set_run(&s, NULL), -EIO);
	assert_non_null(strstr(s.run.last.text, "offset 9437184"));
	assert_non_null(strstr(s.run.last.text, "S1"));
	check_not_bootable(s.m);
}

static void test_every_flush_can_fail(void **state)
{
	unsigned n;

	for (n = 1; n < 100; n++) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.m->fail_flush = n;
		if (set_run(&s, NULL) == 0)
			break;
		assert_int_equal(s.run.err.code, -EIO);
		assert_true(is_zero(s.m->cache, 512));
		assert_true(is_zero(s.m->persist, 512));
	}
	assert_in_range(n, 6, 99);
}

static void test_zeros_without_help_of_the_device(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.m->has_no_zero = true;
	assert_int_equal(set_run(&s, NULL), 0);
	check_installed(s.m, s.m->persist, s.image);
	assert_int_equal(s.m->zeroed, 0);
}

static void test_cancel(void **state)
{
	for (unsigned at = 3; at < 12; at += 4) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.m->cancel_at = at;
		assert_int_equal(set_run(&s, NULL), -ECANCELED);
		check_not_bootable(s.m);
		assert_true(is_zero(s.m->persist, RIG_MIB));
		assert_true(is_zero(s.m->persist + DISK - RIG_MIB, RIG_MIB));
	}
}

/* The service stops it when everything is on the disk but the commit. */
static void stop_at_configure(void *ctx, const struct install_report *r)
{
	struct run *run = ctx;

	run->cancel |= r->phase == INSTALL_CONFIGURE;
}

static void test_cancel_before_the_commit(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.run.watch = stop_at_configure;
	s.run.watch_ctx = &s.run;
	assert_int_equal(set_run(&s, NULL), -ECANCELED);
	check_not_bootable(s.m);
	assert_true(is_zero(s.m->persist, RIG_MIB));
	assert_true(is_zero(s.m->persist + DISK - RIG_MIB, RIG_MIB));
}

/* Somebody else's byte in a place where the image has only zeros. */
static void soil_zeros(void *ctx, const struct install_report *r)
{
	struct set *s = ctx;

	if (r->phase != INSTALL_VERIFY || s->has_soiled)
		return;
	s->has_soiled = true;
	s->m->cache[5 * RIG_MIB + 700] = 0x5A;
	s->m->cache[(uint64_t)22 * RIG_MIB + 4095] = 0x5A;
}

static void test_zeros_are_verified_too(void **state)
{
	for (int has_zero = 0; has_zero < 2; has_zero++) {
		AUTO(set_done) struct set s;

		set_make(&s, 1u << 20, 512);
		s.m->has_no_zero = !has_zero;
		s.run.watch = soil_zeros;
		s.run.watch_ctx = &s;
		assert_int_equal(set_run(&s, NULL), 0);
		assert_true(s.has_soiled);
		check_installed(s.m, s.m->persist, s.image);
		assert_int_equal(s.run.last.repaired, 2);
	}
}

/* A device that says it has zeroed, and has not. */
static int zero_lies(struct disk *d, uint64_t offset, uint64_t len)
{
	return 0;
}

static void test_zeroing_that_does_nothing(void **state)
{
	AUTO(set_done) struct set s;
	struct disk_ops ops = mem_ops;

	ops.zero = zero_lies;
	set_make(&s, 1u << 20, 512);
	s.m->d.ops = &ops;
	assert_int_equal(set_run(&s, NULL), 0);
	check_installed(s.m, s.m->persist, s.image);
}

/* Zeros that cannot be had: an end with words, and nothing to boot from. */
static void soil_again(void *ctx, const struct install_report *r)
{
	struct set *s = ctx;

	if (r->phase != INSTALL_VERIFY)
		return;
	s->m->corrupt_at = 5 * RIG_MIB + 700;
	s->m->corrupt_times = 1000;
}

static void test_zeros_that_do_not_stay(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	s.run.watch = soil_again;
	s.run.watch_ctx = &s;
	assert_int_equal(set_run(&s, NULL), -EBADMSG);
	assert_non_null(strstr(s.run.err.text, "offset 5242880"));
	check_not_bootable(s.m);
}

static int refused(struct set *s, struct install_params *p)
{
	const struct install_sink sink = { .report = on_report, .ctx = &s->run };
	int fd = feeder_start(&s->run.feeder, s->image, &s->x.slx);
	int r = install_run(p, &s->m->d, fd, &sink, &s->run.err);

	close(fd);
	feeder_join(&s->run.feeder);
	check_untouched(s->m);
	assert_int_equal(s->run.last.phase, INSTALL_FAILED);
	assert_int_equal(s->run.last.code, r);
	return r;
}

static void test_refused_before_anything_is_touched(void **state)
{
	for (int what = 0; what < 8; what++) {
		static const int codes[] = { -ENOSPC,  -EMEDIUMTYPE, -EPERM,  -EBADMSG,
					     -EBADMSG, -EINVAL,      -ENOSPC, -EMEDIUMTYPE };
		AUTO(set_done) struct set s;
		struct install_params p = { .device = "memory", .install_id = ID };

		set_make(&s, 1u << 20, 512);
		p.index = s.x.data;
		p.index_len = s.x.len;
		if (what == 0)
			s.m->d.id.size_bytes = s.m->size = IMAGE - 512;
		if (what == 1)
			s.m->d.id.sector_size = 4096;
		p.no_disk_writes = what == 2;
		if (what == 3)
			p.index_len--;
		if (what == 4)
			((uint8_t *)s.x.data)[SLX_HEADER_SIZE + 20] ^= 1;
		if (what == 5)
			p.install_id = "no uuid";
		/* as large as the image, but the table would not fit behind the last partition */
		if (what == 6) {
			struct gpt g;

			assert_int_equal(gpt_parse(s.image, RIG_MIB, 512, &g, NULL), 0);
			g.entries[2].last_lba = g.last_usable;
			assert_int_equal(gpt_put_primary(&g, s.image, RIG_MIB, NULL), 0);
			gpt_done(&g);
			rig_index_done(&s.x);
			rig_index_make(&s.x, s.image, IMAGE - 20 * 512, 1u << 20, 512);
			p.index = s.x.data;
			p.index_len = s.x.len;
			s.m->d.id.size_bytes = s.m->size = IMAGE - 20 * 512;
		}
		if (what == 7) { /* neither boot code nor anything else that this firmware starts */
			memset(s.image, 0, 446);
			rig_index_done(&s.x);
			rig_index_make(&s.x, s.image, IMAGE, 1u << 20, 512);
			p.index = s.x.data;
			p.index_len = s.x.len;
			if (access("/sys/firmware/efi", F_OK) == 0)
				continue; /* by UEFI it does start */
		}
		int r = refused(&s, &p);
		if (r != codes[what])
			fail_msg("case %d: %d %s", what, r, fault_text(&s.run.err));
	}
}

static void test_one_at_a_time(void **state)
{
	AUTO(set_done) struct set s;
	AUTO(freep) char *lock = NULL;
	char path[128];

	state_path(path, "lock");
	set_make(&s, 1u << 20, 512);
	assert_int_equal(set_run(&s, path), 0);
	feeder_done(&s.run.feeder);
	assert_true(asprintf(&lock, "%s.lock", path) > 0);
	AUTO(closep) int fd = open(lock, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	s.run = (struct run){ 0 };
	unsigned writes = s.m->writes;
	assert_int_equal(set_run(&s, path), -EALREADY);
	assert_int_equal(s.m->writes, writes);
	state_remove(path);
}

static void *unlock_late(void *ctx)
{
	usleep(700 * 1000);
	flock(*(int *)ctx, LOCK_UN);
	return NULL;
}

/* A writer that was killed while the disk was busy dies only when the disk has answered. */
static void test_the_one_before_is_still_dying(void **state)
{
	AUTO(set_done) struct set s;
	AUTO(freep) char *lock = NULL;
	pthread_t thread;
	char path[128];

	state_path(path, "dying");
	set_make(&s, 1u << 20, 512);
	assert_true(asprintf(&lock, "%s.lock", path) > 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(dir_make_at(AT_FDCWD, path, 0700, NULL), 0);
	state_path(path, "dying");
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(pthread_create(&thread, NULL, unlock_late, &fd), 0);
	assert_int_equal(set_run(&s, path), 0);
	pthread_join(thread, NULL);
	close(fd);
	check_installed(s.m, s.m->persist, s.image);
	state_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_digest_is_asked_again),
		cmocka_unit_test(test_always_wrong_digest_fails),
		cmocka_unit_test(test_stream_ends),
		cmocka_unit_test(test_protocol_errors),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_read_back_repairs),
		cmocka_unit_test(test_read_back_gives_up),
		cmocka_unit_test(test_bad_table_read_back),
		cmocka_unit_test(test_write_error),
		cmocka_unit_test(test_every_flush_can_fail),
		cmocka_unit_test(test_zeros_without_help_of_the_device),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_before_the_commit),
		cmocka_unit_test(test_zeros_are_verified_too),
		cmocka_unit_test(test_zeroing_that_does_nothing),
		cmocka_unit_test(test_zeros_that_do_not_stay),
		cmocka_unit_test(test_refused_before_anything_is_touched),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_the_one_before_is_still_dying),
	};

	signal(SIGPIPE, SIG_IGN); /* the feeder writes to a writer that is gone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
