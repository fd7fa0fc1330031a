/* The recorded machines of a corpus outside this tree: $SLIPWAY_CORPUS/hwprobe/<machine>/{root,expected.json}, one test each. */
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

int main(void)
{
	const char *corpus = getenv("SLIPWAY_CORPUS");
	if (!corpus) {
		puts("1..0 # the corpus was not given (SLIPWAY_CORPUS)");
		return 0;
	}
	char dir[512], *paths[EXPECTED_MACHINES_MAX];
	snprintf(dir, sizeof(dir), "%s/hwprobe", corpus);
	size_t n = expected_machines(dir, paths);
	struct CMUnitTest tests[EXPECTED_MACHINES_MAX];
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ .name = strrchr(paths[i], '/') + 1,
						.test_func = test_machine,
						.initial_state = paths[i] };
	if (!n) {
		fprintf(stderr, "%s: no machine there\n", dir);
		return 1;
	}
	int failed = _cmocka_run_group_tests("corpus", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	return failed;
}
