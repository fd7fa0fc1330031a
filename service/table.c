#include "service/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pki.h"

static const char gone[] = "";
#define TABLE_GONE gone

/* FNV-1a over a random start: enough to keep chosen keys from colliding by plan of one recorded run. */
static uint32_t hash_text(const struct table *t, const char *key)
{
	uint64_t h = 14695981039346656037ull ^ t->seed;

	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211ull;
	return (uint32_t)(h ^ (h >> 32));
}

void table_done(struct table *t)
{
	free(t->slots);
	*t = (struct table){ 0 };
}

/* The slot of @key, or the slot where it would go. */
static struct table_slot *find(const struct table *t, const char *key, uint32_t hash)
{
	struct table_slot *reuse = NULL;

	for (size_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
		struct table_slot *s = &t->slots[i];
		if (!s->key)
			return reuse ? reuse : s;
		if (s->key == TABLE_GONE) {
			if (!reuse)
				reuse = s;
		} else if (s->hash == hash && !strcmp(s->key, key)) {
			return s;
		}
	}
}

void *table_get(const struct table *t, const char *key)
{
	if (!t->size)
		return NULL;
	struct table_slot *s = find(t, key, hash_text(t, key));
	return s->key && s->key != TABLE_GONE ? s->value : NULL;
}

static int grow(struct table *t)
{
	struct table old = *t;
	size_t size = old.n * 4 < 64 ? 64 : old.size;

	while (size < old.n * 2 + 2)
		size *= 2;
	if (old.n * 2 >= size)
		size *= 2;
	t->slots = calloc(size, sizeof(*t->slots));
	if (!t->slots) {
		*t = old;
		return -ENOMEM;
	}
	t->size = size;
	t->used = old.n;
	if (!t->seed)
		random_bytes(&t->seed, sizeof(t->seed));
	for (size_t i = 0; i < old.size; i++) {
		struct table_slot *s = &old.slots[i];
		if (s->key && s->key != TABLE_GONE)
			*find(t, s->key, s->hash) = *s;
	}
	free(old.slots);
	return 0;
}

int table_add(struct table *t, const char *key, void *value)
{
	if (t->used * 2 >= t->size) {
		int r = grow(t);
		if (r < 0)
			return r;
	}

	uint32_t hash = hash_text(t, key);
	struct table_slot *s = find(t, key, hash);
	if (s->key && s->key != TABLE_GONE)
		return -EEXIST;
	if (!s->key)
		t->used++;
	*s = (struct table_slot){ .key = key, .hash = hash, .value = value };
	t->n++;
	return 0;
}

void *table_remove(struct table *t, const char *key)
{
	if (!t->size)
		return NULL;
	struct table_slot *s = find(t, key, hash_text(t, key));
	if (!s->key || s->key == TABLE_GONE)
		return NULL;
	void *value = s->value;
	*s = (struct table_slot){ .key = TABLE_GONE };
	t->n--;
	return value;
}
