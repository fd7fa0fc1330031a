#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/closure.h"

static bool has_name(const struct file_set *set, const char *prefix)
{
	for (size_t i = 0; i < set->n; i++) {
		const char *slash = strrchr(set->v[i].path, '/');
		if (slash && strncmp(slash + 1, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

/* This test's own program, in an empty tree: loader and libraries come from the running system. */
static void test_own_program(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	struct fake_root root;
	struct source src;
	char *data;
	size_t len;

	fake_root_make(&root);
	assert_int_equal(source_open(root.path, &src, NULL), 0);
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/exe", 64 << 20, &data, &len, NULL), 0);
	assert_int_equal(closure_add_data(&set, &src, "usr/bin/self", "self", data, len, NULL), 0);
	assert_true(file_set_has(&set, "usr/bin/self"));
	assert_true(has_name(&set, "libcmocka.so"));
	assert_true(has_name(&set, "libc.so.6"));
	assert_true(has_name(&set, "ld-linux"));
	source_done(&src);
	fake_root_done(&root);
}

static void test_missing(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	struct fault err = FAULT_INIT;
	struct fake_root root;
	struct source src;

	fake_root_make(&root);
	fake_root_text(&root, "bin/script", "#!/bin/sh\n");
	assert_int_equal(source_open(root.path, &src, NULL), 0);
	assert_int_equal(closure_add(&set, &src, "bin/absent", NULL, "the-package", &err), -ENOENT);
	assert_non_null(strstr(err.text, "bin/absent"));
	assert_non_null(strstr(err.text, "the-package"));
	assert_int_equal(closure_add(&set, &src, "bin/script", "sbin/other", "p", NULL), 0);
	assert_true(file_set_has(&set, "usr/sbin/other"));
	assert_int_equal(closure_add_library(&set, &src, "libnonexistent.so.99", NULL), 0);
	source_done(&src);
	fake_root_done(&root);
}

static void test_broken_program(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	struct fault err = FAULT_INIT;
	struct fake_root root;
	struct source src;
	char elf[64] = "\177ELF\2\1";

	elf[54] = 1; /* e_phentsize */
	fake_root_make(&root);
	fake_root_file(&root, "bin/broken", elf, sizeof(elf), 0755);
	assert_int_equal(source_open(root.path, &src, NULL), 0);
	assert_int_equal(closure_add(&set, &src, "bin/broken", NULL, "p", &err), -EBADMSG);
	assert_non_null(strstr(err.text, "bin/broken"));
	source_done(&src);
	fake_root_done(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_program),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_broken_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
