#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/clock.h"
#include "common/cleanup.h"
#include "common/str.h"

/* An unsigned token is enough: only its claims are looked at. */
static char *token_with(const char *claims)
{
	AUTO(freep) char *middle = base64url_encode(claims, strlen(claims));
	uint8_t signature[64] = { 0 };
	AUTO(freep) char *last = base64url_encode(signature, sizeof(signature));
	return str_printf("eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.%s.%s", middle, last);
}

static void test_floor(void **state)
{
	const struct {
		uint64_t created;
		const char *claims; /* NULL = no token */
		int64_t want;
	} rows[] = {
		{ 0, NULL, 0 },
		{ 1790000000, NULL, 1790000000 },
		{ 1790000000, "{\"iat\":1780000000}", 1790000000 },
		{ 1790000000, "{\"iat\":1795000000}", 1795000000 },
		{ 0, "{\"iat\":1795000000,\"infra_env_id\":\"x\"}", 1795000000 },
		{ 0, "{\"infra_env_id\":\"x\"}", 0 },
		{ 5, "{\"iat\":-7}", 5 },
		{ 5, "{\"iat\":99999999999999}",
		  5 }, /* a token must not send the clock to the end of time */
		{ UINT64_MAX, NULL, 0 },
		{ 5, "{\"iat\":\"1795000000\"}", 5 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *token = rows[i].claims ? token_with(rows[i].claims) : NULL;
		if (clock_floor(rows[i].created, token) != rows[i].want)
			fail_msg("row %zu: %lld", i,
				 (long long)clock_floor(rows[i].created, token));
	}
	assert_int_equal(clock_floor(7, "no token at all"), 7);
	assert_int_equal(clock_floor(7, ""), 7);
}

/* Only what changes nothing: the clock of the machine that runs the tests stays as it is. */
static void test_no_need(void **state)
{
	assert_int_equal(clock_raise(0, NULL), 0);
	assert_int_equal(clock_raise(time_now_us() / 1000000 - 10, NULL), 0);
	assert_int_equal(clock_step(CLOCK_STEP_MIN_US - 1, 0, NULL), 0);
	assert_int_equal(clock_step(-CLOCK_STEP_MIN_US + 1, 0, NULL), 0);
	assert_int_equal(clock_step(-3600LL * 1000000, time_now_us() / 1000000 - 60, NULL),
			 0); /* would lie before the floor */
	assert_int_equal(clock_step(INT64_MAX, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_floor),
					    cmocka_unit_test(test_no_need) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
