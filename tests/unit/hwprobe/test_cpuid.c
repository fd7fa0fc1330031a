/* CPUID leaves from a recorded tree. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/cpuid.h"
#include "tests/unit/hwprobe/pass.h"

static void test_lines(void **state)
{
	static const struct {
		const char *text;
		uint32_t leaf, subleaf, eax; /* 0 = not there */
	} cases[] = {
		{ "1 1 0 0 0 => a b c d\n", 1, 0, 0xa },
		{ "1 1 0 0 0 => a b c d\n", 2, 0, 0 },
		{ "# comment\n5 4 0 0 0 => 11 0 0 0\n5 4 0 1 0 => 22 0 0 0\n", 4, 1, 0x22 },
		{ "5 4 0 0 0 => 11 0 0 0\n5 4 0 1 0 => 22 0 0 0\n", 4, 0, 0x11 },
		{ "5 4 0 0 0 => 11 0 0 0\n", 4, 7, 0 },
		/* bit 2 of the mask: the subleaf counts; without it any will do */
		{ "1 4 0 0 0 => 11 0 0 0\n", 4, 7, 0x11 },
		{ "1 40000000 0 0 0 => 40000001 4b4d564b 564b4d56 4d\n", 0x40000000, 0,
		  0x40000001 },
		{ "1 1 0 0 0 => a b c\n", 1, 0, 0 },
		{ "1 1 0 0 0 a b c d\n", 1, 0, 0 },
		{ "1 1 0 0 0 => x b c d\n", 1, 0, 0 },
		{ "", 1, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct pass p;
		struct cpuid_regs r = { .eax = 77 };
		print_message("case %zu\n", i);
		tree_init(&t);
		tree_file(&t, "cpuid.txt", cases[i].text);
		pass_open(&p, &t, 0);
		assert_int_equal(cpuid_read(&p.s, cases[i].leaf, cases[i].subleaf, &r),
				 cases[i].eax != 0);
		assert_int_equal(r.eax,
				 cases[i].eax ? cases[i].eax : 77); /* untouched without a value */
		pass_close(&p);
		tree_done(&t);
	}
}

static void test_registers(void **state)
{
	struct tree t;
	struct pass p;
	struct cpuid_regs r;
	tree_init(&t);
	tree_file(&t, "cpuid.txt", "5 16 0 0 0 => 708 ce4 64 ffffffff\n");
	pass_open(&p, &t, 0);
	assert_true(cpuid_read(&p.s, 0x16, 0, &r));
	assert_int_equal(r.eax, 0x708);
	assert_int_equal(r.ebx, 0xce4);
	assert_int_equal(r.ecx, 0x64);
	assert_int_equal(r.edx, 0xffffffff);
	pass_close(&p);
	tree_done(&t);
}

/* Never this machine's instead of what was not recorded. */
static void test_not_recorded(void **state)
{
	struct tree t;
	struct pass p;
	struct cpuid_regs r;
	tree_init(&t);
	pass_open(&p, &t, 0);
	assert_false(cpuid_read(&p.s, 0, 0, &r));
	assert_false(cpuid_read(&p.s, 1, 0, &r));
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_not_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
