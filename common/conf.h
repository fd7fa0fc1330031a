#pragma once
/*
 * INI files (/etc/slipway/NAME.conf): [section], key = value, '#' and ';' comments at the start of a line, no continuation lines. Values are
 * taken to the end of the line, trimmed; quotes are plain characters.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/fault.h"

enum conf_type {
	CONF_STR /* char *, owned */,
	CONF_BOOL,
	CONF_U64,
	CONF_SIZE /* uint64_t bytes */,
	CONF_MS /* uint64_t */
};

struct conf_key {
	const char *section; /* "" = before the first section */
	const char *key;
	enum conf_type type;
	size_t offset; /* in the struct given to conf_load() */
};

#define CONF_MAX (256 * 1024) /* bytes of a file */

/*
 * Fills @out by the table (ends with .key == NULL). -ENOENT when the file is not there; -EINVAL with "FILE:LINE: …" for an
 * unknown section or key or a bad value.
 */
int conf_load_at(int dirfd, const char *path, const struct conf_key *table, void *out,
		 struct fault *err);
int conf_parse(const char *name, const char *text, size_t len, const struct conf_key *table,
	       void *out, struct fault *err);
void conf_done(const struct conf_key *table, void *out); /* frees the strings */
