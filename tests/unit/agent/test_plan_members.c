/*
 * Which members may be destroyed: from made-up lists, and once for the whole way from the bytes on
 * the disks to the sentence.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "agent/plan.h"
#include "tests/unit/agent/member_rig.h"

#define GIB (1ull << 30)
#define SDA machine_devno(0, 0)
#define DISKS 4

/* A member in short: on which disk, kind, whole, itself, of how many. */
struct m {
	const char *where;
	unsigned disk;
	enum member_kind kind;
	const char *set, *self;
	unsigned devices;
	bool is_shared;
};

static void members_make(struct members *all, const struct m *list, size_t n)
{
	all->v = calloc(n + 1, sizeof(*all->v));
	for (size_t i = 0; i < n; i++) {
		struct member *to = &all->v[all->n++];

		to->kind = list[i].kind;
		to->disk = machine_devno(list[i].disk, 0);
		to->devices = list[i].devices;
		to->is_shared = list[i].is_shared;
		str_copy(to->where, sizeof(to->where), list[i].where);
		str_copy(to->set, sizeof(to->set), list[i].set);
		str_copy(to->self, sizeof(to->self), list[i].self);
		str_copy(to->name, sizeof(to->name), "boot");
	}
}

/* @given_up: a letter per disk, "ab" = sda and sdb. */
static int plan_of(const struct members *all, const char *given_up, struct fault *err)
{
	static const struct disk_id disk = { .name = "sda",
					     .size_bytes = 100 * GIB,
					     .sector_size = 512 };
	struct graph_node node = {
		.devno = SDA, .disk = SDA, .name = "sda", .is_target = true, .is_above = true
	};
	const struct graph g = { &node, 1 };
	AUTO(plan_done) struct plan p = { 0 };
	dev_t list[DISKS];
	struct plan_input in = { .disk = &disk, .graph = &g, .members = all, .given_up = list };

	for (; given_up && *given_up; given_up++)
		list[in.given_up_n++] = machine_devno((unsigned)(*given_up - 'a'), 0);
	return plan_make(&in, &p, err);
}

#define MD MEMBER_MD
#define LVM MEMBER_LVM

static const struct {
	const char *says; /* NULL = may be destroyed */
	const char *given_up;
	int code;
	struct m list[5];
} cases[] = {
	/* whole on this disk */
	{ NULL, NULL, 0, { { "sda1", 0, MD, "A", "1", 1 } } },
	{ NULL, NULL, 0, { { "sda1", 0, MD, "A", "1", 2 }, { "sda2", 0, MD, "A", "2", 2 } } },
	/* others that have nothing to do with it */
	{ NULL, NULL, 0, { { "sda1", 0, MD, "A", "1", 1 }, { "sdb1", 1, MD, "B", "1", 2 } } },
	{ NULL, NULL, 0, { { "sda1", 0, MD, "A", "1", 1 }, { "sdb1", 1, LVM, "A", "2", 2 } } },
	/* its other half is there */
	{ "sda1 is a member of the software RAID \"boot\", as is sdb1",
	  NULL,
	  -EBUSY,
	  { { "sda1", 0, MD, "A", "1", 2 }, { "sdb1", 1, MD, "A", "2", 2 } } },
	/* … even if the superblock on this disk thinks it is alone */
	{ "as is sdb",
	  NULL,
	  -EBUSY,
	  { { "sda", 0, LVM, "A", "1", 1 }, { "sdb", 1, LVM, "A", "2", 2 } } },
	/* giving up only the installation disk does not give up the other one */
	{ "as is sdb1",
	  "a",
	  -EBUSY,
	  { { "sda1", 0, MD, "A", "1", 2 }, { "sdb1", 1, MD, "A", "2", 2 } } },
	{ "as is sdc",
	  "ab",
	  -EBUSY,
	  { { "sda", 0, MD, "A", "1", 3 },
	    { "sdb", 1, MD, "A", "2", 3 },
	    { "sdc", 2, MD, "A", "3", 3 } } },
	/* both given up */
	{ NULL, "b", 0, { { "sda1", 0, MD, "A", "1", 2 }, { "sdb1", 1, MD, "A", "2", 2 } } },
	{ NULL, "ab", 0, { { "sda1", 0, MD, "A", "1", 2 }, { "sdb1", 1, MD, "A", "2", 2 } } },
	/* not in this machine */
	{ "of 2 devices, of which 1 are not in this machine",
	  NULL,
	  -EBUSY,
	  { { "sda1", 0, MD, "A", "1", 2 } } },
	{ "of 3 devices, of which 1 are not in this machine",
	  "b",
	  -EBUSY,
	  { { "sda1", 0, MD, "A", "1", 3 }, { "sdb1", 1, MD, "A", "2", 3 } } },
	{ NULL, "a", 0, { { "sda1", 0, MD, "A", "1", 2 } } },
	/* the same member seen twice is one member */
	{ "of which 1 are not",
	  NULL,
	  -EBUSY,
	  { { "sda", 0, MD, "A", "1", 2 }, { "sda4", 0, MD, "A", "1", 2 } } },
	/* another path to this disk, or a copy of it */
	{ NULL, NULL, 0, { { "sda2", 0, LVM, "A", "1", 1 }, { "sdc2", 2, LVM, "A", "1", 1 } } },
	/* of formats that name no members: by where they are */
	{ "of which 1 are not", NULL, -EBUSY, { { "sda", 0, MEMBER_FIRMWARE, "A", "", 2 } } },
	{ "as is sdb",
	  NULL,
	  -EBUSY,
	  { { "sda", 0, MEMBER_FIRMWARE, "A", "", 2 },
	    { "sdb", 1, MEMBER_FIRMWARE, "A", "", 2 } } },
	{ NULL,
	  "b",
	  0,
	  { { "sda", 0, MEMBER_FIRMWARE, "A", "", 2 },
	    { "sdb", 1, MEMBER_FIRMWARE, "A", "", 2 } } },
	/* nobody can tell */
	{ "whose other members cannot be told",
	  NULL,
	  -EBUSY,
	  { { "sda3", 0, MEMBER_ZFS, "", "", 0 } } },
	{ "whose other members cannot be told",
	  "b",
	  -EBUSY,
	  { { "sda3", 0, MEMBER_ZFS, "", "", 0 }, { "sdb3", 1, MEMBER_ZFS, "", "", 0 } } },
	{ NULL, "a", 0, { { "sda3", 0, MEMBER_ZFS, "", "", 0 } } },
	/* other machines use it */
	{ "other machines may be using", NULL, -EPERM, { { "sda", 0, LVM, "A", "1", 1, true } } },
	{ NULL, "a", 0, { { "sda", 0, LVM, "A", "1", 1, true } } },
	/* the second of two */
	{ "sda2 is a member of the btrfs",
	  NULL,
	  -EBUSY,
	  { { "sda1", 0, MD, "A", "1", 1 }, { "sda2", 0, MEMBER_BTRFS, "B", "1", 2 } } },
};

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(members_done) struct members all = { 0 };
		struct fault err = FAULT_INIT;
		size_t n = 0;

		while (n < 5 && cases[i].list[n].where)
			n++;
		members_make(&all, cases[i].list, n);
		int r = plan_of(&all, cases[i].given_up, &err);
		if (r != cases[i].code || (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, r, r ? fault_text(&err) : "");
	}
}

/* A sentence that refuses says how to be obeyed all the same. */
static void test_words_of_consent(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(members_done) struct members all = { 0 };
		struct fault err = FAULT_INIT;
		size_t n = 0;

		while (n < 5 && cases[i].list[n].where)
			n++;
		members_make(&all, cases[i].list, n);
		if (plan_of(&all, cases[i].given_up, &err) < 0)
			assert_non_null(strstr(err.text, "disks_to_format"));
		/* with everything given up nothing is left to refuse */
		assert_int_equal(plan_of(&all, "abcd", &err), 0);
	}
}

static void test_shared_contents(void **state)
{
	static const struct {
		const char *fstype, *given_up;
		int code;
	} cases2[] = {
		{ "ext4", NULL, 0 },           { "ocfs2", NULL, -EPERM },
		{ "ocfs2", "b", -EPERM },      { "ocfs2", "a", 0 },
		{ "gfs2", NULL, -EPERM },      { "ceph_bluestore", NULL, -EPERM },
		{ "oracleasm", NULL, -EPERM }, { "VMFS_volume_member", NULL, -EPERM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases2); i++) {
		struct member_content c = { .where = "LVM volume vg0/x on sda1" };
		const struct members all = { .contents = &c, .contents_n = 1 };
		struct fault err = FAULT_INIT;

		str_copy(c.fstype, sizeof(c.fstype), cases2[i].fstype);
		assert_int_equal(plan_of(&all, cases2[i].given_up, &err), cases2[i].code);
		if (cases2[i].code)
			assert_non_null(strstr(err.text, "LVM volume vg0/x on sda1 belongs to"));
	}
}

/* From the bytes of two disks to the sentence. */
static void test_whole_way(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	AUTO(machine_done) struct machine m;
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(members_done) struct members all = { 0 };
	struct fault err = FAULT_INIT;

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	put_md1(sda, 0, 5, 6, roles, 2);
	assert_int_equal(graph_read(m.root, SDA, &g, &err), 0);
	assert_int_equal(members_scan(m.root, &g, sda, false, NULL, &all, &err), 0);
	assert_int_equal(plan_of(&all, NULL, &err), -EBUSY);
	assert_non_null(strstr(err.text, "sda is a member of the software RAID \"rack:boot\" of 2 "
					 "devices, of which 1 are not in this machine"));
	members_done(&all);
	put_md1(sdb, 0, 5, 7, roles, 2);
	assert_int_equal(members_scan(m.root, &g, sda, false, NULL, &all, &err), 0);
	assert_int_equal(plan_of(&all, "a", &err), -EBUSY);
	assert_non_null(strstr(err.text, "as is sdb, which is not part of the installation"));
	assert_int_equal(plan_of(&all, "b", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_words_of_consent),
		cmocka_unit_test(test_shared_contents),
		cmocka_unit_test(test_whole_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
