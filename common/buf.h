#pragma once
/*
 * A byte buffer that cannot exist without a maximum. data is always NUL-terminated behind len, so text can be used in place.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;  /* owned; NULL until the first append */
	size_t len;  /* bytes used */
	size_t size; /* bytes allocated */
	size_t max;  /* most bytes that len may reach */
};

/* @max: most bytes the buffer will hold. No allocation yet. */
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* frees; AUTO(buf_done) works on struct buf */

/* All return 0, -EMSGSIZE when @max would be passed (nothing appended), or -ENOMEM. */
int buf_append(struct buf *b, const void *data, size_t len);
int buf_append_str(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_reserve(struct buf *b, size_t more);

void buf_reset(struct buf *b);               /* len = 0, memory kept */
void buf_consume(struct buf *b, size_t len); /* drop the first @len bytes */
/* The text, owned by the caller (free()); the buffer is empty afterwards. "" when nothing was appended; NULL = no memory. */
char *buf_take(struct buf *b);
