#include "tests/unit/common/folder_rig.h"
#include <errno.h>
#include <sys/sysmacros.h>
#include "agent/sysfs.h"
#include "common/cleanup.h"

static void put(void **state, const char *text)
{
	assert_int_equal(file_replace_at(folder(state), "attr", text, strlen(text), 0644, NULL), 0);
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
		{ "0\n", 0 },   { "4096\n", 4096 }, { "18446744073709551615\n", UINT64_MAX },
		{ "512", 512 }, { "", 0 },          { "18446744073709551616\n", 0 },
		{ "x\n", 0 },   { "12x\n", 0 },     { "-1\n", 0 },
	};

	assert_int_equal(sysfs_number_at(folder(state), "attr"), 0); /* absent */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put(state, rows[i].text);
		if (sysfs_number_at(folder(state), "attr") != rows[i].want)
			fail_msg("\"%s\"", rows[i].text);
	}
}

static void test_devno(void **state)
{
	static const char *const bad[] = { "", "8", "8:", ":1", "8:1x", "8:1:2", "a:b" };
	dev_t got = 0;

	assert_int_equal(sysfs_devno_at(folder(state), "attr", &got), -ENOENT);
	put(state, "259:7\n");
	assert_int_equal(sysfs_devno_at(folder(state), "attr", &got), 0);
	assert_true(got == makedev(259, 7));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(state, bad[i]);
		if (sysfs_devno_at(folder(state), "attr", &got) != -EINVAL ||
		    got != makedev(259, 7))
			fail_msg("\"%s\"", bad[i]);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, folder_begin, folder_end)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(test_number), CASE(test_devno) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
