#include "common/conf.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

struct parser {
	const char *name; /* of the file */
	unsigned line;
	const char *section; /* borrowed from the table */
	const struct conf_key *table;
	char *out;
	struct fault *err;
};

#define complain(p, fmt, ...) \
	fault_set((p)->err, -EINVAL, "%s:%u: " fmt, (p)->name, (p)->line, __VA_ARGS__)

static int set_str(const char *value, void *member)
{
	return str_set(member, value);
}

static int set_bool(const char *value, void *member)
{
	return str_to_bool(value, member);
}

static int set_u64(const char *value, void *member)
{
	return str_to_u64(value, member);
}

static int set_size(const char *value, void *member)
{
	return str_to_size(value, member);
}

static int set_ms(const char *value, void *member)
{
	return str_to_ms(value, member);
}

static const struct {
	int (*set)(const char *value, void *member);
	const char *wanted;
} types[] = {
	[CONF_STR] = { set_str, "text" },
	[CONF_BOOL] = { set_bool, "yes or no" },
	[CONF_U64] = { set_u64, "a number" },
	[CONF_SIZE] = { set_size, "a size (4096, 64K, 10M, 2G)" },
	[CONF_MS] = { set_ms, "a time (5, 500ms, 10s, 3m, 2h)" },
};

static int enter_section(struct parser *p, char *line)
{
	size_t len = strlen(line);
	if (line[len - 1] != ']')
		return complain(p, "the section name lacks its \"%s\"", "]");
	line[len - 1] = '\0';
	char *name = str_trim(line + 1);
	for (const struct conf_key *k = p->table; k->key; k++) {
		if (strcmp(k->section, name) == 0) {
			p->section = k->section;
			return 0;
		}
	}
	return complain(p, "unknown section [%s]", name);
}

static int assign(struct parser *p, const char *key, const char *value)
{
	for (const struct conf_key *k = p->table; k->key; k++) {
		if (strcmp(k->key, key) != 0 || strcmp(k->section, p->section) != 0)
			continue;
		int r = types[k->type].set(value, p->out + k->offset);
		if (r == -ENOMEM)
			return fault_oom(p->err);
		if (r < 0)
			return complain(p, "%s must be %s, not \"%s\"", key, types[k->type].wanted,
					value);
		return 0;
	}
	return complain(p, "unknown key \"%s\" in section [%s]", key, p->section);
}

static int parse_line(struct parser *p, char *raw)
{
	char *line = str_trim(raw);
	if (*line == '\0' || *line == '#' || *line == ';')
		return 0;
	if (!str_is_text(line))
		return complain(p, "%s", "the line holds bytes that are no text");
	if (*line == '[')
		return enter_section(p, line);
	char *equals = strchr(line, '=');
	if (!equals)
		return complain(p, "\"%s\" is neither [section] nor key = value", line);
	*equals = '\0';
	return assign(p, str_trim(line), str_trim(equals + 1));
}

int conf_parse(const char *name, const char *text, size_t len, const struct conf_key *table,
	       void *out, struct fault *err)
{
	struct parser p = { .name = name, .section = "", .table = table, .out = out, .err = err };
	if (len > CONF_MAX)
		return fault_set(err, -EMSGSIZE, "%s is larger than %d bytes", name, CONF_MAX);
	AUTO(freep) char *copy = malloc(len + 1);
	if (!copy)
		return fault_oom(err);
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';

	for (char *line = copy, *next; line; line = next) {
		p.line++;
		char *end = memchr(line, '\n', len - (size_t)(line - copy));
		next = end ? end + 1 : NULL;
		if (!end)
			end = copy + len;
		*end = '\0';
		if (strlen(line) != (size_t)(end - line))
			return complain(&p, "%s", "the line holds a NUL byte");
		int r = parse_line(&p, line);
		if (r < 0)
			return r;
	}
	return 0;
}

int conf_load_at(int dirfd, const char *path, const struct conf_key *table, void *out,
		 struct fault *err)
{
	AUTO(freep) char *text = NULL;
	size_t len;
	int r = file_read_at(dirfd, path, CONF_MAX, &text, &len, err);
	if (r < 0)
		return r;
	return conf_parse(path, text, len, table, out, err);
}

void conf_done(const struct conf_key *table, void *out)
{
	for (const struct conf_key *k = table; k->key; k++) {
		if (k->type != CONF_STR)
			continue;
		char **member = (char **)((char *)out + k->offset);
		free(*member);
		*member = NULL;
	}
}
