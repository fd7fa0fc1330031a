/* The walk below a folder that is used where the kernel has no openat2(2): limits and odd paths; test_root.c has the rules. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/root.h"
#include "hwprobe/root_walk.h"
#include "tests/unit/hwprobe/tree.h"

static int open_top(const struct tree *t)
{
	int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int walk(int top, const char *path, int flags)
{
	int fd = root_walk(top, path, flags);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int flags, want;
	} tests[] = {
		{ "a/b/file", O_RDONLY, 0 },
		{ "a//b///file", O_RDONLY, 0 },
		{ "./a/./b/file", O_RDONLY, 0 },
		{ "a/b/..", O_RDONLY | O_DIRECTORY, 0 },
		{ "a/b/../b/file", O_RDONLY, 0 },
		{ ".", O_RDONLY | O_DIRECTORY, 0 },
		{ "", O_RDONLY | O_DIRECTORY, 0 },
		{ "..", O_RDONLY, -EXDEV },
		{ "a/../..", O_RDONLY, -EXDEV },
		{ "/a", O_RDONLY, -EXDEV },
		{ "link", O_RDONLY, 0 },
		{ "link", O_PATH | O_NOFOLLOW, 0 },
		{ "chain", O_RDONLY, 0 },
		{ "dirlink/file", O_RDONLY, 0 },
		{ "dirlink/../file", O_RDONLY, -ENOENT }, /* ".." of where the link leads */
		{ "dirlink/../b/file", O_RDONLY, 0 },
		{ "a/b/file/", O_RDONLY, 0 },
		{ "a/b/file/x", O_RDONLY, -ENOTDIR },
		{ "a/none", O_RDONLY, -ENOENT },
		{ "a/b/up/b/file", O_RDONLY, 0 },
		{ "a/b/out", O_RDONLY, -EXDEV },
		{ "a/b/far", O_RDONLY, -EXDEV },
	};
	struct tree t;
	tree_init(&t);
	tree_file(&t, "a/b/file", "x");
	tree_link(&t, "link", "a/b/file");
	tree_link(&t, "chain", "link");
	tree_link(&t, "dirlink", "a/b");
	tree_link(&t, "a/b/up", "..");
	tree_link(&t, "a/b/out", "../../..");
	tree_link(&t, "a/b/far", "../../../../../../../../etc/passwd");
	int top = open_top(&t);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		int rc = walk(top, tests[i].path, tests[i].flags);
		if (rc != tests[i].want)
			fail_msg("%s: %d", tests[i].path, rc);
	}
	close(top);
	tree_done(&t);
}

/* 40 links are followed, as by the kernel; the next one is a loop. */
static void test_many_links(void **state)
{
	struct tree t;
	char name[32], target[32];
	tree_init(&t);
	tree_file(&t, "l0", "x");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		tree_link(&t, name, target);
	}
	int top = open_top(&t);
	assert_int_equal(walk(top, "l40", O_RDONLY), 0);
	assert_int_equal(walk(top, "l41", O_RDONLY), -ELOOP);
	close(top);
	tree_done(&t);
}

static void test_limits(void **state)
{
	struct tree t;
	char deep[ROOT_DEPTH_MAX * 2 + 8] = "", path[ROOT_PATH_MAX + 8];
	tree_init(&t);
	for (int i = 0; i < ROOT_DEPTH_MAX; i++)
		strcat(deep, "d/");
	tree_dir(&t, deep);
	int top = open_top(&t);
	assert_int_equal(walk(top, deep + 4, O_RDONLY), 0);
	strcat(deep, "x");
	assert_int_equal(walk(top, deep, O_RDONLY), -ELOOP);
	memset(path, 'a', sizeof(path));
	path[ROOT_PATH_MAX] = '\0';
	assert_int_equal(walk(top, path, O_RDONLY), -ENAMETOOLONG);
	/* A link that makes the path too long on the way. */
	path[900] = '\0';
	for (int i = 100; i < 900; i += 100)
		path[i] = '/';
	tree_link(&t, "long", path);
	char beyond[ROOT_PATH_MAX] = "long/";
	memset(beyond + 5, 'b', 200);
	assert_int_equal(walk(top, beyond, O_RDONLY), -ENAMETOOLONG);
	close(top);
	tree_done(&t);
}

/* Trees that went through an archive without links have their targets as text. */
static void test_flat_links(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		ssize_t want;
	} tests[] = {
		{ "../a", 4, 4 },        { "../../a/b", 9, 9 },     { "../", 3, -EINVAL },
		{ "a/b/c", 5, -EINVAL }, { "../a\nb", 6, -EINVAL }, { "../a\0b", 6, -EINVAL },
		{ "", 0, -EINVAL },
	};
	struct tree t;
	tree_init(&t);
	int top = open_top(&t);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		char target[64];
		tree_write(&t, "f", tests[i].text, tests[i].len);
		ssize_t n = root_flat_link(top, "f", target, sizeof(target));
		if (n != tests[i].want)
			fail_msg("case %zu: %zd", i, n);
		if (n > 0)
			assert_string_equal(target, tests[i].text);
	}
	char target[8];
	tree_file(&t, "f", "../12345");
	assert_int_equal(root_flat_link(top, "f", target, sizeof(target)), -EINVAL);
	tree_dir(&t, "dir");
	assert_int_equal(root_flat_link(top, "dir", target, sizeof(target)), -EINVAL);
	assert_int_equal(root_flat_link(top, "none", target, sizeof(target)), -ENOENT);
	close(top);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_flat_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
