/* Tables: how wide characters are, where lines are wrapped, that nothing gets lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/text_table.h"

static void test_widths(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} tests[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "\xc3\xa9t\xc3\xa9", 3 },        /* e with acute, twice */
		{ "e\xcc\x81", 1 },                /* e, and the acute alone */
		{ "\xe6\x97\xa5\xe6\x9c\xac", 4 }, /* two ideographs */
		{ "\xef\xbc\xa1", 2 },             /* full-width A */
		{ "\xe2\x80\x8b", 0 },             /* zero-width space */
		{ "\xf0\x9f\x92\xbe", 2 },         /* a floppy disk */
		{ "\xef\xbf\xbd", 1 },             /* what was no UTF-8 */
		{ "\xff\xfe", 2 },                 /* what still is none */
	};
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		if (text_width(tests[i].text, strlen(tests[i].text)) != tests[i].width)
			fail_msg("case %zu: %zu columns, not %zu", i,
				 text_width(tests[i].text, strlen(tests[i].text)), tests[i].width);
	assert_string_equal(setlocale(LC_CTYPE, NULL), "C"); /* the caller's */
}

static char *table(bool has_heading, size_t columns, const char *const *cells, size_t rows,
		   unsigned width)
{
	struct text_table t = { .columns = columns, .has_heading = has_heading };
	AUTO(buf_done) struct buf out;
	buf_init(&out, 1 << 20);
	t.is_right[1] = has_heading;
	for (size_t i = 0; i < rows; i++)
		text_table_add(&t, cells + i * columns);
	assert_int_equal(text_table_put(&t, &out, width), 0);
	text_table_done(&t);
	return buf_take(&out);
}

#define HEADING "NAME", "SIZE", "TEXT"

static const struct {
	const char *what;
	bool is_headless;
	size_t columns;
	const char *cells[18];
	unsigned width;
	const char *want;
} cases[] = {
	{ "no limit",
	  false,
	  3,
	  { HEADING, "a", "7", "x  y", "bb", "1000", NULL },
	  0,
	  "NAME  SIZE  TEXT\na        7  x  y\nbb    1000  -\n" },
	{ "fits",
	  false,
	  3,
	  { HEADING, "a", "7", "one two three" },
	  25,
	  "NAME  SIZE  TEXT\na        7  one two three\n" },
	{ "between words",
	  false,
	  3,
	  { HEADING, "a", "7", "one two three four five six seven" },
	  40,
	  "NAME  SIZE  TEXT\na        7  one two three four five six\n            seven\n" },
	{ "not word by word",
	  false,
	  3,
	  { HEADING, "a", "7", "one two three four five six seven" },
	  35,
	  "NAME  SIZE\na        7\n    TEXT: one two three four five\n      six seven\n" },
	{ "wide characters",
	  false,
	  3,
	  { HEADING, "\xe6\x97\xa5\xe6\x9c\xac", "7", "x", "e\xcc\x81", "8", "y" },
	  0,
	  "NAME  SIZE  TEXT\n\xe6\x97\xa5\xe6\x9c\xac     7  x\ne\xcc\x81        8  y\n" },
	{ "what steers a terminal",
	  false,
	  3,
	  { HEADING, "a\x1b[31m", "\t",
	    "\xe2\x80\xae"
	    "b\xc2\x9b"
	    "c\x7f"
	    "d" },
	  0,
	  "NAME    SIZE  TEXT\na [31m           b  c d\n" },
	{ "a word that is too wide",
	  false,
	  3,
	  { HEADING, "a", "7", "2001:db8:0:64:b696:91ff:fe00:10/64 b" },
	  30,
	  "NAME  SIZE\na        7\n    TEXT: 2001:db8:0:64:b696:91ff:fe00:10/64\n      b\n" },
	{ "one of many",
	  false,
	  3,
	  { HEADING, "a", "1", "short", "b", "2", "short", "c", "3",
	    "2001:db8:0:64:b696:91ff:fe00:10/64" },
	  40,
	  "NAME  SIZE  TEXT\na        1  short\nb        2  short\nc        3\n"
	  "    TEXT: 2001:db8:0:64:b696:91ff:fe00:10/64\n" },
	{ "unknown cells need no line",
	  false,
	  3,
	  { HEADING, "a", "1", "2001:db8:0:64:b696:91ff:fe00:10/64", "b", "2", NULL, "c", "3",
	    "2001:db8:0:64:b696:91ff:fe00:11/64" },
	  40,
	  "NAME  SIZE\na        1\n    TEXT: 2001:db8:0:64:b696:91ff:fe00:10/64\nb        2\n"
	  "c        3\n    TEXT: 2001:db8:0:64:b696:91ff:fe00:11/64\n" },
	{ "short cells stay whole",
	  false,
	  3,
	  { HEADING, "a", "7", "no carrier" },
	  20,
	  "NAME  SIZE\na        7\n    TEXT: no carrier\n" },
	{ "facts",
	  true,
	  2,
	  { "Product", "one two three four five" },
	  24,
	  "Product  one two three\n         four five\n" },
	{ "no heading alone is too much", false, 3, { HEADING }, 4, "NAME\n" },
};

static void test_layout(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = 0;
		for (size_t k = 0; k < ARRAY_SIZE(cases[i].cells); k++)
			n = cases[i].cells[k] ? k + 1 : n;
		n = (n + cases[i].columns - 1) / cases[i].columns;
		char *text = table(!cases[i].is_headless, cases[i].columns, cases[i].cells, n,
				   cases[i].width);
		if (strcmp(text, cases[i].want))
			fail_msg("%s:\n%s", cases[i].what, text);
		free(text);
	}
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word))
		n++;
	return n;
}

/* At every width: each word is there once, and no line is longer than it must be. */
static void test_nothing_is_lost(void **state)
{
	static const char *const cells[] = {
		"NAME",
		"SIZE",
		"KIND",
		"ADDRESSES",
		"alpha",
		"1",
		"kind01",
		"2001:db8::0001 2001:db8::0002 192.0.2.3",
		"beta",
		"22",
		"kind02",
		NULL,
		"gamma",
		"333",
		"kind03",
		"word04 word05 word06 word07 word08 word09 word10",
		"delta",
		"4444",
		"kind04 kind05 kind06",
		"word11",
	};
	static const char *const words[] = {
		"alpha",  "gamma",  "2001:db8::0001", "2001:db8::0002", "192.0.2.3", "kind01",
		"kind03", "kind06", "word04",         "word07",         "word10",    "word11",
		"4444"
	};
	for (unsigned width = 1; width < 120; width++) {
		char *text = table(true, 4, cells, 5, width);
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (count(text, words[i]) != 1)
				fail_msg("width %u: %s is there %zu times:\n%s", width, words[i],
					 count(text, words[i]), text);
		/* an address behind "    ADDRESSES: " takes 29 */
		for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
			if (width >= 29 && (size_t)(end - line) > width)
				fail_msg("width %u: %.*s", width, (int)(end - line), line);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_nothing_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
