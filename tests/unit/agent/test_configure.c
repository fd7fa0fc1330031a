/*
 * Seed files in a folder that stands for the installed root file system.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/configure.h"
#include "common/cleanup.h"
#include "common/fd.h"

struct root {
	char path[64];
	int fd;
};

static void root_make(struct root *r)
{
	strcpy(r->path, "/tmp/slipway-root-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	r->fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(r->fd, "etc", 0755), 0);
}

static void root_done(struct root *r)
{
	closep(&r->fd);
	(void)dir_remove_at(AT_FDCWD, r->path, NULL);
}

static mode_t mode_of(const struct root *r, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(r->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void test_files(void **state)
{
	static const struct install_file files[] = {
		{ "etc/slipway/agent.conf", 0600, "[agent]\nx", 9 },
		{ "etc/slipway/empty", 0644, "", 0 },
		{ "etc/systemd/system/x.conf", 0644, "public", 6 },
		{ "etc/slipway/agent.conf", 0600, "new", 3 }, /* replaces the first */
	};
	AUTO(root_done) struct root r;
	AUTO(freep) char *text = NULL;
	size_t len;
	mode_t old = umask(0077); /* modes are exact, whatever the process's mask is */

	root_make(&r);
	assert_int_equal(configure_put_files(r.fd, files, 4, NULL), 0);
	umask(old);
	assert_int_equal(mode_of(&r, "etc/slipway"), 0700);
	assert_int_equal(mode_of(&r, "etc/slipway/agent.conf"), 0600);
	assert_int_equal(mode_of(&r, "etc/slipway/empty"), 0644);
	assert_int_equal(mode_of(&r, "etc/systemd"), 0755);
	assert_int_equal(mode_of(&r, "etc/systemd/system"), 0755);
	assert_int_equal(file_read_at(r.fd, "etc/slipway/agent.conf", 100, &text, &len, NULL), 0);
	assert_string_equal(text, "new");
}

static void test_bad_paths(void **state)
{
	static const char *const paths[] = { "",       "/etc/x", "etc/../x", "../x", "etc//x",
					     "etc/x/", "./x",    "etc/.",    ".." };
	AUTO(root_done) struct root r;

	root_make(&r);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct install_file f = { paths[i], 0600, "x", 1 };

		if (configure_put_files(r.fd, &f, 1, NULL) != -EINVAL)
			fail_msg("\"%s\"", paths[i]);
	}
	const struct install_file large = { "etc/x", 0600, "x", INSTALL_FILE_MAX + 1 };
	assert_int_equal(configure_put_files(r.fd, &large, 1, NULL), -EINVAL);
}

/* An image whose folders are links does not make us write elsewhere. */
static void test_links_are_not_followed(void **state)
{
	static const struct install_file f = { "etc/slipway/token", 0600, "secret", 6 },
					 in_etc = { "etc/link", 0600, "secret", 6 };
	AUTO(root_done) struct root r, other;
	struct stat st;

	root_make(&r);
	root_make(&other);
	assert_int_equal(symlinkat(other.path, r.fd, "etc/slipway"), 0);
	assert_true(configure_put_files(r.fd, &f, 1, NULL) < 0);
	assert_int_equal(fstatat(other.fd, "token", &st, 0), -1);
	/* a link in the place of the file itself is replaced */
	assert_int_equal(file_create_at(other.fd, "target", "old", 3, 0644, NULL), 0);
	char target[96];
	snprintf(target, sizeof(target), "%s/target", other.path);
	assert_int_equal(symlinkat(target, r.fd, "etc/link"), 0);
	assert_int_equal(configure_put_files(r.fd, &in_etc, 1, NULL), 0);
	assert_int_equal(mode_of(&r, "etc/link"), 0600);
	assert_int_equal(mode_of(&other, "target"), 0644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_links_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
