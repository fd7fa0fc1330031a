#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/modules.h"

static void test_version_compare(void **state)
{
	static const struct {
		const char *a, *b;
		int sign;
	} cases[] = {
		{ "6.1.0-9-amd64", "6.1.0-10-amd64", -1 },
		{ "6.1.0-56-amd64", "6.1.0-56-amd64", 0 },
		{ "6.12.1", "6.2.9", 1 },
		{ "5.14.0-570.el9", "5.14.0-70.el9", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int c = modules_version_compare(cases[i].a, cases[i].b);
		assert_int_equal((c > 0) - (c < 0), cases[i].sign);
	}
}

static void test_newest(void **state)
{
	AUTO(freep) char *version = NULL;
	struct fault err = FAULT_INIT;
	struct fake_root root;
	struct source src;

	fake_root_make(&root);
	assert_int_equal(source_open(root.path, &src, NULL), 0);
	assert_int_equal(modules_newest_version(&src, &version, &err), -ENOENT);
	assert_non_null(strstr(err.text, "linux-image"));

	fake_root_text(&root, "boot/vmlinuz-6.1.0-9", "");
	fake_root_text(&root, "boot/vmlinuz-6.1.0-10", "");
	fake_root_text(&root, "boot/vmlinuz-6.1.0-11", ""); /* without modules */
	fake_root_text(&root, "lib/modules/6.1.0-9/modules.dep", "");
	fake_root_text(&root, "usr/lib/modules/6.1.0-10/modules.dep", "");
	assert_int_equal(modules_newest_version(&src, &version, NULL), 0);
	assert_string_equal(version, "6.1.0-10");
	source_done(&src);
	fake_root_done(&root);
}

static void test_no_index(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	AUTO(modules_done) struct modules m = { 0 };
	struct fault err = FAULT_INIT;
	struct fake_root root;
	struct source src;

	fake_root_make(&root);
	fake_root_text(&root, "lib/modules/1.2.3/modules.order", "");
	assert_int_equal(source_open(root.path, &src, NULL), 0);
	assert_int_equal(modules_add(&set, &src, "1.2.3", profile_find("virt"), NULL, &m, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "depmod -b"));
	source_done(&src);
	fake_root_done(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_compare),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_no_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
