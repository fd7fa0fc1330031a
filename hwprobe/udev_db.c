#include "hwprobe/udev_db.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

/* What is no number leaves *@ret alone. */
static void read_int(const char *text, int *ret)
{
	int64_t n;
	if (str_to_i64(text, &n) == 0 && n >= INT32_MIN && n <= INT32_MAX)
		*ret = (int)n;
}

static void add_entry(struct udev_record *r, const char *key)
{
	const char *equals = strchr(key, '=');
	if (equals)
		r->entries[r->entry_count++] =
			(struct udev_entry){ .at = (uint32_t)(key - r->text),
					     .key_len = (uint32_t)(equals - key) };
}

/* Room for as many entries as there can be. */
static struct udev_entry *new_entries(struct arena *a, const char *text, size_t len)
{
	size_t lines = 1;
	for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))); p++)
		lines++;
	return arena_alloc(a, MIN_OF(lines, (size_t)UDEV_LINES_MAX) * sizeof(struct udev_entry));
}

static bool is_kind(char c)
{
	return c && strchr(UDEV_LINE_KINDS, c);
}

void udev_record_parse(struct udev_record *r, struct arena *a, char *text, size_t len)
{
	*r = (struct udev_record){ .text = text, .len = len, .entries = new_entries(a, text, len) };
	if (!r->entries)
		return;
	int lines = 0;
	for (size_t at = 0; at < len;) {
		char *line = text + at;
		char *end = memchr(line, '\n', len - at);
		size_t n = end ? (size_t)(end - line) : len - at;
		if (++lines > UDEV_LINES_MAX) {
			r->len = at;
			return;
		}
		/* The text has a NUL behind its end, so the last line is terminated without a newline, too. */
		line[n] = '\0';
		at += n + 1;
		if (n < 2 || line[1] != ':' || !is_kind(line[0]))
			continue;
		r->is_there = true;
		if (line[0] == 'E')
			add_entry(r, line + 2);
		if (line[0] == 'I')
			r->is_initialized = true;
		if (line[0] == 'L')
			read_int(line + 2, &r->link_priority);
		if (line[0] == 'V')
			read_int(line + 2, &r->version);
	}
}

/* The line at *@at, advancing; NULL at the end. */
static const char *next_line(const struct udev_record *r, size_t *at)
{
	if (*at >= r->len)
		return NULL;
	const char *line = r->text + *at;
	*at += strnlen(line, r->len - *at) + 1;
	return line;
}

const char *udev_get(const struct udev_record *r, const char *key)
{
	size_t key_len = strlen(key);
	for (size_t i = r->entry_count; i > 0; i--) {
		const struct udev_entry *e = &r->entries[i - 1];
		if (e->key_len == key_len && !memcmp(r->text + e->at, key, key_len)) {
			const char *value = r->text + e->at + key_len + 1;
			return *value ? value : NULL;
		}
	}
	return NULL;
}

const char *udev_next_link(const struct udev_record *r, size_t *pos)
{
	for (const char *line; (line = next_line(r, pos));)
		if (line[0] == 'S' && line[1] == ':' && line[2])
			return line + 2;
	return NULL;
}

char *udev_decode(char *text)
{
	char *out = text;
	unsigned byte;
	for (const char *p = text; *p;) {
		char c = *p++;
		if (c == '\\' && *p == 'x' && isxdigit((unsigned char)p[1]) &&
		    isxdigit((unsigned char)p[2])) {
			sscanf(p + 1, "%2x", &byte);
			c = (char)byte;
			p += 3;
		}
		if (c == ' ' && (out == text || out[-1] == ' '))
			continue;
		if (c)
			*out++ = c;
	}
	*out = '\0';
	return str_trim(text);
}
