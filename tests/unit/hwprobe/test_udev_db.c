#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/udev_db.h"

static struct arena arena;

static int teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

static void parse(struct udev_record *r, char *buf, const char *text)
{
	strcpy(buf, text);
	udev_record_parse(r, &arena, buf, strlen(text));
}

static void test_record(void **state)
{
	char buf[512];
	struct udev_record r;
	size_t pos = 0;
	parse(&r, buf,
	      "S:disk/by-id/a\nL:-100\nI:42\nE:ID_MODEL=X=Y\nE:EMPTY=\nE:ID_SERIAL=old\nE:ID_SERIAL=new\nS:disk/by-id/b\nG:systemd\nnonsense\nV:1");
	assert_true(r.is_there);
	assert_true(r.is_initialized);
	assert_int_equal(r.link_priority, -100);
	assert_string_equal(udev_get(&r, "ID_MODEL"), "X=Y");
	assert_string_equal(udev_get(&r, "ID_SERIAL"), "new");
	assert_null(udev_get(&r, "EMPTY"));
	assert_null(udev_get(&r, "ID"));
	assert_null(udev_get(&r, "ID_MODEL_ENC"));
	assert_string_equal(udev_next_link(&r, &pos), "disk/by-id/a");
	assert_string_equal(udev_next_link(&r, &pos), "disk/by-id/b");
	assert_null(udev_next_link(&r, &pos));
}

static void test_broken_records(void **state)
{
	static const char *const texts[] = { "", "\n\n", "E", "E:", "xx\nyy", "L:9999999999999" };
	char buf[64];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct udev_record r;
		size_t pos = 0;
		parse(&r, buf, texts[i]);
		assert_int_equal(r.is_there, strchr(texts[i], ':') != NULL);
		assert_int_equal(r.link_priority, 0);
		assert_null(udev_get(&r, "E"));
		assert_null(udev_next_link(&r, &pos));
	}
}

static void test_line_limit(void **state)
{
	static char buf[(UDEV_LINES_MAX + 2) * 8];
	size_t n = 0;
	struct udev_record r;
	for (int i = 0; i < UDEV_LINES_MAX; i++)
		n += (size_t)sprintf(buf + n, "E:A=1\n");
	n += (size_t)sprintf(buf + n, "E:B=1\n");
	udev_record_parse(&r, &arena, buf, n);
	assert_non_null(udev_get(&r, "A"));
	assert_null(udev_get(&r, "B"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_broken_records),
		cmocka_unit_test(test_line_limit),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
