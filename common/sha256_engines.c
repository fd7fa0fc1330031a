#include "common/sha256_engines.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#ifndef HWCAP_SHA2
#define HWCAP_SHA2 (1 << 6) /* arch/arm64/include/uapi/asm/hwcap.h */
#endif
#endif

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const uint32_t sha256_round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

#if defined(__x86_64__)

#define X86_TARGET __attribute__((target("sha,sse4.1,ssse3")))

static bool x86_is_usable(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	return b & (1u << 29); /* SHA, Intel SDM volume 2, CPUID leaf 7 */
}

/* Four rounds: SHA256RNDS2 takes two constants-plus-words from the low half of its third operand. */
X86_TARGET static inline void x86_rounds4(__m128i *abef, __m128i *cdgh, __m128i w,
					  const uint32_t *k)
{
	__m128i wk = _mm_add_epi32(w, _mm_loadu_si128((const __m128i *)k));
	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* The next four words of the message schedule out of the sixteen before: W[t] = s1(W[t-2]) + W[t-7] + s0(W[t-15]) + W[t-16]. */
X86_TARGET static inline __m128i x86_schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
	return _mm_sha256msg2_epu32(sum, w3);
}

X86_TARGET static void x86_compress(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	/* The instructions want the eight words as {a,b,e,f} and {c,d,g,h}, highest lane first. */
	__m128i dcba = _mm_loadu_si128((const __m128i *)state);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
	__m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
	__m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

	for (; blocks; blocks--, data += SHA256_BLOCK) {
		__m128i abef0 = abef, cdgh0 = cdgh, w[4];
		for (int i = 0; i < 4; i++) {
			w[i] = _mm_loadu_si128((const __m128i *)(data + 16 * i));
			w[i] = _mm_shuffle_epi8(w[i], swap);
			x86_rounds4(&abef, &cdgh, w[i], sha256_round_constants + 4 * i);
		}
#pragma GCC unroll 12
		for (int i = 4; i < 16; i++) {
			w[i & 3] = x86_schedule(w[i & 3], w[(i + 1) & 3], w[(i + 2) & 3],
						w[(i + 3) & 3]);
			x86_rounds4(&abef, &cdgh, w[i & 3], sha256_round_constants + 4 * i);
		}
		abef = _mm_add_epi32(abef, abef0);
		cdgh = _mm_add_epi32(cdgh, cdgh0);
	}

	__m128i feba = _mm_shuffle_epi32(abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

const struct sha256_engine sha256_engine_x86 = {
	.name = "sha-ni",
	.is_usable = x86_is_usable,
	.compress = x86_compress,
};

#elif defined(__aarch64__)

#define ARM_TARGET __attribute__((target("+crypto")))

static bool arm_is_usable(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SHA2;
}

ARM_TARGET static inline void arm_rounds4(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t w,
					  const uint32_t *k)
{
	uint32x4_t wk = vaddq_u32(w, vld1q_u32(k)), before = *abcd;
	*abcd = vsha256hq_u32(*abcd, *efgh, wk);
	*efgh = vsha256h2q_u32(*efgh, before, wk);
}

ARM_TARGET static void arm_compress(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);

	for (; blocks; blocks--, data += SHA256_BLOCK) {
		uint32x4_t abcd0 = abcd, efgh0 = efgh, w[4];
		for (int i = 0; i < 4; i++) {
			w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
			arm_rounds4(&abcd, &efgh, w[i], sha256_round_constants + 4 * i);
		}
#pragma GCC unroll 12
		for (int i = 4; i < 16; i++) {
			uint32x4_t s0 = vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]);
			w[i & 3] = vsha256su1q_u32(s0, w[(i + 2) & 3], w[(i + 3) & 3]);
			arm_rounds4(&abcd, &efgh, w[i & 3], sha256_round_constants + 4 * i);
		}
		abcd = vaddq_u32(abcd, abcd0);
		efgh = vaddq_u32(efgh, efgh0);
	}
	vst1q_u32(state, abcd);
	vst1q_u32(state + 4, efgh);
}

const struct sha256_engine sha256_engine_arm = {
	.name = "armv8",
	.is_usable = arm_is_usable,
	.compress = arm_compress,
};

#endif
