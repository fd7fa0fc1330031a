/* Reading below a folder: what leaves it is refused, by the kernel's walk and by our own alike. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/root.h"
#include "hwprobe/root_walk.h"
#include "tests/unit/hwprobe/tree.h"

struct walk_case {
	const char *path;
	int flags;
	int want; /* 0 = opened, else -errno */
};

/* sys/block/sda -> ../devices/sda; flat: the same link as a file; out, up, abs: leave the tree; loop: points to itself */
static void make_tree(struct tree *t)
{
	tree_files(t, "sys/devices/sda/size", "8\n", "sys/block/flat", "../devices/sda",
		   "sys/block/text", "../devices/sda\nmore", "sys/block/upfile", "../../../etc",
		   "uname", "Linux\n", NULL);
	tree_link(t, "sys/block/sda", "../devices/sda");
	tree_link(t, "sys/block/up", "../../../etc/passwd");
	tree_link(t, "sys/block/abs", "/etc/passwd");
	tree_link(t, "sys/block/loop", "loop");
	tree_link(t, "sys/block/gone", "../devices/gone");
}

static const struct walk_case cases[] = {
	{ "uname", O_RDONLY, 0 },
	{ "./sys/../uname", O_RDONLY, 0 },
	{ "sys/devices/sda/size", O_RDONLY, 0 },
	{ "sys/block/sda/size", O_RDONLY, 0 },
	{ "sys/block/sda", O_RDONLY | O_DIRECTORY, 0 },
	{ "sys/block/sda", O_PATH | O_NOFOLLOW, 0 },
	{ "sys/block/flat/size", O_RDONLY, 0 },
	{ "sys/block/flat", O_RDONLY | O_DIRECTORY, 0 },
	{ "sys/block/text/size", O_RDONLY, -ENOTDIR },
	{ "sys/block/upfile/passwd", O_RDONLY, -EXDEV },
	{ "sys/block/up", O_RDONLY, -EXDEV },
	{ "sys/block/abs", O_RDONLY, -EXDEV },
	{ "../etc/passwd", O_RDONLY, -EXDEV },
	{ "sys/../../etc/passwd", O_RDONLY, -EXDEV },
	{ "/etc/passwd", O_RDONLY, -EXDEV },
	{ "sys/block/loop", O_RDONLY, -ELOOP },
	{ "sys/block/gone", O_RDONLY, -ENOENT },
	{ "sys/block/nothing", O_RDONLY, -ENOENT },
	{ "uname/x", O_RDONLY, -ENOTDIR },
};

static void test_confinement(void **state)
{
	for (int has_openat2 = 0; has_openat2 < 2; has_openat2++) {
		struct tree t;
		tree_init(&t);
		make_tree(&t);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct root r = { .fd = open(t.dir, O_RDONLY | O_DIRECTORY),
					  .has_openat2 = has_openat2,
					  .record_fd = -1 };
			int fd = cases[i].flags & O_PATH
					 ? root_walk(r.fd, cases[i].path, cases[i].flags)
					 : root_fd(&r, cases[i].path, cases[i].flags);
			if ((fd >= 0 ? 0 : fd) != cases[i].want)
				fail_msg("%s (openat2 %d): %d, expected %d", cases[i].path,
					 has_openat2, fd, cases[i].want);
			assert_int_equal(r.escaped[0] != 0, cases[i].want == -EXDEV);
			if (fd >= 0)
				close(fd);
			root_done(&r);
		}
		tree_done(&t);
	}
}

static void test_open_refuses_escaping_links(void **state)
{
	static const char *const targets[] = { "/etc/passwd", "../../../../../../../../etc/passwd",
					       "../../.." };
	for (size_t i = 0; i < 3; i++) {
		struct tree t;
		struct root r;
		struct fault err = FAULT_INIT;
		tree_init(&t);
		tree_file(&t, "proc/cpuinfo", "processor : 0\n");
		tree_link(&t, "sys/class/evil", targets[i]);
		assert_int_equal(root_open(&r, t.dir, &err), -EXDEV);
		assert_non_null(strstr(err.text, "sys/class/evil"));
		assert_null(strstr(err.text, "root:")); /* nothing of the target */
		tree_done(&t);
	}
}

/* A link that became a file is met while reading: the whole probe is refused. */
static void test_probe_refuses_escaping_files(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	tree_file(&t, "sys/block/sda", "../../../../etc");
	assert_int_equal(tree_try(&t, (struct hwp_options){ 0 }, &inv), -EXDEV);
	assert_null(inv);
	assert_non_null(strstr(t.log, "sys/block/sda"));
	tree_done(&t);
}

static void test_open_through_links(void **state)
{
	struct tree t;
	char path[256];
	struct root r;
	tree_init(&t);
	tree_file(&t, "real/uname", "Linux\n");
	tree_link(&t, "alias", "real");
	snprintf(path, sizeof(path), "%s/real/../alias", t.dir);
	assert_int_equal(root_open(&r, path, NULL), 0);
	assert_true(root_exists(&r, "uname"));
	root_done(&r);
	assert_int_equal(root_open(&r, "/nonexistent", NULL), -ENOENT);
	tree_done(&t);
}

static void test_reading(void **state)
{
	struct tree t;
	struct root r;
	struct arena a = { 0 };
	char data[8], *text;
	size_t len;
	struct root_names names;
	tree_init(&t);
	tree_files(&t, "d/a10", "", "d/a9", "", "d/b", "", "seven", "1234567", "eight", "12345678",
		   NULL);
	tree_link(&t, "link", "d/b");
	mkfifo(strcat(strcpy((char[128]){ 0 }, t.dir), "/fifo"), 0600);
	assert_int_equal(root_open(&r, t.dir, NULL), 0);
	assert_int_equal(root_attr(&r, "seven", data, sizeof(data)), 7);
	assert_string_equal(data, "1234567");
	assert_int_equal(root_attr(&r, "eight", data, sizeof(data)), -EMSGSIZE);
	assert_int_equal(root_attr(&r, "fifo", data, sizeof(data)), -ENOTSUP);
	assert_int_equal(root_read(&r, &a, "eight", 8, &text, &len), 0);
	assert_int_equal(len, 8);
	assert_int_equal(root_read(&r, &a, "eight", 7, &text, &len), -EMSGSIZE);
	assert_int_equal(root_list(&r, &a, "d", &names), 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0], "a9");
	assert_string_equal(names.v[1], "a10");
	assert_int_equal(root_list(&r, &a, "none", &names), -ENOENT);
	assert_int_equal(root_link(&r, "link", data, sizeof(data)), 3);
	assert_string_equal(data, "d/b");
	assert_int_equal(root_link(&r, "seven", data, sizeof(data)), -EINVAL);
	assert_true(root_is_dir(&r, "d"));
	assert_false(root_is_dir(&r, "seven"));
	arena_done(&a);
	root_done(&r);
	tree_done(&t);
}

/* Of the running machine, what is below the folder is read from it, even when its name leads elsewhere by now; else nothing changes. */
static void test_enter(void **state)
{
	struct tree t;
	struct root r = { .is_live = true, .record_fd = -1 };
	struct arena a = { 0 };
	struct root_names names;
	char data[16];
	tree_init(&t);
	make_tree(&t);
	tree_files(&t, "sys/devices/sdb/size", "9\n", "sys/block/sdax/size", "7\n", NULL);
	tree_link(&t, "sys/devices/sda/subsystem", "../../class");
	r.fd = open(t.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(r.fd >= 0);
	root_enter(&r, "sys/block/sda");
	assert_int_equal(unlinkat(r.fd, "sys/block/sda", 0), 0);
	tree_link(&t, "sys/block/sda", "../devices/sdb");
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_string_equal(data, "8\n");
	assert_int_equal(root_link(&r, "sys/block/sda/subsystem", data, sizeof(data)), 11);
	assert_true(root_exists(&r, "sys/block/sda/size"));
	assert_false(root_exists(&r, "sys/block/sda/gone"));
	assert_int_equal(root_list(&r, &a, "sys/block/sda/.", &names), 0);
	assert_int_equal(names.n, 2);
	/* Another folder whose name begins alike, the folder itself, and what is elsewhere. */
	assert_int_equal(root_attr(&r, "sys/block/sdax/size", data, sizeof(data)), 2);
	assert_string_equal(data, "7\n");
	assert_int_equal(root_link(&r, "sys/block/sda", data, sizeof(data)), 14);
	assert_true(root_exists(&r, "uname"));
	root_leave(&r);
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_string_equal(data, "9\n");
	root_enter(&r, "sys/block/nowhere");
	assert_int_equal(root_attr(&r, "sys/block/sda/size", data, sizeof(data)), 2);
	assert_int_equal(root_attr(&r, "sys/block/nowhere/size", data, sizeof(data)), -ENOENT);
	root_leave(&r);
	arena_done(&a);
	close(r.fd);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confinement),
		cmocka_unit_test(test_open_refuses_escaping_links),
		cmocka_unit_test(test_probe_refuses_escaping_files),
		cmocka_unit_test(test_open_through_links),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_enter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
