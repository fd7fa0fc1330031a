#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/scratch.h"

static void test_goes_away(void **state)
{
	struct scratch s = SCRATCH_INIT;
	char path[256];
	struct stat st;

	assert_int_equal(scratch_make(&s, NULL), 0);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_create_at(s.fd, "f", "x", 1, 0600, NULL), 0);
	snprintf(path, sizeof(path), "%s", s.path);
	scratch_done(&s);
	assert_int_equal(stat(path, &st), -1);
	scratch_done(&s); /* harmless */
}

static void test_no_tmpdir(void **state)
{
	struct scratch s = SCRATCH_INIT;
	struct fault err = FAULT_INIT;
	AUTO(freep) char *long_name = calloc(1, 400);

	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(scratch_make(&s, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent"));
	memset(long_name, 'l', 399);
	setenv("TMPDIR", long_name, 1);
	assert_int_equal(scratch_make(&s, NULL), -ENAMETOOLONG);
	unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_away),
		cmocka_unit_test(test_no_tmpdir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
