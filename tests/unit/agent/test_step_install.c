/* install: what is refused before anything begins, and that there is one installation at a time. */
#include "tests/unit/agent/step_rig.h"

#define CLUSTER "fc56491c-2703-4b95-b0cf-3418d90aff5b"

/* The arguments of a service, with @key changed to @value; NULL = as they are. */
static char *install_arg(const char *key, const char *value)
{
	AUTO(json_decrefp)
	json_t *arg = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "boot_device", "/dev/vda", "cluster_id",
		CLUSTER, "controller_image", "r/c:1", "host_id", FAKE_HOST, "infra_env_id", FAKE_IE,
		"installer_image", "r/i:1", "role", "worker", "installer_args",
		"[\"--image-url\",\"http://192.0.2.9/os-images/ab/image.raw.zst\"]");

	if (key && value)
		json_object_set_new(arg, key, json_loads(value, JSON_DECODE_ANY, NULL));
	else if (key)
		json_object_del(arg, key);
	return json_text(arg, false);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "boot_device", NULL },
		{ "boot_device", "\"\"" },
		{ "boot_device", "\"vda\"" },
		{ "boot_device", "\"/etc/passwd\"" },
		{ "boot_device", "7" },
		{ "host_id", "\"" CLUSTER "\"" }, /* another host's */
		{ "infra_env_id", "\"" CLUSTER "\"" },
		{ "role", NULL },
		{ "installer_args", "\"not JSON\"" },
		{ "installer_args", "\"[\\\"--copy-network\\\", 7]\"" },
		{ "installer_args", "\"[\\\"--image-url\\\"]\"" },
		{ "installer_args", "[]" },
		{ "coreos_image", "\"quay.io/x/coreos:1\"" },
		{ "disks_to_format", "[\"sda\"]" },
	};
	struct net_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(freep) char *arg = install_arg(rows[i].key, rows[i].value);
		AUTO(caught_done) struct caught c = run_step(r, &step_install, arg);
		if (c.exit_code != STEP_EXIT_BAD_ARGS || str_empty(c.error))
			fail_msg("row %zu (%s %s): %d %s", i, rows[i].key,
				 rows[i].value ? rows[i].value : "absent", c.exit_code,
				 c.error ? c.error : "");
		assert_null(r->net.install);
	}
	/* the service was not asked for anything, the root process was told nothing */
	assert_int_equal(r->f->n, 0);
	assert_int_equal(r->installs, 0);
}

static bool has_asked(struct fake *f)
{
	return f->n > 0;
}

/* With good arguments the work begins: the service is asked, the step goes on. A second one is refused and does not disturb it. */
static void test_one_at_a_time(void **state)
{
	struct net_rig *r = *state;
	AUTO(freep) char *arg = install_arg(NULL, NULL);
	AUTO(json_decrefp)
	json_t *obj = json_pack("{s:[{s:s, s:s, s:[s]}]}", "instructions", "step_type", "install",
				"step_id", "install-1", "args", arg);
	struct steps steps = { 0 };

	assert_int_equal(steps_decode(obj, &steps, NULL), 0);
	step_dispatch(&r->net, &steps, NULL);
	steps_done(&steps);
	assert_non_null(r->net.install);
	assert_true(step_is_running(&r->net, STEP_INSTALL));

	const struct net_install *first = r->net.install;
	AUTO(caught_done) struct caught c = run_step(r, &step_install, arg);
	assert_int_equal(c.exit_code, STEP_EXIT_FAILED);
	assert_non_null(strstr(c.error, "another installation"));
	assert_ptr_equal(r->net.install, first);
	assert_true(step_is_running(&r->net, STEP_INSTALL));
	fake_wait(r->f, 20, has_asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = { STEP_CASE(test_refusals),
					    STEP_CASE(test_one_at_a_time) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
