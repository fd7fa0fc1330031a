#pragma once
/*
 * mbedTLS 2.28 and 3.x under one set of names. 3.0 made struct members private, dropped the _ret suffix of the digest
 * functions and gave key parsing and comparison a random source (mbedTLS docs/3.0-migration-guide).
 */
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <stddef.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define MBED_FIELD(m) MBEDTLS_PRIVATE(m)
#define mbed_sha256_starts(c) mbedtls_sha256_starts(c, 0)
#define mbed_sha256_update mbedtls_sha256_update
#define mbed_md5 mbedtls_md5
#define mbed_pk_parse_key(pk, pem, len) \
	mbedtls_pk_parse_key(pk, pem, len, NULL, 0, mbed_random, NULL)
#define mbed_pk_check_pair(pub, prv) mbedtls_pk_check_pair(pub, prv, mbed_random, NULL)
#define mbed_pk_sign(pk, digest, sig, size, n) \
	mbedtls_pk_sign(pk, MBEDTLS_MD_SHA256, digest, 32, sig, size, n, mbed_random, NULL)
#else
#define MBED_FIELD(m) m
#define mbed_sha256_starts(c) mbedtls_sha256_starts_ret(c, 0)
#define mbed_sha256_update mbedtls_sha256_update_ret
#define mbed_md5 mbedtls_md5_ret
#define mbed_pk_parse_key(pk, pem, len) mbedtls_pk_parse_key(pk, pem, len, NULL, 0)
#define mbed_pk_check_pair(pub, prv) mbedtls_pk_check_pair(pub, prv)
#define mbed_pk_sign(pk, digest, sig, size, n) \
	mbedtls_pk_sign(pk, MBEDTLS_MD_SHA256, digest, 32, sig, n, mbed_random, NULL)
#endif

/* mbedTLS' f_rng signature over random_bytes(); never fails. */
int mbed_random(void *unused, unsigned char *out, size_t len);
