/* What replaces a secret: of the same shape, the same one everywhere, and not to be traced back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/scrub.h"

static void expect_shape(const struct scrub *s, const char *text, bool is_kept)
{
	char got[64];
	snprintf(got, sizeof(got), "%s", text);
	scrub_shape(s, got, strlen(got));
	assert_int_equal(strlen(got), strlen(text));
	if (!strcmp(got, text) != is_kept)
		fail_msg("%s became %s", text, got);
	for (size_t i = 0; text[i]; i++) {
		assert_int_equal(!!isdigit((unsigned char)text[i]),
				 !!isdigit((unsigned char)got[i]));
		assert_int_equal(!!isupper((unsigned char)text[i]),
				 !!isupper((unsigned char)got[i]));
		if (!isalnum((unsigned char)text[i]))
			assert_int_equal(text[i], got[i]);
	}
}

static void test_shapes(void **state)
{
	static const char *const changed[] = { "WD-WX11D1234567", "5000c500a1b2c3d4", "1234-ABCD",
					       "iqn.2001-04.com.example:storage.7" };
	static const char *const kept[] = { "None",      "To be filled by O.E.M.", "0000000000",
					    "localhost", "Not Specified",          "--" };
	const struct scrub s = { .key = "fifteen letters" };
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		expect_shape(&s, changed[i], false);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		expect_shape(&s, kept[i], true);
	/* The same text becomes the same; another key, something else. */
	const struct scrub other = { .key = "another key" };
	char a[] = "5000c500a1b2c3d4", b[] = "5000c500a1b2c3d4", c[] = "5000c500a1b2c3d4";
	scrub_shape(&s, a, strlen(a));
	scrub_shape(&s, b, strlen(b));
	scrub_shape(&other, c, strlen(c));
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(strspn(a, "0123456789abcdef"), strlen(a));
}

static void test_words(void **state)
{
	struct scrub s = { .key = "k" };
	scrub_add(&s, "0x5000c500a1b2c3d4\n", 19);
	scrub_add(&s, " 12345678 ", 10);
	scrub_add(&s, "ab1", 3);    /* too short */
	scrub_add(&s, "simple", 6); /* no digit */
	scrub_ready(&s);
	assert_int_equal(s.n, 2);
	char text[] = "wwn-0x5000c500a1b2c3d4 naa.5000c500a1b2c3d4 1234567890 12345678 ab1 simple";
	assert_true(scrub_apply(&s, text, strlen(text)));
	assert_null(strstr(text, "5000c500a1b2c3d4"));
	assert_non_null(strstr(text, " 1234567890 "));
	assert_null(strstr(text, " 12345678 "));
	assert_non_null(strstr(text, " ab1 simple"));
	assert_memory_equal(text + 6, text + 27, 16); /* the same in both places */
	assert_false(scrub_apply(&s, text, 4));
	arena_done(&s.mem);
}

static uint32_t v4(const struct scrub *s, const char *text, unsigned bits)
{
	uint8_t ip[4];
	assert_int_equal(inet_pton(AF_INET, text, ip), 1);
	scrub_ip(s, ip, 4, bits);
	return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

static void test_addresses(void **state)
{
	const struct scrub s = { .key = "some key" };
	uint32_t host = v4(&s, "203.0.113.77", 32), net = v4(&s, "203.0.113.64", 26);
	assert_int_not_equal(host, 0xcb00714d);
	assert_int_equal(host >> 24, 203);
	assert_int_equal(host >> 6, net >> 6);
	assert_int_equal(net & 0x3f, 0);
	assert_int_equal(v4(&s, "192.168.7.9", 32) >> 16, 0xc0a8);
	assert_int_equal(v4(&s, "127.0.0.1", 32), 0x7f000001);
	assert_int_equal(v4(&s, "0.0.0.0", 0), 0);
	uint8_t local[16] = { 0xfe, 0x80, [8] = 2, 0, 0, 0xff, 0xfe, 1, 2, 3 },
		one[16] = { [15] = 1 };
	scrub_ip(&s, local, 16, 128);
	assert_memory_equal(local, "\xfe\x80\0\0\0\0\0\0", 8);
	assert_memory_not_equal(local + 8, "\2\0\0\xff\xfe\1\2\3", 8);
	scrub_ip(&s, one, 16, 128);
	assert_int_equal(one[15], 1);
}

/* One MAC address in every way it is written; the vendor's half stays. */
static void test_mac(void **state)
{
	struct scrub s = { .key = "k" };
	static const uint8_t mac[6] = { 0x0c, 0x42, 0xa1, 0x9f, 0x3e, 0x71 };
	char text[] = "0c:42:a1:9f:3e:71 0C:42:A1:9F:3E:71 01-0c-42-a1-9f-3e-71 enx0c42a19f3e71 "
		      "0c:42:a1:9f:3e:72";
	char bytes[] = "x\x0c\x42\xa1\x9f\x3e\x71x";
	scrub_add_mac(&s, mac);
	scrub_ready(&s);
	assert_true(scrub_apply(&s, text, strlen(text)));
	assert_memory_equal(text, "0c:42:a1:", 9);
	assert_memory_equal(text + 18, "0C:42:A1:", 9);
	assert_null(strstr(text, "9f:3e:71"));
	assert_null(strstr(text, "9F:3E:71"));
	assert_null(strstr(text, "9f-3e-71"));
	assert_null(strstr(text, "9f3e71"));
	assert_non_null(strstr(text, "0c:42:a1:9f:3e:72")); /* somebody else's */
	assert_true(scrub_apply(&s, bytes, sizeof(bytes) - 1));
	assert_memory_equal(bytes, "x\x0c\x42\xa1", 4);
	assert_memory_not_equal(bytes + 4, "\x9f\x3e\x71", 3);
	assert_int_equal(bytes[7], 'x');
	uint8_t again[6];
	memcpy(again, mac, 6);
	scrub_mac(&s, again);
	assert_memory_equal(again, bytes + 1, 6);
	arena_done(&s.mem);
}

static void test_hash(void **state)
{
	const struct scrub a = { .key = "a" }, b = { .key = "b" };
	assert_int_equal(scrub_hash(&a, "12345678", 8), scrub_hash(&a, "12345678", 8));
	assert_int_not_equal(scrub_hash(&a, "12345678", 8), scrub_hash(&b, "12345678", 8));
	assert_int_not_equal(scrub_hash(&a, "12345678", 8), scrub_hash(&a, "12345678", 7));
	/* SipHash-2-4, Aumasson and Bernstein, appendix A: key 00 to 0f, message 00 to 0e */
	struct scrub paper;
	uint8_t message[15];
	for (uint8_t i = 0; i < 16; i++)
		paper.key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		message[i] = i;
	assert_true(scrub_hash(&paper, message, sizeof(message)) == 0xa129ca6149be45e5);
}

/* What sysfs says of an address, and what netlink says, become the same; the maker's part stays. */
static void test_hwaddr(void **state)
{
	static const struct {
		const char *text, *spelt;
		size_t kept; /* of the spelling */
		bool want;
	} cases[] = {
		{ "52:54:00:12:34:56", "52-54-00-12-34-56", 8, true },
		{ "52:54:00:12:34:56\n", "525400123456", 6, true },
		{ "00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:03:00:aa:bb:cc", "b859c70300aabbcc",
		  6, true },
		{ "00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:03:00:aa:bb", NULL, 0, false },
		{ "00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:03:00:aa:bb:cc:dd", NULL, 0,
		  false },
		{ "52:54:00:12:34:5", NULL, 0, false },
		{ "5254.0012.3456", NULL, 0, false },
		{ "", NULL, 0, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scrub s = { .key = "hw" };
		char text[64];
		print_message("%s\n", cases[i].text);
		assert_int_equal(scrub_add_hwaddr_text(&s, cases[i].text), cases[i].want);
		scrub_ready(&s);
		if (cases[i].want) {
			snprintf(text, sizeof(text), "%s", cases[i].spelt);
			assert_true(scrub_apply(&s, text, strlen(text)));
			assert_memory_equal(text, cases[i].spelt, cases[i].kept);
			assert_string_not_equal(text, cases[i].spelt);
		}
		arena_done(&s.mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hwaddr), cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_words),  cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mac),    cmocka_unit_test(test_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
