#include "rules_fixture.h"
#include "service/requirement.h"

static void test_roles(void **state)
{
	static const struct {
		bool bound;
		enum host_role role, suggested, want;
		uint64_t disk_gb;
	} rows[] = {
		{ false, ROLE_AUTO_ASSIGN, ROLE_AUTO_ASSIGN, ROLE_AUTO_ASSIGN, 50 },
		{ false, ROLE_MASTER, ROLE_AUTO_ASSIGN, ROLE_MASTER, 100 },
		{ true, ROLE_AUTO_ASSIGN, ROLE_AUTO_ASSIGN, ROLE_WORKER, 100 },
		{ true, ROLE_AUTO_ASSIGN, ROLE_WORKER, ROLE_WORKER, 100 },
		{ true, ROLE_ARBITER, ROLE_WORKER, ROLE_ARBITER, 50 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;
		fix_init(&f, rows[i].bound);
		f.host.role = rows[i].role;
		f.host.suggested_role = rows[i].suggested;
		assert_int_equal(requirement_role(&f.ctx, &f.host), rows[i].want);
		assert_int_equal(requirement_for(&f.ctx, &f.host)->disk_gb, rows[i].disk_gb);
		assert_int_equal(requirement_minimum(&f.ctx)->cpu_cores, 2);
		fix_done(&f);
	}
}

static void test_memory(void **state)
{
	/* assisted-v2, end of appendix A */
	assert_int_equal(requirement_memory_bytes(8192, "dmidecode"), 8485076992);
	assert_int_equal(requirement_memory_bytes(8192, NULL), 8485076992);
	assert_true(requirement_memory_bytes(8192, "meminfo") < 8485076992 &&
		    requirement_memory_bytes(8192, "meminfo") > 8300000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_roles),
					    cmocka_unit_test(test_memory) };
	return FIX_RUN(tests, 0);
}
