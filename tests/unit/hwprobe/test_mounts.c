/* The mount table of a pass: read once, the last mount at a point counts, broken lines are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/mounts.h"
#include "tests/unit/hwprobe/pass.h"

static void test_table(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	tree_file(
		&t, "proc/self/mountinfo",
		"1 0 8:1 / / rw - ext4 /dev/sda1 rw\nbroken\n2 1 0:5 / /sysroot ro - squashfs /dev/loop0 ro\n"
		"3 1 0:6 / /sysroot rw - overlay overlay rw\n");
	pass_open(&p, &t, 0);
	const struct mount_table *m = survey_mounts(&p.s);
	assert_int_equal(m->n, 3);
	assert_string_equal(mount_at(m, "/sysroot")->type, "overlay");
	assert_int_equal(mount_at(m, "/")->minor, 1);
	assert_null(mount_at(m, "/sys"));
	assert_null(mount_at(m, "/sysroot/"));
	const struct hwp_error *errors;
	assert_int_equal(hwp_errors(p.inv, &errors), 1);
	assert_string_equal(errors[0].source, "proc/self/mountinfo");
	assert_int_equal(errors[0].err, EBADMSG);
	/* Read once: what changes during the pass does not show. */
	tree_file(&t, "proc/self/mountinfo", "");
	assert_ptr_equal(survey_mounts(&p.s), m);
	assert_int_equal(survey_mounts(&p.s)->n, 3);
	pass_close(&p);
	tree_done(&t);
}

static void test_absent(void **state)
{
	struct tree t;
	struct pass p;
	tree_init(&t);
	pass_open(&p, &t, 0);
	assert_int_equal(survey_mounts(&p.s)->n, 0);
	assert_null(mount_at(survey_mounts(&p.s), "/"));
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
