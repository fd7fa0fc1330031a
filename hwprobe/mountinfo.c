#include "hwprobe/mountinfo.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/str.h"

enum { FIELD_DEVICE = 2, FIELD_ROOT = 3, FIELD_POINT = 4, FIELDS_FIXED = 6 };

static bool is_octal(const char *p, int digits)
{
	for (int i = 0; i < digits; i++)
		if (p[i] < '0' || p[i] > '7')
			return false;
	return true;
}

/* The kernel writes space, tab, newline and backslash as \ooo (fs/seq_file.c mangle_path()). */
char *mountinfo_unescape(char *text)
{
	char *out = text;
	for (const char *p = text; *p; out++) {
		if (*p == '\\' && is_octal(p + 1, 3)) {
			*out = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*out = *p++;
		}
	}
	*out = '\0';
	return text;
}

static bool parse_device(const char *text, struct mount *m)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	const char *minor_text = end + 1;
	unsigned long minor = strtoul(minor_text, &end, 10);
	if (end == minor_text || *end || major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	m->major = (unsigned)major;
	m->minor = (unsigned)minor;
	return true;
}

static bool parse_line(char *line, struct mount *m)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);
	for (int i = 0; i < FIELDS_FIXED; i++, word = strtok_r(NULL, " ", &save)) {
		if (!word)
			return false;
		if (i == FIELD_DEVICE && !parse_device(word, m))
			return false;
		if (i == FIELD_ROOT)
			m->root = mountinfo_unescape(word);
		if (i == FIELD_POINT)
			m->point = mountinfo_unescape(word);
	}
	/* optional fields, ended by a lone hyphen */
	while (word && strcmp(word, "-"))
		word = strtok_r(NULL, " ", &save);
	char *type = strtok_r(NULL, " ", &save), *source = strtok_r(NULL, " ", &save);
	if (!word || !type || !source)
		return false;
	m->type = mountinfo_unescape(type);
	m->source = mountinfo_unescape(source);
	return true;
}

void mountinfo_parse(struct mount_table *t, struct arena *a, char *text)
{
	*t = (struct mount_table){ 0 };
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mount m = { 0 };
		if (t->n == MOUNTS_MAX || !parse_line(line, &m)) {
			t->broken++;
			continue;
		}
		struct mount *slot = arena_append(a, &t->v, &t->n, sizeof(*slot));
		if (!slot)
			return;
		*slot = m;
	}
}
