/* inventory: what the root process found goes to the service as it is. */
#include "tests/unit/agent/step_rig.h"

static void test_output_is_passed_on(void **state)
{
	struct net_rig *r = *state;

	r->inventory = str_dup("{\"hostname\":\"x\"}");
	AUTO(caught_done) struct caught c = run_step(r, &step_inventory, FAKE_HOST);
	assert_int_equal(c.exit_code, STEP_EXIT_OK);
	assert_string_equal(c.output, "{\"hostname\":\"x\"}");
	assert_null(c.error);
}

/* Newer services add limits behind the host id; the root process is told, and what nobody knows is passed over. */
static void test_limits(void **state)
{
	static const struct {
		const char *args[4];
		const char *want; /* NULL = the step is refused */
	} rows[] = {
		{ { NULL }, "{}" },
		{ { "--output-max-size=1000000" }, "{\"output_max_bytes\":1000000}" },
		{ { "--disk-min-size=0" }, "{\"disk_min_bytes\":0}" },
		{ { "--disk-min-size=10737418240", "--output-max-size=1" },
		  "{\"disk_min_bytes\":10737418240,\"output_max_bytes\":1}" },
		{ { "--gpu-config-file=/etc/x", "output-max-size=1", "" }, "{}" },
		{ { "--output-max-size=9223372036854775807" },
		  "{\"output_max_bytes\":9223372036854775807}" },
		{ { "--output-max-size=9223372036854775808" }, NULL },
		{ { "--output-max-size=" }, NULL },
		{ { "--output-max-size=-1" }, NULL },
		{ { "--output-max-size=1k" }, NULL },
		{ { "--disk-min-size=x" }, NULL },
	};
	struct net_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct caught c = { .run = { .net = &r->net, .finish = on_finish } };
		char *argv[5] = { (char *)FAKE_HOST };
		struct json_strs args = { .v = argv, .n = 1 };
		for (size_t k = 0; rows[i].args[k]; k++)
			argv[args.n++] = (char *)rows[i].args[k];
		r->f->ctx = &c;
		step_inventory.start(&c.run, &args);
		fake_wait(r->f, 10, is_done);
		AUTO(freep)
		char *got = c.exit_code
				    ? NULL
				    : json_dumps(r->inventory_ask, JSON_COMPACT | JSON_SORT_KEYS);
		if (!str_eq(got, rows[i].want) ||
		    c.exit_code != (rows[i].want ? STEP_EXIT_OK : STEP_EXIT_BAD_ARGS))
			fail_msg("row %zu: %d %s", i, c.exit_code, got ? got : c.error);
		caught_done(&c);
	}
}

static void test_failure(void **state)
{
	struct net_rig *r = *state;

	r->inventory_code = -ENOMEM;
	r->inventory = str_dup("{\"half\":");
	AUTO(caught_done) struct caught c = run_step(r, &step_inventory, FAKE_HOST);
	assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
	assert_null(c.output);
}

static void test_needs_the_host_id(void **state)
{
	expect_refusal(*state, &step_inventory, NULL, "host id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STEP_CASE(test_output_is_passed_on),
		STEP_CASE(test_limits),
		STEP_CASE(test_failure),
		STEP_CASE(test_needs_the_host_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
