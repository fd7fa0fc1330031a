#include "hwprobe/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, CHUNK_MIN = 8192 };

struct arena_chunk {
	struct arena_chunk *before;
	size_t used, size;
	_Alignas(ARENA_ALIGN) char data[];
};

void arena_done(struct arena *a)
{
	while (a->last) {
		struct arena_chunk *before = a->last->before;
		free(a->last);
		a->last = before;
	}
	a->has_failed = false;
}

static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
	if (a->last && a->last->size - a->last->used >= size)
		return a->last;

	size_t room = size > CHUNK_MIN ? size : CHUNK_MIN;
	struct arena_chunk *c = malloc(sizeof(*c) + room);
	if (!c)
		return NULL;

	c->used = 0;
	c->size = room;
	c->before = a->last;
	a->last = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > PTRDIFF_MAX / 2) {
		a->has_failed = true;
		return NULL;
	}
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	struct arena_chunk *c = chunk_for(a, size);
	if (!c) {
		a->has_failed = true;
		return NULL;
	}
	void *p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

char *arena_copy(struct arena *a, const void *data, size_t len)
{
	if (len == SIZE_MAX)
		return NULL;
	char *p = arena_alloc(a, len + 1);
	if (p && len)
		memcpy(p, data, len);
	return p;
}

char *arena_dup(struct arena *a, const char *s)
{
	return s ? arena_copy(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return NULL;
	if ((size_t)n < sizeof(text))
		return arena_copy(a, text, (size_t)n);

	char *p = arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return p;
}

void *arena_append(struct arena *a, void *items, size_t *n, size_t item_size)
{
	char **array = items;
	/* The room is always the next power of two, so no capacity needs to be kept. */
	if ((*n & (*n - 1)) == 0) {
		size_t room = *n ? *n * 2 : 1, bytes;
		if (__builtin_mul_overflow(room, item_size, &bytes))
			return NULL;
		char *grown = arena_alloc(a, bytes);
		if (!grown)
			return NULL;
		if (*n)
			memcpy(grown, *array, *n * item_size);
		*array = grown;
	}
	return *array + (*n)++ * item_size;
}
