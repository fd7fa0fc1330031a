#include "fake_slipwayd.h"

/* The service gets the file open; it is this user's, private and new. */
static void test_made(void **state)
{
	struct fake *f = *state;
	char path[160];
	AUTO(freep) char *data = NULL;
	struct stat st;
	size_t len;

	fake_path(f, "copy", path);
	mode_t old = umask(0);
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_backup, path), EXIT_DONE);
	umask(old);
	fake_asked(f, "backup", "{}");
	assert_string_equal(f->fd_kind, "file");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1000, &data, &len, NULL), 0);
	assert_string_equal(data, "written by the service");
	assert_string_equal(f->text.out, "");
	assert_string_equal(f->text.err, "");
}

/* A backup that failed leaves no file that looks like one. */
static void test_failed(void **state)
{
	struct fake *f = *state;
	char path[160];

	fake_path(f, "copy", path);
	assert_int_equal(FAKE_VERB(f, "{\"ok\":false,\"error\":\"no room\"}", &verb_backup, path),
			 EXIT_FAILED);
	assert_string_equal(f->text.err, "slipwayctl: no room\n");
	assert_int_equal(access(path, F_OK), -1);
	/* nobody listens any more */
	assert_int_equal(FAKE_RUN(f, &verb_backup, path), EXIT_FAILED);
	assert_int_equal(access(path, F_OK), -1);
}

/* Nothing that is there is overwritten, not even through a link; the service is not asked. */
static void test_never_over_something(void **state)
{
	struct fake *f = *state;
	char path[160], link[160];
	AUTO(freep) char *data = NULL;
	size_t len;

	fake_path(f, "old", path);
	fake_path(f, "link", link);
	assert_int_equal(file_create_at(AT_FDCWD, path, "precious", 8, 0600, NULL), 0);
	assert_int_equal(symlink("nowhere", link), 0);
	const char *const taken[] = { path, link, f->dir, "/none/copy" };
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		assert_int_equal(FAKE_RUN(f, &verb_backup, taken[i]), EXIT_FAILED);
		assert_non_null(strstr(f->text.err, "cannot create "));
		assert_non_null(strstr(f->text.err, taken[i]));
	}
	assert_int_equal(file_read_at(AT_FDCWD, path, 1000, &data, &len, NULL), 0);
	assert_string_equal(data, "precious");
	fake_path(f, "nowhere", path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(FAKE_RUN(f, &verb_backup), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_backup, "a", "b"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_made),
		FAKE_TEST(test_failed),
		FAKE_TEST(test_never_over_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
