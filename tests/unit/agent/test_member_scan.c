/*
 * A machine of several disks: what belongs together, also where the kernel has not put it together.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "agent/graph.h"
#include "tests/unit/agent/member_rig.h"
#include "tests/unit/disk_rig.h"

static int scan(struct machine *m, unsigned disk, struct members *ret)
{
	AUTO(graph_done) struct graph g = { 0 };
	struct fault err = FAULT_INIT;
	char path[DISK_NAME_MAX + 8];

	if (graph_read(m->root, machine_devno(disk, 0), &g, &err) < 0)
		fail_msg("%s", fault_text(&err));
	snprintf(path, sizeof(path), "dev/%s", g.nodes[0].name);
	AUTO(closep) int fd = openat(m->root, path, O_RDONLY | O_CLOEXEC);
	return members_scan(m->root, &g, fd, false, NULL, ret, &err);
}

static const struct member *find(const struct members *m, const char *where)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].where, where))
			return &m->v[i];
	return NULL;
}

static bool has_content(const struct members *m, const char *where, const char *fstype)
{
	for (size_t i = 0; i < m->contents_n; i++)
		if (str_eq(m->contents[i].where, where) && str_eq(m->contents[i].fstype, fstype))
			return true;
	return false;
}

/* Nothing on the target: the other disks are not even looked at. */
static void test_alone(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	put_ocfs2(sda, 0);
	put_btrfs(sdb, 0, 1, 2, 2);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 0);
	assert_true(has_content(&all, "sda", "ocfs2"));
}

static void test_partitions_of_all_disks(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	machine_part(&m, "sda", 2, 8 << 20, 16 << 20);
	AUTO(closep) int sdaa = machine_disk(&m, "sdaa");
	machine_part(&m, "sdaa", 1, 4 << 20, 16 << 20);
	AUTO(closep) int loop = machine_disk(&m, "loop7");
	AUTO(closep) int sr = machine_disk(&m, "sr0");
	put_md1(sda, 8 << 20, 5, 6, roles, 2);
	put_md1(sdaa, 4 << 20, 5, 7, roles, 2);
	put_md1(loop, 0, 5, 8, roles, 2);
	put_md1(sr, 0, 5, 9, roles, 2);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 2);
	assert_int_equal(find(&all, "sda2")->disk, machine_devno(0, 0));
	assert_int_equal(find(&all, "sdaa1")->disk, machine_devno(1, 0));
	assert_string_equal(find(&all, "sda2")->set, find(&all, "sdaa1")->set);
}

/* A file system of other machines on a volume, in a group, on an array: none of them put together. */
static void test_inside(void **state)
{
	static const char text[] =
		LVM_VG("]", LVM_PV("pv0", LVM_ID_A), LVM_LV("shared", "segment1", "pv0", "7"));
	static const uint16_t roles[] = { 0, 1 };
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	machine_part(&m, "sda", 1, 8 << 20, 40 << 20);
	put_md1(sda, 8 << 20, 5, 6, roles, 2);
	put_lvm(sda, 9 << 20, LVM_SELF_A, text, 512, true);
	put_ocfs2(sda, (9 + 1 + 7) << 20);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 2); /* the array, and the group in it */
	assert_true(has_content(&all, "sda1", "linux_raid_member"));
	assert_true(has_content(&all, "software RAID on sda1", "LVM2_member"));
	assert_true(has_content(&all, "LVM volume vg0/shared on sda1", "ocfs2"));
}

/* Arrays in arrays in arrays: it ends. */
static void test_depth(void **state)
{
	static const uint16_t roles[] = { 0 };
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	for (uint64_t i = 0; i < 20; i++)
		put_md1(sda, i << 20, 5, (uint8_t)i, roles, 1);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, MEMBER_DEPTH_MAX);
}

/* A physical volume without a description of its own is in the group that another one describes. */
static void test_described_elsewhere(void **state)
{
	static const char text[] =
		LVM_VG(", \"CLUSTERED\"]", LVM_PV("pv0", LVM_ID_A) LVM_PV("pv1", LVM_ID_B), "");
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	put_lvm(sda, 0, LVM_SELF_B, NULL, 0, false);
	put_lvm(sdb, 0, LVM_SELF_A, text, 512, true);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 2);
	assert_string_equal(find(&all, "sda")->set, find(&all, "sdb")->set);
	assert_string_equal(find(&all, "sda")->name, "vg0");
	assert_int_equal(find(&all, "sda")->devices, 2);
	assert_true(find(&all, "sda")->is_shared);
}

/* A disk that gives nothing is as good as absent; a file that is no disk at all as well. */
static void test_unreadable_disk(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	AUTO(closep) int sdc = machine_disk(&m, "sdc");
	AUTO(closep)
	int dm = machine_disk(&m, "dm-0"); /* suspended: a read would never come back */
	machine_text(&m, "sys/block/dm-0/dm/suspended", "1\n");
	put_btrfs(sda, 0, 1, 2, 3);
	put_btrfs(sdb, 0, 1, 3, 3);
	put_btrfs(sdc, 0, 1, 4, 3);
	put_btrfs(dm, 0, 1, 5, 3);
	assert_int_equal(unlinkat(m.root, "dev/sdb", 0), 0);
	assert_int_equal(symlinkat("/dev/null", m.root, "dev/sdb"), 0);
	assert_int_equal(ftruncate(sdc, 1000), 0);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 1);
	assert_int_equal(find(&all, "sda")->devices, 3);
}

static void holder_link(struct machine *m, const char *upper)
{
	char path[128], target[64];

	assert_int_equal(dir_make_at(m->root, "sys/block/sda/holders", 0755, NULL), 0);
	snprintf(path, sizeof(path), "sys/block/sda/holders/%.60s", upper);
	snprintf(target, sizeof(target), "../../%.50s", upper);
	assert_int_equal(symlinkat(target, m->root, path), 0);
}

/* The encrypted volume is open; the group on it and on another disk is not active. */
static void test_group_on_open_volume(void **state)
{
	static const char text[] = LVM_VG("]", LVM_PV("pv0", LVM_ID_A) LVM_PV("pv1", LVM_ID_B), "");
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int dm = machine_disk(&m, "dm-0");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	machine_text(&m, "sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-abc\n");
	holder_link(&m, "dm-0");
	put_lvm(dm, 0, LVM_SELF_A, text, 512, true);
	put_lvm(sdb, 0, LVM_SELF_B, text, 512, true);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 2);
	assert_int_equal(find(&all, "dm-0")->disk, machine_devno(0, 0));
	assert_int_equal(find(&all, "sdb")->disk, machine_devno(2, 0));
	assert_string_equal(find(&all, "dm-0")->set, find(&all, "sdb")->set);
}

static void put_table(int fd, uint64_t base, uint64_t size)
{
	const struct rig_part parts[] = { { gpt_type_linux, "root", 4, 20, 0x60 } };
	AUTO(freep) uint8_t *image = calloc(1, MEMBER_DISK_BYTES);

	rig_table(image, size, 512, parts, 1);
	put(fd, base, image, RIG_MIB);
}

/* An array of this disk alone, not put together, with a table in it. */
static void test_table_in_array(void **state)
{
	static const uint16_t roles[] = { 0 };
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	put_md1(sda, 0, 5, 6, roles, 1);
	put_table(sda, 1 << 20, MEMBER_DISK_BYTES - (1 << 20));
	put_btrfs(sda, 5 << 20, 1, 2, 2);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 2);
	assert_int_equal(all.v[1].kind, MEMBER_BTRFS);
	assert_int_equal(all.v[1].devices, 2);
	assert_true(has_content(&all, "partition 1 in software RAID on sda", "btrfs"));
}

/* The kernel has not read the table of the disk (multipath). */
static void test_table_that_nobody_read(void **state)
{
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members all = { 0 }, read = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	put_table(sda, 0, MEMBER_DISK_BYTES);
	put_btrfs(sda, 4 << 20, 1, 2, 2);
	assert_int_equal(scan(&m, 0, &all), 0);
	assert_int_equal(all.n, 1);
	assert_true(has_content(&all, "partition 1 in sda", "btrfs"));
	machine_part(&m, "sda", 1, 4 << 20, 20 << 20);
	assert_int_equal(scan(&m, 0, &read), 0);
	assert_int_equal(read.n, 1);
	assert_string_equal(read.v[0].where, "sda1");
}

/* One look at all disks serves for each of them. */
static void test_scan_all(void **state)
{
	static const char text[] = LVM_VG("]", LVM_PV("pv0", LVM_ID_A) LVM_PV("pv1", LVM_ID_B), "");
	AUTO(machine_done) struct machine m;
	AUTO(members_done) struct members every = { 0 };

	machine_make(&m);
	AUTO(closep) int sda = machine_disk(&m, "sda");
	AUTO(closep) int sdb = machine_disk(&m, "sdb");
	AUTO(closep) int sdc = machine_disk(&m, "sdc");
	put_lvm(sda, 0, LVM_SELF_B, NULL, 0, false);
	put_lvm(sdb, 0, LVM_SELF_A, text, 512, true);
	put_btrfs(sdc, 0, 1, 2, 3);
	assert_int_equal(members_scan_all(m.root, false, &every, NULL), 0);
	assert_int_equal(every.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		AUTO(members_done) struct members now = { 0 }, known = { 0 };
		AUTO(graph_done) struct graph g = { 0 };
		const int fds[] = { sda, sdb, sdc };

		assert_int_equal(graph_read(m.root, machine_devno(i, 0), &g, NULL), 0);
		assert_int_equal(scan(&m, i, &now), 0);
		assert_int_equal(members_scan(m.root, &g, fds[i], false, &every, &known, NULL), 0);
		assert_int_equal(known.n, 3);
		assert_int_equal(now.n, 3);
		for (size_t k = 0; k < now.n; k++) {
			const struct member *one = find(&known, now.v[k].where);

			assert_non_null(one);
			assert_int_equal(one->disk, now.v[k].disk);
			assert_string_equal(one->set, now.v[k].set);
			assert_int_equal(one->devices, now.v[k].devices);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_partitions_of_all_disks),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_described_elsewhere),
		cmocka_unit_test(test_unreadable_disk),
		cmocka_unit_test(test_group_on_open_volume),
		cmocka_unit_test(test_table_in_array),
		cmocka_unit_test(test_table_that_nobody_read),
		cmocka_unit_test(test_scan_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
