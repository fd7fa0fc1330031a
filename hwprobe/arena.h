#pragma once
/*
 * Memory that is released in one piece. A failed allocation is remembered, so that callers may go on with NULL ("absent")
 * and the owner looks once, at the end.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *last;
	bool has_failed; /* some allocation gave NULL */
};

void arena_done(struct arena *a);
/* Zeroed memory, aligned for any type; NULL = no memory (or @size too large). */
void *arena_alloc(struct arena *a, size_t size);
/* The first @len bytes of @data and a NUL. */
char *arena_copy(struct arena *a, const void *data, size_t len);
/* NULL gives NULL. */
char *arena_dup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Appends a zeroed item to the array *@items (a pointer to its first item) of *@n items and returns it; NULL = no memory.
 * Pointers to earlier items become stale.
 */
void *arena_append(struct arena *a, void *items, size_t *n, size_t item_size);
