#include "hwprobe/gpu_rules.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

/* PCI class and subclass: VGA, 3D, other display, processing accelerator. */
static const struct gpu_rule defaults[] = {
	{ { 0x0300 }, 1 }, { { 0x0302 }, 1 }, { { 0x0380 }, 1 }, { { 0x1200 }, 1 }
};

static const struct {
	const char *key;
	uint8_t ids; /* numbers of four digits in each item */
} sections[] = { { "classes", 1 }, { "vendors", 2 }, { "models", 3 } };

struct parser {
	struct gpu_rules *rules;
	uint8_t ids; /* of the section; 0 = no section yet */
	unsigned line;
	struct fault *err;
};

static int bad(const struct parser *p, const char *what)
{
	return fault_set(p->err, -EBADMSG, "line %u: %s", p->line, what);
}

/* "0380 10de" */
static int add_rule(struct parser *p, const char *text)
{
	struct gpu_rule rule = { .n = p->ids };
	unsigned digits = 0;
	for (; *text; text++) {
		if (strchr(" \t\"'", *text))
			continue;
		int c = tolower((unsigned char)*text);
		if (!isxdigit(c) || digits == 4u * p->ids)
			return bad(p, "not the number of hexadecimal digits that belong there");
		uint16_t *id = &rule.ids[digits++ / 4];
		*id = (uint16_t)(*id << 4 | (isdigit(c) ? c - '0' : c - 'a' + 10));
	}
	if (!p->ids || digits != 4u * p->ids)
		return bad(p, "not the number of hexadecimal digits that belong there");
	struct gpu_rules *r = p->rules;
	if (r->n == GPU_RULES_MAX)
		return bad(p, "too many rules");
	struct gpu_rule *more = realloc(r->v, (r->n + 1) * sizeof(*more));
	if (!more)
		return fault_oom(p->err);
	r->v = more;
	r->v[r->n++] = rule;
	return 0;
}

/* "[ a, b ]" */
static int add_list(struct parser *p, char *text)
{
	char *end = strchr(text, ']'), *save = NULL;
	if (!end || end[1])
		return bad(p, "a list must end in ]");
	*end = '\0';
	for (char *item = strtok_r(text + 1, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		int rc = add_rule(p, item);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* "classes:", perhaps with its list behind it */
static int open_section(struct parser *p, char *text)
{
	char *colon = strchr(text, ':');
	if (!colon)
		return bad(p, "neither a section nor an item");
	*colon = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (strcasecmp(str_trim(text), sections[i].key))
			continue;
		p->ids = sections[i].ids;
		char *rest = str_trim(colon + 1);
		if (!*rest)
			return 0;
		return *rest == '[' ? add_list(p, rest) : bad(p, "not a list");
	}
	return bad(p, "no such section (classes, vendors, models)");
}

static int parse_line(struct parser *p, char *line)
{
	line[strcspn(line, "#")] = '\0';
	char *text = str_trim(line);
	if (!*text || !strcmp(text, "---"))
		return 0;
	return *text == '-' ? add_rule(p, text + 1) : open_section(p, text);
}

int gpu_rules_parse(struct gpu_rules *r, const char *text, struct fault *err)
{
	struct gpu_rules rules = { 0 };
	struct parser p = { .rules = &rules, .err = err };
	AUTO(freep) char *copy = str_dup(text);
	if (!copy)
		return fault_oom(err);
	int rc = 0;
	for (char *line = copy, *next; line && rc == 0; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		p.line++;
		rc = parse_line(&p, line);
	}
	if (rc == 0 && !rules.n)
		rc = fault_set(err, -EBADMSG, "no rule");
	if (rc < 0) {
		gpu_rules_done(&rules);
		return rc;
	}
	*r = rules;
	return 0;
}

int gpu_rules_load(struct gpu_rules *r, const char *path, struct fault *err)
{
	AUTO(freep) char *text = NULL;
	int rc = file_read_at(AT_FDCWD, path, GPU_RULES_BYTES_MAX, &text, NULL, err);
	if (!rc)
		rc = gpu_rules_parse(r, text, err);
	return rc < 0 ? fault_prefix(err, rc, "%s", path) : 0;
}

void gpu_rules_done(struct gpu_rules *r)
{
	free(r->v);
	*r = (struct gpu_rules){ 0 };
}

bool gpu_rules_match(const struct gpu_rules *r, uint16_t class, uint16_t vendor, uint16_t device)
{
	const struct gpu_rule *v = r->v ? r->v : defaults;
	const uint16_t ids[] = { class, vendor, device };
	for (size_t i = 0; i < (r->v ? r->n : ARRAY_SIZE(defaults)); i++)
		if (!memcmp(v[i].ids, ids, v[i].n * sizeof(*ids)))
			return true;
	return false;
}
