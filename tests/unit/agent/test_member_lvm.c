/*
 * Physical volumes: with a description of their group, with an empty one, with none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "tests/unit/agent/member_rig.h"

#define TWO                                                          \
	LVM_VG("]", LVM_PV("pv0", LVM_ID_A) LVM_PV("pv1", LVM_ID_B), \
	       LVM_LV("root", "segment1", "pv0", "3") LVM_LV("far", "segment1", "pv1", "0"))
#define ONE LVM_VG("]", LVM_PV("pv0", LVM_ID_A), "")

static size_t probe(int fd, struct members *m)
{
	const struct member_range r = { fd, 0, MEMBER_DISK_BYTES };

	assert_int_equal(members_probe(m, &r, "sda", 7, false, NULL), 0);
	return m->n;
}

static void test_groups(void **state)
{
	static const struct {
		const char *text;
		uint64_t at;
		bool has_area;
		unsigned devices;
		const char *set;
	} cases[] = {
		{ TWO, 512, true, 2, "GGGGGGgggggggggggggggggggggggggg" },
		{ TWO, 65536 - 100, true, 2,
		  "GGGGGGgggggggggggggggggggggggggg" }, /* wraps around */
		{ ONE, 4096, true, 1, "GGGGGGgggggggggggggggggggggggggg" },
		{ NULL, 0, true, 1, LVM_SELF_A },  /* in no group */
		{ NULL, 0, false, 0, "" },         /* in one that others describe */
		{ "vg0 { }", 512, true, 0, NULL }, /* unreadable */
		{ ONE, 65536, true, 0, NULL },     /* outside of the area */
		{ ONE, 100, true, 0, NULL },       /* over its header */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(closep) int fd = member_file();
		AUTO(members_done) struct members m = { 0 };

		if (cases[i].at == 65536 || cases[i].at == 100) {
			put_lvm(fd, 0, LVM_SELF_A, ONE, 512, true);
			put_le64(fd, 4096 + 40, cases[i].at);
		} else {
			put_lvm(fd, 0, LVM_SELF_A, cases[i].text, cases[i].at, cases[i].has_area);
		}
		assert_int_equal(probe(fd, &m), 1);
		assert_int_equal(m.v[0].kind, MEMBER_LVM);
		if (m.v[0].devices != cases[i].devices)
			fail_msg("case %zu: %u devices", i, m.v[0].devices);
		if (cases[i].set) {
			assert_string_equal(m.v[0].set, cases[i].set);
			assert_string_equal(m.v[0].self, LVM_SELF_A);
		}
	}
}

static void test_members_and_volumes(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	put_lvm(fd, 0, LVM_SELF_A, TWO, 512, true);
	assert_int_equal(probe(fd, &m), 1);
	assert_string_equal(m.v[0].name, "vg0");
	assert_int_equal(m.v[0].peers_n, 2);
	assert_string_equal(m.v[0].peers[1], LVM_SELF_B);
	/* of its volumes only those that begin here */
	assert_int_equal(m.v[0].inside_n, 1);
	assert_string_equal(m.v[0].inside[0].name, "LVM volume vg0/root");
	assert_int_equal(m.v[0].inside[0].start_bytes, 4 << 20);
	assert_int_equal(m.v[0].inside[0].size_bytes, 20 << 20);
}

/* A volume that the group's own description does not know is in no known group. */
static void test_stranger_in_the_description(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	put_lvm(fd, 0, "CCCCCCcccccccccccccccccccccccccc", ONE, 512, true);
	assert_int_equal(probe(fd, &m), 1);
	assert_int_equal(m.v[0].devices, 0);
}

/* An area that the group does not keep up to date says nothing. */
static void test_ignored_area(void **state)
{
	AUTO(closep) int fd = member_file();
	AUTO(members_done) struct members m = { 0 };

	put_lvm(fd, 0, LVM_SELF_A, ONE, 512, true);
	put_le32(fd, 4096 + 40 + 20, 1);
	assert_int_equal(probe(fd, &m), 1);
	assert_int_equal(m.v[0].devices, 0);
	assert_string_equal(m.v[0].set, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_members_and_volumes),
		cmocka_unit_test(test_stranger_in_the_description),
		cmocka_unit_test(test_ignored_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
