/*
 * File systems of other machines: by libblkid's names, by types of partitions, inside of what is not
 * put together; and who may destroy them all the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <blkid.h>
#include <errno.h>
#include <string.h>
#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/gpt.h"
#include "common/str.h"

#define SDA 0x800
#define SDB 0x810

static int check(const struct graph_node *n, const struct members *members, dev_t given_up,
		 struct fault *err)
{
	static const struct disk_id disk = { .name = "sda" };
	struct graph_node target = { .devno = SDA };
	const struct graph g = { &target, 1 };
	const struct plan_input in = {
		.disk = &disk,
		.graph = &g,
		.members = members,
		.given_up = &given_up,
		.given_up_n = given_up != 0,
	};

	return plan_check_shared(&in, n, err);
}

static const char *const shared[] = { "VMFS",  "VMFS_volume_member", "gfs2",          "gfs", "ocfs",
				      "ocfs2", "oracleasm",          "ceph_bluestore" };

static void test_names(void **state)
{
	static const char *const others[] = { "",       "ext4", "xfs",        "gfs3",
					      "ocfs22", "vmfs", "LVM2_member" };

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct graph_node n = { .name = "sda3" };
		struct fault err = FAULT_INIT;

		str_copy(n.fstype, sizeof(n.fstype), shared[i]);
		if (check(&n, NULL, 0, &err) != -EPERM)
			fail_msg("%s", shared[i]);
		assert_non_null(strstr(err.text, "sda3 belongs to"));
		assert_non_null(strstr(err.text, shared[i]));
		assert_int_equal(check(&n, NULL, SDB, &err), -EPERM);
		assert_int_equal(check(&n, NULL, SDA, &err), 0);
		/* libblkid knows that word: a misspelt one would never be seen */
		if (!blkid_known_fstype(shared[i]))
			fail_msg("libblkid has no %s", shared[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct graph_node n = { .name = "sda3" };

		str_copy(n.fstype, sizeof(n.fstype), others[i]);
		assert_int_equal(check(&n, NULL, 0, NULL), 0);
	}
}

static void test_types_of_partitions(void **state)
{
	static const uint8_t ceph_osd[16] = { 0x29, 0x7e, 0xbd, 0x4f, 0x25, 0x9d, 0xb8, 0x41,
					      0xaf, 0xd0, 0x06, 0x2c, 0x0c, 0xef, 0xf0, 0x5d };
	const uint8_t *const types[] = { gpt_type_gpfs, gpt_type_vmfs, ceph_osd };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct graph_node n = { .name = "sda1", .fstype = "xfs" };
		struct fault err = FAULT_INIT;

		memcpy(n.part_type, types[i], 16);
		assert_int_equal(check(&n, NULL, 0, &err), -EPERM);
		assert_int_equal(check(&n, NULL, SDA, &err), 0);
		n.part_type[15] ^= 1;
		assert_int_equal(check(&n, NULL, 0, &err), 0);
	}
}

static void test_inside(void **state)
{
	struct member_content contents[] = { { "sda1", "LVM2_member" },
					     { "LVM volume vg0/a on sda1", "xfs" },
					     { "LVM volume vg0/b on sda1", "gfs2" } };
	const struct members m = { .contents = contents, .contents_n = ARRAY_SIZE(contents) };
	const struct graph_node n = { .name = "sda" };
	struct fault err = FAULT_INIT;

	assert_int_equal(check(&n, &m, 0, &err), -EPERM);
	assert_non_null(strstr(err.text, "LVM volume vg0/b on sda1 belongs to"));
	assert_int_equal(check(&n, &m, SDA, &err), 0);
	contents[2].fstype[3] = '\0'; /* "gfs" */
	assert_int_equal(check(&n, &m, 0, &err), -EPERM);
	contents[2].fstype[2] = '\0';
	assert_int_equal(check(&n, &m, 0, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_types_of_partitions),
		cmocka_unit_test(test_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
