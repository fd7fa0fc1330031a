#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

static void test_hex(void **state)
{
	uint8_t out[3] = { 9, 9, 9 };
	char text[7];
	hex_encode("\x00\xab\xff", 3, text);
	assert_string_equal(text, "00abff");
	assert_int_equal(hex_decode("00ABff", out, 3), 0);
	assert_memory_equal(out, "\x00\xab\xff", 3);

	static const char *const bad[] = { "", "00abf", "00abff0", "00abfg", " 0abff" };
	memset(out, 9, sizeof(out));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(hex_decode(bad[i], out, 3), -EINVAL);
	assert_int_equal(hex_decode(NULL, out, 3), -EINVAL);
	assert_memory_equal(out, "\x09\x09\x09", 3);
	hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
}

/* RFC 4648 §10. */
static void test_base64_vectors(void **state)
{
	static const struct {
		const char *plain, *text, *url;
	} cases[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+", "-__-" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *text = base64_encode(cases[i].plain, strlen(cases[i].plain));
		AUTO(freep) char *url = base64url_encode(cases[i].plain, strlen(cases[i].plain));
		assert_string_equal(text, cases[i].text);
		assert_string_equal(url, cases[i].url);
		AUTO(freep) void *plain = NULL;
		AUTO(freep) void *plain_url = NULL;
		size_t len;
		assert_int_equal(base64_decode(text, strlen(text), &plain, &len), 0);
		assert_int_equal(len, strlen(cases[i].plain));
		assert_string_equal(plain, cases[i].plain); /* with its NUL */
		assert_int_equal(base64url_decode(url, strlen(url), &plain_url, &len), 0);
		assert_string_equal(plain_url, cases[i].plain);
	}
}

static void test_base64_refused(void **state)
{
	static const char *const bad[] = {
		"Zg",     "Zg=",  "Zg===", "Z",    "Z===", "====", "=",    "Zg==Zg==",
		"Zm9v\n", "Zm 9", "Zm9-",  "Zm9_", "Zh==", "Zm9=", "Zm=v", "\xc3\xa9==",
	};
	static const char *const bad_url[] = { "Z", "Zg==", "Zm9+", "Zm9/", "Zh", "Zm9vY" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *p = NULL;
		size_t len = 77;
		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &p, &len), -EINVAL);
		assert_true(p == NULL && len == 77);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_url); i++) {
		void *p = NULL;
		size_t len;
		assert_int_equal(base64url_decode(bad_url[i], strlen(bad_url[i]), &p, &len),
				 -EINVAL);
	}
}

static void test_base64_all_lengths(void **state)
{
	uint8_t data[256];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof(data); n++) {
		AUTO(freep) char *text = base64_encode(data, n);
		AUTO(freep) void *back = NULL;
		size_t len;
		assert_int_equal(strlen(text), (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(text, strlen(text), &back, &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(back, data, n);
	}
}

static void test_url(void **state)
{
	static const struct {
		const char *plain;
		bool keep_slash;
		const char *text;
	} cases[] = {
		{ "aZ09-._~", false, "aZ09-._~" }, { "a/b c", true, "a/b%20c" },
		{ "a/b", false, "a%2Fb" },         { "100%?&=#+", false, "100%25%3F%26%3D%23%2B" },
		{ "\xc3\xa9", false, "%C3%A9" },   { "", true, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *text = url_encode(cases[i].plain, cases[i].keep_slash);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64_vectors),
		cmocka_unit_test(test_base64_refused),
		cmocka_unit_test(test_base64_all_lengths),
		cmocka_unit_test(test_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
