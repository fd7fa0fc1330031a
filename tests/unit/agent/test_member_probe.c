/*
 * Everything in a range, one superblock after the other: what hides behind another one, what no
 * decoder knows, and where it ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "tests/unit/agent/member_rig.h"

#define SIZE MEMBER_DISK_BYTES

static int probe(int fd, uint64_t start, uint64_t size, bool is_target, struct members *m)
{
	const struct member_range r = { fd, start, size };

	return members_probe(m, &r, "sda", 7, is_target, NULL);
}

static bool has(const struct members *m, enum member_kind kind)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].kind == kind)
			return true;
	return false;
}

/* A disk that has had several lives: each of them counts. */
static void test_several(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	put_imsm(fd, SIZE, 1, (const uint32_t[]){ 2, 2 }, 2);
	put_md1(fd, 0, 1, 2, roles, 2);
	put_lvm(fd, 0, LVM_SELF_A, NULL, 0, false);
	put_btrfs(fd, 0, 3, 4, 2);
	assert_int_equal(probe(fd, 0, SIZE, true, &m), 0);
	assert_true(has(&m, MEMBER_FIRMWARE));
	assert_true(has(&m, MEMBER_MD));
	assert_true(has(&m, MEMBER_BTRFS));
	assert_int_equal(m.contents_n, m.n);
	assert_string_equal(m.contents[0].where, "sda");
	for (size_t i = 0; i < m.n; i++) /* also what lies in the array, to its end */
		assert_string_equal(m.v[i].where, "sda");
}

/* Formats that are only known by name: members of nobody knows what. */
static void test_without_decoder(void **state)
{
	static const struct {
		uint64_t at;
		char magic[8];
		enum member_kind kind;
		const char *type;
	} cases[] = {
		{ 0, "HM\001\000", MEMBER_LVM, "LVM1_member" },
		{ SIZE / 512 * 512 - 512, "$XIDE$", MEMBER_FIRMWARE, "lsi_mega_raid_member" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put(fd, cases[i].at, cases[i].magic, 6);
		assert_int_equal(probe(fd, 0, SIZE, false, &m), 0);
		if (m.n != 1 || m.v[0].kind != cases[i].kind || m.v[0].devices != 0)
			fail_msg("%s: %zu", cases[i].type, m.n);
		assert_string_equal(m.v[0].name, cases[i].type);
	}
}

/* Two bytes and a sum are all that tells a member of VIA's RAID from any sector. */
static void test_wrong_sum(void **state)
{
	static const struct {
		uint8_t sum;
		size_t members;
	} cases[] = { { 0xFF, 1 }, { 0, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put(fd, SIZE - 512, "\x55\xAA", 2);
		put(fd, SIZE - 512 + 50, &cases[i].sum, 1);
		assert_int_equal(probe(fd, 0, SIZE, false, &m), 0);
		assert_int_equal(m.n, cases[i].members);
	}
}

static void test_nothing(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	assert_int_equal(probe(fd, 0, SIZE, true, &m), 0);
	assert_int_equal(probe(fd, 4096, 512, true, &m), 0);
	assert_int_equal(probe(fd, 2 * SIZE, SIZE, true, &m), 0); /* behind the end */
	assert_int_equal(probe(-1, 0, SIZE, true, &m), 0);
	assert_int_equal(m.n + m.contents_n, 0);
}

/* Volumes are looked into on the target only, and no further than they are long. */
static void test_inside(void **state)
{
	static const char text[] = LVM_VG("]", LVM_PV("pv0", LVM_ID_A),
					  LVM_LV("a", "segment1", "pv0", "0")
						  LVM_LV("b", "segment1", "pv0", "25")
							  LVM_LV("far", "segment1", "pv0", "9999"));

	for (int is_target = 0; is_target < 2; is_target++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		put_lvm(fd, 0, LVM_SELF_A, text, 512, true);
		put_ocfs2(fd, 26 << 20);
		put_btrfs(fd, 1 << 20, 3, 4, 2); /* a member in a volume */
		assert_int_equal(probe(fd, 0, SIZE, is_target, &m), 0);
		assert_int_equal(m.n, is_target ? 2 : 1);
		assert_int_equal(m.v[0].inside_n, 3);
		assert_int_equal(m.contents_n, is_target ? 3 : 0);
		if (!is_target)
			continue;
		assert_string_equal(m.contents[1].where, "LVM volume vg0/a on sda");
		assert_string_equal(m.contents[1].fstype, "btrfs");
		assert_string_equal(m.contents[2].where, "LVM volume vg0/b on sda");
		assert_string_equal(m.contents[2].fstype, "ocfs2");
		assert_string_equal(m.v[1].where, "sda");
		assert_int_equal(m.v[1].kind, MEMBER_BTRFS);
	}
}

/* More volumes than can be looked into: then nobody can say what is in them. */
static void test_too_many_volumes(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };
	AUTO(freep) char *text = malloc(1 << 20);
	struct fault err = FAULT_INIT;
	const struct member_range r = { fd, 0, SIZE };
	size_t n = (size_t)sprintf(text,
				   "vg0 { id = \"x\" extent_size = 8\nphysical_volumes { " LVM_PV(
					   "p", LVM_ID_A) " }\nlogical_volumes {\n");

	for (int i = 0; i <= MEMBER_INSIDE_MAX; i++)
		n += (size_t)sprintf(text + n, "v%d{segment1{extent_count=1 stripes=[\"p\",0]}}",
				     i);
	strcpy(text + n, "}}");
	put_lvm(fd, 0, LVM_SELF_A, text, 512, true);
	assert_int_equal(members_probe(&m, &r, "sda", 7, true, &err), -EOVERFLOW);
	assert_non_null(strstr(err.text, "sda (LVM2_member) is too large to be judged"));
}

static void test_reads_stay_inside(void **state)
{
	static const struct {
		uint64_t start, size, offset;
		size_t len;
		int code;
	} cases[] = {
		{ 0, SIZE, 0, 512, 0 },
		{ 0, SIZE, SIZE - 512, 512, 0 },
		{ 0, SIZE, SIZE - 511, 512, -EIO },
		{ 0, SIZE, UINT64_MAX, 512, -EIO },
		{ 4096, 512, 0, 513, -EIO },
		{ 4096, 512, 512, 0, 0 },
		{ SIZE, 512, 0, 512, -EIO }, /* the device is shorter than it says */
		{ UINT64_MAX, 512, 0, 512, -EIO },
		{ UINT64_MAX - 100, UINT64_MAX, 200, 10, -EIO },
	};
	AUTO(closep) int fd = member_file();
	uint8_t data[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct member_range r = { fd, cases[i].start, cases[i].size };
		int got = member_read(&r, data, cases[i].len, cases[i].offset);

		if (got != cases[i].code)
			fail_msg("case %zu: %d", i, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_without_decoder),
		cmocka_unit_test(test_wrong_sum),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_too_many_volumes),
		cmocka_unit_test(test_reads_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
