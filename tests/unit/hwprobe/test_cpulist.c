/* Lists of CPUs: how many, and which are left when others go. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "hwprobe/cpulist.h"

static void test_count(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 1 },
		{ "0-3", 4 },
		{ "0-3,8,10-12", 8 },
		{ "5-5", 1 },
		{ "0-1048575", 1 << 20 },
		{ "0-1048576", -EINVAL },
		{ "1048576", -EINVAL },
		{ "3-1", -EINVAL },
		{ "a", -EINVAL },
		{ "1,", -EINVAL },
		{ ",1", -EINVAL },
		{ "1-", -EINVAL },
		{ "-1", -EINVAL },
		{ "1 2", -EINVAL },
		{ "0-1000000,0-1000000", -EINVAL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cpulist_count(cases[i].text) != cases[i].want)
			fail_msg("%s: %lld", cases[i].text,
				 (long long)cpulist_count(cases[i].text));
}

static void test_without(void **state)
{
	static const struct {
		const char *list, *gone, *want;
	} cases[] = {
		{ "0-7", "0-2,4", "3,5-7" },
		{ "0-7", "0-7", NULL },
		{ "0-7", "8-9", "0-7" },
		{ "0-3,8,10-12", "1,11", "0,2-3,8,10,12" },
		{ "0-1048575", "1-1048574", "0,1048575" },
		{ "5", "", "5" },
		{ "x", "0", NULL },
		{ "0", "x", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = { 0 };
		char *got = cpulist_without(&a, cases[i].list, cases[i].gone);
		print_message("%s without %s: %s\n", cases[i].list, cases[i].gone,
			      got ? got : "none");
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
		arena_done(&a);
	}
}

static void test_has(void **state)
{
	static const struct {
		const char *list;
		uint64_t cpu;
		bool want;
	} cases[] = {
		{ "0-3,8", 0, true },  { "0-3,8", 3, true },           { "0-3,8", 4, false },
		{ "0-3,8", 8, true },  { "0-3,8", 9, false },          { "", 0, false },
		{ "1,x,5", 5, false }, { "0-1048575", 1048575, true }, { "0", UINT64_MAX, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cpulist_has(cases[i].list, cases[i].cpu) != cases[i].want)
			fail_msg("%s: %llu", cases[i].list, (unsigned long long)cases[i].cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
