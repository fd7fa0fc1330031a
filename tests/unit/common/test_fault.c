#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/fault.h"
#include "common/str.h"

static void test_set_replaces_and_returns(void **state)
{
	struct fault f = FAULT_INIT;
	assert_int_equal(fault_set(&f, -EIO, "disk %s: %d", "sda", 7), -EIO);
	assert_int_equal(f.code, -EIO);
	assert_string_equal(fault_text(&f), "disk sda: 7");
	assert_int_equal(fault_set(&f, -ENOENT, "again: %s", f.text), -ENOENT);
	assert_string_equal(f.text, "again: disk sda: 7");
	assert_int_equal(fault_set(NULL, -EPERM, "nobody listens"), -EPERM);
}

static void test_prefix(void **state)
{
	struct fault f = FAULT_INIT;
	fault_set(&f, -EIO, "short read");
	assert_int_equal(fault_prefix(&f, -EINVAL, "image %d", 3), -EIO);
	assert_string_equal(f.text, "image 3: short read");
	assert_int_equal(fault_prefix(NULL, -EINVAL, "x"), -EINVAL);

	struct fault empty = FAULT_INIT;
	assert_int_equal(fault_prefix(&empty, -ENOENT, "conf"), -ENOENT);
	assert_string_equal(empty.text, "conf: No such file or directory");
}

static void test_text_without_sentence(void **state)
{
	struct fault f = { .code = -EACCES };
	assert_string_equal(fault_text(&f), "Permission denied");
	errno = ENOSPC;
	assert_string_equal(fault_text(NULL), "No space left on device");
	assert_int_equal(fault_oom(&f), -ENOMEM);
	assert_string_equal(fault_text(&f), "out of memory");
}

/* The text may hold 1023 bytes; what is longer is cut between characters. */
static void test_cut(void **state)
{
	struct fault f = FAULT_INIT;
	char text[3 * sizeof(f.text)];
	static const char *const units[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	for (size_t u = 0; u < 4; u++) {
		for (size_t shift = 0; shift < 4; shift++) {
			size_t len = strlen(units[u]), at = shift;
			memset(text, 'x', shift);
			for (; at + len < sizeof(text); at += len)
				memcpy(text + at, units[u], len);
			text[at] = '\0';
			fault_set(&f, -EIO, "%s", text);
			assert_int_equal(strlen(f.text),
					 sizeof(f.text) - 1 - (sizeof(f.text) - 1 - shift) % len);
			assert_true(str_is_text(f.text));
			assert_int_equal(strncmp(f.text, text, strlen(f.text)), 0);
		}
	}
	text[1023] = '\0';
	memset(text, 'b', 1023);
	fault_set(&f, -EIO, "%s", text);
	assert_string_equal(f.text, text);
}

static void test_foreign_bytes_become_question_marks(void **state)
{
	struct fault f = FAULT_INIT;
	fault_set(&f, -EIO, "%s", "serial \xff\xfe end");
	assert_string_equal(f.text, "serial ?? end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_replaces_and_returns),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_text_without_sentence),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_foreign_bytes_become_question_marks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
