#pragma once
/*
 * SHA-256 with run-time dispatch: SHA-NI on x86 (CPUID.7.0:EBX bit 29), ARMv8 SHA2 (HWCAP_SHA2), mbedTLS elsewhere.
 */
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64

struct sha256 {
	uint32_t state[8];
	uint64_t total;	     /* bytes so far */
	uint8_t block[64];   /* the unfinished block */
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);
void sha256_final(struct sha256 *s, uint8_t ret[SHA256_LEN]);
void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN]);
void sha256_hex(const void *data, size_t len, char ret[SHA256_HEX_LEN + 1]);
/* Which code is in use: "sha-ni", "armv8", "mbedtls". */
const char *sha256_engine(void);
/* MD5 is only used where the protocol asks for it (host ids). */
void md5(const void *data, size_t len, uint8_t ret[16]);
