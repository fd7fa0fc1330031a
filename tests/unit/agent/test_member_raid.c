/*
 * Superblocks of RAID arrays and bcache, as libblkid finds them and as they are read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "tests/unit/agent/member_rig.h"

#define SIZE MEMBER_DISK_BYTES
#define ACTIVE(n) n
#define SPARE 0xffff
#define FAULTY 0xfffe
#define JOURNAL 0xfffd

/* What the one member in @fd is; none: 0. */
static size_t probe(int fd, struct members *m)
{
	const struct member_range r = { fd, 0, SIZE };

	assert_int_equal(members_probe(m, &r, "sda", 7, false, NULL), 0);
	return m->n;
}

static void test_md1(void **state)
{
	static const struct {
		uint16_t roles[4];
		size_t n;
		unsigned devices;
	} cases[] = {
		{ { 0, 1 }, 2, 2 },
		{ { 0 }, 1, 1 },
		{ { 0, SPARE }, 2, 1 },  /* made with "missing", or its other half removed */
		{ { 0, FAULTY }, 2, 1 }, /* the other half has failed */
		{ { 0, 1, 2, JOURNAL }, 4, 4 },
		{ { SPARE, FAULTY }, 2, 2 }, /* nonsense: then what it says itself */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_md1(fd, 0, 0x11, 0x22, cases[i].roles, cases[i].n);
		assert_int_equal(probe(fd, &m), 1);
		assert_int_equal(m.v[0].kind, MEMBER_MD);
		assert_string_equal(m.v[0].set, "11111111-1111-1111-1111-111111111111");
		assert_string_equal(m.v[0].self, "22222222-2222-2222-2222-222222222222");
		assert_string_equal(m.v[0].name, "rack:boot");
		if (m.v[0].devices != cases[i].devices)
			fail_msg("case %zu: %u devices", i, m.v[0].devices);
		assert_int_equal(m.v[0].inside_n, 1);
		assert_int_equal(m.v[0].inside[0].start_bytes, 1 << 20);
		assert_int_equal(m.v[0].inside[0].size_bytes, SIZE - (1 << 20));
		assert_int_equal(m.v[0].disk, 7);
		assert_string_equal(m.v[0].where, "sda");
	}
}

/* More roles than a superblock has room for: a member of something that nobody can tell. */
static void test_md1_damaged(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	put_md1(fd, 0, 0x11, 0x22, (const uint16_t[]){ 0, 1 }, 2);
	put_le32(fd, 4096 + offsetof(struct mdp_superblock_1, max_dev), 4000);
	assert_int_equal(probe(fd, &m), 1);
	assert_int_equal(m.v[0].devices, 0);
	assert_string_equal(m.v[0].self, "");
	assert_string_equal(m.v[0].name, "linux_raid_member");
}

static void test_md0(void **state)
{
	for (int big = 0; big < 2; big++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_md0(fd, SIZE, 0xAB, 1, 3, big);
		assert_int_equal(probe(fd, &m), 1);
		assert_int_equal(m.v[0].devices, 3);
		assert_string_equal(m.v[0].self, "1");
		assert_true(strlen(m.v[0].set) > 30);
	}
}

static void test_imsm(void **state)
{
	static const struct {
		uint32_t status[4];
		uint8_t n;
		size_t members;
		unsigned devices;
	} cases[] = {
		{ { 2, 2 }, 2, 1, 2 },
		{ { 2, 2, 1 }, 3, 1, 2 }, /* and a spare */
		{ { 1 }, 1, 0, 0 },       /* a spare alone */
		{ { 0 }, 0, 1, 0 },       /* no disks at all: unreadable */
		{ { 2, 2, 2, 2 }, 12, 1, 12 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_imsm(fd, SIZE, 0xCAFE, cases[i].status, cases[i].n);
		size_t n = probe(fd, &m);
		if (n != cases[i].members || (n && m.v[0].devices != cases[i].devices))
			fail_msg("case %zu: %zu, %u devices", i, n, n ? m.v[0].devices : 0);
		if (n && m.v[0].devices)
			assert_string_equal(m.v[0].set, "imsm-0000cafe");
	}
}

static void test_ddf(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 }, spare = { 0 }, bad = { 0 };
	const uint16_t types[] = { 2, 2, 4, 2 };

	put_ddf(fd, SIZE, 'G', types, 4);
	assert_int_equal(probe(fd, &m), 1);
	assert_int_equal(m.v[0].devices, 3);
	assert_int_equal(strlen(m.v[0].set), 48);
	put_ddf(fd, SIZE, 'G', &types[2], 1);
	assert_int_equal(probe(fd, &spare), 0);
	put_be32(fd, SIZE - 512 + 200, 1u << 30); /* the section would be behind the end */
	assert_int_equal(probe(fd, &bad), 1);
	assert_int_equal(bad.v[0].devices, 0);
}

static void test_bcache(void **state)
{
	static const struct {
		uint64_t version, state;
		unsigned devices;
		bool is_in_set;
		uint64_t inside;
	} cases[] = {
		{ 3, 0, 0, true, 0 },      /* the cache itself */
		{ 1, 2, 2, true, 8192 },   /* a disk with data that are only in the cache */
		{ 4, 1, 1, false, 16384 }, /* … and without */
		{ 4, 0, 1, false, 16384 }, /* no cache */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_bcache(fd, cases[i].version, 0x33, 0x44, cases[i].state);
		assert_int_equal(probe(fd, &m), 1);
		assert_int_equal(m.v[0].kind, MEMBER_BCACHE);
		assert_int_equal(m.v[0].devices, cases[i].devices);
		assert_int_equal(m.v[0].set[0], cases[i].is_in_set ? '4' : '3');
		assert_int_equal(m.v[0].self[0], '3');
		assert_int_equal(m.v[0].inside_n, cases[i].inside != 0);
		if (cases[i].inside)
			assert_int_equal(m.v[0].inside[0].start_bytes, cases[i].inside);
	}
}

/* Superblocks that are cut off by the end of the range. */
static void test_short_ranges(void **state)
{
	static member_decode *const decoders[] = { member_md, member_imsm, member_ddf,
						   member_bcache };
	AUTO(closep) int fd = member_file();

	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
		for (uint64_t size = 0; size < 256; size += 32) {
			const struct member_range r = { fd, 4096, size };
			struct member m = { 0 };
			int got = decoders[i](&r, 32, &m);

			if (got != -EIO && got != -EBADMSG)
				fail_msg("decoder %zu, %d bytes: %d", i, (int)size, got);
			member_done(&m);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md1),          cmocka_unit_test(test_md1_damaged),
		cmocka_unit_test(test_md0),          cmocka_unit_test(test_imsm),
		cmocka_unit_test(test_ddf),          cmocka_unit_test(test_bcache),
		cmocka_unit_test(test_short_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
