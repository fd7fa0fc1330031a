#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "agent/reply.h"
#include "common/cleanup.h"
#include "common/json_map.h"

static void test_body(void **state)
{
	const struct {
		const char *type, *id;
		int code;
		const char *output, *error, *want;
	} rows[] = {
		/* the original's reply to install: exit_code 0 and empty texts are left out */
		{ "install", "install-3e1947cf", 0, NULL, NULL,
		  "{\"step_id\":\"install-3e1947cf\",\"step_type\":\"install\"}" },
		{ "inventory", "inventory-1", 0, "{\"a\":1}", "",
		  "{\"output\":\"{\\\"a\\\":1}\",\"step_id\":\"inventory-1\",\"step_type\":\"inventory\"}" },
		{ "x", NULL, -1, "", "failed to find action for step type x",
		  "{\"error\":\"failed to find action for step type x\",\"exit_code\":-1,\"step_type\":\"x\"}" },
		{ "inventory", "i", 256, NULL, "medium is gone",
		  "{\"error\":\"medium is gone\",\"exit_code\":256,\"step_id\":\"i\",\"step_type\":\"inventory\"}" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep)
		char *body = reply_body(rows[i].type, rows[i].id, rows[i].code, rows[i].output,
					rows[i].error);
		assert_string_equal(body, rows[i].want);
	}
}

static void test_cache(void **state)
{
	struct replies r = { 0 };
	struct reply_cache_entry *e = &r.cache[STEP_INVENTORY];

	assert_false(reply_is_cached(&r, STEP_INVENTORY, "a", 1000));
	sha256("a", 1, e->hash);
	e->posted_ms = 1000;
	assert_true(reply_is_cached(&r, STEP_INVENTORY, "a", 1000));
	assert_false(reply_is_cached(&r, STEP_INVENTORY, "b", 1000));
	assert_false(reply_is_cached(&r, STEP_NTP_SYNCHRONIZER, "a", 1000));
	assert_true(reply_is_cached(&r, STEP_INVENTORY, "a", 1000 + REPLY_CACHE_MS - 1));
	assert_false(reply_is_cached(&r, STEP_INVENTORY, "a", 1000 + REPLY_CACHE_MS));
	replies_forget(&r);
	assert_false(reply_is_cached(&r, STEP_INVENTORY, "a", 1001));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_body),
					    cmocka_unit_test(test_cache) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
