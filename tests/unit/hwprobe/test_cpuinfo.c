/* Values of /proc/cpuinfo: of the first CPU, of most, of all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/cpuinfo.h"

static void test_cpuinfo_keys(void **state)
{
	struct arena a = { 0 };
	const char *text =
		"no colon\nmodel name\t: A  B \nmodel name\t: second\ncpu MHz : 12.5\ncpu MHz : 99.25\ncpu MHz : x\nempty\t:\nprocessor 3: x\nprocessor : 0";
	assert_string_equal(cpuinfo_get(&a, text, "model name"), "A  B");
	assert_null(cpuinfo_get(&a, text, "model"));
	assert_null(cpuinfo_get(&a, text, "empty"));
	assert_true(cpuinfo_max(text, "cpu MHz") == 99.25);
	assert_true(cpuinfo_max(text, "nothing") == 0);
	assert_int_equal(cpuinfo_processors(text), 2);
	assert_int_equal(cpuinfo_processors(NULL), 0);
	arena_done(&a);
}

#define ARM(part) "CPU implementer : 0x41\nCPU part : " part "\n"

static void test_arm_model(void **state)
{
	struct arena a = { 0 };
	assert_string_equal(cpu_arm_model(&a, ARM("0xd0c") ARM("0xd0c")), "Neoverse-N1");
	assert_string_equal(cpu_arm_model(&a, ARM("0xd03") ARM("0xd08") ARM("0xd08")),
			    "Cortex-A72");
	assert_string_equal(cpu_arm_model(&a, ARM("0xd03") ARM("0xd08")),
			    "Cortex-A53"); /* a draw: the first */
	assert_null(cpu_arm_model(&a, ARM("0x001")));
	assert_null(cpu_arm_model(&a, "flags : fpu\n"));
	arena_done(&a);
}

/* A part number means something with its implementer only. */
static void test_arm_implementers(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "CPU implementer : 0x48\nCPU part : 0xd01\n", "TaiShan-v110" },
		{ "CPU implementer : 0x41\nCPU part : 0xd01\n", "Cortex-A32" },
		{ "CPU implementer : 0x41\nCPU part : 0xd49\n", "Neoverse-N2" },
		{ "CPU implementer : 0x6d\nCPU part : 0xd49\n", "Azure-Cobalt-100" },
		{ "CPU implementer : 0x70\nCPU part : 0x663\n", "FTC663" },
		{ "CPU implementer : 0xc0\nCPU part : 0xac5\n", "Ampere-1b" },
		{ "CPU implementer : 0x51\nCPU part : 0x001\n", "Oryon" },
		{ "CPU implementer : 0x50\nCPU part : 0x000\n", "X-Gene" },
		{ "CPU implementer : 0x99\nCPU part : 0xd49\n", NULL },
		{ "CPU part : 0xd49\n", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = { 0 };
		const char *got = cpu_arm_model(&a, cases[i].text);
		print_message("case %zu: %s\n", i, got ? got : "none");
		assert_string_equal(got ? got : "", cases[i].want ? cases[i].want : "");
		arena_done(&a);
	}
}

#define MODEL(name) "processor : 0\nmodel name : " name "\n"

static void test_most(void **state)
{
	struct arena a = { 0 };
	assert_string_equal(cpuinfo_most(&a, MODEL("P") MODEL("E") MODEL("E"), "model name"), "E");
	assert_string_equal(cpuinfo_most(&a, MODEL("P") MODEL("E"), "model name"),
			    "P"); /* a draw: the first */
	assert_string_equal(cpuinfo_most(&a, MODEL("") MODEL("E"), "model name"), "E");
	assert_null(cpuinfo_most(&a, MODEL(""), "model name"));
	assert_null(cpuinfo_most(&a, MODEL("P"), "model"));
	/* More kinds than are told apart: one of those that are. */
	char many[2048] = "";
	for (int i = 0; i < 40; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "model name : %d\nmodel name : 3\n", i);
	assert_string_equal(cpuinfo_most(&a, many, "model name"), "3");
	arena_done(&a);
}

static void test_common(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "flags : fpu vmx lm\n", "fpu vmx lm" },
		{ "flags : fpu vmx lm\nflags : fpu vmx lm\n", "fpu vmx lm" },
		{ "flags : fpu\tvmx  lm\nflags : lm fpu avx512f\n", "fpu lm" },
		{ "flags : sse sse2 sse4_1\nflags : sse4_1 sse42 ssse3\n", "sse4_1" },
		{ "flags : a b\nflags : c\n", NULL },
		{ "flags : a b\nflags :\n", NULL },
		{ "flags :\nflags : a\n", NULL },
		{ "Features : a\n", NULL },
		{ "flags : aa a\nflags : a aa\nflags : xa aa\n", "aa" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = { 0 };
		char *got = cpuinfo_common(&a, cases[i].text, "flags");
		print_message("case %zu: %s\n", i, got ? got : "none");
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuinfo_keys),     cmocka_unit_test(test_arm_model),
		cmocka_unit_test(test_arm_implementers), cmocka_unit_test(test_most),
		cmocka_unit_test(test_common),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
