/*
 * The installation as a transaction, on a disk in memory: what is on it after success, after a
 * power cut at every write, and when the same installation comes again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/agent/install_set.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_lba0_comes_last),
		cmocka_unit_test(test_power_cut_at_every_write),
		cmocka_unit_test(test_resume_fetches_only_what_is_missing),
		cmocka_unit_test(test_resume_without_state),
		cmocka_unit_test(test_committed_is_not_repeated),
	};

	signal(SIGPIPE, SIG_IGN); /* the feeder writes to a writer that is gone */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
