#pragma once
/*
 * SHA-256 with run-time dispatch: SHA-NI on x86 (CPUID.7.0:EBX bit 29), ARMv8 SHA2 (HWCAP_SHA2), mbedTLS elsewhere.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64
#define SHA256_BLOCK 64

/* One way to compute the compression function of FIPS 180-4 §6.2.2. */
struct sha256_engine {
	const char *name;
	bool (*is_usable)(void); /* on this CPU */
	/* Takes @blocks blocks of 64 bytes into @state. */
	void (*compress)(uint32_t state[8], const uint8_t *data, size_t blocks);
};

struct sha256 {
	const struct sha256_engine *engine;
	uint32_t state[8];
	uint64_t total;              /* bytes so far */
	uint8_t block[SHA256_BLOCK]; /* the unfinished block */
};

void sha256_init(struct sha256 *s);
/* The same with one engine of sha256_engines(); for tests and benches. @e must be usable. */
void sha256_init_engine(struct sha256 *s, const struct sha256_engine *e);
void sha256_update(struct sha256 *s, const void *data, size_t len);
void sha256_final(struct sha256 *s, uint8_t ret[SHA256_LEN]);
void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN]);
void sha256_hex(const void *data, size_t len, char ret[SHA256_HEX_LEN + 1]);
/* Which code is in use: "sha-ni", "armv8", "mbedtls". */
const char *sha256_engine(void);
/* All engines of this build, best first, NULL-terminated; the last one is usable everywhere. */
const struct sha256_engine *const *sha256_engines(void);
/* MD5 is only used where the protocol asks for it (host ids). */
void md5(const void *data, size_t len, uint8_t ret[16]);
