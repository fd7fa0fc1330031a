#pragma once
/*
 * The schema of the store as numbered steps, embedded in the program. A step, once released, never changes.
 */
#include <stddef.h>

struct schema_step {
	int number;       /* NNN of schema/NNN-name.sql */
	const char *name; /* for messages */
	const char *sql;  /* ends with a NUL */
};

extern const struct schema_step schema_steps[]; /* ends with .sql == NULL; numbers 1, 2, 3, … */
