#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include "agent/fetch_plan.h"
#include "common/cleanup.h"

/* Eight chunks of 1 MiB; frames of 1000 bytes, zero chunks (2, 3 and 6) of 40; between 6 and 7 lie 100,000 bytes of nothing. */
static struct slx_entry entries[] = {
	{ .offset = 0, .length = 1000 },
	{ .offset = 1000, .length = 1000 },
	{ .offset = 2000, .length = 40, .flags = SLX_ENTRY_ZERO },
	{ .offset = 2040, .length = 40, .flags = SLX_ENTRY_ZERO },
	{ .offset = 2080, .length = 1000 },
	{ .offset = 3080, .length = 1000 },
	{ .offset = 4080, .length = 40, .flags = SLX_ENTRY_ZERO },
	{ .offset = 104120, .length = 1000 },
};
static const struct slx index8 = {
	.image_size = 8u << 20,
	.chunk_size = 1u << 20,
	.count = 8,
	.payload_size = 105120,
	.entries = entries,
};

static void expect_range(const struct fetch_plan *p, uint64_t first, uint64_t last)
{
	uint64_t a, b;
	fetch_plan_range(p, &a, &b);
	assert_int_equal(a, first);
	assert_int_equal(b, last);
}

static void test_merges(void **state)
{
	AUTO(fetch_plan_done) struct fetch_plan p;

	fetch_plan_init(&p, &index8);
	assert_true(fetch_plan_is_empty(&p));
	assert_int_equal(fetch_plan_want(&p, 0, 2), 0);
	assert_int_equal(fetch_plan_want(&p, 4, 2), 0);
	assert_int_equal(fetch_plan_want(&p, 7, 1), 0);
	/* over the two zero chunks, not over the large gap */
	expect_range(&p, 0, 4079);
	static const uint32_t order[] = { 0, 1, 4, 5 };
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(fetch_plan_next(&p), order[i]);
		fetch_plan_pop(&p);
	}
	expect_range(&p, 104120, 105119);
	fetch_plan_pop(&p);
	assert_true(fetch_plan_is_empty(&p));
}

static void test_resumes_behind_what_came(void **state)
{
	AUTO(fetch_plan_done) struct fetch_plan p;

	fetch_plan_init(&p, &index8);
	assert_int_equal(fetch_plan_want(&p, 0, 2), 0);
	fetch_plan_pop(&p);
	expect_range(&p, 1000, 1999);
	assert_int_equal(fetch_plan_again(&p, 0), 0);
	assert_int_equal(fetch_plan_next(&p), 0);
	expect_range(&p, 0, 1999);
	assert_int_equal(fetch_plan_again(&p, 5), 0);
	expect_range(&p, 3080, 4079); /* the next want lies before it */
	fetch_plan_pop(&p);
	assert_int_equal(fetch_plan_next(&p), 0);
}

static void test_refuses(void **state)
{
	const struct {
		uint32_t first, count;
	} bad[] = { { 8, 1 }, { 0, 9 }, { 7, 2 }, { UINT32_MAX, 1 },
		    { 0, 0 }, { 2, 1 }, { 1, 2 }, { 1, UINT32_MAX } };
	AUTO(fetch_plan_done) struct fetch_plan p;

	fetch_plan_init(&p, &index8);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(fetch_plan_want(&p, bad[i].first, bad[i].count), -EINVAL);
	assert_int_equal(fetch_plan_again(&p, 3), -EINVAL);
	assert_true(fetch_plan_is_empty(&p));
}

static void test_range_is_bounded(void **state)
{
	static struct slx_entry big[64];
	const struct slx x = { .chunk_size = 1u << 20, .count = 64, .entries = big };
	AUTO(fetch_plan_done) struct fetch_plan p;

	for (size_t i = 0; i < 64; i++)
		big[i] = (struct slx_entry){ .offset = i << 20, .length = 1u << 20 };
	fetch_plan_init(&p, &x);
	assert_int_equal(fetch_plan_want(&p, 0, 64), 0);
	expect_range(&p, 0, FETCH_RANGE_MAX - 1);
	for (size_t i = 0; i < 32; i++)
		fetch_plan_pop(&p);
	expect_range(&p, FETCH_RANGE_MAX, 2 * (uint64_t)FETCH_RANGE_MAX - 1);
}

/* Many wants, taken and added in turn: the list does not grow without bound. */
static void test_reuses_room(void **state)
{
	AUTO(fetch_plan_done) struct fetch_plan p;

	fetch_plan_init(&p, &index8);
	assert_int_equal(fetch_plan_want(&p, 0, 1), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		/* one always waits behind the one that is taken */
		assert_int_equal(fetch_plan_want(&p, i % 2 ? 0 : 4, 1), 0);
		assert_int_equal(fetch_plan_next(&p), i % 2 ? 4 : 0);
		fetch_plan_pop(&p);
	}
	assert_true(p.size <= 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merges),      cmocka_unit_test(test_resumes_behind_what_came),
		cmocka_unit_test(test_refuses),     cmocka_unit_test(test_range_is_bounded),
		cmocka_unit_test(test_reuses_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
