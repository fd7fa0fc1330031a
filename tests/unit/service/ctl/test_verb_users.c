#include "fake_slipwayd.h"

/* Without a file: a random password, printed when it holds, and only then. */
static void test_random_password(void **state)
{
	struct fake *f = *state;
	char first[64] = "";

	for (int i = 0; i < 2; i++) {
		assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_users_add, "bob"), EXIT_DONE);
		const json_t *args = json_object_get(f->request, "args");
		const char *password = json_str(args, "password");
		assert_int_equal(strlen(password), 20);
		assert_int_equal(strncmp(f->text.out, password, 20), 0);
		assert_string_equal(f->text.out + 20, "\n");
		assert_string_not_equal(password, first);
		str_copy(first, sizeof(first), password);
		assert_true(json_is_null(json_object_get(args, "role")));
	}
	assert_int_equal(
		FAKE_VERB(f, "{\"error\":\"there is a user bob already\"}", &verb_users_add, "bob"),
		EXIT_FAILED);
	assert_string_equal(f->text.out, "");
	assert_string_equal(f->text.err, "slipwayctl: there is a user bob already\n");
}

/* The first line of a file, whatever ends it; it is not printed. */
static void test_password_file(void **state)
{
	static const struct {
		const char *content, *password;
	} cases[] = {
		{ "correct horse", "correct horse" },
		{ "correct horse\n", "correct horse" },
		{ "correct horse\r\nsecond line\n", "correct horse" },
		{ " spaces stay \n", " spaces stay " },
		{ "p\xc3\xa4ssw\xc3\xb6rter\n", "p\xc3\xa4ssw\xc3\xb6rter" },
		{ "\nnot this one", "" },
		{ "", "" },
	};
	struct fake *f = *state;
	char path[160], args[300];

	fake_path(f, "password", path);
	AUTO(freep) char *option = str_printf("--password-file=%s", path);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)unlink(path);
		assert_int_equal(file_create_at(AT_FDCWD, path, cases[i].content,
						strlen(cases[i].content), 0600, NULL),
				 0);
		assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_users_passwd, option, "bob"),
				 EXIT_DONE);
		snprintf(args, sizeof(args), "{\"name\":\"bob\",\"role\":null,\"password\":\"%s\"}",
			 cases[i].password);
		fake_asked(f, "users-passwd", args);
		assert_string_equal(f->text.out, "");
	}
}

static void test_password_of_stdin(void **state)
{
	struct fake *f = *state;
	int fds[2], saved = dup(STDIN_FILENO);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_write(fds[1], "from the pipe\n", 14), 0);
	close(fds[1]);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	int status = FAKE_VERB(f, "{\"ok\":true}", &verb_users_add, "--role=read-only",
			       "--password-file=-", "bob");
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(status, EXIT_DONE);
	fake_asked(f, "users-add",
		   "{\"name\":\"bob\",\"role\":\"read-only\",\"password\":\"from the pipe\"}");
}

/* A file that cannot be read ends it before anything is asked: no user with another password than was meant. */
static void test_unreadable_file(void **state)
{
	struct fake *f = *state;
	AUTO(freep) char *folder = str_printf("--password-file=%s", f->dir);

	assert_int_equal(FAKE_RUN(f, &verb_users_add, "--password-file=/none", "bob"), EXIT_FAILED);
	assert_non_null(strstr(f->text.err, "cannot open /none: "));
	assert_int_equal(FAKE_RUN(f, &verb_users_add, folder, "bob"), EXIT_FAILED);
	assert_non_null(strstr(f->text.err, "cannot read the password: "));
	assert_string_equal(f->text.out, "");
}

/* A password longer than the service takes arrives as too long, not cut to something else that fits. */
static void test_long_password(void **state)
{
	struct fake *f = *state;
	char path[160];
	AUTO(freep) char *text = malloc(5000);

	fake_path(f, "password", path);
	AUTO(freep) char *option = str_printf("--password-file=%s", path);
	memset(text, 'p', 5000);
	assert_int_equal(file_create_at(AT_FDCWD, path, text, 5000, 0600, NULL), 0);
	assert_int_equal(FAKE_VERB(f, "{\"error\":\"too long\"}", &verb_users_add, option, "bob"),
			 EXIT_FAILED);
	/* service/ctl_access.c takes 1024 bytes */
	assert_true(strlen(json_str(json_object_get(f->request, "args"), "password")) > 1024);
}

static void test_list_and_remove(void **state)
{
	struct fake *f = *state;

	assert_int_equal(
		FAKE_VERB(f,
			  "{\"ok\":true,\"users\":[{\"name\":\"admin\",\"role\":\"admin\"},"
			  "{\"name\":\"bob\",\"role\":\"read-only\"}]}",
			  &verb_users_list),
		EXIT_DONE);
	fake_asked(f, "users-list", "{}");
	assert_string_equal(f->text.out, "admin      admin\nread-only  bob\n");
	f->ctl.json = true;
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true,\"users\":[]}", &verb_users_list), EXIT_DONE);
	assert_string_equal(f->text.out, "[]\n");
	f->ctl.json = false;
	assert_int_equal(FAKE_VERB(f, "{\"ok\":true}", &verb_users_remove, "bob"), EXIT_DONE);
	fake_asked(f, "users-remove", "{\"name\":\"bob\"}");
	assert_int_equal(FAKE_VERB(f, "{\"error\":\"bob is the last administrator\"}",
				   &verb_users_remove, "bob"),
			 EXIT_FAILED);
	assert_int_equal(FAKE_VERB(f, "{}", &verb_users_list), EXIT_FAILED);
	assert_int_equal(FAKE_RUN(f, &verb_users_remove), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_users_passwd, "--role=admin", "bob"), EXIT_USAGE);
	assert_int_equal(FAKE_RUN(f, &verb_users_list, "bob"), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_random_password),   FAKE_TEST(test_password_file),
		FAKE_TEST(test_password_of_stdin), FAKE_TEST(test_unreadable_file),
		FAKE_TEST(test_long_password),     FAKE_TEST(test_list_and_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
