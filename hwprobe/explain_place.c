#include "hwprobe/explain_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/explain_view.h"

const void *place_at(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

size_t place_list_count(const struct field *f, const void *base)
{
	return *(const size_t *)place_at(base, f->count_offset);
}

const void *place_list_item(const struct field *f, const void *base, size_t i)
{
	return place_at(*(void *const *)place_at(base, f->offset), i * f->item_size);
}

const char *place_item_name(const struct field *items, const void *item)
{
	static const char *const keys[] = { "name", "address", "locator" };
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		for (const struct field *f = items; f->key; f++)
			if (f->kind == VALUE_STR && !strcmp(f->key, keys[k]))
				return ((const struct hwp_str *)place_at(item, f->offset))->s;
	return NULL;
}

const struct field *place_wire_field(const struct place *p)
{
	for (const struct field *f = p->table; p->field && f->key; f++)
		if (f != p->field && f->flags & FIELD_WIRE_ONLY && !strcmp(f->key, p->field->key))
			return f;
	return NULL;
}

static bool append(struct place *p, const char *separator, const char *text)
{
	size_t n = strlen(p->path);
	int more = snprintf(p->path + n, sizeof(p->path) - n, "%s%s", separator, text);
	return more >= 0 && (size_t)more < sizeof(p->path) - n;
}

static bool append_index(struct place *p, size_t i)
{
	char text[32];
	snprintf(text, sizeof(text), "[%zu]", i);
	return append(p, "", text);
}

/* "[7]": the number and what follows; false = it is none. */
static bool parse_index(const char *text, size_t *ret, const char **ret_end)
{
	size_t digits = strspn(text + 1, "0123456789");
	if (*text != '[' || !digits || text[1 + digits] != ']')
		return false;
	*ret = strtoul(text + 1, NULL, 10); /* ULONG_MAX when it is too large: no list is so long */
	*ret_end = text + digits + 2;
	return true;
}

/* Names may hold dots: "interfaces.bond0.100.mtu"; the longest that fits is meant. */
static size_t find_named(const struct place *p, const char *rest, size_t *ret_len)
{
	const struct field *f = p->field;
	size_t n = place_list_count(f, p->base), best = n;
	*ret_len = 0;
	for (size_t i = 0; i < n; i++) {
		const char *name = place_item_name(f->items, place_list_item(f, p->base, i));
		size_t len = name ? strlen(name) : 0;
		if (len > *ret_len && !strncmp(rest, name, len) &&
		    (!rest[len] || rest[len] == '.')) {
			best = i;
			*ret_len = len;
		}
	}
	return best;
}

static bool step_into_item(struct place *p, const char **rest)
{
	const struct field *f = p->field;
	const char *end = *rest + (**rest == '.');
	size_t i = SIZE_MAX, len = 0;
	if (**rest == '[') {
		if (!parse_index(*rest, &i, &end))
			return false;
	} else {
		if (**rest == '.')
			i = find_named(p, end, &len);
		end += len;
	}
	if (i >= place_list_count(f, p->base))
		return false;
	*rest = end;
	p->table = f->items;
	p->base = place_list_item(f, p->base, i);
	p->field = NULL;
	const char *name = place_item_name(p->table, p->base);
	p->item = name ? name : p->item;
	return append_index(p, i);
}

static const struct field *field_named(const struct field *table, const char *key, size_t n)
{
	for (const struct field *f = table; f && f->key; f++)
		if (strlen(f->key) == n && !strncmp(f->key, key, n) &&
		    !(f->flags & FIELD_WIRE_ONLY))
			return f;
	return NULL;
}

static bool step_into_object(struct place *p, const char **rest)
{
	const char *key = *rest + (**rest == '.');
	size_t n = strcspn(key, ".[");
	if (*p->path && **rest != '.')
		return false;
	const struct field *f = field_named(p->table, key, n);
	if (!f) {
		const void *base = NULL;
		const struct field *view = explain_view(p->mem, p->inv, p->table, p->base, &base);
		f = field_named(view, key, n);
		if (!f)
			return false;
		p->table = view;
		p->base = base;
	}
	*rest = key + n;
	if (f->kind == VALUE_OBJECT) {
		p->table = f->items;
		p->base = place_at(p->base, f->offset);
		p->field = NULL;
	} else {
		p->field = f;
	}
	return append(p, *p->path ? "." : "", f->key);
}

static size_t text_count(const struct place *p)
{
	const struct field *wire = place_wire_field(p);
	const struct hwp_strs *own = place_at(p->base, p->field->offset),
			      *other = wire ? place_at(p->base, wire->offset) : own;
	return MAX_OF(own->n, other->n);
}

/* What the full format has in a value, and one text of several. */
static bool step_into_value(struct place *p, const char **rest)
{
	static const struct {
		const char *key;
		unsigned flags; /* only of such fields */
	} inside[] = { { ".value", 0 }, { ".source", 0 }, { ".placeholder", FIELD_FIRMWARE } };
	const char *end;
	if (**rest == '[') {
		if (p->field->kind != VALUE_STRS || p->has_index ||
		    !parse_index(*rest, &p->index, &end) || p->index >= text_count(p))
			return false;
		p->has_index = true;
		*rest = end;
		return append_index(p, p->index);
	}
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		size_t n = strlen(inside[i].key);
		if (strncmp(*rest, inside[i].key, n) || p->has_index ||
		    (p->field->flags & inside[i].flags) != inside[i].flags)
			continue;
		*rest += n;
		return !**rest || **rest == '[';
	}
	return false;
}

void place_init(struct place *p, const struct hwp_inventory *inv, struct arena *mem)
{
	*p = (struct place){ .inv = inv, .mem = mem, .table = inventory_fields, .base = inv };
}

bool place_find(struct place *p, const char *path, const char **ret_rest)
{
	const char *rest = path;
	bool is_there = true;
	while (*rest && is_there) {
		*ret_rest = rest;
		if (!p->field)
			is_there = step_into_object(p, &rest);
		else if (p->field->kind == VALUE_LIST)
			is_there = step_into_item(p, &rest);
		else
			is_there = step_into_value(p, &rest);
	}
	return is_there;
}
