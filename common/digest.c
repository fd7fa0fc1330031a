#include "common/digest.h"

#include <mbedtls/md5.h>
#include <mbedtls/sha256.h>
#include <stdatomic.h>
#include <string.h>

#include "common/mbedtls_compat.h"
#include "common/sha256_engines.h"

static bool always(void)
{
	return true;
}

/*
 * Whole blocks go straight through mbedTLS' public update function (which keeps its own best path there), with our state put
 * in front and taken out behind: the context needs no finish.
 */
static void mbedtls_compress(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	mbedtls_sha256_context c;
	mbedtls_sha256_init(&c);
	(void)mbed_sha256_starts(&c);
	memcpy(c.MBED_FIELD(state), state, 32);
	(void)mbed_sha256_update(&c, data, blocks * SHA256_BLOCK);
	memcpy(state, c.MBED_FIELD(state), 32);
	mbedtls_sha256_free(&c);
}

static const struct sha256_engine engine_mbedtls = {
	.name = "mbedtls",
	.is_usable = always,
	.compress = mbedtls_compress,
};

static const struct sha256_engine *const engines[] = {
#if defined(__x86_64__)
	&sha256_engine_x86,
#elif defined(__aarch64__)
	&sha256_engine_arm,
#endif
	&engine_mbedtls,
	NULL,
};

const struct sha256_engine *const *sha256_engines(void)
{
	return engines;
}

/* CPUID traps in virtual machines, so the answer is kept; every thread would find the same one. */
static const struct sha256_engine *best_engine(void)
{
	static _Atomic(const struct sha256_engine *) known;
	const struct sha256_engine *e = atomic_load_explicit(&known, memory_order_relaxed);
	if (e)
		return e;

	size_t i = 0;
	while (!engines[i]->is_usable())
		i++;
	atomic_store_explicit(&known, engines[i], memory_order_relaxed);
	return engines[i];
}

const char *sha256_engine(void)
{
	return best_engine()->name;
}

void sha256_init_engine(struct sha256 *s, const struct sha256_engine *e)
{
	/* FIPS 180-4 §5.3.3 */
	static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	s->engine = e;
	s->total = 0;
	memcpy(s->state, initial, sizeof(initial));
}

void sha256_init(struct sha256 *s)
{
	sha256_init_engine(s, best_engine());
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t have = s->total % SHA256_BLOCK;
	s->total += len;

	if (have) {
		size_t n = SHA256_BLOCK - have;
		if (n > len)
			n = len;
		memcpy(s->block + have, p, n);
		p += n;
		len -= n;
		if (have + n < SHA256_BLOCK)
			return;
		s->engine->compress(s->state, s->block, 1);
	}
	if (len >= SHA256_BLOCK) {
		s->engine->compress(s->state, p, len / SHA256_BLOCK);
		p += len - len % SHA256_BLOCK;
		len %= SHA256_BLOCK;
	}
	if (len)
		memcpy(s->block, p, len);
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void sha256_final(struct sha256 *s, uint8_t ret[SHA256_LEN])
{
	/* Padding: 0x80, zeros, length in bits as 64-bit big endian (FIPS 180-4 §5.1.1). */
	uint8_t pad[2 * SHA256_BLOCK] = { 0x80 };
	uint64_t bits = s->total * 8;
	size_t have = s->total % SHA256_BLOCK;
	size_t n = (have < 56 ? 56 : 120) - have;

	put_be32(pad + n, (uint32_t)(bits >> 32));
	put_be32(pad + n + 4, (uint32_t)bits);
	sha256_update(s, pad, n + 8);
	for (size_t i = 0; i < 8; i++)
		put_be32(ret + 4 * i, s->state[i]);
}

void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN])
{
	struct sha256 s;
	sha256_init(&s);
	sha256_update(&s, data, len);
	sha256_final(&s, ret);
}

void sha256_hex(const void *data, size_t len, char ret[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[SHA256_LEN];
	sha256(data, len, sum);
	for (size_t i = 0; i < SHA256_LEN; i++) {
		ret[2 * i] = digits[sum[i] >> 4];
		ret[2 * i + 1] = digits[sum[i] & 15];
	}
	ret[SHA256_HEX_LEN] = '\0';
}

void md5(const void *data, size_t len, uint8_t ret[16])
{
	(void)mbed_md5(data, len, ret);
}
