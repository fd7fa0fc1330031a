#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "verb_rig.h"

/* An output folder that was there or holds something stays; one that was made for nothing goes, with its parents. */
static void test_failed_build_leaves_no_folder(void **state)
{
	static const struct {
		const char *output;
		const char *gone, *stays; /* NULL = none */
	} cases[] = {
		{ "new", "new", NULL },
		{ "new/", "new", NULL },
		{ "a/b//c/", "a", NULL },
		{ "./d/../e", "e", NULL },
		{ "there", NULL, "there" },
		{ "there/sub/sub", "there/sub", "there" },
		{ "full", NULL, "full/note" },
		{ "link", NULL, "there" },
		{ "link/sub", "there/sub", "there" },
	};
	struct verb_rig *g = *state;

	assert_int_equal(mkdir("there", 0700), 0);
	assert_int_equal(mkdir("empty-root", 0700), 0);
	fake_root_text(&g->root, "full/note", "precious");
	fake_root_link(&g->root, "link", "there");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *option = str_printf("--output=%s", cases[i].output);
		assert_int_equal(
			VERB_RUN(g, &verb_build, "--root=empty-root", "--agent=tiny.iso", option),
			EXIT_FAILED);
		assert_true(*g->text.err);
		assert_string_equal(g->text.out, "");
		if (cases[i].gone && access(cases[i].gone, F_OK) == 0)
			fail_msg("%s is left of --output=%s", cases[i].gone, cases[i].output);
		if (cases[i].stays && access(cases[i].stays, F_OK) < 0)
			fail_msg("%s is gone after --output=%s", cases[i].stays, cases[i].output);
	}
}

/* Something else stands where the folder should be. */
static void test_no_folder(void **state)
{
	struct verb_rig *g = *state;

	assert_int_equal(VERB_RUN(g, &verb_build, "--agent=tiny.iso", "--output=tiny.iso"),
			 EXIT_FAILED);
	assert_string_equal(g->text.err, "slipway-image: tiny.iso is there but no folder\n");
	assert_int_equal(VERB_RUN(g, &verb_build, "--agent=tiny.iso", "--output=tiny.iso/x"),
			 EXIT_FAILED);
	assert_int_equal(access("tiny.iso", F_OK), 0);
}

static void test_usage(void **state)
{
	static const struct {
		const char *word;
		const char *says;
	} cases[] = {
		{ "--level=0", "1 to 19" },
		{ "--level=20", "1 to 19" },
		{ "--level=nine", "1 to 19" },
		{ "--epoch=0", "seconds since 1970" },
		{ "--epoch=-5", "seconds since 1970" },
		{ "--epoch=4294967296", "seconds since 1970" },
		{ "--epoch=", "seconds since 1970" },
		{ "--json", "unknown option" },
		{ "operand", "unexpected operand" },
	};
	struct verb_rig *g = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = VERB_RUN(g, &verb_build, "--output=new", cases[i].word);
		if (status != EXIT_USAGE || !strstr(g->text.err, cases[i].says))
			fail_msg("%s: %d %s", cases[i].word, status, g->text.err);
	}
	assert_int_equal(VERB_RUN(g, &verb_build, "--root=."), EXIT_USAGE);
	assert_non_null(strstr(g->text.err, "--output"));
	assert_int_equal(VERB_RUN(g, &verb_build, "--output="), EXIT_USAGE);
	assert_int_equal(access("new", F_OK), -1);
}

/* The environment's date is judged as the option's, and only when it is needed. */
static void test_date_of_the_environment(void **state)
{
	struct verb_rig *g = *state;

	assert_int_equal(mkdir("empty-root", 0700), 0);
	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	assert_int_equal(
		VERB_RUN(g, &verb_build, "--agent=tiny.iso", "--root=empty-root", "--output=new"),
		EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "SOURCE_DATE_EPOCH: not a date"));
	assert_int_equal(VERB_RUN(g, &verb_build, "--agent=tiny.iso", "--root=empty-root",
				  "--output=new", "--epoch=1700000000"),
			 EXIT_FAILED);
	assert_null(strstr(g->text.err, "SOURCE_DATE_EPOCH"));
	setenv("SOURCE_DATE_EPOCH", "", 1);
	assert_int_equal(
		VERB_RUN(g, &verb_build, "--agent=tiny.iso", "--root=empty-root", "--output=new"),
		EXIT_FAILED);
	assert_null(strstr(g->text.err, "SOURCE_DATE_EPOCH"));
	unsetenv("SOURCE_DATE_EPOCH");
}

/* Beside this test program there is no agent: the remedy is named. */
static void test_agent_is_missing(void **state)
{
	struct verb_rig *g = *state;

	assert_int_equal(VERB_RUN(g, &verb_build, "--root=.", "--output=new"), EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "name it by --agent"));
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(
		VERB_RUN(g, &verb_build, "--root=absent", "--agent=tiny.iso", "--output=new"),
		EXIT_FAILED);
	assert_non_null(strstr(g->text.err, "absent"));
	assert_int_equal(access("new", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VERB_TEST(test_failed_build_leaves_no_folder),
		VERB_TEST(test_no_folder),
		VERB_TEST(test_usage),
		VERB_TEST(test_date_of_the_environment),
		VERB_TEST(test_agent_is_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
