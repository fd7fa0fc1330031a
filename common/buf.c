#include "common/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define BUF_FIRST 256

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = MIN_OF(max, SIZE_MAX / 2) };
}

void buf_done(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->size = 0;
}

int buf_reserve(struct buf *b, size_t more)
{
	if (more > b->max - b->len)
		return -EMSGSIZE;
	size_t need = b->len + more + 1;
	if (need <= b->size)
		return 0;
	size_t size = MAX_OF(need, MIN_OF(2 * MAX_OF(b->size, (size_t)BUF_FIRST), b->max + 1));
	char *data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	data[b->len] = '\0';
	b->data = data;
	b->size = size;
	return 0;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
	int r = buf_reserve(b, len);
	if (r < 0)
		return r;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	int r = buf_reserve(b, (size_t)n);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_consume(struct buf *b, size_t len)
{
	if (len >= b->len) {
		buf_reset(b);
		return;
	}
	b->len -= len;
	memmove(b->data, b->data + len, b->len + 1);
}

char *buf_take(struct buf *b)
{
	char *text = b->data ? TAKE(b->data) : strdup("");
	b->len = b->size = 0;
	return text;
}
