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
	char dir[512];
	snprintf(dir, sizeof(dir), "%s/hwprobe", corpus);
	return expected_run("corpus", dir, NULL, 0, test_machine);
}
