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
	struct loop known, changed, stranger;
	dev_t got[LISTED];
	struct stat st;

	assert_int_equal(loop_make(&known, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&changed, RIG_MIB, 512, 0), 0);
	assert_int_equal(loop_make(&stranger, RIG_MIB, 512, 0), 0);
	rig_begin(&r);
	r.p.disks = calloc(2, sizeof(*r.p.disks));
	r.p.disks_n = 2;
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
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_given_up) };

	if (geteuid() != 0 || access("/dev/loop-control", R_OK | W_OK) < 0) {
		printf("1..0 # SKIP loop devices need root and /dev/loop-control\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
