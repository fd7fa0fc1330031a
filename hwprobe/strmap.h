#pragma once
/* Text to number, for lists that may have thousands of items. Keys are borrowed; memory comes from an arena. */
#include <stddef.h>
#include "hwprobe/arena.h"

struct strmap_slot {
	const char *key;
	long value;
};

struct strmap {
	struct arena *arena;
	struct strmap_slot *slots;
	size_t n, size; /* used; a power of two */
};

#define STRMAP_NONE (-1L)

/* STRMAP_NONE = not there. @key may be NULL. */
long strmap_get(const struct strmap *m, const char *key);
/* Sets or replaces; without memory nothing is kept (the arena remembers the failure). */
void strmap_set(struct strmap *m, const char *key, long value);
