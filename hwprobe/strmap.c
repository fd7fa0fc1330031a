#include "hwprobe/strmap.h"

#include <stdint.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *key)
{
	uint64_t h = 0xcbf29ce484222325;
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3;
	return h;
}

/* The slot that has the key, or the free one where it belongs. */
static struct strmap_slot *find(const struct strmap *m, const char *key)
{
	size_t i = hash(key) & (m->size - 1);
	while (m->slots[i].key && strcmp(m->slots[i].key, key))
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

long strmap_get(const struct strmap *m, const char *key)
{
	if (!key || !m->size)
		return STRMAP_NONE;
	const struct strmap_slot *s = find(m, key);
	return s->key ? s->value : STRMAP_NONE;
}

/* At most half of the slots are used, so a search always ends. */
static int grow(struct strmap *m)
{
	if (m->n * 2 < m->size)
		return 0;
	struct strmap bigger = { .arena = m->arena,
				 .n = m->n,
				 .size = m->size ? m->size * 2 : SLOTS_FIRST };
	bigger.slots = arena_alloc(m->arena, bigger.size * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].key)
			*find(&bigger, m->slots[i].key) = m->slots[i];
	*m = bigger;
	return 0;
}

void strmap_set(struct strmap *m, const char *key, long value)
{
	if (grow(m) < 0)
		return;
	struct strmap_slot *s = find(m, key);
	m->n += !s->key;
	*s = (struct strmap_slot){ .key = key, .value = value };
}
