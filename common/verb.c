#include "common/verb.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"
#include "common/verb_help.h"

#define OPTIONS_MAX 64 /* of one table */

/* What getopt_long() answers for an option of the table: FIRST_OPTION + its place. */
enum { OPT_HELP = 1000, OPT_VERSION, OPT_LIST, FIRST_OPTION };

static const struct option_spec no_options[] = { { .name = NULL } };

/* The command line as far as it is understood. */
struct parse {
	const struct program *program;
	const struct verb *verb; /* NULL: the program's own options */
	const struct option_spec *options;
	void *ctx;
};

/* One line and a hint. */
static int usage_error(const struct parse *p, const char *text)
{
	const char *space = p->verb ? " " : "", *verb = p->verb ? p->verb->name : "";
	fprintf(stderr, "%s: %s\nTry \"%s%s%s --help\".\n", p->program->name, text,
		p->program->name, space, verb);
	return EXIT_USAGE;
}

static int usage_errorf(const struct parse *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int usage_errorf(const struct parse *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_make_utf8(text);
	return usage_error(p, text);
}

/* The tables of getopt_long(). */
struct tables {
	struct option longs[OPTIONS_MAX + 4];
	char shorts[2 * OPTIONS_MAX + 8];
};

static void add_long(struct tables *t, size_t i, const char *name, bool has_arg, int val)
{
	t->longs[i] = (struct option){ name, has_arg ? required_argument : no_argument, NULL, val };
}

static size_t fill_tables(const struct option_spec *options, bool stop_at_operand, struct tables *t)
{
	size_t n = 0;
	char *s = t->shorts;
	*t = (struct tables){ 0 };
	if (stop_at_operand)
		*s++ = '+';
	*s++ = ':'; /* a missing argument is told apart from an unknown option */
	*s++ = 'h';
	for (; options[n].name && n < OPTIONS_MAX; n++) {
		add_long(t, n, options[n].name, options[n].arg != NULL, (int)(FIRST_OPTION + n));
		if (!options[n].letter)
			continue;
		*s++ = options[n].letter;
		if (options[n].arg)
			*s++ = ':';
	}
	add_long(t, n, "help", false, OPT_HELP);
	add_long(t, n + 1, "version", false, OPT_VERSION);
	add_long(t, n + 2, "options", false, OPT_LIST);
	return n;
}

static const struct option_spec *option_of(const struct option_spec *options, size_t n, int c)
{
	if (c >= FIRST_OPTION)
		return &options[c - FIRST_OPTION];
	for (size_t i = 0; i < n; i++) {
		if (options[i].letter == c)
			return &options[i];
	}
	return NULL;
}

/* The option as it was typed, without its value. */
static void typed_option(char **argv, char ret[64])
{
	const char *arg = argv[optind - 1];
	if (optopt > 0 && optopt < 256)
		snprintf(ret, 64, "-%c", optopt);
	else
		snprintf(ret, 64, "%.*s", (int)MIN_OF(strcspn(arg, "="), (size_t)60), arg);
}

static int bad_option(const struct parse *p, int c, char **argv)
{
	char typed[64];
	if (c == ':' && optopt >= FIRST_OPTION)
		return usage_errorf(p, "option --%s needs a value",
				    p->options[optopt - FIRST_OPTION].name);
	typed_option(argv, typed);
	if (c == ':')
		return usage_errorf(p, "option %s needs a value", typed);
	if (optopt >= OPT_HELP)
		return usage_errorf(p, "option %s takes no value", typed);
	return usage_errorf(p, "unknown option %s", typed);
}

static int print_and_exit(const struct parse *p, int c)
{
	if (c == OPT_VERSION)
		printf("%s %s\n", p->program->name, SLIPWAY_VERSION);
	else if (c == OPT_LIST)
		verb_print_options(p->program, p->verb);
	else
		verb_print_help(p->program, p->verb);
	return EXIT_DONE;
}

/* -1 = go on with the operands from optind, else the exit status. */
static int parse_options(struct parse *p, int argc, char **argv)
{
	struct tables t;
	size_t n = fill_tables(p->options, !p->verb && p->program->verbs, &t);
	optind = 0; /* getopt(3): start anew, with the GNU order of arguments looked at again */
	opterr = 0;
	for (;;) {
		struct fault err = FAULT_INIT;
		optopt = 0;
		int c = getopt_long(argc, argv, t.shorts, t.longs, NULL);
		if (c == -1)
			return -1;
		if (c == '?' || c == ':')
			return bad_option(p, c, argv);
		if (c == 'h' || (c >= OPT_HELP && c < FIRST_OPTION))
			return print_and_exit(p, c);
		const struct option_spec *o = option_of(p->options, n, c);
		if (o && o->set(p->ctx, optarg ? optarg : "", &err) < 0)
			return usage_errorf(p, "--%s: %s", o->name, fault_text(&err));
	}
}

static int check_operands(const struct parse *p, int n, int min, int max, char **operands)
{
	if (n < min)
		return usage_error(p,
				   n == 0 ? "an operand is missing" : "more operands are needed");
	if (max >= 0 && n > max)
		return usage_errorf(p, "unexpected operand \"%s\"", operands[max]);
	return 0;
}

/* How many of the operands name the verb ("disk list" are two words); 0 = they do not. */
static int words_matched(const struct verb *v, int argc, char **argv)
{
	const char *name = v->name;
	for (int i = 0; i < argc; i++) {
		size_t len = strcspn(name, " ");
		if (strlen(argv[i]) != len || strncmp(argv[i], name, len) != 0)
			return 0;
		if (name[len] == '\0')
			return i + 1;
		name += len + 1;
	}
	return 0;
}

static int run_verb(const struct program *program, const struct verb *v, void *ctx, int argc,
		    char **argv)
{
	struct parse p = { program, v, v->options ? v->options : no_options, ctx };
	int r = parse_options(&p, argc, argv);
	if (r >= 0)
		return r;
	argc -= optind;
	argv += optind;
	r = check_operands(&p, argc, v->min_operands, v->max_operands, argv);
	return r ? r : v->run(ctx, argc, argv);
}

static int run_program(const struct parse *p, int argc, char **argv)
{
	const struct program *program = p->program;
	for (const struct verb *const *v = program->verbs; v && *v; v++) {
		int words = words_matched(*v, argc, argv);
		if (words > 0) /* the last word stands where a program's name would */
			return run_verb(program, *v, p->ctx, argc - words + 1, argv + words - 1);
	}
	if (program->verbs && argc > 0 && (!program->run || program->max_operands == 0))
		return usage_errorf(p, "unknown command \"%s\"", argv[0]);
	if (!program->run)
		return usage_error(p, "a command is needed");
	int r = check_operands(p, argc, program->min_operands, program->max_operands, argv);
	return r ? r : program->run(p->ctx, argc, argv);
}

int program_main(const struct program *program, void *ctx, int argc, char **argv)
{
	struct parse p = { program, NULL, program->options ? program->options : no_options, ctx };
	int r = parse_options(&p, argc, argv);
	if (r < 0)
		r = run_program(&p, argc - optind, argv + optind);
	/* a full disk behind stdout is a failure, too */
	if ((fflush(stdout) != 0 || ferror(stdout)) && r == EXIT_DONE) {
		fprintf(stderr, "%s: cannot write the output\n", program->name);
		r = EXIT_FAILED;
	}
	return r;
}
