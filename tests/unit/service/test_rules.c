#include "rules_fixture.h"

#include "common/wire/stage.h"

#define MINUTES_MS(n) ((uint64_t)(n)*60 * 1000)

/* The defaults that a foreign client counts on (assisted-v2 §7.5). */
static void test_defaults(void **state)
{
	struct rule_config c;

	memset(&c, 0xff, sizeof(c));
	rule_config_init(&c);
	assert_int_equal(c.max_disconnection_ms, MINUTES_MS(3));
	assert_int_equal(c.no_progress_timeout_ms, MINUTES_MS(20));
	assert_int_equal(c.instruction_interval_s, 60);
	assert_int_equal(c.slow_interval_s, 120);
	assert_string_equal(c.agent_image, "");
	assert_string_equal(c.installer_image, "");
	assert_string_equal(c.controller_image, "");
	assert_false(c.upgrade_agent);
	assert_int_equal(c.inventory_max_size, 0);
	assert_int_equal(c.disk_min_size, 0);
	assert_null(c.os_image_url);
	assert_null(c.disabled_validations);
	assert_null(c.disabled_steps);
}

static void test_stage_timeouts(void **state)
{
	static const struct {
		const char *stage;
		uint64_t minutes; /* 0 = none */
	} rows[] = {
		{ "Starting installation", 30 },
		{ "Installing", 60 },
		{ "Writing image to disk", 30 },
		{ "Copying registry data to disk", 90 },
		{ "Waiting for control plane", 60 },
		{ "Waiting for bootkube", 60 },
		{ "Waiting for controller", 60 },
		{ "Rebooting", 40 },
		{ "Waiting for ignition", 24 * 60 },
		{ "Configuring", 60 },
		{ "Joined", 60 },
		{ "Done", 0 },
		{ "Failed", 0 },
	};
	struct rule_config c;

	rule_config_init(&c);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum stage s;
		assert_int_equal(stage_parse(rows[i].stage, &s), 0);
		assert_int_equal(c.stage_timeout_ms[s], MINUTES_MS(rows[i].minutes));
	}
	assert_int_equal(c.stage_timeout_ms[STAGE_NONE], 0);
	/* no stage was forgotten: the table above names them all but the empty one */
	assert_int_equal(ARRAY_SIZE(rows), STAGE_COUNT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_stage_timeouts),
	};
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
