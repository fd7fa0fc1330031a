#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "hwprobe/explain.h"
#include "hwprobe/explain_place.h"
#include "hwprobe/explain_view.h"
#include "hwprobe/strmap.h"

enum {
	READS_MAX = 8,   /* the last ones before a value */
	LOOKED_MAX = 32, /* of a whole part, where a value or a list has none of its own */
	EXPLAIN_TEXT_MAX = 16 << 20,
};

/* What is told at the end is not repeated for everything in an object. */
struct telling {
	const struct hwp_inventory *inv;
	struct arena *mem;
	struct buf *out;
	bool is_single;      /* one value or list was asked for */
	struct strmap tries; /* path of a value to the first event of it */
	long *next;          /* event to the next one of the same value; STRMAP_NONE */
};

static bool index_tries(struct telling *t)
{
	size_t n = t->inv->event_count;
	t->tries.arena = t->mem;
	t->next = arena_alloc(t->mem, (n + 1) * sizeof(*t->next));
	for (size_t i = n; t->next && i-- > 0;) {
		const struct explain_event *e = &t->inv->events[i];
		if (!e->source)
			continue;
		t->next[i] = strmap_get(&t->tries, e->path);
		strmap_set(&t->tries, e->path, (long)i);
	}
	return !t->mem->has_failed;
}

/* Who fills a value, and what it uses that is read once, for several probes. */
struct subject {
	const char *start; /* of the value's path */
	const struct probe *probe;
	const char *shared; /* start of the names of files; NULL = none */
};

#define SMBIOS "sys/firmware/dmi/tables/"

/* NULL = nobody: it is about the inventory itself. */
static const struct subject *subject_of(const char *path)
{
	static const struct subject lldp = { "interfaces", &probe_lldp, "netlink/link" };
	static const struct subject subjects[] = {
		{ "bmc", &probe_bmc, SMBIOS },
		{ "boot", &probe_boot, "proc/self/mountinfo" },
		{ "clock", &probe_clock, NULL },
		{ "cpu", &probe_cpu, "proc/cpuinfo" },
		{ "disks", &probe_disks, "proc/self/mountinfo" },
		{ "gpus", &probe_gpus, NULL },
		{ "hostname", &probe_hostname, "netlink/" },
		{ "interfaces", &probe_nics, "netlink/" },
		{ "memory", &probe_memory, SMBIOS },
		{ "routes", &probe_routes, "netlink/" },
		{ "system_vendor", &probe_system, SMBIOS },
		{ "tpm", &probe_tpm, NULL },
	};
	if (str_starts(path, lldp.start) && strstr(path, ".lldp"))
		return &lldp;
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (str_starts(path, subjects[i].start))
			return &subjects[i];
	return NULL;
}

/* --- values --------------------------------------------------------------------------------------------------- */

/* As JSON: a value may hold control characters. */
static int put_quoted(struct buf *out, const char *text)
{
	AUTO(json_decrefp) json_t *v = json_string(text);
	AUTO(freep) char *quoted = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	return quoted ? buf_append_str(out, quoted) : -ENOMEM;
}

static int put_texts(struct buf *out, const struct hwp_strs *list)
{
	int r = list->n ? 0 : buf_append_str(out, "[]");
	for (size_t i = 0; i < list->n && r == 0; i++) {
		r = buf_append_str(out, i ? ", " : "");
		if (r == 0)
			r = put_quoted(out, list->v[i]);
	}
	return r;
}

static int put_value(struct buf *out, const struct field *f, const void *base)
{
	const void *p = place_at(base, f->offset);
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
		return put_texts(out, p);
	}
}

static bool is_placeholder(const struct field *f, const void *base)
{
	const struct hwp_str *text = place_at(base, f->offset);
	return f->flags & FIELD_FIRMWARE && hwp_is_placeholder(text->s);
}

/* --- what was tried --------------------------------------------------------------------------------------------- */

static int put_looked(struct buf *out, const char *indent, const struct explain_event *e)
{
	return buf_printf(out, "%slooked at %s: %s\n", indent, e->path,
			  e->err ? strerror(e->err) : "read");
}

/* The last files that were looked for before event @i, back to the value before it. */
static int put_reads(struct buf *out, const struct hwp_inventory *inv, size_t i)
{
	size_t first = i;
	int r = 0;
	while (first > 0 && i - first < READS_MAX && !inv->events[first - 1].source &&
	       str_eq(inv->events[first - 1].part, inv->events[i].part))
		first--;
	for (; first < i && r == 0; first++)
		/* "read" and "used" of the same file are one thing. */
		if (!str_eq(inv->events[first].path, inv->events[i].source))
			r = put_looked(out, "    ", &inv->events[first]);
	return r;
}

/* *@ret_n: how many sources there were. */
static int put_tries(struct telling *t, const char *path, size_t *ret_n)
{
	const struct hwp_inventory *inv = t->inv;
	int r = 0;
	*ret_n = 0;
	for (long i = strmap_get(&t->tries, path); i != STRMAP_NONE && r == 0; i = t->next[i]) {
		const struct explain_event *e = &inv->events[i];
		r = (*ret_n)++ ? 0 : buf_append_str(t->out, "  tried:\n");
		if (r == 0)
			r = put_reads(t->out, inv, (size_t)i);
		if (r == 0)
			r = buf_printf(t->out, "    %s: %s\n", e->source,
				       e->is_used ? "used" : "nothing there");
	}
	return r;
}

/* Has the path this name between slashes? */
static bool has_component(const char *path, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = strstr(path, name); p && n; p = strstr(p + 1, name))
		if ((p == path || p[-1] == '/') && (!p[n] || p[n] == '/'))
			return true;
	return false;
}

static bool is_look(const struct explain_event *e, const struct subject *of, const char *item)
{
	if (e->source)
		return false;
	if (of->shared && str_starts(e->path, of->shared))
		return true;
	return str_eq(e->part, of->probe->name) && (!item || has_component(e->path, item));
}

/* Each file of the part once, those of the item only; returns how many, or -errno. */
static int put_looks(struct telling *t, const struct subject *of, const char *item)
{
	int n = 0, r = 0;
	const char *last = NULL;
	for (size_t i = 0; i < t->inv->event_count && r == 0; i++) {
		const struct explain_event *e = &t->inv->events[i];
		if (!is_look(e, of, item) || str_eq(e->path, last))
			continue;
		last = e->path;
		if (n++ < LOOKED_MAX)
			r = put_looked(t->out, "  ", e);
	}
	if (r == 0 && n > LOOKED_MAX)
		r = buf_printf(t->out, "  and at %d more\n", n - LOOKED_MAX);
	return r < 0 ? r : n;
}

/* Where nothing is there and no source was tried: what the probe has seen, of this item if it has one. */
static int put_absence(struct telling *t, const char *path, const char *item)
{
	const struct subject *of = subject_of(path);
	if (!of || !t->is_single)
		return 0;
	if (!(t->inv->parts & of->probe->part))
		return buf_printf(t->out, "  the part %s was not asked for\n", of->probe->name);
	int r = item ? put_looks(t, of, item) : 0;
	if (r == 0)
		r = put_looks(t, of, NULL);
	return r < 0 ? r : 0;
}

/* --- places ----------------------------------------------------------------------------------------------------- */

static int put_absent(struct telling *t, const struct field *f)
{
	bool is_list = f->kind == VALUE_STRS || f->kind == VALUE_LIST;
	return buf_append_str(t->out, is_list ? "[] (nothing)\n" : "absent\n");
}

static int put_sourced(struct telling *t, const struct field *f, const void *base)
{
	int r = put_value(t->out, f, base);
	if (r == 0)
		r = buf_printf(t->out, "\n  source: %s\n", field_source(f, base));
	if (r == 0 && is_placeholder(f, base))
		r = buf_append_str(t->out, "  placeholder: what firmware says instead of one\n");
	return r;
}

static int put_field(struct telling *t, const struct field *f, const void *base, const char *path,
		     const char *item)
{
	const char *source = field_source(f, base);
	size_t tries = 0;
	int r = buf_printf(t->out, "%s: ", path);
	if (r == 0)
		r = source ? put_sourced(t, f, base) : put_absent(t, f);
	if (r == 0)
		r = put_tries(t, path, &tries);
	return r == 0 && !source && !tries ? put_absence(t, path, item) : r;
}

static int put_table(struct telling *t, const struct field *table, const void *base,
		     const char *path, const char *item);

static int put_list(struct telling *t, const struct field *f, const void *base, const char *path,
		    const char *item)
{
	size_t n = place_list_count(f, base);
	int r = 0;
	if (!n) {
		r = buf_printf(t->out, "%s: ", path);
		if (r == 0)
			r = put_absent(t, f);
		if (r == 0 && explain_view_nothing(f))
			return buf_printf(t->out, "  source: %s\n", explain_view_nothing(f));
		return r < 0 ? r : put_absence(t, path, item);
	}
	t->is_single = false;
	for (size_t i = 0; i < n && r == 0; i++) {
		char inner[EXPLAIN_PATH_MAX];
		snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
		r = put_table(t, f->items, place_list_item(f, base, i), inner, item);
	}
	return r;
}

static int put_place(struct telling *t, const struct field *f, const void *base, const char *path,
		     const char *item)
{
	if (f->kind == VALUE_OBJECT)
		return put_table(t, f->items, place_at(base, f->offset), path, item);
	return f->kind == VALUE_LIST ? put_list(t, f, base, path, item)
				     : put_field(t, f, base, path, item);
}

static int put_fields(struct telling *t, const struct field *table, const void *base,
		      const char *path, const char *item)
{
	int r = 0;
	for (const struct field *f = table; f && f->key && r == 0; f++) {
		char inner[EXPLAIN_PATH_MAX];
		if (f->flags & FIELD_WIRE_ONLY)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", f->key);
		r = put_place(t, f, base, inner, item);
	}
	return r;
}

static int put_table(struct telling *t, const struct field *table, const void *base,
		     const char *path, const char *item)
{
	const void *view_base = NULL;
	const struct field *view = explain_view(t->mem, t->inv, table, base, &view_base);
	int r = put_fields(t, table, base, path, item);
	return r < 0 ? r : put_fields(t, view, view_base, path, item);
}

/* One text of a list. */
static int put_text(struct telling *t, const struct place *p, const struct field *f,
		    const char *where)
{
	const struct hwp_strs *list = place_at(p->base, f->offset);
	int r = buf_printf(t->out, "%s%s: ", p->path, where);
	if (p->index >= list->n)
		return r < 0 ? r : buf_append_str(t->out, "absent\n");
	if (r == 0)
		r = put_quoted(t->out, list->v[p->index]);
	return r < 0 ? r : buf_printf(t->out, "\n  source: %s\n", list->source);
}

/* The assisted format has another value under this key. */
static int put_wire(struct telling *t, const struct place *p)
{
	static const char where[] = " (in the assisted format)";
	const struct field *f = place_wire_field(p);
	if (!f)
		return 0;
	if (p->has_index)
		return put_text(t, p, f, where);
	char path[EXPLAIN_PATH_MAX + sizeof(where)];
	snprintf(path, sizeof(path), "%s%s", p->path, where);
	return put_field(t, f, p->base, path, p->item);
}

static int put_answer(struct telling *t, const struct place *p)
{
	t->is_single = p->field;
	int r;
	if (!p->field)
		r = put_table(t, p->table, p->base, p->path, p->item);
	else if (p->has_index)
		r = put_text(t, p, p->field, "");
	else
		r = put_place(t, p->field, p->base, p->path, p->item);
	return r < 0 ? r : put_wire(t, p);
}

int hwp_explain(const struct hwp_inventory *inv, const char *path, char **ret)
{
	AUTO(arena_done) struct arena mem = { 0 };
	struct place p;
	const char *rest;
	if (!inv || !path || !ret)
		return -EINVAL;
	place_init(&p, inv, &mem);
	if (!place_find(&p, path, &rest))
		return mem.has_failed ? -ENOMEM : -ENOENT;
	AUTO(buf_done) struct buf out;
	buf_init(&out, EXPLAIN_TEXT_MAX);
	struct telling t = { .inv = inv, .mem = &mem, .out = &out };
	int r = index_tries(&t) ? put_answer(&t, &p) : -ENOMEM;
	for (size_t i = 0; i < inv->error_count && r == 0; i++)
		r = buf_printf(&out, "error: %s: %s: %s\n", inv->errors[i].part,
			       inv->errors[i].source, inv->errors[i].detail);
	char *text = r < 0 || mem.has_failed ? NULL : buf_take(&out);
	if (!text)
		return r < 0 ? r : -ENOMEM;
	*ret = text;
	return 0;
}
