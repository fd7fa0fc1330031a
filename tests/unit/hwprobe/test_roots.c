/* The recorded machines of this tree: tests/data/roots/<machine>/{root,expected.json}, one test each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/unit/hwprobe/expected.h"

static void test_machine(void **state)
{
	assert_int_equal(expected_check(*state), 0);
}

/* A comparison that cannot fail would prove nothing. */
static void test_comparison_sees_differences(void **state)
{
	static const char *const wrong[] = {
		"{\"a\":2}",
		"{}",
		"{\"a\":1,\"gone\":7}",
		"{\"a\":1,\"disks\":[{\"name\":\"x\"}]}",
		"{\"a\":\"1\"}",
	};
	json_t *want = json_loads("{\"@exact\":{\"disks\":[]},\"a\":1,\"gone\":null,\"disks\":[]}",
				  0, NULL);
	json_t *right = json_loads("{\"a\":1,\"more\":5,\"disks\":[]}", 0, NULL);
	assert_int_equal(expected_compare("", want, right, false, NULL), 0);
	json_decref(right);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *got = json_loads(wrong[i], 0, NULL);
		assert_int_not_equal(expected_compare("", want, got, false, NULL), 0);
		json_decref(got);
	}
	json_decref(want);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(test_comparison_sees_differences),
	};
	return expected_run("roots", "tests/data/roots", own, sizeof(own) / sizeof(own[0]),
			    test_machine);
}
