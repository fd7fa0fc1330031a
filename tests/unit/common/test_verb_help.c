#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/str.h"
#include "common/verb_help.h"
#include "tests/unit/capture.h"

static int ignore(void *ctx, const char *value, struct fault *err)
{
	return 0;
}

static int run(void *ctx, int argc, char **argv)
{
	return EXIT_DONE;
}

static const struct option_spec options[] = {
	{ "file", 'f', "FILE", "what to read", ignore },
	{ "an-option-with-a-very-long-name", 0, "VALUE", "it has no room beside it", ignore },
	{ "hidden", 0, NULL, NULL, ignore },
	{ "state", 0, "DIR", "shared by the program and a verb", ignore },
	{ .name = NULL },
};
static const struct option_spec add_options[] = {
	{ "label", 'l', "TEXT",
	  "a text so long that it takes more than one line, with umlauts \xc3\xa4\xc3\xb6\xc3\xbc "
	  "\xc3\xa4\xc3\xb6\xc3\xbc \xc3\xa4\xc3\xb6\xc3\xbc that count as one column each",
	  ignore },
	{ "state", 0, "DIR", "shared by the program and a verb", ignore },
	{ .name = NULL },
};
static const struct option_spec list_options[] = {
	{ "label", 0, NULL, "the same name again", ignore },
	{ "secret", 0, NULL, NULL, ignore },
	{ "all", 'a', NULL, "everything", ignore },
	{ .name = NULL },
};
static const struct verb add = { "thing add", "FILE [DIR]", "add a thing", add_options, 1, 2, run };
static const struct verb list = { "list", "", "list the things", list_options, 0, 0, run };
static const struct verb internal = { "internal", "X", NULL, NULL, 0, 0, run };
static const struct verb *const verbs[] = { &add, &list, &internal, NULL };
static const struct program with_verbs = { "prog", "Does many things.", options, verbs, NULL, 0, 0,
					   NULL };
static const struct program plain = { "prog", "Does one thing.", NULL, NULL, "FILE...", 1, -1, run };

static void help(struct capture *c, const struct program *p, const struct verb *v)
{
	capture_begin(c);
	verb_print_help(p, v);
	capture_end(c);
	assert_string_equal(c->err, "");
}

/* Columns, not bytes: no line is wider than the terminal. */
static void assert_width(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n"), columns = 0;
		for (size_t i = 0; i < n; i++)
			columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (columns > 80)
			fail_msg("%zu columns: %.*s", columns, (int)n, text);
		assert_int_equal(text[n], '\n'); /* every line is ended */
		text += n + 1;
	}
}

static void test_plain(void **state)
{
	struct capture c;
	help(&c, &plain, NULL);
	assert_string_equal(c.out,
			    "Usage: prog [OPTION]... FILE...\n\nDoes one thing.\n\nOptions:\n"
			    "  -h, --help                show this help\n"
			    "      --version             show the version\n");
}

static void test_program_with_verbs(void **state)
{
	struct capture c;
	help(&c, &with_verbs, NULL);
	assert_width(c.out);
	static const char *const has[] = {
		"Usage: prog [OPTION]... COMMAND [ARGUMENT]...\n\nDoes many things.\n\nCommands:\n"
		"  thing add FILE [DIR]      add a thing\n"
		"  list                      list the things\n"
		"\n\"prog COMMAND --help\" explains a command.\n",
		"\n  -f, --file=FILE           what to read\n",
		/* too long for its column: the explanation goes below */
		"\n      --an-option-with-a-very-long-name=VALUE\n"
		"                            it has no room beside it\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(has); i++) {
		if (!strstr(c.out, has[i]))
			fail_msg("lacks:\n%s\nis:\n%s", has[i], c.out);
	}
	/* what has no explanation is not shown; a verb's options are not the program's */
	static const char *const lacks[] = { "hidden", "internal", "--label", "--all" };
	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++)
		assert_null(strstr(c.out, lacks[i]));
}

static void test_verb(void **state)
{
	struct capture c;
	help(&c, &with_verbs, &add);
	assert_width(c.out);
	assert_true(
		str_starts(c.out, "Usage: prog thing add [OPTION]... FILE [DIR]\n\nadd a thing\n"));
	assert_null(strstr(c.out, "--file"));
	/* wrapped under its own column, not before it could be */
	const char *label = strstr(c.out, "\n  -l, --label=TEXT          a text so long");
	assert_non_null(label);
	const char *second = strchr(label + 1, '\n') + 1;
	assert_int_equal(strspn(second, " "), 28);
	size_t first_columns = 0;
	for (const char *p = label + 1; *p != '\n'; p++)
		first_columns += ((unsigned char)*p & 0xc0) != 0x80;
	size_t word = strcspn(second + 28, " \n");
	assert_true(first_columns + 1 + word > 80);
	help(&c, &with_verbs, &list);
	assert_true(str_starts(c.out, "Usage: prog list [OPTION]...\n"));
}

/* One name a line, each once, nothing hidden; those of one verb on demand. */
static void test_options(void **state)
{
	struct capture c;
	capture_begin(&c);
	verb_print_options(&with_verbs, NULL);
	capture_end(&c);
	assert_string_equal(c.out, "--file\n--an-option-with-a-very-long-name\n--state\n--help\n"
				   "--version\n--label\n--all\n");
	capture_begin(&c);
	verb_print_options(&with_verbs, &list);
	capture_end(&c);
	assert_string_equal(c.out, "--label\n--all\n--help\n--version\n");
	capture_begin(&c);
	verb_print_options(&plain, NULL);
	capture_end(&c);
	assert_string_equal(c.out, "--help\n--version\n");
}

/* A word that is wider than the terminal is printed whole, on a line of its own. */
static void test_endless_word(void **state)
{
	char word[200], text[300];
	memset(word, 'w', sizeof(word));
	word[150] = '\0';
	snprintf(text, sizeof(text), "before %s after", word);
	const struct program p = { "prog", text, NULL, NULL, "", 0, 0, run };
	struct capture c;
	help(&c, &p, NULL);
	snprintf(text, sizeof(text), "\n\nbefore\n%s\nafter\n\n", word);
	if (!strstr(c.out, text))
		fail_msg("%s", c.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),        cmocka_unit_test(test_program_with_verbs),
		cmocka_unit_test(test_verb),         cmocka_unit_test(test_options),
		cmocka_unit_test(test_endless_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
