#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include "agent/sntp.h"
#include "common/cleanup.h"

#define UNIX_TO_NTP_S 2208988800ULL
#define COOKIE 0x1122334455667788ULL

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void make_answer(uint8_t p[SNTP_LEN], int64_t server_us)
{
	uint64_t s = (uint64_t)(server_us / 1000000) + UNIX_TO_NTP_S;
	uint64_t ntp = s << 32 | ((uint64_t)(server_us % 1000000) << 32) / 1000000;

	memset(p, 0, SNTP_LEN);
	p[0] = 4 << 3 | 4;
	p[1] = 2;
	put64(p + 24, COOKIE);
	put64(p + 32, ntp);
	put64(p + 40, ntp);
}

static void test_offset(void **state)
{
	const int64_t ours = 1795329376LL * 1000000;
	const int64_t offsets[] = { 0, 1500000, -1500000, 86400LL * 1000000, -3600LL * 1000000 };
	uint8_t p[SNTP_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		int64_t got;
		make_answer(p, ours + offsets[i]);
		/* 20 ms each way: the server's time is that of the middle */
		assert_int_equal(
			sntp_answer(p, sizeof(p), COOKIE, ours - 20000, ours + 20000, &got, NULL),
			0);
		assert_in_range(got - offsets[i] + 10, 0, 20);
	}
}

/* After 2036-02-07 the 32-bit seconds begin anew. */
static void test_era(void **state)
{
	const int64_t ours = 2200000000LL * 1000000; /* 2039 */
	uint8_t p[SNTP_LEN];
	int64_t got;

	make_answer(p, ours + 5000000);
	assert_int_equal(sntp_answer(p, sizeof(p), COOKIE, ours, ours, &got, NULL), 0);
	assert_in_range(got - 5000000 + 10, 0, 20);
}

static void test_refuses(void **state)
{
	const struct {
		const char *what;
		size_t at;
		uint8_t value;
		size_t len;
	} rows[] = {
		{ "too short", 0, 0x24, SNTP_LEN - 1 },    { "a query", 0, 4 << 3 | 3, SNTP_LEN },
		{ "not synchronised", 0, 0xe4, SNTP_LEN }, { "kiss of death", 1, 0, SNTP_LEN },
		{ "stratum 16", 1, 16, SNTP_LEN },         { "another's cookie", 31, 0, SNTP_LEN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t p[SNTP_LEN];
		int64_t got = 77;
		make_answer(p, 1795329376LL * 1000000);
		p[rows[i].at] = rows[i].value;
		if (sntp_answer(p, rows[i].len, COOKIE, 0, 0, &got, NULL) != -EBADMSG || got != 77)
			fail_msg("%s", rows[i].what);
	}
}

static void test_query(void **state)
{
	uint8_t q[SNTP_LEN];

	sntp_query(COOKIE, q);
	assert_int_equal(q[0], 0x23); /* no leap warning, version 4, client */
	assert_memory_equal(q + 40, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	for (size_t i = 1; i < 40; i++)
		assert_int_equal(q[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_era),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
