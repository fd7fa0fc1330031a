#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/mbedtls_compat.h"

/* Independent of the code under test: mbedTLS from start to finish. */
static void reference(const void *data, size_t len, uint8_t ret[32])
{
	mbedtls_sha256_context c;
	mbedtls_sha256_init(&c);
	assert_int_equal(mbed_sha256_starts(&c), 0);
	assert_int_equal(mbed_sha256_update(&c, data, len), 0);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	assert_int_equal(mbedtls_sha256_finish(&c, ret), 0);
#else
	assert_int_equal(mbedtls_sha256_finish_ret(&c, ret), 0);
#endif
	mbedtls_sha256_free(&c);
}

/* FIPS 180-4 examples (NIST CSRC "SHA-256 example values") and the empty message. */
static void test_known(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char hex[SHA256_HEX_LEN + 1];
		sha256_hex(cases[i].text, strlen(cases[i].text), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void test_md5(void **state)
{
	/* RFC 1321 §A.5 */
	static const uint8_t want[16] = { 0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
					  0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72 };
	uint8_t got[16];
	md5("abc", 3, got);
	assert_memory_equal(got, want, 16);
}

/* Every engine of this machine, every length around the block borders, against mbedTLS. */
static void test_engines_lengths(void **state)
{
	uint8_t data[300];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + 7);

	unsigned tried = 0;
	for (const struct sha256_engine *const *e = sha256_engines(); *e; e++) {
		if (!(*e)->is_usable())
			continue;
		tried++;
		for (size_t len = 0; len <= sizeof(data); len++) {
			uint8_t want[32], got[32];
			struct sha256 s;
			reference(data, len, want);
			sha256_init_engine(&s, *e);
			sha256_update(&s, data, len);
			sha256_final(&s, got);
			assert_memory_equal(got, want, 32);
		}
	}
	assert_true(tried >= 1);
	assert_string_equal(sha256_engines()[0]->is_usable() ? sha256_engines()[0]->name
							     : "mbedtls",
			    sha256_engine());
}

/* Random lengths cut at random places, unaligned. */
static void test_engines_splits(void **state)
{
	enum { MAX = 70000 };
	AUTO(freep) uint8_t *data = malloc(MAX + 16);
	assert_non_null(data);
	srandom(20);
	for (size_t i = 0; i < MAX + 16; i++)
		data[i] = (uint8_t)random();

	for (const struct sha256_engine *const *e = sha256_engines(); *e; e++) {
		for (int round = 0; (*e)->is_usable() && round < 300; round++) {
			const uint8_t *p = data + random() % 16;
			size_t len = (size_t)(random() % (round % 3 ? 1000 : MAX)), at = 0;
			uint8_t want[32], got[32];
			struct sha256 s;
			reference(p, len, want);
			sha256_init_engine(&s, *e);
			while (at < len) {
				size_t n = (size_t)random() % 200;
				if (round % 5 == 0)
					n *= 50;
				n = MIN_OF(n, len - at);
				sha256_update(&s, p + at, n);
				at += n;
			}
			sha256_final(&s, got);
			assert_memory_equal(got, want, 32);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_md5),
		cmocka_unit_test(test_engines_lengths),
		cmocka_unit_test(test_engines_splits),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
