#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/fd.h"
#include "common/str.h"
#include "common/verb.h"

struct args {
	char *file;
	unsigned verbose, ran;
	int argc;
	char *first;
	int exit;
};

static int set_file(void *ctx, const char *value, struct fault *err)
{
	if (!*value)
		return fault_set(err, -EINVAL, "an empty name is none");
	return str_set(&((struct args *)ctx)->file, value);
}

static int set_verbose(void *ctx, const char *value, struct fault *err)
{
	((struct args *)ctx)->verbose++;
	return 0;
}

static int run_noting(void *ctx, int argc, char **argv, unsigned which)
{
	struct args *a = ctx;
	a->ran = which;
	a->argc = argc;
	a->first = argc > 0 ? argv[0] : NULL;
	return a->exit;
}

static int run_main(void *ctx, int argc, char **argv)
{
	return run_noting(ctx, argc, argv, 1);
}

static int run_add(void *ctx, int argc, char **argv)
{
	return run_noting(ctx, argc, argv, 2);
}

static int run_disk_list(void *ctx, int argc, char **argv)
{
	return run_noting(ctx, argc, argv, 3);
}

static const struct option_spec options[] = {
	{ "file", 'f', "FILE",
	  "read FILE instead of the standard place; a help text that is so long that it has to be "
	  "wrapped into several lines, which it is",
	  set_file },
	{ "verbose", 'v', NULL, "say more", set_verbose },
	{ "secret-switch", 0, NULL, NULL, set_verbose },
	{ .name = NULL },
};
static const struct option_spec add_options[] = {
	{ "label", 0, "TEXT", "name of the thing", set_file },
	{ "verbose", 'v', NULL, "say more", set_verbose },
	{ .name = NULL },
};
static const struct verb verb_add = {
	"add", "FILE [DIR]", "add a thing", add_options, 1, 2, run_add
};
static const struct verb verb_disk = { "disk list", NULL, "list the disks", NULL,
				       0,           0,    run_disk_list };
static const struct verb *const verbs[] = { &verb_add, &verb_disk, NULL };

static const struct program plain = { "prog", "Does something.", options, NULL, "[FILE]", 0,
				      1,      run_main };
static const struct program with_verbs = { "prog", "Does many things.", options, verbs, NULL, 0, 0,
					   NULL };
static const struct program mixed = {
	"prog", "Runs, or does one thing.", options, verbs, NULL, 0, 0, run_main
};

struct outcome {
	int status;
	char out[4096], err[4096];
	struct args args;
};

/* Runs the program with stdout and stderr in files. */
static struct outcome run(const struct program *p, const char *const *words)
{
	struct outcome o = { 0 };
	char *argv[16] = { (char *)"prog" };
	int argc = 1, saved[2] = { dup(1), dup(2) };
	FILE *files[2] = { tmpfile(), tmpfile() };
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	for (int i = 0; i < 2; i++)
		dup2(fileno(files[i]), i + 1);
	o.args.exit = EXIT_PARTIAL;
	o.status = program_main(p, &o.args, argc, argv);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
		char *to = i == 0 ? o.out : o.err;
		assert_true(fd_pread(fileno(files[i]), to, sizeof(o.out) - 1, 0) >= 0);
		fclose(files[i]);
	}
	return o;
}

#define RUN(p, ...) run(p, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void test_options(void **state)
{
	struct outcome o = RUN(&plain, "-v", "--file=a", "operand", "--verbose", "-f", "b");
	assert_int_equal(o.status, EXIT_PARTIAL);
	assert_string_equal(o.args.file, "b");
	assert_int_equal(o.args.verbose, 2);
	assert_int_equal(o.args.argc, 1);
	assert_string_equal(o.args.first, "operand");
	free(o.args.file);

	o = RUN(&plain, "--", "-v");
	assert_string_equal(o.args.first, "-v");
	assert_int_equal(o.args.verbose, 0);
	o = RUN(&plain, "--secret-switch");
	assert_int_equal(o.args.verbose, 1);
}

static void test_usage_errors(void **state)
{
	static const struct {
		const struct program *program;
		const char *words[4];
		const char *err;
	} cases[] = {
		{ &plain,
		  { "--nothing" },
		  "prog: unknown option --nothing\nTry \"prog --help\".\n" },
		{ &plain,
		  { "--nothing=5" },
		  "prog: unknown option --nothing\nTry \"prog --help\".\n" },
		{ &plain, { "-x" }, "prog: unknown option -x\nTry \"prog --help\".\n" },
		{ &plain, { "-vx" }, "prog: unknown option -x\nTry \"prog --help\".\n" },
		{ &plain,
		  { "--file" },
		  "prog: option --file needs a value\nTry \"prog --help\".\n" },
		{ &plain, { "-f" }, "prog: option -f needs a value\nTry \"prog --help\".\n" },
		{ &plain,
		  { "--verbose=1" },
		  "prog: option --verbose takes no value\nTry \"prog --help\".\n" },
		{ &plain,
		  { "--file=" },
		  "prog: --file: an empty name is none\nTry \"prog --help\".\n" },
		{ &plain, { "a", "b" }, "prog: unexpected operand \"b\"\nTry \"prog --help\".\n" },
		{ &with_verbs, { NULL }, "prog: a command is needed\nTry \"prog --help\".\n" },
		{ &with_verbs,
		  { "remove" },
		  "prog: unknown command \"remove\"\nTry \"prog --help\".\n" },
		{ &with_verbs,
		  { "disk" },
		  "prog: unknown command \"disk\"\nTry \"prog --help\".\n" },
		{ &with_verbs,
		  { "add" },
		  "prog: an operand is missing\nTry \"prog add --help\".\n" },
		{ &with_verbs,
		  { "add", "--file=x", "a" },
		  "prog: unknown option --file\nTry \"prog add --help\".\n" },
		{ &with_verbs,
		  { "disk", "list", "x" },
		  "prog: unexpected operand \"x\"\nTry \"prog disk list --help\".\n" },
		{ &mixed, { "remove" }, "prog: unknown command \"remove\"\nTry \"prog --help\".\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o = run(cases[i].program, cases[i].words);
		assert_string_equal(o.err, cases[i].err);
		assert_int_equal(o.status, EXIT_USAGE);
		assert_string_equal(o.out, "");
		assert_int_equal(o.args.ran, 0);
	}
}

static void test_verbs(void **state)
{
	struct outcome o = RUN(&with_verbs, "-v", "add", "--label", "l", "file", "-v", "dir");
	assert_int_equal(o.args.ran, 2);
	assert_int_equal(o.args.verbose, 2);
	assert_string_equal(o.args.file, "l");
	assert_int_equal(o.args.argc, 2);
	assert_string_equal(o.args.first, "file");
	free(o.args.file);
	o = RUN(&with_verbs, "disk", "list");
	assert_int_equal(o.args.ran, 3);
	assert_int_equal(o.status, EXIT_PARTIAL);
	o = RUN(&mixed, "-v");
	assert_int_equal(o.args.ran, 1);
	o = RUN(&mixed, "disk", "list");
	assert_int_equal(o.args.ran, 3);
}

static void assert_width(const char *text)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		assert_true(strcspn(text, "\n") <= 80);
}

static void test_help(void **state)
{
	struct outcome o = RUN(&plain, "--help"), h = RUN(&plain, "-h");
	assert_int_equal(o.status, EXIT_DONE);
	assert_string_equal(o.err, "");
	assert_string_equal(o.out, h.out);
	assert_width(o.out);
	assert_int_equal(strncmp(o.out, "Usage: prog [OPTION]... [FILE]\n\nDoes something.\n", 48),
			 0);
	assert_non_null(strstr(o.out, "\n  -f, --file=FILE           read FILE"));
	assert_null(strstr(o.out, "secret-switch"));
	assert_int_equal(o.args.ran, 0);

	o = RUN(&with_verbs, "--help");
	assert_non_null(strstr(o.out, "Usage: prog [OPTION]... COMMAND [ARGUMENT]...\n"));
	assert_non_null(strstr(o.out, "\n  add FILE [DIR]            add a thing\n"));
	assert_width(o.out);
	o = RUN(&with_verbs, "add", "--help");
	assert_non_null(strstr(o.out, "Usage: prog add [OPTION]... FILE [DIR]\n"));
	assert_non_null(strstr(o.out, "--label=TEXT"));
	o = RUN(&mixed, "-h");
	assert_int_equal(
		strncmp(o.out, "Usage: prog [OPTION]...\n       prog [OPTION]... COMMAND", 50), 0);
}

static void test_version_and_options(void **state)
{
	struct outcome o = RUN(&plain, "--version");
	assert_string_equal(o.out, "prog " SLIPWAY_VERSION "\n");
	assert_int_equal(o.status, EXIT_DONE);
	o = RUN(&plain, "--options");
	assert_string_equal(o.out, "--file\n--verbose\n--help\n--version\n");
	o = RUN(&with_verbs, "--options");
	assert_string_equal(o.out, "--file\n--verbose\n--help\n--version\n--label\n");
	o = RUN(&with_verbs, "add", "--options");
	assert_string_equal(o.out, "--label\n--verbose\n--help\n--version\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_version_and_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
