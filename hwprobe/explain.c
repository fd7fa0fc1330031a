#include "hwprobe/explain.h"

#include <stdio.h>
#include "hwprobe/explain_place.h"
#include "hwprobe/fields.h"

enum { EVENTS_MAX = 1 << 20 };

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
		*e = (struct explain_event){ .path = arena_dup(s->mem, path),
					     .part = s->part,
					     .err = err };
}

/* --- names of values ---------------------------------------------------------------------------------------- */

static bool reason_path(const struct hwp_reason *list, size_t n, const void *dst, const char *key,
			char *path, size_t size)
{
	for (size_t i = n; i-- > 0;)
		if (&list[i] == dst)
			return snprintf(path, size, "%s[%zu]", key, i) < (int)size;
	return false;
}

/* Reasons are no fields: the formats show them in different ways. */
static bool disk_path(const struct hwp_disk *d, const void *dst, char *path, size_t size)
{
	return reason_path(d->reasons, d->reason_count, dst,
			   "installation_eligibility.not_eligible_reasons", path, size) ||
	       reason_path(d->warnings, d->warning_count, dst, "warnings", path, size);
}

static bool path_of(const struct field *table, const void *base, const void *dst, char *path,
		    size_t size);

/* The item of the list that has the value at @dst, in itself or in a list of its own; the number of items when none has. */
static size_t item_with(const struct field *f, const void *base, const void *dst, char *path,
			size_t size)
{
	size_t n = place_list_count(f, base);
	if (!n)
		return n;
	uintptr_t first = (uintptr_t)place_list_item(f, base, 0), at = (uintptr_t)dst;
	if (at >= first && at - first < n * f->item_size) {
		size_t i = (at - first) / f->item_size;
		return path_of(f->items, place_list_item(f, base, i), dst, path, size) ? i : n;
	}
	/* What is being filled is the last item. */
	for (size_t i = n; i-- > 0;)
		if (path_of(f->items, place_list_item(f, base, i), dst, path, size))
			return i;
	return n;
}

/* Appends the name of the value at @dst to @path; false = it is not in this object. */
static bool path_of(const struct field *table, const void *base, const void *dst, char *path,
		    size_t size)
{
	for (const struct field *f = table; f->key; f++) {
		char inner[EXPLAIN_PATH_MAX];
		if (f->kind == VALUE_OBJECT) {
			if (!path_of(f->items, place_at(base, f->offset), dst, inner,
				     sizeof(inner)))
				continue;
			return snprintf(path, size, "%s.%s", f->key, inner) < (int)size;
		}
		if (f->kind != VALUE_LIST) {
			if (place_at(base, f->offset) == dst)
				return snprintf(path, size, "%s", f->key) < (int)size;
			continue;
		}
		size_t i = item_with(f, base, dst, inner, sizeof(inner));
		if (i < place_list_count(f, base))
			return snprintf(path, size, "%s[%zu].%s", f->key, i, inner) < (int)size;
	}
	return table == disk_fields && disk_path(base, dst, path, size);
}

void explain_try(struct survey *s, const void *dst, const char *source, bool is_used)
{
	char path[EXPLAIN_PATH_MAX];
	if (!(s->opt->flags & HWP_EXPLAIN) ||
	    !path_of(inventory_fields, s->inv, dst, path, sizeof(path)))
		return;
	struct explain_event *e = add_event(s);
	if (e)
		*e = (struct explain_event){ .path = arena_dup(s->mem, path),
					     .source = arena_dup(s->mem, source ? source : "?"),
					     .part = s->part,
					     .is_used = is_used };
}
