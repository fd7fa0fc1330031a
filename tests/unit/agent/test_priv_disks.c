/* The disks that a user gives up: only what the last inventory showed, and still is that disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/agent/loop_rig.h"
#include "tests/unit/agent/priv_rig.h"

#define LISTED 6

static void names_add(struct json_strs *names, const char *name)
{
	names->v = realloc(names->v, (names->n + 1) * sizeof(*names->v));
	names->v[names->n++] = str_dup(name);
}

static void test_given_up(void **state)
{
	struct priv_rig r;
	struct loop known, changed, stranger, target;
	dev_t got[LISTED];
	struct stat st;

	assert_int_equal(loop_make(&known, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&changed, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&stranger, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&target, RIG_MIB, 512, 0), 0);
	rig_begin(&r);
	r.p.disks = calloc(3, sizeof(*r.p.disks));
	r.p.disks_n = 3;
	r.p.disks[2].path = str_dup(target.path);
	assert_int_equal(disk_id_read(target.path, &r.p.disks[2].identity, NULL), 0);
	r.p.job.device = str_dup(target.path);
	r.p.disks[0].path = str_dup(known.path);
	r.p.disks[0].id = str_dup("/dev/disk/by-id/wwn-0x1");
	r.p.disks[0].by_path = str_dup("/dev/disk/by-path/pci-1");
	assert_int_equal(disk_id_read(known.path, &r.p.disks[0].identity, NULL), 0);
	r.p.disks[1].path = str_dup(changed.path);
	r.p.disks[1].identity.size_bytes = 2 * RIG_MIB; /* it was another one */
	names_add(&r.p.job.disks_to_format, "/dev/disk/by-id/wwn-0x1");
	names_add(&r.p.job.disks_to_format, changed.path);
	names_add(&r.p.job.disks_to_format, stranger.path);
	names_add(&r.p.job.disks_to_format, "/dev/nowhere");
	names_add(&r.p.job.disks_to_format, "/dev/null");
	names_add(&r.p.job.disks_to_format, "/dev/disk/by-path/pci-1");
	assert_int_equal(priv_given_up(&r.p, got, LISTED), 2);
	assert_int_equal(stat(known.path, &st), 0);
	assert_int_equal(got[0], st.st_rdev);
	assert_int_equal(got[1], st.st_rdev);
	/* never more than there is room for */
	assert_int_equal(priv_given_up(&r.p, got, 1), 1);
	/* a loop device is in no inventory: in tests it needs none, and the others do all the same */
	r.p.allow_loop = true;
	assert_int_equal(priv_given_up(&r.p, got, LISTED), 3);
	assert_int_equal(stat(stranger.path, &st), 0);
	assert_int_equal(got[1], st.st_rdev);
	job_done(&r.p.job);
	rig_end(&r);
	loop_done(&known);
	loop_done(&changed);
	loop_done(&stranger);
	loop_done(&target);
}

/* The installation disk is listed as every disk with a boot sector is: it is given up when it is named. */
static void test_target(void **state)
{
	struct priv_rig r;
	struct loop target, other;
	struct stat st, other_st;
	dev_t got[LISTED];

	assert_int_equal(loop_make(&target, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&other, RIG_MIB, 512, 0), 0);
	assert_int_equal(stat(target.path, &st), 0);
	assert_int_equal(stat(other.path, &other_st), 0);
	rig_begin(&r);
	r.p.disks = calloc(2, sizeof(*r.p.disks));
	r.p.disks_n = 2;
	r.p.disks[0].path = str_dup(target.path);
	r.p.disks[0].id = str_dup("/dev/disk/by-id/wwn-0x1");
	r.p.disks[1].path = str_dup(other.path);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(disk_id_read(r.p.disks[i].path, &r.p.disks[i].identity, NULL), 0);
	r.p.job.device = str_dup("/dev/disk/by-id/wwn-0x1");
	names_add(&r.p.job.disks_to_format, target.path);
	names_add(&r.p.job.disks_to_format, other.path);
	assert_int_equal(priv_given_up(&r.p, got, LISTED), 1);
	assert_int_equal(got[0], other_st.st_rdev);
	names_add(&r.p.job.disks_named, target.path);
	assert_int_equal(priv_given_up(&r.p, got, LISTED), 2);
	assert_int_equal(got[1], st.st_rdev);
	assert_int_equal(priv_given_up(&r.p, got, 1), 1);
	/* it is not there any more: nothing is given up for it */
	str_set(&r.p.job.device, "/dev/nowhere");
	assert_int_equal(priv_given_up(&r.p, got, LISTED), 0);
	job_done(&r.p.job);
	rig_end(&r);
	loop_done(&target);
	loop_done(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_given_up),
					    cmocka_unit_test(test_target) };

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
