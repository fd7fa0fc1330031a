#include "common/verb_help.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/str.h"

#define WIDTH 80
#define TEXT_COLUMN 28 /* where the explanation begins */

static const struct option_spec common_options[] = {
	{ .name = "help", .letter = 'h', .help = "show this help" },
	{ .name = "version", .help = "show the version" },
	{ .name = NULL },
};

/* Columns of @len bytes of UTF-8: the bytes that are no continuation. */
static size_t columns(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Prints words from column @column on, wrapped, each further line indented by @indent. Ends the line. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
	bool first = true;
	while (*text) {
		size_t len = strcspn(text, " ");
		size_t width = columns(text, len);
		if (!first && column + 1 + width > WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", (int)len, text);
		column += width + !first;
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* "  LEFT            EXPLANATION" */
static void print_row(const char *left, const char *help)
{
	size_t used = 2 + columns(left, strlen(left));
	printf("  %s", left);
	if (used + 2 > TEXT_COLUMN) {
		putchar('\n');
		used = 0;
	}
	printf("%*s", (int)(TEXT_COLUMN - used), "");
	print_wrapped(help, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_option_rows(const struct option_spec *options)
{
	for (const struct option_spec *o = options; o && o->name; o++) {
		char letter[8] = "    ", left[128];
		if (!o->help)
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? "=" : "",
			 o->arg ? o->arg : "");
		print_row(left, o->help);
	}
}

static void print_synopsis(const struct program *p, const struct verb *v, const char *tail)
{
	char start[160];
	snprintf(start, sizeof(start), "%s%s%s", p->name, v ? " " : "", v ? v->name : "");
	char rest[256];
	snprintf(rest, sizeof(rest), "%s [OPTION]...%s%s", start, str_empty(tail) ? "" : " ",
		 tail ? tail : "");
	print_wrapped(rest, strlen("Usage: "), strlen("Usage: ") + 2);
}

static void print_verbs(const struct program *p)
{
	printf("\nCommands:\n");
	for (const struct verb *const *v = p->verbs; *v; v++) {
		char left[128];
		if (!(*v)->help)
			continue;
		const char *args = (*v)->args;
		snprintf(left, sizeof(left), "%s%s%s", (*v)->name, str_empty(args) ? "" : " ",
			 args ? args : "");
		print_row(left, (*v)->help);
	}
	printf("\n\"%s COMMAND --help\" explains a command.\n", p->name);
}

void verb_print_help(const struct program *p, const struct verb *v)
{
	printf("Usage: ");
	if (v)
		print_synopsis(p, v, v->args);
	else if (p->run || !p->verbs)
		print_synopsis(p, NULL, p->args);
	if (!v && p->verbs) {
		printf("%s", p->run ? "       " : "");
		print_synopsis(p, NULL, "COMMAND [ARGUMENT]...");
	}
	putchar('\n');
	print_wrapped(v ? v->help : p->summary, 0, 0);
	if (!v && p->verbs)
		print_verbs(p);
	printf("\nOptions:\n");
	print_option_rows(v ? v->options : p->options);
	print_option_rows(common_options);
}

/* --- --options ----------------------------------------------------------------------------- */

static bool has_option(const struct option_spec *options, const char *name)
{
	for (const struct option_spec *o = options; o && o->name; o++) {
		if (strcmp(o->name, name) == 0)
			return true;
	}
	return false;
}

/* Was @name printed for the program or for a verb before @end? */
static bool was_printed(const struct program *p, const struct verb *const *end, const char *name)
{
	if (has_option(p->options, name))
		return true;
	for (const struct verb *const *v = p->verbs; v != end; v++) {
		if (has_option((*v)->options, name))
			return true;
	}
	return false;
}

static void list_options(const struct option_spec *options)
{
	for (const struct option_spec *o = options; o && o->name; o++) {
		if (o->help)
			printf("--%s\n", o->name);
	}
}

void verb_print_options(const struct program *p, const struct verb *v)
{
	list_options(v ? v->options : p->options);
	list_options(common_options);
	for (const struct verb *const *w = v ? NULL : p->verbs; w && *w; w++) {
		for (const struct option_spec *o = (*w)->options; o && o->name; o++) {
			if (o->help && !was_printed(p, w, o->name))
				printf("--%s\n", o->name);
		}
	}
}
