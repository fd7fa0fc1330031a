#pragma once
/* The engines behind common/digest, one file each; private to it. */
#include "common/digest.h"

extern const uint32_t sha256_round_constants[64]; /* FIPS 180-4 §4.2.2 */
#if defined(__x86_64__)
extern const struct sha256_engine sha256_engine_x86;
#elif defined(__aarch64__)
extern const struct sha256_engine sha256_engine_arm;
#endif
