/*
 * Passwords: PBKDF2-HMAC-SHA256 (RFC 8018) with a random salt, as "pbkdf2-sha256$ITERATIONS$SALT$HASH", base64url.
 */
#include <errno.h>
#include <inttypes.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/pki.h"
#include "common/secret.h"
#include "service/auth.h"

#define SCHEME "pbkdf2-sha256"
#define ITERATIONS 30000
#define ITERATIONS_MAX 10000000
#define SALT_LEN 16
#define HASH_LEN 32

static int derive(const char *password, const uint8_t *salt, size_t salt_len, uint32_t iterations,
		  uint8_t ret[HASH_LEN])
{
	const unsigned char *text = (const unsigned char *)password;

#if MBEDTLS_VERSION_NUMBER >= 0x03030000
	int r = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, text, strlen(password), salt,
					      salt_len, iterations, HASH_LEN, ret);
#else
	mbedtls_md_context_t md;
	mbedtls_md_init(&md);
	int r = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
	if (r == 0)
		r = mbedtls_pkcs5_pbkdf2_hmac(&md, text, strlen(password), salt, salt_len,
					      iterations, HASH_LEN, ret);
	mbedtls_md_free(&md);
#endif
	return r == 0 ? 0 : -EIO;
}

char *auth_password_hash(const char *password)
{
	uint8_t salt[SALT_LEN], hash[HASH_LEN];

	random_bytes(salt, sizeof(salt));
	if (derive(password, salt, sizeof(salt), ITERATIONS, hash) < 0)
		return NULL;
	AUTO(freep) char *salt_text = base64url_encode(salt, sizeof(salt));
	AUTO(freep) char *hash_text = base64url_encode(hash, sizeof(hash));
	secret_wipe(hash, sizeof(hash));
	return salt_text && hash_text
		       ? str_printf(SCHEME "$%d$%s$%s", ITERATIONS, salt_text, hash_text)
		       : NULL;
}

/* The parts of a stored hash; both texts are borrowed from @copy. */
static bool parse(char *copy, uint64_t *ret_iterations, char **ret_salt, char **ret_hash)
{
	char *save = NULL;
	char *scheme = strtok_r(copy, "$", &save), *count = strtok_r(NULL, "$", &save);

	*ret_salt = strtok_r(NULL, "$", &save);
	*ret_hash = strtok_r(NULL, "$", &save);
	return scheme && count && *ret_salt && *ret_hash && !strcmp(scheme, SCHEME) &&
	       str_to_u64(count, ret_iterations) == 0 && *ret_iterations > 0 &&
	       *ret_iterations <= ITERATIONS_MAX;
}

bool auth_password_matches(const char *hash, const char *password)
{
	AUTO(freep) char *copy = str_dup(hash);
	AUTO(freep) void *salt = NULL;
	AUTO(freep) void *wanted = NULL;
	char *salt_text, *hash_text;
	size_t salt_len, wanted_len;
	uint64_t iterations;
	uint8_t got[HASH_LEN];

	if (!copy || !parse(copy, &iterations, &salt_text, &hash_text))
		return false;
	if (base64url_decode(salt_text, strlen(salt_text), &salt, &salt_len) < 0 ||
	    base64url_decode(hash_text, strlen(hash_text), &wanted, &wanted_len) < 0 ||
	    wanted_len != HASH_LEN)
		return false;
	if (derive(password, salt, salt_len, (uint32_t)iterations, got) < 0)
		return false;

	uint8_t difference = 0;
	for (size_t i = 0; i < HASH_LEN; i++)
		difference |= (uint8_t)(got[i] ^ ((const uint8_t *)wanted)[i]);
	secret_wipe(got, sizeof(got));
	return difference == 0;
}
