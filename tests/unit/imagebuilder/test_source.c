#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "fake_root.h"
#include "imagebuilder/source.h"

static void test_read(void **state)
{
	struct fake_root root;
	struct source s;
	unsigned perm;
	size_t len;

	fake_root_make(&root);
	fake_root_text(&root, "lib/only-lib", "1");
	fake_root_file(&root, "usr/lib/only-usr", "22", 2, 0700);
	fake_root_link(&root, "lib/absolute", "/usr/lib/only-usr");
	fake_root_link(&root, "lib/upward", "../../../../../../etc/passwd");
	assert_int_equal(source_open(root.path, &s, NULL), 0);

	static const struct {
		const char *path;
		int r;
		size_t len;
		unsigned perm;
	} cases[] = {
		{ "lib/only-lib", 0, 1, 0644 },    { "/usr/lib/only-lib", 0, 1, 0644 },
		{ "lib/only-usr", 0, 2, 0755 },    { "lib/absolute", 0, 2, 0755 },
		{ "lib/upward", -ENOENT, 0, 0 },   { "lib/none", -ENOENT, 0, 0 },
		{ "usr/lib/none", -ENOENT, 0, 0 }, { "lib", -EINVAL, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *data = NULL;
		assert_int_equal(source_read(&s, cases[i].path, false, &data, &len, &perm, NULL),
				 cases[i].r);
		if (cases[i].r)
			continue;
		assert_int_equal(len, cases[i].len);
		assert_int_equal(perm, cases[i].perm);
	}
	AUTO(freep) char *data = NULL;
	assert_int_equal(source_read(&s, "etc/passwd", false, &data, &len, NULL, NULL), -ENOENT);
	assert_int_equal(source_read(&s, "etc/passwd", true, &data, &len, NULL, NULL), 0);
	source_done(&s);
	fake_root_done(&root);
}

static void test_names(void **state)
{
	AUTO(source_names_free) char **names = NULL, **none = NULL;
	struct fake_root root;
	struct source s;

	fake_root_make(&root);
	fake_root_text(&root, "d/b.conf", "");
	fake_root_text(&root, "d/a.conf", "");
	fake_root_text(&root, "d/c.txt", "");
	fake_root_text(&root, "d/.hidden.conf", "");
	assert_int_equal(source_open(root.path, &s, NULL), 0);
	assert_int_equal(source_names(&s, "d", ".conf", &names, NULL), 0);
	assert_string_equal(names[0], "a.conf");
	assert_string_equal(names[1], "b.conf");
	assert_null(names[2]);
	assert_int_equal(source_names(&s, "absent", "", &none, NULL), 0);
	assert_null(none[0]);
	source_done(&s);
	fake_root_done(&root);
}

static void test_no_root(void **state)
{
	struct fault err = FAULT_INIT;
	struct source s;

	assert_int_equal(source_open("/nonexistent/tree", &s, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/tree"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
