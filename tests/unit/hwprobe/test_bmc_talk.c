/* Which questions are asked of a BMC, in which order, and what is made of each answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/bmc.h"

/* A BMC made of rows; keeps what it was asked: "06 42 01|0c 02 01 03 00 00|…". */
struct row {
	const char *question; /* hex */
	int code;
	const char *answer;
	size_t len;
};

static const struct row *rows;
static char asked[8192];

static int answer(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		  size_t *ret_len)
{
	char question[64];
	size_t n = (size_t)snprintf(question, sizeof(question), "%02x %02x", netfn, cmd);
	for (size_t i = 0; i < len; i++)
		n += (size_t)snprintf(question + n, sizeof(question) - n, " %02x", data[i]);
	snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s|", question);
	for (const struct row *r = rows; r->question; r++) {
		if (strcmp(r->question, question))
			continue;
		if (r->code < 0)
			return r->code;
		memcpy(ret, r->answer, r->len);
		*ret_len = r->len;
		return r->code;
	}
	return 0xc1;
}

static int ask(const struct row *table, bool has_more, struct bmc_info *ret)
{
	struct ipmi i;
	rows = table;
	*asked = '\0';
	assert_int_equal(ipmi_open(&i, answer, 1000), 0);
	int rc = bmc_ask(&i, has_more, ret);
	ipmi_done(&i);
	return rc;
}

/* Only channels that are LANs are asked for addresses; of those reserved none is asked at all. */
static void test_channels(void **state)
{
	static const struct row table[] = {
		{ "06 42 01", 0, "\1\5\x81", 3 }, /* serial */
		{ "06 42 03", 0, "\3\4\x81", 3 },
		{ "0c 02 03 03 00 00", 0, "\x11\xc0\0\2\7", 5 },
		{ "06 42 08", 0, "\x08\x86\x81", 3 }, /* other LAN; the high bit is reserved */
		{ "0c 02 08 03 00 00", 0, "\x11\xc0\0\2\x08", 5 },
		{ NULL },
	};
	struct bmc_info info;
	assert_int_equal(ask(table, false, &info), 0);
	assert_true(info.has_v4);
	assert_memory_equal(info.v4, "\xc0\0\2\7", 4);
	assert_int_equal(info.channel, 3);
	assert_non_null(strstr(asked, "06 42 0b|"));
	assert_null(strstr(asked, "06 42 0c|"));
	assert_null(strstr(asked, "0c 02 01"));
	assert_null(strstr(asked, "0c 02 08 03")); /* there is an address already */
	assert_non_null(strstr(asked, "0c 02 08 33"));
	assert_null(strstr(asked, "0c 02 03 05")); /* the MAC address is for the full format */
}

static void test_dead(void **state)
{
	static const struct row table[] = {
		{ "06 42 01", 0, "\1\4\x81", 3 },
		{ "0c 02 01 03 00 00", 0, "\x11\xc0\0\2\7", 5 },
		{ "06 42 02", -ETIMEDOUT, NULL, 0 },
		{ NULL },
	};
	struct bmc_info info;
	assert_int_equal(ask(table, false, &info), -ETIMEDOUT);
	assert_true(info.has_v4); /* what was said before counts */
	assert_null(strstr(asked, "06 42 03"));
}

static void test_more(void **state)
{
	static const struct row table[] = {
		{ "06 42 01", 0, "\1\4\x81", 3 },
		{ "0c 02 01 03 00 00", 0, "\x11\xc0\0\2\7", 5 },
		{ "0c 02 01 04 00 00", 0, "\x11\xf1", 2 }, /* static; the high bits are reserved */
		{ "0c 02 01 05 00 00", 0, "\x11\1\2\3\4\5", 6 }, /* a byte is missing */
		{ "0c 02 01 06 00 00", 0x80, "", 0 },
		{ "0c 02 01 14 00 00", 0, "\x11\xff\x8f", 3 },
		{ NULL },
	};
	struct bmc_info info;
	assert_int_equal(ask(table, true, &info), 0);
	assert_int_equal(info.source, 1);
	assert_false(info.has_mac);
	assert_false(info.has_netmask);
	assert_int_equal(info.vlan_id, 0xfff);
}

#define V6(set, last, status) \
	"\x11" set "\x80\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last "\x40" status

/* Dynamic sets go first, the lowest active one counts; never more sets than there may be. */
static void test_v6(void **state)
{
	static const struct row table[] = {
		{ "06 42 01", 0, "\1\4\x81", 3 },
		{ "0c 02 01 33 00 00", 0, "\x11\2", 2 },
		{ "0c 02 01 37 00 00", 0, "\x11\1\xff\0", 4 },
		{ "0c 02 01 3b 02 00", 0, V6("\2", "\x22", "\1"), 21 },
		{ "0c 02 01 38 00 00", 0, V6("\0", "\x33", "\0"), 21 },
		{ NULL },
	};
	struct bmc_info info;
	assert_int_equal(ask(table, false, &info), 0);
	assert_true(info.has_v6);
	assert_int_equal(info.v6[15], 0x33);
	assert_int_equal(info.channel, 1);
	assert_non_null(strstr(asked, "0c 02 01 3b 0f 00|"));
	assert_null(strstr(asked, "0c 02 01 3b 10 00|"));
}

#define V6_SET(set, source, first, last, status) \
	"\x11" set source first "\0\0\0\0\0\0\0\0\0\0\0" last "\x40" status

/* Which set of several counts. */
static void test_v6_sets(void **state)
{
	static const struct {
		const char *what;
		const char *sets[3]; /* dynamic 0, static 0, static 1 */
		uint8_t want;        /* the last byte; 0 = none */
	} cases[] = {
		{ "a static one that is switched off",
		  { NULL, V6_SET("\0", "\0", "\x20\1\x0d\xb8", "\x33", "\0"),
		    V6_SET("\1", "\x80", "\x20\1\x0d\xb8", "\x34", "\0") },
		  0x34 },
		{ "link-local",
		  { V6_SET("\0", "\1", "\xfe\x80\0\0", "\x22", "\0"), NULL,
		    V6_SET("\1", "\x80", "\x20\1\x0d\xb8", "\x34", "\0") },
		  0x34 },
		{ "unspecified", { V6_SET("\0", "\1", "\0\0\0\0", "\0", "\0"), NULL, NULL }, 0 },
		{ "a dynamic one has no such bit",
		  { V6_SET("\0", "\1", "\x20\1\x0d\xb8", "\x22", "\0"),
		    V6_SET("\0", "\x80", "\x20\1\x0d\xb8", "\x33", "\0"), NULL },
		  0x22 },
	};
	static const char *const questions[] = { "0c 02 01 3b 00 00", "0c 02 01 38 00 00",
						 "0c 02 01 38 01 00" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row table[8] = { { "06 42 01", 0, "\1\4\x81", 3 },
					{ "0c 02 01 33 00 00", 0, "\x11\1", 2 },
					{ "0c 02 01 37 00 00", 0, "\x11\2\1\0", 4 } };
		size_t n = 3;
		struct bmc_info info;
		print_message("%s\n", cases[i].what);
		for (size_t k = 0; k < 3; k++)
			if (cases[i].sets[k])
				table[n++] = (struct row){ questions[k], 0, cases[i].sets[k], 21 };
		assert_int_equal(ask(table, false, &info), 0);
		assert_int_equal(info.has_v6, cases[i].want != 0);
		assert_int_equal(info.v6[15], cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels), cmocka_unit_test(test_dead),
		cmocka_unit_test(test_more),     cmocka_unit_test(test_v6),
		cmocka_unit_test(test_v6_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
