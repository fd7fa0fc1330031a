#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ NULL, -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 4242;
		assert_int_equal(str_to_u64(cases[i].text, &v), cases[i].code);
		assert_int_equal(v, cases[i].code ? 4242 : cases[i].value);
	}
}

static void test_i64(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t value;
	} cases[] = {
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "-0", 0, 0 },
		{ "-5", 0, -5 },
		{ "-", -EINVAL, 0 },
		{ "--5", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t v = 4242;
		assert_int_equal(str_to_i64(cases[i].text, &v), cases[i].code);
		assert_true(v == (cases[i].code ? 4242 : cases[i].value));
	}
}

static void test_bool(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES", "True" };
	static const char *const no[] = { "no", "false", "off", "0", "No" };
	static const char *const neither[] = { "", "y", "2", "yes ", "enable" };
	bool v;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		v = false;
		assert_int_equal(str_to_bool(yes[i], &v), 0);
		assert_true(v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		v = true;
		assert_int_equal(str_to_bool(no[i], &v), 0);
		assert_false(v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++)
		assert_int_equal(str_to_bool(neither[i], &v), -EINVAL);
	assert_int_equal(str_to_bool(NULL, &v), -EINVAL);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t value;
	} cases[] = {
		{ "4096", 0, 4096 },
		{ "64K", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "10M", 0, 10485760 },
		{ "10MB", 0, 10000000 },
		{ "120GB", 0, 120000000000 },
		{ "2G", 0, 2147483648 },
		{ "1T", 0, 1099511627776 },
		{ "16777215T", 0, 16777215ull << 40 },
		{ "16777216T", -ERANGE, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "1 G", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ "1g", -EINVAL, 0 },
		{ "-1K", -EINVAL, 0 },
		{ "1KK", -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 4242;
		assert_int_equal(str_to_size(cases[i].text, &v), cases[i].code);
		assert_int_equal(v, cases[i].code ? 4242 : cases[i].value);
	}
}

static void test_ms(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t value;
	} cases[] = {
		{ "5", 0, 5000 },
		{ "500ms", 0, 500 },
		{ "10s", 0, 10000 },
		{ "3m", 0, 180000 },
		{ "2h", 0, 7200000 },
		{ "0", 0, 0 },
		{ "1d", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "5124095576030h", 0, 18446744073708000000ull },
		{ "5124095576031h", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 4242;
		assert_int_equal(str_to_ms(cases[i].text, &v), cases[i].code);
		assert_int_equal(v, cases[i].code ? 4242 : cases[i].value);
	}
}

static void test_comparing(void **state)
{
	assert_true(str_eq("a", "a"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq("", NULL));
	assert_false(str_eq("a", "b"));
	assert_true(str_starts("image.iso", "image"));
	assert_false(str_starts("im", "image"));
	assert_false(str_starts(NULL, ""));
	assert_true(str_ends("image.iso", ".iso"));
	assert_false(str_ends("so", ".iso"));
	assert_false(str_ends(NULL, ""));
	assert_true(str_empty(NULL) && str_empty("") && !str_empty(" "));
}

static void test_copying(void **state)
{
	char text[] = " \t a b \r\n", small[4] = "zzz";
	assert_string_equal(str_trim(text), "a b");
	char blank[] = "  \n";
	assert_string_equal(str_trim(blank), "");

	assert_true(str_copy(small, sizeof(small), "abc"));
	assert_string_equal(small, "abc");
	assert_false(str_copy(small, sizeof(small), "wxyz"));
	assert_string_equal(small, "wxy");
	assert_false(str_copy(small, 0, ""));
	assert_string_equal(small, "wxy");

	AUTO(freep) char *s = NULL;
	assert_null(str_dup(NULL));
	assert_int_equal(str_set(&s, "one"), 0);
	assert_int_equal(str_set(&s, s), 0); /* from itself */
	assert_string_equal(s, "one");
	assert_int_equal(str_set(&s, NULL), 0);
	assert_null(s);
	s = str_printf("%s-%d", "x", 5);
	assert_string_equal(s, "x-5");
}

/* RFC 3629 §3 and §4: which byte sequences are UTF-8. */
static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool is_text;
		const char *made;
	} cases[] = {
		{ "", true, "" },
		{ "plain\ttext\n", true, "plain\ttext\n" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true,
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf" },
		{ "\xf4\x90\x80\x80", false, "????" },
		{ "\xc0\xaf", false, "??" },
		{ "\xe0\x80\xaf", false, "???" },
		{ "\xed\xa0\x80", false, "???" },
		{ "a\xe2\x82", false, "a??" },
		{ "\x80 b", false, "? b" },
		{ "\xff", false, "?" },
		{ "bell\a", false, "bell\a" },
		{ "esc\033[m", false, "esc\033[m" },
		{ "del\x7f", false, "del\x7f" },
		{ "c1\xc2\x9b", false, "c1\xc2\x9b" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		assert_int_equal(str_is_text(cases[i].text), cases[i].is_text);
		assert_true(str_copy(text, sizeof(text), cases[i].text));
		str_make_utf8(text);
		assert_string_equal(text, cases[i].made);
	}
}

static void test_uuid_and_mac(void **state)
{
	static const uint8_t bytes[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const char *const bad[] = { "",
					   "00112233-4455-6677-8899-aabbccddeef",
					   "00112233-4455-6677-8899-aabbccddeeff0",
					   "0011223304455-6677-8899-aabbccddeeff",
					   "g0112233-4455-6677-8899-aabbccddeeff",
					   "{0112233-4455-6677-8899-aabbccddeeff" };
	char text[UUID_LEN + 1], other[UUID_LEN + 1];
	uuid_format(bytes, text);
	assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
	assert_true(uuid_is_valid(text));
	assert_true(uuid_is_valid("00112233-4455-6677-8899-AABBCCDDEEFF"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(uuid_is_valid(bad[i]));
	assert_false(uuid_is_valid(NULL));

	uuid_random(text);
	uuid_random(other);
	assert_true(uuid_is_valid(text));
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
	assert_string_not_equal(text, other);

	assert_true(mac_is_valid("52:54:00:aB:cd:ef"));
	assert_false(mac_is_valid("52:54:00:ab:cd"));
	assert_false(mac_is_valid("52:54:00:ab:cd:ef:01"));
	assert_false(mac_is_valid("52-54-00-ab-cd-ef"));
	assert_false(mac_is_valid(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),          cmocka_unit_test(test_i64),
		cmocka_unit_test(test_bool),         cmocka_unit_test(test_size),
		cmocka_unit_test(test_ms),           cmocka_unit_test(test_comparing),
		cmocka_unit_test(test_copying),      cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_uuid_and_mac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
