#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/pki.h"
#include "common/pki_internal.h"
#include "common/str.h"

static int setup(void **state)
{
	return pki_key_new((char **)state, NULL);
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_sign(void **state)
{
	const char *key = *state;
	AUTO(freep) char *public_pem = NULL;
	assert_int_equal(pki_key_public(key, &public_pem, NULL), 0);
	assert_null(strstr(public_pem, "PRIVATE"));
	uint8_t id[2][32];
	assert_int_equal(pki_key_id(key, id[0], NULL), 0);
	assert_int_equal(pki_key_id(public_pem, id[1], NULL), 0);
	assert_memory_equal(id[0], id[1], 32);

	/* Often enough to meet r and s with leading zero bytes or the top bit set. */
	for (unsigned i = 0; i < 300; i++) {
		uint8_t digest[32], sig[64];
		sha256(&i, sizeof(i), digest);
		assert_int_equal(pki_sign_raw(key, digest, sig, NULL), 0);
		assert_int_equal(pki_verify_raw(i & 1 ? key : public_pem, digest, sig, NULL), 0);
		sig[i % 64] ^= (uint8_t)(1u << (i % 8));
		assert_int_equal(pki_verify_raw(public_pem, digest, sig, NULL), -EBADMSG);
	}
	uint8_t digest[32] = { 0 }, zero[64] = { 0 };
	assert_int_equal(pki_verify_raw(public_pem, digest, zero, NULL), -EBADMSG);
	assert_int_equal(pki_sign_raw(public_pem, digest, zero, NULL), -EBADMSG);
	assert_int_equal(pki_verify_raw("-----BEGIN", digest, zero, NULL), -EINVAL);
}

/* Keys of another kind are refused: an RSA key would be accepted by mbedTLS itself. */
static void test_other_keys(void **state)
{
	static const char p384[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqofKIr6LBTeOscce8yCtdG4dO2KLp5uY\n"
		"WfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR8\n"
		"6doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f\n"
		"-----END PUBLIC KEY-----\n";
	uint8_t id[32];
	struct fault err = FAULT_INIT;
	assert_int_equal(pki_key_id(p384, id, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "P-256"));
	assert_int_equal(pki_key_id(NULL, id, NULL), -EBADMSG);
	assert_int_equal(pki_key_id("", id, NULL), -EBADMSG);
}

/* What a key file may hold instead of a key. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"garbage",
		"-----BEGIN PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
		"AAAAAAAAAAAAAAAAAAAAAA==\n-----END EC PRIVATE KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct fault err = FAULT_INIT;
		uint8_t id[32];
		int r = pki_key_id(texts[i], id, &err);
		if (r != -EBADMSG || !strstr(err.text, "cannot read the key"))
			fail_msg("case %zu: %d %s", i, r, err.text);
	}
}

/* Each byte of the text changed, and each cut of it: refused, or a key that signs; never a crash. */
static void test_flipped(void **state)
{
	const char *key = *state;
	size_t len = strlen(key);
	uint8_t digest[32] = { 1 }, sig[64];
	for (size_t i = 0; i < len; i++) {
		AUTO(freep) char *other = strdup(key);
		other[i] ^= 1;
		AUTO(freep) char *cut = strndup(key, i);
		int r = pki_sign_raw(other, digest, sig, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		r = pki_sign_raw(cut, digest, sig, NULL);
		/* the last line may lack its end */
		assert_true(r == -EBADMSG || i == len - 1);
	}
}

/* At the limit of the text's length, and one byte above it. */
static void test_length(void **state)
{
	const char *key = *state;
	AUTO(freep) char *text = malloc(PKI_PEM_MAX + 2);
	bool is_private;
	mbedtls_pk_context pk;
	struct fault err = FAULT_INIT;
	memset(text, '\n', PKI_PEM_MAX + 1);
	memcpy(text, key, strlen(key));
	text[PKI_PEM_MAX] = '\0';
	assert_int_equal(pki_pk_load(&pk, text, &is_private, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "at most 16383 bytes"));
	text[PKI_PEM_MAX - 1] = '\0';
	assert_int_equal(pki_pk_load(&pk, text, &is_private, NULL), 0);
	assert_true(is_private);
	mbedtls_pk_free(&pk);
}

/* Numbers that are no signature (FIPS 186-4 §6.4): zero, the order of the group, all ones. */
static void test_scalars_out_of_range(void **state)
{
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
					   0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
	const char *key = *state;
	uint8_t digest[32] = { 5 }, good[64], sig[64], ones[32];
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(pki_sign_raw(key, digest, good, NULL), 0);
	const uint8_t zero[32] = { 0 }, *const odd[] = { zero, order, ones };
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		for (size_t half = 0; half < 2; half++) {
			memcpy(sig, good, sizeof(sig));
			memcpy(sig + 32 * half, odd[i], 32);
			assert_int_equal(pki_verify_raw(key, digest, sig, NULL), -EBADMSG);
		}
	}
	/* another key's */
	AUTO(freep) char *other = NULL;
	assert_int_equal(pki_key_new(&other, NULL), 0);
	assert_int_equal(pki_verify_raw(other, digest, good, NULL), -EBADMSG);
	assert_int_equal(pki_verify_raw(key, digest, good, NULL), 0);
}

/* A point that is not on the curve is no key. */
static void test_point_off_the_curve(void **state)
{
	AUTO(freep) char *public_pem = NULL;
	uint8_t id[32];
	size_t len = 0;
	assert_int_equal(pki_key_public(*state, &public_pem, NULL), 0);
	/* the base64 of 91 bytes: the last two lines hold the point's y */
	char *line = strstr(public_pem, "-----END");
	assert_non_null(line);
	line[-6] = line[-6] == 'A' ? 'B' : 'A';
	assert_int_equal(pki_key_id(public_pem, id, NULL), -EBADMSG);
	assert_int_equal(len, 0);
}

static void test_random(void **state)
{
	uint8_t bytes[600] = { 0 }, before;
	unsigned seen[256] = { 0 }, kinds = 0;
	random_bytes(bytes + 1, sizeof(bytes) - 2);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[sizeof(bytes) - 1], 0);
	for (size_t i = 1; i < sizeof(bytes) - 1; i++)
		kinds += !seen[bytes[i]]++;
	assert_true(kinds > 150);
	before = bytes[1];
	random_bytes(bytes + 1, 0);
	assert_int_equal(bytes[1], before);
}

/* Two keys are two keys, and each has its own id. */
static void test_new_keys_differ(void **state)
{
	AUTO(freep) char *other = NULL;
	uint8_t a[32], b[32];
	assert_int_equal(pki_key_new(&other, NULL), 0);
	assert_string_not_equal(other, (const char *)*state);
	assert_int_equal(pki_key_id(*state, a, NULL), 0);
	assert_int_equal(pki_key_id(other, b, NULL), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_scalars_out_of_range),
		cmocka_unit_test(test_point_off_the_curve),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_new_keys_differ),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
