/*
 * The installation as a transaction, on a disk in memory: what is on it after success, after every
 * failure, and after a power cut at every write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include "agent/install.h"
#include "tests/unit/agent/install_rig.h"

#define MIB 24u
#define IMAGE ((uint64_t)MIB * RIG_MIB)
#define DISK ((uint64_t)40 * RIG_MIB)
#define ID "11111111-2222-3333-4444-555555555555"

struct run {
	struct feeder feeder;
	struct fault err;
	struct install_report last;
	unsigned reports, percents; /* reports; distinct percents */
	bool has_fallen;            /* a percent was smaller than the one before */
	uint32_t phases_seen;
};

static void on_report(void *ctx, const struct install_report *r)
{
	struct run *run = ctx;

	run->has_fallen |= run->reports && r->percent < run->last.percent;
	run->percents += !run->reports || r->percent != run->last.percent;
	run->reports++;
	run->phases_seen |= 1u << r->phase;
	run->last = *r;
}

static int install(struct mem_disk *m, const struct rig_index *x, const uint8_t *image,
		   const char *state, struct run *run)
{
	const struct install_params p = {
		.device = "memory",
		.install_id = ID,
		.index = x->data,
		.index_len = x->len,
		.state_path = state,
	};
	static volatile sig_atomic_t cancel;
	const struct install_sink sink = { .report = on_report, .ctx = run, .cancel = &cancel };

	cancel = 0;
	if (m->cancel_at)
		m->cancel = &cancel;
	int fd = feeder_start(&run->feeder, image, &x->slx);
	int r = install_run(&p, &m->d, fd, &sink, &run->err);
	close(fd);
	feeder_join(&run->feeder);
	return r;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && !memcmp(p, p + 1, len - 1);
}

/*
 * Everything behind the first MiB is the image; the table is the image's, moved to the end of the
 * disk.
 */
static void check_installed(const struct mem_disk *m, const uint8_t *disk, const uint8_t *image)
{
	uint32_t s = m->d.id.sector_size;
	AUTO(gpt_done) struct gpt g = { 0 }, want = { 0 };

	assert_memory_equal(disk + RIG_MIB, image + RIG_MIB, IMAGE - RIG_MIB);
	assert_memory_equal(disk, image, 446);
	assert_int_equal(gpt_parse(disk, RIG_MIB, s, &g, NULL), 0);
	assert_int_equal(gpt_parse(image, RIG_MIB, s, &want, NULL), 0);
	assert_memory_equal(g.entries, want.entries, 128 * 128);
	assert_int_equal(g.alternate_lba, m->size / s - 1);
	assert_memory_equal(disk + m->size - s, "EFI PART", 8);
	assert_memory_equal(disk + m->size - s - 128 * 128, disk + 2 * s, 128 * 128);
}

struct set {
	uint8_t *image;
	struct rig_index x;
	struct mem_disk *m;
	struct run run;
};

static void set_make(struct set *s, uint32_t chunk, uint32_t sector)
{
	*s = (struct set){ .image = rig_image(MIB, sector, 3) };
	rig_index_make(&s->x, s->image, IMAGE, chunk, sector);
	s->m = mem_disk_new(DISK, sector);
}

static void set_done(struct set *s)
{
	free(s->image);
	rig_index_done(&s->x);
	mem_disk_free(s->m);
	feeder_done(&s->run.feeder);
}

static int set_run(struct set *s, const char *state)
{
	return install(s->m, &s->x, s->image, state, &s->run);
}

/* After any failure: nothing to boot from, whatever the cache did. */
static void check_not_bootable(const struct mem_disk *m)
{
	assert_true(is_zero(m->cache, m->d.id.sector_size));
	assert_true(is_zero(m->persist, m->d.id.sector_size));
	assert_int_equal(m->lba0_writes, 0);
}

static void check_untouched(const struct mem_disk *m)
{
	assert_int_equal(m->writes, 0);
	for (uint64_t i = 0; i < m->size; i++)
		if (m->cache[i] != 0xAA)
			fail_msg("byte %llu was touched", (unsigned long long)i);
}

static void test_fresh(void **state)
{
	static const struct {
		uint32_t chunk, sector;
	} cases[] = { { 1u << 20, 512 },
		      { 1u << 20, 4096 },
		      { 64u << 10, 512 },
		      { 4u << 20, 512 },
		      { 16u << 20, 4096 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(set_done) struct set s;

		set_make(&s, cases[i].chunk, cases[i].sector);
		if (set_run(&s, NULL) != 0)
			fail_msg("case %zu: %s", i, fault_text(&s.run.err));
		check_installed(s.m, s.m->cache, s.image);
		check_installed(s.m, s.m->persist, s.image); /* everything is flushed */
		assert_int_equal(s.run.last.phase, INSTALL_DONE);
		assert_int_equal(s.run.last.percent, 100);
		assert_int_equal(s.run.last.is_committed, 1);
		assert_int_equal(s.run.last.is_resumed, 0);
		assert_false(s.run.has_fallen);
		assert_int_equal(s.run.feeder.zero_wanted, 0);
		assert_true(s.run.feeder.has_end);
		for (uint32_t c = 0; c < s.x.slx.count; c++)
			assert_int_equal(s.run.feeder.per_chunk[c],
					 !(s.x.slx.entries[c].flags & SLX_ENTRY_ZERO));
	}
}

/*
 * DESIGN: the last data write covers LBA 0 and lies between two flushes; no earlier non-zero write
 * touches it.
 */
static void test_lba0_comes_last(void **state)
{
	AUTO(set_done) struct set s;

	set_make(&s, 1u << 20, 512);
	assert_int_equal(set_run(&s, NULL), 0);
	assert_int_equal(s.m->lba0_writes, 1);
	assert_true(s.m->was_lba0_alone);
	assert_int_equal(s.m->writes_after_lba0, 0);
	assert_true(s.m->flushes_after_lba0 >= 1);
	assert_int_equal(s.m->pending_n, 0);
}

static void state_path(char path[128], const char *name)
{
	snprintf(path, 128, "/tmp/slipway-test-%d-%s/install.state", (int)getpid(), name);
}

static void state_remove(const char *path)
{
	char text[160];

	unlink(path);
	snprintf(text, sizeof(text), "%s.lock", path);
	unlink(text);
	*strrchr(text, '/') = '\0';
	rmdir(text);
}

static void power_back(struct mem_disk *m, bool lose_cache)
{
	if (lose_cache)
		memcpy(m->cache, m->persist, m->size);
	m->has_power = true;
	m->cut_at = 0;
	m->pending_n = 0;
	m->lba0_writes = 0;
	m->writes_after_lba0 = m->flushes_after_lba0 = 0;
}

/*
 * The power goes at every single write, losing all or nothing of what was not flushed; then the
 * same installation comes again.
 */
static void test_power_cut_at_every_write(void **state)
{
	char path[128];
	unsigned cut, total = 0;

	state_path(path, "cut");
	for (cut = 1; cut < 1000; cut++) {
		AUTO(set_done) struct set s;
		AUTO(feeder_done) struct feeder first = { 0 };
		bool lose_cache = cut % 2;

		set_make(&s, 1u << 20, 512);
		s.m->cut_at = cut;
		int r = set_run(&s, path);
		if (r == 0) {
			state_remove(path);
			break;
		}
		first = s.run.feeder;
		assert_int_equal(s.run.last.phase, INSTALL_FAILED);
		/*
		 * before the very first write is durable the old content is all there; afterwards
		 * there is no boot sector
		 */
		assert_true(is_zero(s.m->persist, 512) || s.m->persist[0] == 0xAA);
		assert_true(is_zero(s.m->cache, 512) || s.m->cache[0] == 0xAA);
		assert_int_equal(s.m->lba0_writes, 0);

		power_back(s.m, lose_cache);
		s.run = (struct run){ 0 };
		if (set_run(&s, path) != 0)
			fail_msg("cut at write %u: %s", cut, fault_text(&s.run.err));
		check_installed(s.m, s.m->persist, s.image);
		assert_int_equal(s.m->lba0_writes, 1);
		assert_true(s.m->was_lba0_alone);
		state_remove(path);
		total++;
	}
	assert_true(total > 15 && cut < 1000);
}

/* Chunks that are on the disk already are not fetched again; only their hash counts. */
static void test_resume_fetches_only_what_is_missing(void **state)
{
	AUTO(set_done) struct set s;
	AUTO(feeder_done) struct feeder first;
	char path[128];

	state_path(path, "resume");
	set_make(&s, 1u << 20, 512);
	s.run.feeder.die_after = 8;
	assert_int_equal(set_run(&s, path), -EPIPE);
	check_not_bootable(s.m);
	first = s.run.feeder;
	memset(s.m->cache + 7 * RIG_MIB, 0x55, 4096); /* somebody changed a chunk meanwhile */
	s.run = (struct run){ 0 };
	assert_int_equal(set_run(&s, path), 0);
	check_installed(s.m, s.m->persist, s.image);
	assert_int_equal(s.run.last.is_resumed, 1);
	assert_int_equal(s.run.feeder.per_chunk[7], 1);
	assert_int_equal(s.run.feeder.per_chunk[2], 0);
	assert_int_equal(s.run.feeder.per_chunk[3], 0);
	state_remove(path);
}

/*
 * Without a state (the machine was switched off) a few samples show that it is worth reading the
 * disk.
 */
static void test_resume_without_state(void **state)
{
	AUTO(set_done) struct set s;
	AUTO(feeder_done) struct feeder first;
	unsigned fetched = 0;

	set_make(&s, 1u << 20, 512);
	assert_int_equal(set_run(&s, NULL), 0);
	first = s.run.feeder;
	s.run = (struct run){ 0 };
	power_back(s.m, false);
	assert_int_equal(set_run(&s, NULL), 0);
	check_installed(s.m, s.m->persist, s.image);
	assert_int_equal(s.run.last.is_resumed, 1);
	for (uint32_t i = 1; i < s.x.slx.count; i++)
		fetched += s.run.feeder.per_chunk[i];
	assert_int_equal(fetched, 0);
}

/* The agent died between the commit and the boot entry: nothing is written again. */
static void test_committed_is_not_repeated(void **state)
{
	AUTO(set_done) struct set s;
	AUTO(feeder_done) struct feeder first;
	char path[128];

	state_path(path, "committed");
	set_make(&s, 1u << 20, 512);
	assert_int_equal(set_run(&s, path), 0);
	first = s.run.feeder;
	s.run = (struct run){ 0 };
	unsigned writes = s.m->writes;
	assert_int_equal(set_run(&s, path), 0);
	assert_int_equal(s.m->writes, writes);
	assert_int_equal(s.run.last.phase, INSTALL_DONE);
	assert_int_equal(s.run.last.is_committed, 1);
	state_remove(path);
}

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
	assert_int_equal(set_run(&s, path), -EALREADY);
	state_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_lba0_comes_last),
		cmocka_unit_test(test_power_cut_at_every_write),
		cmocka_unit_test(test_resume_fetches_only_what_is_missing),
		cmocka_unit_test(test_resume_without_state),
		cmocka_unit_test(test_committed_is_not_repeated),
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
		cmocka_unit_test(test_refused_before_anything_is_touched),
		cmocka_unit_test(test_one_at_a_time),
	};

	signal(SIGPIPE, SIG_IGN); /* the feeder writes to a writer that is gone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
