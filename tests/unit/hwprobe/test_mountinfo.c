#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "hwprobe/mountinfo.h"
#include "hwprobe/mounts.h"

static void test_lines(void **state)
{
	char text[] =
		"24 1 8:2 / / rw,relatime shared:1 master:2 - ext4 /dev/sda2 rw\n"
		"25 24 0:40 /sub /mnt\\040with\\134back rw - btrfs /dev/mapper/a\\040b rw\n"
		"26 24 259:1048575 / /x rw - xfs none rw\n"
		"broken\n27 24 8:x / /y rw - xfs none rw\n28 24 8:1 / /z rw no hyphen xfs none rw\n29 24 8:1 / /z rw -\n"
		"30 24 8:3 / / rw - ext4 /dev/sda3 rw";
	struct arena a = { 0 };
	struct mount_table t;
	mountinfo_parse(&t, &a, text);
	assert_int_equal(t.n, 4);
	assert_int_equal(t.broken, 4);
	assert_int_equal(t.v[0].major, 8);
	assert_int_equal(t.v[0].minor, 2);
	assert_string_equal(t.v[0].type, "ext4");
	assert_string_equal(t.v[1].point, "/mnt with\\back");
	assert_string_equal(t.v[1].source, "/dev/mapper/a b");
	assert_string_equal(t.v[1].root, "/sub");
	assert_int_equal(t.v[2].minor, 1048575);
	assert_string_equal(mount_at(&t, "/")->source, "/dev/sda3"); /* the one on top */
	assert_null(mount_at(&t, "/nowhere"));
	arena_done(&a);
}

static void test_escapes_at_the_end(void **state)
{
	static const char *const texts[] = { "1 1 8:1 / /a\\04 rw - e s o\n",
					     "1 1 8:1 / /a\\ rw - e s o\n",
					     "1 1 8:1 / \\040 rw - e s o\n" };
	static const char *const points[] = { "/a\\04", "/a\\", " " };
	for (size_t i = 0; i < 3; i++) {
		struct arena a = { 0 };
		struct mount_table t;
		mountinfo_parse(&t, &a, arena_dup(&a, texts[i]));
		assert_int_equal(t.n, 1);
		assert_string_equal(t.v[0].point, points[i]);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
					    cmocka_unit_test(test_escapes_at_the_end) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
