#include "hwprobe/text_table.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>
#include "common/cleanup.h"

enum {
	GAP = 2,       /* between columns */
	FOLD = 4,      /* what follows a row stands so far in */
	HANG = 6,      /* and so far from its second line on */
	UNBROKEN = 12, /* cells of up to so many columns are not wrapped */
	WRAPPED = 24,  /* others get so many at least, not a line for every word */
	FEW = 2,       /* half of the rows are few */
};

#define UNKNOWN "-"

/* --- characters ------------------------------------------------------------------------------------------------- */

/* The next character; returns its bytes (1 for what is none). *@ret_width: its columns, -1 = not to be printed. */
static size_t next_char(const char *p, size_t len, int *ret_width)
{
	wchar_t c = 0;
	mbstate_t state = { 0 };
	size_t n = mbrtowc(&c, p, len, &state);
	if (n == 0 || n > len) {
		*ret_width = -1;
		return 1;
	}
	/* Unicode's explicit directions make a terminal show a text in another order than it has. */
	bool is_direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
	*ret_width = is_direction ? -1 : wcwidth(c);
	return n;
}

/* wcwidth() and mbrtowc() know UTF-8 only in a locale that has it; the caller's stays as it is. */
static locale_t utf8_begin(locale_t *ret_old)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	*ret_old = utf8 ? uselocale(utf8) : (locale_t)0;
	return utf8;
}

static void utf8_end(locale_t utf8, locale_t old)
{
	if (!utf8)
		return;
	uselocale(old);
	freelocale(utf8);
}

static size_t columns_of(const char *text, size_t len)
{
	size_t columns = 0;
	for (size_t n; len > 0; text += n, len -= n) {
		int width;
		n = next_char(text, len, &width);
		columns += width < 0 ? 1 : (size_t)width;
	}
	return columns;
}

size_t text_width(const char *text, size_t len)
{
	locale_t old, utf8 = utf8_begin(&old);
	size_t columns = columns_of(text, len);
	utf8_end(utf8, old);
	return columns;
}

static void make_printable(char *text)
{
	for (size_t n, len = strlen(text); len > 0; text += n, len -= n) {
		int width;
		n = next_char(text, len, &width);
		if (width < 0)
			memset(text, ' ', n);
	}
}

/* --- cells -------------------------------------------------------------------------------------------------------- */

void text_table_done(struct text_table *t)
{
	arena_done(&t->mem);
}

void text_table_add(struct text_table *t, const char *const *cells)
{
	char **row = arena_alloc(&t->mem, sizeof(*row) * TEXT_COLUMNS_MAX);
	char ***slot = row ? arena_append(&t->mem, &t->rows, &t->n, sizeof(*slot)) : NULL;
	if (!slot)
		return;
	for (size_t i = 0; i < t->columns; i++)
		row[i] = arena_dup(&t->mem, cells[i] ? cells[i] : UNKNOWN);
	*slot = row;
}

/* The words at *@text that fit into @width columns, one in any case; *@text moves behind them. Returns their bytes. */
static size_t take_words(const char **text, size_t width, const char **ret_start)
{
	const char *start = *text + strspn(*text, " "), *end = start;
	for (;;) {
		const char *word = end + strspn(end, " ");
		const char *after = word + strcspn(word, " ");
		if (!*word || (end > start && columns_of(start, (size_t)(after - start)) > width))
			break;
		end = after;
	}
	*text = end + strspn(end, " ");
	*ret_start = start;
	return (size_t)(end - start);
}

static size_t longest_word(const char *cell)
{
	size_t longest = 0, len;
	const char *start;
	while ((len = take_words(&cell, 0, &start)))
		longest = MAX_OF(longest, columns_of(start, len));
	return longest;
}

/* --- layout ------------------------------------------------------------------------------------------------------- */

struct layout {
	size_t width;                     /* of a line; 0 = any */
	size_t natural[TEXT_COLUMNS_MAX]; /* of the widest cell */
	size_t columns[TEXT_COLUMNS_MAX];
	size_t least[TEXT_COLUMNS_MAX]; /* of what is not broken; wider cells stand in lines of their own */
	bool is_folded[TEXT_COLUMNS_MAX]; /* all of the column */
};

/* Columns that a cell needs at least. Short ones are not broken: "no carrier". */
static size_t least_of(const struct text_table *t, size_t c, const char *cell)
{
	size_t whole = columns_of(cell, strlen(cell));
	if (t->is_right[c] || whole <= UNBROKEN)
		return whole;
	/* The first column, and facts, cannot stand in lines of their own. */
	size_t least = t->has_heading && c > 0 ? WRAPPED : 0;
	return MAX_OF(longest_word(cell), MIN_OF(whole, least));
}

static bool is_own_line(const struct text_table *t, const struct layout *l, size_t c,
			const char *cell)
{
	return l->is_folded[c] || least_of(t, c, cell) > l->least[c];
}

static size_t line_width(const struct text_table *t, const struct layout *l, const size_t *columns)
{
	size_t sum = 0;
	for (size_t c = 0; c < t->columns; c++)
		sum += l->is_folded[c] ? 0 : columns[c] + GAP;
	return sum - GAP;
}

static void measure(const struct text_table *t, struct layout *l)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->rows[i][c];
			l->least[c] = MAX_OF(l->least[c], least_of(t, c, cell));
			l->natural[c] = MAX_OF(l->natural[c], columns_of(cell, strlen(cell)));
		}
}

static void find_columns(const struct text_table *t, struct layout *l)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t c = 0; c < t->columns; c++) {
			const char *cell = t->rows[i][c];
			if (!is_own_line(t, l, c, cell))
				l->columns[c] =
					MAX_OF(l->columns[c], columns_of(cell, strlen(cell)));
		}
}

/* Leaves the widest cells out of a column, if they are few: one InfiniBand address among twenty of Ethernet. */
static bool leave_out_few(const struct text_table *t, struct layout *l, size_t c)
{
	size_t next = least_of(t, c, t->rows[0][c]), wide = 0;
	for (size_t i = 1; i < t->n; i++) {
		size_t least = least_of(t, c, t->rows[i][c]);
		wide += least >= l->least[c];
		if (least < l->least[c])
			next = MAX_OF(next, least);
	}
	if (next >= l->least[c] || wide > (t->n - 1) / FEW)
		return false;
	l->least[c] = next;
	return true;
}

/* Puts the widest cells into lines of their own, until the others fit. The first column tells what the row is about. */
static void fold(const struct text_table *t, struct layout *l)
{
	while (t->has_heading && line_width(t, l, l->least) > l->width) {
		size_t widest = 0;
		for (size_t c = 1; c < t->columns; c++)
			if (!l->is_folded[c] && (!widest || l->natural[c] >= l->natural[widest]))
				widest = c;
		if (!widest)
			return;
		l->is_folded[widest] = !leave_out_few(t, l, widest);
	}
}

/* Takes from the widest column that has more than its longest word. */
static void shrink(const struct text_table *t, struct layout *l)
{
	while (line_width(t, l, l->columns) > l->width) {
		size_t widest = TEXT_COLUMNS_MAX;
		for (size_t c = 0; c < t->columns; c++)
			if (!l->is_folded[c] && l->columns[c] > l->least[c] &&
			    (widest == TEXT_COLUMNS_MAX || l->columns[c] >= l->columns[widest]))
				widest = c;
		if (widest == TEXT_COLUMNS_MAX)
			return;
		l->columns[widest]--;
	}
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static int put_blanks(struct buf *out, size_t n)
{
	return buf_printf(out, "%*s", (int)n, "");
}

static int put_cell(struct buf *out, const char *text, size_t len, size_t columns, bool is_right)
{
	size_t own = columns_of(text, len), blanks = columns > own ? columns - own : 0;
	int r = is_right ? put_blanks(out, blanks) : 0;
	if (r == 0)
		r = buf_append(out, text, len);
	return r < 0 || is_right ? r : put_blanks(out, blanks);
}

static void trim_blanks(struct buf *line)
{
	while (line->len && line->data[line->len - 1] == ' ')
		line->data[--line->len] = '\0';
}

/* One line of a row, from where the cells are at; false in *@ret_is_more: it was the last. */
static int put_line(const struct text_table *t, const struct layout *l, const char **cells,
		    struct buf *out, bool *ret_is_more)
{
	AUTO(buf_done) struct buf line;
	buf_init(&line, out->max);
	int r = 0;
	*ret_is_more = false;
	for (size_t c = 0; c < t->columns && r == 0; c++) {
		const char *start;
		if (l->is_folded[c])
			continue;
		/* Without a limit a cell is as it is, blanks and all. */
		size_t len = l->width ? take_words(&cells[c], l->columns[c], &start)
				      : strlen(start = cells[c]);
		cells[c] += l->width ? 0 : len;
		*ret_is_more |= *cells[c] != '\0';
		r = put_cell(&line, start, len, l->columns[c], t->is_right[c]);
		if (r == 0)
			r = put_blanks(&line, GAP);
	}
	trim_blanks(&line);
	return r < 0 ? r : buf_printf(out, "%s\n", line.data ? line.data : "");
}

/* "    ADDRESSES: 192.0.2.1/24 …" */
static int put_folded(const struct layout *l, const char *heading, const char *cell,
		      struct buf *out)
{
	size_t indent = FOLD, room = l->width;
	int r = 0;
	if (!strcmp(cell, UNKNOWN))
		return 0;
	for (bool is_first = true; *cell && r == 0; is_first = false) {
		const char *start;
		size_t used = indent + (is_first ? strlen(heading) + 2 : 0);
		size_t len = take_words(&cell, room > used ? room - used : 0, &start);
		r = buf_printf(out, "%*s%s%s%.*s\n", (int)indent, "", is_first ? heading : "",
			       is_first ? ": " : "", (int)len, start);
		indent = HANG;
	}
	return r;
}

static int put_row(const struct text_table *t, const struct layout *l, size_t row, struct buf *out)
{
	const char *cells[TEXT_COLUMNS_MAX];
	bool is_more = true;
	int r = 0;
	for (size_t c = 0; c < t->columns; c++) {
		cells[c] = t->rows[row][c];
		if (l->width && is_own_line(t, l, c, cells[c]))
			cells[c] = "";
	}
	while (is_more && r == 0)
		r = put_line(t, l, cells, out, &is_more);
	for (size_t c = 0; c < t->columns && row > 0 && r == 0; c++)
		if (l->width && is_own_line(t, l, c, t->rows[row][c]))
			r = put_folded(l, t->rows[0][c], t->rows[row][c], out);
	return r;
}

static void make_rows_printable(struct text_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t c = 0; c < t->columns; c++)
			make_printable(t->rows[i][c]);
}

int text_table_put(struct text_table *t, struct buf *out, unsigned width)
{
	struct layout l = { .width = width };
	if (t->mem.has_failed)
		return -ENOMEM;
	locale_t old, utf8 = utf8_begin(&old);
	int r = 0;
	make_rows_printable(t);
	measure(t, &l);
	if (width)
		fold(t, &l);
	find_columns(t, &l);
	if (width)
		shrink(t, &l);
	for (size_t i = 0; i < t->n && r == 0; i++)
		r = put_row(t, &l, i, out);
	utf8_end(utf8, old);
	return r;
}
