#pragma once
/*
 * Command lines as tables: the option table feeds getopt, --help and the completion script. Every program has -h/--help and --version.
 * Usage errors: one line and a hint on stderr, exit 2.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/fault.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3 };

struct option_spec {
	const char *name; /* long name without dashes */
	char letter;      /* or 0 */
	const char *arg;  /* name of the argument in the help ("FILE"), NULL = a flag */
	const char *help; /* one line; NULL = not shown */
	/* Takes the value; ctx is the caller's. 0, or -EINVAL with a sentence. @value is "" for a flag. */
	int (*set)(void *ctx, const char *value, struct fault *err);
};

struct verb {
	const char *name;                             /* one word, or two ("disk list") */
	const char *args;                             /* synopsis of the operands, "FILE [DIR]" */
	const char *help;                             /* one line; NULL = not shown */
	const struct option_spec *options;            /* ends with .name == NULL; may be NULL */
	int min_operands, max_operands;               /* -1 = any */
	int (*run)(void *ctx, int argc, char **argv); /* operands only; returns the exit status */
};

struct program {
	const char *name, *summary;
	const struct option_spec *options; /* of the program itself, before the verb; may be NULL */
	const struct verb *const *verbs;   /* NULL-terminated; NULL = no verbs */
	/* run is called when no verb is named; NULL = a verb is needed */
	const char *args;
	int min_operands, max_operands;
	int (*run)(void *ctx, int argc, char **argv);
};

/* Parses, runs, returns the exit status. Also answers --help, --version and the hidden --options (one "--name" per line, for tests). */
int program_main(const struct program *p, void *ctx, int argc, char **argv);
