#pragma once
/* Tables of text for people: columns as wide as need be, lines not longer than a terminal has columns, nothing cut. */
#include <stdbool.h>
#include <stddef.h>
#include "common/buf.h"
#include "hwprobe/arena.h"

enum { TEXT_COLUMNS_MAX = 8 };

/* Begins with the number of columns, and with all else zero. */
struct text_table {
	struct arena mem; /* of the cells; callers may keep texts there, too */
	size_t columns;
	bool has_heading;                /* the first row */
	bool is_right[TEXT_COLUMNS_MAX]; /* numbers */
	char ***rows;
	size_t n;
};

void text_table_done(struct text_table *t);
/* Copies the cells; NULL = unknown. */
void text_table_add(struct text_table *t, const char *const *cells);
/*
 * Prints the table; what would steer a terminal becomes blanks. @width: columns that a line may have; 0 = any. Where the table is wider,
 * cells are wrapped between words; where words are too wide for that, the widest cells follow their row in lines of their own. Only a
 * single word that is wider than that makes a line longer. 0; -ENOMEM, -EMSGSIZE.
 */
int text_table_put(struct text_table *t, struct buf *out, unsigned width);
/* Columns of a terminal that a text in UTF-8 takes. */
size_t text_width(const char *text, size_t len);
