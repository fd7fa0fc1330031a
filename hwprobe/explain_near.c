/* What somebody may have meant who asked hwp_explain() for a value that there is not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "hwprobe/explain_place.h"
#include "hwprobe/explain_view.h"

enum {
	WORD_MAX = 64,        /* longer names are compared by their beginning */
	NEAR_MAX = 5,         /* names that are told */
	NEAR_TEXT_MAX = 8192, /* of a message */
};

/* A name, and in how many letters it differs from what was asked for. */
struct candidate {
	char path[EXPLAIN_PATH_MAX + 2 * WORD_MAX];
	size_t distance;
};

struct search {
	char wanted[WORD_MAX + 1];
	struct candidate best[NEAR_MAX]; /* the nearest first */
	size_t n;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* Letters to insert, take out or replace. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strnlen(b, WORD_MAX);
	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 0; a[i] && i < WORD_MAX; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t k = 1; k <= n; k++) {
			size_t replaced = diagonal + (lower(a[i]) != lower(b[k - 1]));
			diagonal = row[k];
			row[k] = MIN_OF(replaced, MIN_OF(row[k], row[k - 1]) + 1);
		}
	}
	return row[n];
}

/* Part of a word is nearer than another word of the same length. */
static size_t likeness(const char *wanted, const char *name)
{
	size_t d = distance(wanted, name);
	bool is_part = *wanted && (strstr(name, wanted) || strstr(wanted, name));
	return is_part ? MIN_OF(d, (size_t)1) : d;
}

static void add(struct search *s, const char *path, const char *separator, const char *name)
{
	size_t d = likeness(s->wanted, name), at = s->n;
	while (at > 0 && s->best[at - 1].distance > d)
		at--;
	if (at == NEAR_MAX)
		return;
	s->n = MIN_OF(s->n + 1, (size_t)NEAR_MAX);
	memmove(&s->best[at + 1], &s->best[at], (s->n - at - 1) * sizeof(s->best[0]));
	snprintf(s->best[at].path, sizeof(s->best[at].path), "%s%s%s", path, separator, name);
	s->best[at].distance = d;
}

static void add_items(struct search *s, const struct place *p)
{
	for (size_t i = 0; i < place_list_count(p->field, p->base); i++) {
		char number[32];
		const char *name =
			place_item_name(p->field->items, place_list_item(p->field, p->base, i));
		snprintf(number, sizeof(number), "[%zu]", i);
		add(s, p->path, name ? "." : "", name ? name : number);
	}
}

static void add_keys(struct search *s, const struct field *table, const char *path)
{
	for (const struct field *f = table; f && f->key; f++)
		if (!(f->flags & FIELD_WIRE_ONLY))
			add(s, path, *path ? "." : "", f->key);
}

/* Keys of @table that are the very word; @path: of its object. */
static void add_same(struct search *s, const struct field *table, const char *path)
{
	for (const struct field *f = table; f && f->key; f++)
		if (!strcmp(f->key, s->wanted))
			add(s, path, ".", f->key);
}

/* The same word one level deeper: "serial_number" is in "system_vendor", "serial" in the items of "disks". */
static void add_deeper(struct search *s, const struct place *p, const struct field *table,
		       const void *base)
{
	for (const struct field *f = table; f && f->key; f++) {
		char inner[EXPLAIN_PATH_MAX + WORD_MAX];
		const void *object = place_at(base, f->offset), *view_base;
		bool is_list = f->kind == VALUE_LIST;
		if (is_list ? !place_list_count(f, base) : f->kind != VALUE_OBJECT)
			continue;
		if (is_list)
			object = place_list_item(f, base, 0);
		snprintf(inner, sizeof(inner), "%s%s%s%s", p->path, *p->path ? "." : "", f->key,
			 is_list ? "[0]" : "");
		add_same(s, f->items, inner);
		add_same(s, explain_view(p->mem, p->inv, f->items, object, &view_base), inner);
	}
}

static void search_object(struct search *s, const struct place *p)
{
	const void *base = NULL;
	const struct field *view = explain_view(p->mem, p->inv, p->table, p->base, &base);
	add_deeper(s, p, p->table, p->base);
	add_deeper(s, p, view, base);
	add_keys(s, p->table, p->path);
	add_keys(s, view, p->path);
}

/* Why there is no such place. */
static int put_why(struct buf *out, const struct place *p, const char *wanted)
{
	if (!p->field)
		return buf_printf(out, "%s has no \"%s\"", *p->path ? p->path : "the inventory",
				  wanted);
	if (p->field->kind != VALUE_LIST)
		return buf_printf(out, "there is no \"%s\" in %s, which is a value", wanted,
				  p->path);
	size_t n = place_list_count(p->field, p->base);
	if (!n)
		return buf_printf(out, "the list %s is empty", p->path);
	if (n == 1)
		return buf_printf(out, "the list %s has [0] only, no \"%s\"", p->path, wanted);
	return buf_printf(out, "the list %s has [0] to [%zu], no \"%s\"", p->path, n - 1, wanted);
}

/* The nearest alone where one is near; without a near one, some that there are. */
static int put_near(struct buf *out, const struct search *s, const struct place *p)
{
	int r = s->n ? 0 : buf_append_str(out, *p->path ? p->path : "cpu");
	size_t limit = s->n ? MAX_OF(s->best[0].distance, strlen(s->wanted) / 3) : 0;
	for (size_t i = 0; i < s->n && s->best[i].distance <= limit && r == 0; i++)
		r = buf_printf(out, "%s%s", i ? ", " : "", s->best[i].path);
	return r;
}

int hwp_explain_missing(const struct hwp_inventory *inv, const char *path, char **ret_why,
			char **ret_near)
{
	AUTO(arena_done) struct arena mem = { 0 };
	AUTO(buf_done) struct buf why, near;
	struct place p;
	struct search s = { .n = 0 };
	const char *rest = path;
	if (!inv || !path || !ret_why || !ret_near)
		return -EINVAL;
	buf_init(&why, NEAR_TEXT_MAX);
	buf_init(&near, NEAR_TEXT_MAX);
	place_init(&p, inv, &mem);
	if (place_find(&p, path, &rest))
		return -EEXIST;
	rest += *rest == '.';
	snprintf(s.wanted, sizeof(s.wanted), "%.*s",
		 (int)(1 + (*rest ? strcspn(rest + 1, ".[") : 0)), rest);
	if (!p.field)
		search_object(&s, &p);
	else if (p.field->kind == VALUE_LIST)
		add_items(&s, &p);
	if (put_why(&why, &p, s.wanted) < 0 || put_near(&near, &s, &p) < 0 || mem.has_failed)
		return -ENOMEM;
	AUTO(freep) char *why_text = buf_take(&why), *near_text = buf_take(&near);
	if (!why_text || !near_text)
		return -ENOMEM;
	*ret_why = TAKE(why_text);
	*ret_near = TAKE(near_text);
	return 0;
}
