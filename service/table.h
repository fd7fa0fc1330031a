#pragma once
/*
 * A hash table from text to pointer. Keys are borrowed and must stay where they are as long as they are in the table.
 */
#include <stddef.h>
#include <stdint.h>

struct table_slot {
	const char *key; /* NULL = free, TABLE_GONE = removed */
	uint32_t hash;
	void *value;
};

struct table {
	struct table_slot *slots;
	size_t size;    /* power of two; 0 = empty */
	size_t used, n; /* slots that are not free; live entries */
	uint64_t seed;  /* random: keys come from outside */
};

void table_done(struct table *t);
void *table_get(const struct table *t, const char *key); /* NULL = not there */
/* 0, -EEXIST, -ENOMEM. */
int table_add(struct table *t, const char *key, void *value);
void *table_remove(struct table *t, const char *key);
