#include "hwprobe/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "hwprobe/fields.h"

enum {
	PATH_MAX_BYTES = 256,
	READS_MAX = 8, /* the last ones before a value */
	EVENTS_MAX = 1 << 20,
	EXPLAIN_TEXT_MAX = 16 << 20,
};

struct explain_event {
	const char *path;   /* of a value ("disks[0].serial"), or of a file */
	const char *source; /* NULL = a file was read */
	int err;
	bool is_used;
};

static struct explain_event *add_event(struct survey *s)
{
	struct hwp_inventory *inv = s->inv;
	if (!(s->opt->flags & HWP_EXPLAIN) || inv->event_count == EVENTS_MAX)
		return NULL;
	return arena_append(s->mem, &inv->events, &inv->event_count, sizeof(*inv->events));
}

void explain_read(struct survey *s, const char *path, int err)
{
	struct explain_event *e = add_event(s);
	if (e)
		*e = (struct explain_event){ .path = arena_dup(s->mem, path), .err = err };
}

/* --- names of values ---------------------------------------------------------------------------------------- */

static const void *at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

static size_t list_count(const struct field *f, const void *base)
{
	return *(const size_t *)at(base, f->count_offset);
}

static const void *list_item(const struct field *f, const void *base, size_t i)
{
	return at(*(void *const *)at(base, f->offset), i * f->item_size);
}

/* Appends the name of the value at @dst to @path; false = it is not in this object. */
static bool path_of(const struct field *table, const void *base, const void *dst, char *path,
		    size_t size)
{
	for (const struct field *f = table; f->key; f++) {
		char inner[PATH_MAX_BYTES];
		if (f->kind == VALUE_OBJECT) {
			if (!path_of(f->items, at(base, f->offset), dst, inner, sizeof(inner)))
				continue;
			return snprintf(path, size, "%s.%s", f->key, inner) < (int)size;
		}
		if (f->kind != VALUE_LIST) {
			if (at(base, f->offset) == dst)
				return snprintf(path, size, "%s", f->key) < (int)size;
			continue;
		}
		/* What is being filled is the last item. */
		for (size_t i = list_count(f, base); i-- > 0;)
			if (path_of(f->items, list_item(f, base, i), dst, inner, sizeof(inner)))
				return snprintf(path, size, "%s[%zu].%s", f->key, i, inner) <
				       (int)size;
	}
	return false;
}

void explain_try(struct survey *s, const void *dst, const char *source, bool is_used)
{
	char path[PATH_MAX_BYTES];
	if (!(s->opt->flags & HWP_EXPLAIN) ||
	    !path_of(inventory_fields, s->inv, dst, path, sizeof(path)))
		return;
	struct explain_event *e = add_event(s);
	if (e)
		*e = (struct explain_event){ .path = arena_dup(s->mem, path),
					     .source = arena_dup(s->mem, source ? source : "?"),
					     .is_used = is_used };
}

/* --- what is asked for -------------------------------------------------------------------------------------- */

/* A place in the inventory: a value, an object (table and base), or a list. */
struct place {
	const struct field *field; /* NULL = an item of a list, or the whole */
	const struct field *table;
	const void *base;
	char path[PATH_MAX_BYTES];
};

static bool append_key(struct place *p, const char *key)
{
	size_t n = strlen(p->path);
	int more = snprintf(p->path + n, sizeof(p->path) - n, "%s%s", n ? "." : "", key);
	return more >= 0 && (size_t)more < sizeof(p->path) - n;
}

static bool append_index(struct place *p, size_t i)
{
	size_t n = strlen(p->path);
	int more = snprintf(p->path + n, sizeof(p->path) - n, "[%zu]", i);
	return more >= 0 && (size_t)more < sizeof(p->path) - n;
}

/* The text that names an item of a list; NULL = only its place does. */
static const char *item_name(const struct field *items, const void *item)
{
	static const char *const keys[] = { "name", "address", "locator" };
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		for (const struct field *f = items; f->key; f++)
			if (f->kind == VALUE_STR && !strcmp(f->key, keys[k]))
				return ((const struct hwp_str *)at(item, f->offset))->s;
	return NULL;
}

/* Names may hold dots: "interfaces.bond0.100.mtu"; the longest that fits is meant. */
static bool step_into_item(struct place *p, const char **rest)
{
	const struct field *f = p->field;
	size_t n = list_count(f, p->base), best = n, best_len = 0;
	char *end;
	if (**rest == '[') {
		best = strtoul(*rest + 1, &end, 10);
		if (*end != ']' || end == *rest + 1)
			return false;
		best_len = (size_t)(end + 1 - *rest);
	} else {
		*rest += **rest == '.';
		for (size_t i = 0; i < n; i++) {
			const char *name = item_name(f->items, list_item(f, p->base, i));
			size_t len = name ? strlen(name) : 0;
			if (len > best_len && !strncmp(*rest, name, len) &&
			    (!(*rest)[len] || (*rest)[len] == '.')) {
				best = i;
				best_len = len;
			}
		}
	}
	if (best >= n)
		return false;
	*rest += best_len;
	p->table = f->items;
	p->base = list_item(f, p->base, best);
	p->field = NULL;
	return append_index(p, best);
}

static bool step_into_object(struct place *p, const char **rest)
{
	*rest += **rest == '.';
	size_t n = strcspn(*rest, ".[");
	for (const struct field *f = p->table; f->key; f++) {
		if (strlen(f->key) != n || strncmp(f->key, *rest, n) || f->flags & FIELD_WIRE_ONLY)
			continue;
		*rest += n;
		if (f->kind == VALUE_OBJECT) {
			p->table = f->items;
			p->base = at(p->base, f->offset);
			p->field = NULL;
		} else {
			p->field = f;
		}
		return append_key(p, f->key);
	}
	return false;
}

static bool find_place(struct place *p, const char *path)
{
	const char *rest = path;
	while (*rest) {
		bool is_list = p->field && p->field->kind == VALUE_LIST;
		if (p->field && !is_list)
			return false; /* there is nothing inside of a value */
		if (!(is_list ? step_into_item(p, &rest) : step_into_object(p, &rest)))
			return false;
	}
	return true;
}

/* --- telling ------------------------------------------------------------------------------------------------ */

/* As JSON: a value may hold control characters. */
static int put_quoted(struct buf *out, const char *text)
{
	AUTO(json_decrefp) json_t *v = json_string(text);
	AUTO(freep) char *quoted = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	return quoted ? buf_append_str(out, quoted) : -ENOMEM;
}

static int put_value(struct buf *out, const struct field *f, const void *base)
{
	const void *p = at(base, f->offset);
	const struct hwp_strs *list = p;
	int r = 0;
	switch (f->kind) {
	case VALUE_STR:
		return put_quoted(out, ((const struct hwp_str *)p)->s);
	case VALUE_NUM:
		return buf_printf(out, "%" PRId64, ((const struct hwp_num *)p)->v);
	case VALUE_REAL:
		return buf_printf(out, "%.15g", ((const struct hwp_real *)p)->v);
	case VALUE_BOOL:
		return buf_printf(out, "%s", ((const struct hwp_bool *)p)->v ? "true" : "false");
	default:
		for (size_t i = 0; i < list->n && r == 0; i++) {
			r = buf_append_str(out, i ? ", " : "");
			if (r == 0)
				r = put_quoted(out, list->v[i]);
		}
		return r;
	}
}

static const char *source_of(const struct field *f, const void *base)
{
	const void *p = at(base, f->offset);
	switch (f->kind) {
	case VALUE_STR:
		return ((const struct hwp_str *)p)->source;
	case VALUE_NUM:
		return ((const struct hwp_num *)p)->source;
	case VALUE_REAL:
		return ((const struct hwp_real *)p)->source;
	case VALUE_BOOL:
		return ((const struct hwp_bool *)p)->source;
	default:
		return ((const struct hwp_strs *)p)->source;
	}
}

/* The last files that were looked for before event @i, back to the value before it. */
static int put_reads(struct buf *out, const struct hwp_inventory *inv, size_t i)
{
	size_t first = i;
	while (first > 0 && i - first < READS_MAX && !inv->events[first - 1].source)
		first--;
	for (; first < i; first++) {
		const struct explain_event *e = &inv->events[first];
		/* "read" and "used" of the same file are one thing. */
		if (str_eq(e->path, inv->events[i].source))
			continue;
		int r = buf_printf(out, "    looked at %s: %s\n", e->path,
				   e->err ? strerror(e->err) : "read");
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_tries(struct buf *out, const struct hwp_inventory *inv, const char *path)
{
	bool is_first = true;
	for (size_t i = 0; i < inv->event_count; i++) {
		const struct explain_event *e = &inv->events[i];
		if (!e->source || !str_eq(e->path, path))
			continue;
		int r = is_first ? buf_append_str(out, "  tried:\n") : 0;
		is_first = false;
		if (r == 0)
			r = put_reads(out, inv, i);
		if (r == 0)
			r = buf_printf(out, "    %s: %s\n", e->source,
				       e->is_used ? "used" : "nothing there");
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_field(struct buf *out, const struct hwp_inventory *inv, const struct field *f,
		     const void *base, const char *path)
{
	const char *source = source_of(f, base);
	int r = buf_printf(out, "%s: ", path);
	if (r == 0)
		r = source ? put_value(out, f, base) : buf_append_str(out, "absent");
	if (r == 0 && source)
		r = buf_printf(out, "\n  source: %s", source);
	if (r == 0)
		r = buf_append_str(out, "\n");
	return r < 0 ? r : put_tries(out, inv, path);
}

static int put_table(struct buf *out, const struct hwp_inventory *inv, const struct field *table,
		     const void *base, const char *path);

static int put_list(struct buf *out, const struct hwp_inventory *inv, const struct field *f,
		    const void *base, const char *path)
{
	int r = 0;
	for (size_t i = 0; i < list_count(f, base) && r == 0; i++) {
		char inner[PATH_MAX_BYTES];
		snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
		r = put_table(out, inv, f->items, list_item(f, base, i), inner);
	}
	return r;
}

static int put_place(struct buf *out, const struct hwp_inventory *inv, const struct field *f,
		     const void *base, const char *path)
{
	if (f->kind == VALUE_OBJECT)
		return put_table(out, inv, f->items, at(base, f->offset), path);
	return f->kind == VALUE_LIST ? put_list(out, inv, f, base, path)
				     : put_field(out, inv, f, base, path);
}

static int put_table(struct buf *out, const struct hwp_inventory *inv, const struct field *table,
		     const void *base, const char *path)
{
	int r = 0;
	for (const struct field *f = table; f->key && r == 0; f++) {
		char inner[PATH_MAX_BYTES];
		if (f->flags & FIELD_WIRE_ONLY)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", f->key);
		r = put_place(out, inv, f, base, inner);
	}
	return r;
}

int hwp_explain(const struct hwp_inventory *inv, const char *path, char **ret)
{
	struct place p = { .table = inventory_fields, .base = inv };
	if (!find_place(&p, path))
		return -ENOENT;
	AUTO(buf_done) struct buf out;
	buf_init(&out, EXPLAIN_TEXT_MAX);
	int r = p.field ? put_place(&out, inv, p.field, p.base, p.path)
			: put_table(&out, inv, p.table, p.base, p.path);
	for (size_t i = 0; i < inv->error_count && r == 0; i++)
		r = buf_printf(&out, "error: %s: %s: %s\n", inv->errors[i].part,
			       inv->errors[i].source, inv->errors[i].detail);
	char *text = r < 0 ? NULL : buf_take(&out);
	if (!text)
		return r < 0 ? r : -ENOMEM;
	*ret = text;
	return 0;
}
