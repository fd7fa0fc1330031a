#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/depmod.h"

#define DIR "usr/lib/modules/1.2.3"

/* No modules, but what the kernel has built in: depmod makes all indexes, and only those are taken. */
static void test_builtin_only(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	struct fault err = FAULT_INIT;
	struct fake_root root;
	char dir[128];

	fake_root_make(&root);
	snprintf(dir, sizeof(dir), "%s/" DIR, root.path);
	fake_root_text(&root, DIR "/modules.order", "");
	fake_root_text(&root, DIR "/modules.builtin", "kernel/fs/ext9/ext9.ko\n");
	assert_int_equal(file_set_add_dir(&set, DIR, 0755), 0);
	int r = depmod_add(&set, dir, DIR, "1.2.3", &err);
	fake_root_done(&root);
	if (r == -ENOENT && strstr(err.text, "install the package kmod"))
		skip();
	assert_int_equal(r, 0);
	assert_true(file_set_has(&set, DIR "/modules.dep.bin"));
	assert_true(file_set_has(&set, DIR "/modules.builtin.bin"));
	assert_true(file_set_has(&set, DIR "/modules.order"));
	assert_false(file_set_has(&set, DIR "/modules.dep"));
	assert_false(file_set_has(&set, DIR "/modules.builtin"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
