#pragma once
/*
 * The texts that a program's tables answer with: --help and the hidden --options. Nothing is wider than 80 columns.
 */
#include "common/verb.h"

/* To stdout. @v: NULL = of the program as a whole. */
void verb_print_help(const struct program *p, const struct verb *v);
/* One "--name" per line; for the whole program those of all verbs, too, each once. */
void verb_print_options(const struct program *p, const struct verb *v);
