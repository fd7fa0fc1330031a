#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "agent/backoff.h"
#include "common/cleanup.h"

static void test_jitter_is_full(void **state)
{
	struct {
		enum backoff_kind kind;
		uint64_t ceilings[8]; /* of the first failures */
		uint64_t cap;
	} rows[] = {
		{ BACKOFF_TRANSIENT, { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 }, 60000 },
		{ BACKOFF_REFUSED,
		  { 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000 },
		  600000 },
		{ BACKOFF_PAYLOAD, { 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 }, 30000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct backoff low = { 0 }, high = { 0 };
		for (size_t n = 0; n < 8; n++) {
			assert_int_equal(backoff_next_ms(&low, rows[i].kind, 0, 0),
					 rows[i].kind == BACKOFF_PAYLOAD ? rows[i].ceilings[n] / 2
									 : 100);
			assert_int_equal(backoff_next_ms(&high, rows[i].kind, 0, UINT32_MAX),
					 rows[i].ceilings[n]);
		}
		for (size_t n = 0; n < 1000; n++)
			assert_true(backoff_next_ms(&high, rows[i].kind, 0, UINT32_MAX) <=
				    rows[i].cap);
		backoff_reset(&high);
		assert_int_equal(backoff_next_ms(&high, rows[i].kind, 0, UINT32_MAX),
				 rows[i].ceilings[0]);
	}
}

static void test_retry_after(void **state)
{
	struct backoff b = { 0 };

	assert_int_equal(backoff_next_ms(&b, BACKOFF_TRANSIENT, 7000, 0), 7000);
	assert_int_equal(backoff_next_ms(&b, BACKOFF_TRANSIENT, 3600 * 1000, 0),
			 RETRY_AFTER_MAX_MS);
	assert_int_equal(backoff_retry_after_ms("30"), 30000);
	assert_int_equal(backoff_retry_after_ms("600"), RETRY_AFTER_MAX_MS);
	assert_int_equal(backoff_retry_after_ms("99999999999"), RETRY_AFTER_MAX_MS);
	assert_int_equal(backoff_retry_after_ms(NULL), 0);
	assert_int_equal(backoff_retry_after_ms("Wed, 21 Oct 2026 07:28:00 GMT"), 0);
	assert_int_equal(backoff_retry_after_ms("-5"), 0);
}

static void test_poll_interval(void **state)
{
	const struct {
		int64_t named;
		uint64_t fallback, least, most;
	} rows[] = {
		{ 60, 2, 54000, 66000 },
		{ 0, 2, 1800, 2200 },
		{ 0, 60, 54000, 66000 },
		{ -5, 60, 54000, 66000 },
		{ 1, 60, 900, 1100 },
		{ 3600, 60, 3240000, 3960000 },
		{ 1 << 20, 60, 3240000, 3960000 },
		{ INT64_MAX, 60, 3240000, 3960000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(backoff_poll_ms(rows[i].named, rows[i].fallback, 0),
				 rows[i].least);
		assert_int_equal(backoff_poll_ms(rows[i].named, rows[i].fallback, UINT32_MAX),
				 rows[i].most);
	}
}

static void test_kinds(void **state)
{
	const struct {
		long status;
		enum backoff_kind kind;
	} rows[] = {
		{ 0, BACKOFF_TRANSIENT },   { 400, BACKOFF_TRANSIENT }, { 401, BACKOFF_REFUSED },
		{ 403, BACKOFF_REFUSED },   { 404, BACKOFF_REFUSED },   { 409, BACKOFF_REFUSED },
		{ 429, BACKOFF_TRANSIENT }, { 500, BACKOFF_TRANSIENT }, { 503, BACKOFF_TRANSIENT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(backoff_kind_of(rows[i].status), rows[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jitter_is_full),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_poll_interval),
		cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
