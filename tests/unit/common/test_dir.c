#include "tests/unit/common/folder_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

static void test_dir_make(void **state)
{
	int dir = folder(state);
	struct stat st;
	struct fault err = FAULT_INIT;
	mode_t old = umask(0077);
	assert_int_equal(dir_make_at(dir, "a//b/c/", 0755, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fchmodat(dir, "a", 0711, 0), 0);
	assert_int_equal(dir_make_at(dir, "a/d", 0700, NULL), 0);
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(dir_make_at(dir, "a/d", 0700, NULL), 0);

	assert_int_equal(file_create_at(dir, "a/file", "", 0, 0600, NULL), 0);
	assert_int_equal(dir_make_at(dir, "a/file", 0700, &err), -ENOTDIR);
	assert_int_equal(dir_make_at(dir, "a/file/x", 0700, &err), -ENOTDIR);
	assert_string_equal(err.text, "a/file is there but no folder");
}

static void test_dir_remove(void **state)
{
	int dir = folder(state);
	assert_int_equal(dir_make_at(dir, "t/u/v", 0700, NULL), 0);
	assert_int_equal(file_create_at(dir, "t/u/f", "x", 1, 0400, NULL), 0);
	assert_int_equal(file_create_at(dir, "outside", "x", 1, 0600, NULL), 0);
	assert_int_equal(symlinkat("../../outside", dir, "t/u/link"), 0);
	assert_int_equal(symlinkat("../..", dir, "t/u/up"), 0);
	assert_int_equal(dir_remove_at(dir, "t", NULL), 0);
	assert_int_equal(faccessat(dir, "t", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "outside", F_OK, 0), 0);
	assert_int_equal(dir_remove_at(dir, "t", NULL), 0); /* not there: nothing to do */
	assert_int_equal(dir_remove_at(dir, "outside", NULL), 0);
	assert_int_equal(faccessat(dir, "outside", F_OK, 0), -1);
}

static int make_nested(int dir, unsigned depth)
{
	AUTO(closep) int at = dup(dir);
	for (unsigned i = 0; i < depth; i++) {
		if (mkdirat(at, "n", 0700) < 0)
			return -1;
		int next = openat(at, "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	return 0;
}

static void test_dir_remove_depth(void **state)
{
	int dir = folder(state);
	struct fault err = FAULT_INIT;
	assert_int_equal(make_nested(dir, 129), 0);
	assert_int_equal(dir_remove_at(dir, "n", NULL), 0);
	assert_int_equal(make_nested(dir, 130), 0);
	assert_int_equal(dir_remove_at(dir, "n", &err), -ELOOP);
	assert_int_equal(renameat(dir, "n/n", dir, "m"), 0);
	assert_int_equal(dir_remove_at(dir, "m", NULL), 0);
}

/* What is not a folder is not taken for one; a link to a folder is one (the caller names the way). */
static void test_make_hostile(void **state)
{
	static const struct {
		const char *path;
		int want;
	} cases[] = {
		{ "dangling", -ENOTDIR }, { "dangling/x", -ENOTDIR }, { "to-file", -ENOTDIR },
		{ "loop/x", -ENOTDIR },   { "fifo", -ENOTDIR },       { "", -ENOENT },
		{ "to-real/made", 0 },    { "real/./in", 0 },         { "real/../beside", 0 },
		{ "none/../beside2", 0 },
	};
	int dir = folder(state);
	assert_int_equal(mkdirat(dir, "real", 0700), 0);
	assert_int_equal(file_create_at(dir, "file", "", 0, 0600, NULL), 0);
	assert_int_equal(symlinkat("nowhere", dir, "dangling"), 0);
	assert_int_equal(symlinkat("file", dir, "to-file"), 0);
	assert_int_equal(symlinkat("loop", dir, "loop"), 0);
	assert_int_equal(symlinkat("real", dir, "to-real"), 0);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		int r = dir_make_at(dir, cases[i].path, 0700, &err);
		if (r != cases[i].want || (r < 0) != (err.text[0] != 0))
			fail_msg("\"%s\": %d %s", cases[i].path, r, err.text);
	}
	assert_int_equal(faccessat(dir, "real/made", F_OK, 0), 0);
	assert_int_equal(faccessat(dir, "nowhere", F_OK, 0), -1);
}

/* A name that is too long, and one above the limit of a whole path. */
static void test_make_long(void **state)
{
	int dir = folder(state);
	char name[300], path[5000];
	struct fault err = FAULT_INIT;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(dir_make_at(dir, name, 0700, NULL), 0);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(dir_make_at(dir, name, 0700, &err), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 200 == 199 ? '/' : 'p';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(dir_make_at(dir, path, 0700, &err), -ENAMETOOLONG);
}

/* Entries that are neither files nor folders go, what they lead to stays, and nobody waits for a pipe. */
static void test_remove_specials(void **state)
{
	int dir = folder(state);
	AUTO(closep) int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	assert_int_equal(dir_make_at(dir, "kept/in", 0700, NULL), 0);
	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	assert_int_equal(mkfifoat(dir, "t/fifo", 0600), 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/t/sock", dir);
	assert_int_equal(bind(sock, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(symlinkat("../kept", dir, "t/to-folder"), 0);
	assert_int_equal(symlinkat("self", dir, "t/self"), 0);
	assert_int_equal(file_create_at(dir, "t/ \n\xff", "x", 1, 0000, NULL), 0);
	assert_int_equal(dir_remove_at(dir, "t", NULL), 0);
	assert_int_equal(faccessat(dir, "t", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "kept/in", F_OK, 0), 0);
	/* the top itself may be a link: it goes, its target stays */
	assert_int_equal(symlinkat("kept", dir, "link"), 0);
	assert_int_equal(dir_remove_at(dir, "link", NULL), 0);
	assert_int_equal(faccessat(dir, "kept/in", F_OK, 0), 0);
	assert_int_equal(faccessat(dir, "link", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* In a name space of its own: a file system mounted inside the tree is not emptied. */
static int remove_around_a_mount(const char *folder_path)
{
	struct fault err = FAULT_INIT;
	/* 77: this machine allows no mounts to the user */
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 77;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(folder_path) < 0 ||
	    mount("none", "t/mnt", "tmpfs", 0, NULL) < 0)
		return 77;
	if (file_create_at(AT_FDCWD, "t/mnt/treasure", "x", 1, 0600, NULL) < 0)
		return 1;
	if (dir_remove_at(AT_FDCWD, "t", &err) != -EXDEV ||
	    !strstr(err.text, "mnt is a mount point"))
		return 2;
	return faccessat(AT_FDCWD, "t/mnt/treasure", F_OK, 0) == 0 ? 0 : 3;
}

static void test_remove_mount(void **state)
{
	int status;
	assert_int_equal(dir_make_at(folder(state), "t/mnt", 0700, NULL), 0);
	pid_t pid = fork();
	if (!pid)
		_exit(remove_around_a_mount(folder_path(state)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("# no mounts for this user\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, folder_begin, folder_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_dir_make),     CASE(test_make_hostile),     CASE(test_make_long),
		CASE(test_dir_remove),   CASE(test_dir_remove_depth), CASE(test_remove_specials),
		CASE(test_remove_mount),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
