#include "rules_fixture.h"
#include "service/hostname.h"

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_valid(void **state)
{
	static const char *const good[] = { "a", "w1", "worker-0", "a.b.c",
					    "0", "a-", A60 "aaa",  "a.-b" };
	static const char *const bad[] = { "",     "A",   "-a",  ".a",        "a.",
					   "a..b", "a_b", "a b", "w\xc3\xa9", A60 "aaaa" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!hostname_is_valid(good[i]))
			fail_msg("%s is valid", good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (hostname_is_valid(bad[i]))
			fail_msg("%s is not valid", bad[i]);
	}
}

static void test_forbidden(void **state)
{
	assert_true(hostname_is_forbidden("localhost"));
	assert_true(hostname_is_forbidden("localhost6.localdomain6"));
	assert_false(hostname_is_forbidden("localhost1"));
}

static void test_is_of(void **state)
{
	struct host h = { .id = "id" };
	assert_true(hostname_is_of(&h, "id"));
	h.inventory_hostname = (char *)"inv";
	assert_true(hostname_is_of(&h, "inv") && !hostname_is_of(&h, "id"));
	h.requested_hostname = (char *)"req";
	assert_true(hostname_is_of(&h, "req") && !hostname_is_of(&h, "inv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_valid),
					    cmocka_unit_test(test_forbidden),
					    cmocka_unit_test(test_is_of) };
	return FIX_RUN(tests, 0);
}
