/*
 * File systems on several devices: how many there are and who this one is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "tests/unit/agent/member_rig.h"

static size_t probe(int fd, struct members *m)
{
	const struct member_range r = { fd, 0, MEMBER_DISK_BYTES };

	assert_int_equal(members_probe(m, &r, "sda", 7, false, NULL), 0);
	return m->n;
}

static void test_btrfs(void **state)
{
	static const struct {
		uint64_t n;
		unsigned devices;
	} cases[] = { { 1, 1 }, { 3, 3 }, { 0, 0 }, { UINT64_MAX, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_btrfs(fd, 0, 0x55, 0x66, cases[i].n);
		assert_int_equal(probe(fd, &m), 1);
		assert_int_equal(m.v[0].kind, MEMBER_BTRFS);
		assert_int_equal(m.v[0].devices, cases[i].devices);
		assert_string_equal(m.v[0].set, "55555555-5555-5555-5555-555555555555");
		assert_string_equal(m.v[0].self,
				    cases[i].devices ? "66666666-6666-6666-6666-666666666666" : "");
		assert_string_equal(m.v[0].name, cases[i].devices ? "data" : "btrfs");
	}
}

static void test_zfs(void **state)
{
	static const struct {
		uint64_t state, tops;
		unsigned leaves;
		size_t members;
		unsigned devices;
	} cases[] = {
		{ 0, 1, 1, 1, 1 },       /* one disk */
		{ 0, 1, 2, 1, 2 },       /* a mirror */
		{ 1, 1, 6, 1, 6 },       /* exported: still somebody's */
		{ 0, 3, 2, 1, 4 },       /* a mirror and two more top-level devices */
		{ 2, 1, 2, 0, 0 },       /* destroyed */
		{ 3, 0, 1, 0, 0 },       /* a spare */
		{ 4, 0, 1, 0, 0 },       /* a read cache */
		{ 0, 1 << 20, 1, 1, 0 }, /* nonsense */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_zfs(fd, 77, 88 + i, cases[i].state, cases[i].tops, cases[i].leaves);
		size_t n = probe(fd, &m);
		if (n != cases[i].members || (n && m.v[0].devices != cases[i].devices))
			fail_msg("case %zu: %zu, %u devices", i, n, n ? m.v[0].devices : 0);
		if (!n)
			continue;
		assert_string_equal(m.v[0].set, "77");
		assert_string_equal(m.v[0].name, "tank");
	}
}

/* Every length that a label could be cut at, and every byte of it wrong: told or refused, never read behind. */
static void test_zfs_damaged(void **state)
{
	struct xdr_out x;

	zfs_pairs(&x, 77, 88, 0, 1, 3);
	for (size_t at = 0; at < x.n; at++) {
		AUTO(closep) int fd = member_file();
		const struct member_range r = { fd, 0, MEMBER_DISK_BYTES };
		struct member m = { 0 };

		put_zfs(fd, 77, 88, 0, 1, 3);
		x.data[at] ^= 0xFF;
		put(fd, 16384, x.data, x.n);
		x.data[at] ^= 0xFF;
		int got = member_zfs(&r, 0, &m);
		if (got != -EBADMSG && got != 0 && got != 1)
			fail_msg("byte %zu: %d", at, got);
		member_done(&m);
	}
	/* the first byte says how it is encoded: the other labels are empty */
	AUTO(closep) int fd = member_file();
	const struct member_range r = { fd, 0, MEMBER_DISK_BYTES }, none = { fd, 0, 1000 };
	struct member m = { 0 };

	assert_int_equal(member_zfs(&r, 0, &m), -EBADMSG);
	assert_int_equal(member_zfs(&none, 0, &m), -EIO);
	assert_int_equal(member_btrfs(&none, 0, &m), -EBADMSG);
	assert_int_equal(member_btrfs(&none, 64, &m), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_btrfs),
		cmocka_unit_test(test_zfs),
		cmocka_unit_test(test_zfs_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
