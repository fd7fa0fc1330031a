#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/sha256_engines.h"

/* --- the standard's own words, slowly (FIPS 180-4 §4.1.2, §6.2.2) --- */

static uint32_t rotr(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void slow_block(uint32_t h[8], const uint8_t *m)
{
	uint32_t w[64], v[8];
	for (unsigned t = 0; t < 16; t++)
		w[t] = (uint32_t)m[4 * t] << 24 | (uint32_t)m[4 * t + 1] << 16 |
		       (uint32_t)m[4 * t + 2] << 8 | m[4 * t + 3];
	for (unsigned t = 16; t < 64; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];
		w[t] = (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10) + w[t - 7] +
		       (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) + w[t - 16];
	}
	memcpy(v, h, sizeof(v));
	for (unsigned t = 0; t < 64; t++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t1 = v[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
			      ((e & v[5]) ^ (~e & v[6])) + sha256_round_constants[t] + w[t];
		uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
			      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed ^ *seed >> 13;
}

/* --- */

/* The constants out of their definition: floor(2^32 * frac(cbrt(prime))), by integers only. */
static uint32_t cube_root_fraction(unsigned prime)
{
	unsigned __int128 target = (unsigned __int128)prime << 96;
	uint64_t low = 0, high = 1ull << 36;
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		/* mid^3 < 2^108 */
		if ((unsigned __int128)mid * mid * mid <= target)
			low = mid;
		else
			high = mid;
	}
	return (uint32_t)low;
}

static bool is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++) {
		if (n % d == 0)
			return false;
	}
	return n > 1;
}

static void test_constants(void **state)
{
	unsigned prime = 1;
	for (size_t i = 0; i < 64; i++) {
		do
			prime++;
		while (!is_prime(prime));
		assert_int_equal(sha256_round_constants[i], cube_root_fraction(prime));
	}
}

/* From any state, over any number of blocks, at any alignment: what the standard says. */
static void test_compress(void **state)
{
	static uint8_t data[64 * 17 + 16];
	uint32_t seed = 7;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)next(&seed);
	for (unsigned k = 0; sha256_engines()[k]; k++) {
		const struct sha256_engine *e = sha256_engines()[k];
		if (!e->is_usable()) {
			print_message("# %s: not on this processor\n", e->name);
			continue;
		}
		for (unsigned blocks = 0; blocks <= 17; blocks++) {
			const uint8_t *p = data + blocks % 16;
			uint32_t want[8], got[10];
			for (unsigned i = 0; i < 8; i++)
				want[i] = got[i] = next(&seed);
			got[8] = got[9] = 0xdeadbeef;
			e->compress(got, p, blocks);
			for (unsigned b = 0; b < blocks; b++)
				slow_block(want, p + 64 * b);
			if (memcmp(want, got, sizeof(want)) != 0)
				fail_msg("%s differs over %u blocks", e->name, blocks);
			assert_int_equal(got[8], 0xdeadbeef);
			assert_int_equal(got[9], 0xdeadbeef);
		}
	}
}

/* One call over all blocks is as good as one call for each. */
static void test_block_by_block(void **state)
{
	static uint8_t data[64 * 33];
	uint32_t seed = 99;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)next(&seed);
	for (unsigned k = 0; sha256_engines()[k]; k++) {
		const struct sha256_engine *e = sha256_engines()[k];
		uint32_t at_once[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, one_by_one[8];
		if (!e->is_usable())
			continue;
		memcpy(one_by_one, at_once, sizeof(at_once));
		e->compress(at_once, data, 33);
		for (unsigned b = 0; b < 33; b++)
			e->compress(one_by_one, data + 64 * b, 1);
		assert_memory_equal(at_once, one_by_one, sizeof(at_once));
	}
}

/* The list ends with one that works everywhere, and no two have a name in common. */
static void test_list(void **state)
{
	const struct sha256_engine *const *list = sha256_engines();
	size_t n = 0;
	while (list[n])
		n++;
	assert_true(n >= 1);
	assert_true(list[n - 1]->is_usable());
	for (size_t i = 0; i < n; i++) {
		assert_non_null(list[i]->compress);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(list[i]->name, list[k]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_compress),
		cmocka_unit_test(test_block_by_block),
		cmocka_unit_test(test_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
