#include "rules_fixture.h"

#include "service/connection.h"

#define ALLOWED_MS 180000
#define ALLOWED_US (ALLOWED_MS * 1000ll)

/* At the limit it is there; a microsecond later it is not. */
static void test_limit(void **state)
{
	struct fixture f;

	fix_init(&f, true);
	f.config.max_disconnection_ms = ALLOWED_MS;
	f.host.checked_in_at = FIX_NOW_US;
	int64_t at = host_disconnects_at_us(&f.ctx, &f.host);
	assert_int_equal(at, FIX_NOW_US + ALLOWED_US + 1);
	f.ctx.now_us = at - 1;
	assert_true(host_is_connected(&f.ctx, &f.host));
	f.ctx.now_us = at;
	assert_false(host_is_connected(&f.ctx, &f.host));
	/* it reports again */
	f.host.checked_in_at = at;
	assert_true(host_is_connected(&f.ctx, &f.host));
	fix_done(&f);
}

/* Which stages may be silent: those in which the machine runs no agent of ours (assisted-v2 §7.3). */
static void test_stages(void **state)
{
	static const enum stage silent[] = { STAGE_REBOOTING, STAGE_WAITING_FOR_IGNITION,
					     STAGE_CONFIGURING, STAGE_JOINED, STAGE_DONE };
	struct fixture f;

	fix_init(&f, true);
	f.host.checked_in_at = FIX_NOW_US;
	f.ctx.now_us = FIX_NOW_US + 1000 * ALLOWED_US;
	for (int s = 0; s < STAGE_COUNT; s++) {
		bool may = false;
		for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
			may = may || silent[i] == (enum stage)s;
		f.host.stage = (enum stage)s;
		if (host_is_connected(&f.ctx, &f.host) != may)
			fail_msg("%s", stage_name((enum stage)s));
		assert_int_equal(host_disconnects_at_us(&f.ctx, &f.host) == 0, may);
	}
	/* one that has never reported is not missed */
	f.host.stage = STAGE_NONE;
	f.host.checked_in_at = 0;
	assert_true(host_is_connected(&f.ctx, &f.host));
	fix_done(&f);
}

/* While the service was down nobody could report: the time counts from its start. */
static void test_after_a_start(void **state)
{
	struct fixture f;

	fix_init(&f, true);
	f.config.max_disconnection_ms = ALLOWED_MS;
	f.host.checked_in_at = FIX_NOW_US - 1000 * ALLOWED_US;
	f.ctx.silence_from_us = FIX_NOW_US;
	f.ctx.now_us = FIX_NOW_US + ALLOWED_US;
	assert_true(host_is_connected(&f.ctx, &f.host));
	f.ctx.now_us++;
	assert_false(host_is_connected(&f.ctx, &f.host));
	/* a report since then counts by itself */
	f.host.checked_in_at = FIX_NOW_US + 5;
	f.ctx.now_us = FIX_NOW_US + 5 + ALLOWED_US;
	assert_true(host_is_connected(&f.ctx, &f.host));
	fix_done(&f);
}

/* Moments of before the clock was set back lie in the future: they do not keep a host alive for years. */
static void test_moment_in_the_future(void **state)
{
	struct fixture f;

	fix_init(&f, true);
	f.config.max_disconnection_ms = ALLOWED_MS;
	f.host.checked_in_at = FIX_NOW_US + 1000 * ALLOWED_US;
	f.ctx.silence_from_us = FIX_NOW_US;
	f.ctx.now_us = FIX_NOW_US + ALLOWED_US;
	assert_true(host_is_connected(&f.ctx, &f.host));
	f.ctx.now_us++;
	assert_false(host_is_connected(&f.ctx, &f.host));

	static const struct {
		int64_t moment, from, now, want;
	} cases[] = {
		{ 10, 0, 20, 10 },  { 10, 15, 20, 15 }, { 20, 15, 20, 20 },
		{ 21, 15, 20, 15 }, { 0, 0, 20, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f.ctx.silence_from_us = cases[i].from;
		f.ctx.now_us = cases[i].now;
		assert_int_equal(connection_counts_from(&f.ctx, cases[i].moment), cases[i].want);
	}
	fix_done(&f);
}

/* A clock that is set is noticed once, in either direction; one that is slewed, or a late look, is not a jump. */
static void test_clock(void **state)
{
	struct clock_watch w = { 0 };
	int64_t wall = FIX_NOW_US, mono = 5000;

	assert_false(clock_watch_jumped(&w, wall, mono));
	assert_false(clock_watch_jumped(&w, wall, mono));
	static const struct {
		int64_t wall_us, mono_ms;
		bool want;
	} steps[] = {
		{ 1000000, 1000, false },           /* a second */
		{ 86400000000, 86400000, false },   /* a day without a look */
		{ 1000000 + 1999999, 1000, false }, /* within what slewing explains */
		{ 1000000 - 1999999, 1000, false },
		{ 2000001, 0, true },
		{ -2000001, 0, true },
		{ 0, 3000, true }, /* the wall clock stood still */
		{ -86400000000000, 10, true },
		{ 10000, 10, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		wall += steps[i].wall_us;
		mono += steps[i].mono_ms;
		if (clock_watch_jumped(&w, wall, mono) != steps[i].want)
			fail_msg("step %zu", i);
		assert_false(clock_watch_jumped(&w, wall, mono)); /* told once */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),         cmocka_unit_test(test_stages),
		cmocka_unit_test(test_after_a_start), cmocka_unit_test(test_moment_in_the_future),
		cmocka_unit_test(test_clock),
	};
	return FIX_RUN(tests, 0);
}
