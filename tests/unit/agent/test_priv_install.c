/*
 * The root process's side of an installation: what it keeps, what it forgets, what it goes on with,
 * and what it answers while there is nothing to do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include "tests/unit/agent/priv_rig.h"

static bool is_kept(const struct priv_rig *r, const char *name)
{
	return faccessat(r->p.state_dir, name, F_OK, 0) == 0;
}

static void keep(struct priv_rig *r, const char *name, const char *text)
{
	assert_int_equal(file_replace_at(r->p.state_dir, name, text, strlen(text), 0600, NULL), 0);
}

/* A job as an earlier agent has left it. */
static void keep_job(struct priv_rig *r, bool is_done, int percent)
{
	AUTO(json_decrefp) json_t *obj = rig_job("/dev/no-such-disk");
	json_object_set_new(obj, "is_done", json_boolean(is_done));
	json_object_set_new(obj, "percent", json_integer(percent));
	AUTO(freep) char *text = json_dumps(obj, 0);

	keep(r, "install.json", text);
	keep(r, "install.slx", "an index");
}

/* What cannot be begun is reported, and leaves nothing behind that a next start would go on with. */
static void test_refused(void **state)
{
	static const struct {
		const char *device, *index;
		int code;
	} cases[] = {
		{ "/dev/no-such-disk", "an index", -ENODEV },
		{ "/dev/no-such-disk", "", -EINVAL }, /* empty */
		{ "relative", "an index", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct priv_rig *r = *state;
		AUTO(closep) int fd = rig_memfd(cases[i].index, strlen(cases[i].index));

		r->report = (struct install_report){ 0 };
		rig_install(r, rig_job(cases[i].device), fd);
		if (r->report.phase != INSTALL_FAILED || r->report.code != cases[i].code)
			fail_msg("case %zu: %d %s", i, r->report.code, r->report.text);
		assert_false(r->p.has_job);
		assert_false(is_kept(r, "install.json"));
		assert_false(is_kept(r, "install.slx"));
	}
}

/* No descriptor, or one that is no file: the index is missing. */
static void test_no_index(void **state)
{
	struct priv_rig *r = *state;

	rig_install(r, rig_job("/dev/no-such-disk"), -1);
	assert_int_equal(r->report.code, -EINVAL);
	assert_non_null(strstr(r->report.text, "index"));
}

static void test_going_on(void **state)
{
	struct priv_rig *r = *state;

	keep_job(r, false, 42);
	priv_install_load(&r->p);
	assert_true(r->p.has_job);
	assert_string_equal(r->p.job.device, "/dev/no-such-disk");
	assert_int_equal(r->p.report.phase, INSTALL_CHECK);
	assert_int_equal(r->p.report.percent, 42);
	assert_int_equal(r->p.index_len, strlen("an index"));
	/* a second one is refused while that is there */
	AUTO(closep) int fd = rig_memfd("x", 1);
	rig_install(r, rig_job("/dev/other"), fd);
	assert_string_equal(r->p.job.device, "/dev/no-such-disk");
}

/* Complete: the new network process hears of it, and the reboot has its deadline. */
static void test_complete(void **state)
{
	struct priv_rig *r = *state;

	keep_job(r, true, 100);
	priv_install_load(&r->p);
	assert_int_equal(r->p.report.phase, INSTALL_DONE);
	priv_install_net_ready(&r->p);
	rig_listen(r);
	assert_int_equal(r->types[MSG_RESUME], 1);
	assert_int_equal(r->types[MSG_STREAM], 0); /* nothing is written any more */
	assert_true(evtimer_pending(r->p.reboot_deadline, NULL));
	/* it cannot be stopped now */
	rig_say(r, MSG_ASK_CANCEL, 5, NULL, 0, -1);
	rig_listen(r);
	assert_int_equal(r->answers_bad, 1);
	assert_true(r->p.has_job);
}

static void test_damaged_state(void **state)
{
	static const struct {
		const char *name, *text; /* text NULL = removed */
	} cases[] = {
		{ "install.json", "" },
		{ "install.json", "{\"step_id\":" },
		{ "install.json", "{\"step_id\":\"1\"}" },
		{ "install.slx", NULL },
		{ "install.slx", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct priv_rig *r = *state;

		keep_job(r, false, 10);
		if (cases[i].text)
			keep(r, cases[i].name, cases[i].text);
		else
			assert_int_equal(unlinkat(r->p.state_dir, cases[i].name, 0), 0);
		priv_install_load(&r->p);
		if (r->p.has_job || is_kept(r, "install.json") || is_kept(r, "install.slx"))
			fail_msg("case %zu", i);
	}
}

/* Stopping what has not begun to write, and what is not there. */
static void test_stop(void **state)
{
	struct priv_rig *r = *state;

	rig_say(r, MSG_ASK_CANCEL, 5, NULL, 0, -1);
	rig_listen(r);
	assert_int_equal(r->answers_ok, 1);
	assert_int_equal(r->types[MSG_REPORT], 0);
	keep_job(r, false, 10);
	priv_install_load(&r->p);
	rig_say(r, MSG_ASK_CANCEL, 6, NULL, 0, -1);
	rig_listen(r);
	assert_int_equal(r->answers_ok, 2);
	assert_int_equal(r->report.code, -ECANCELED);
	assert_false(r->p.has_job);
	assert_false(is_kept(r, "install.json"));
}

/* Nothing runs: a network process that comes and goes changes nothing. */
static void test_nothing_to_do(void **state)
{
	struct priv_rig *r = *state;

	priv_install_load(&r->p);
	priv_install_net_ready(&r->p);
	priv_install_net_lost(&r->p);
	rig_listen(r);
	assert_int_equal(r->types[MSG_RESUME] + r->types[MSG_STREAM] + r->types[MSG_REPORT], 0);
	assert_false(r->p.is_net_lost);
}

/* The reboot forgets the installation: the next start has nothing to go on with. */
static void test_reboot(void **state)
{
	struct priv_rig *r = *state;

	keep_job(r, true, 100);
	priv_install_load(&r->p);
	priv_install_reboot(&r->p);
	assert_int_equal(access(r->rebooted, F_OK), 0);
	assert_true(r->p.is_rebooting);
	assert_false(r->p.has_job);
	assert_false(is_kept(r, "install.json"));
	/* the user's own command may do anything: no watchdog runs down behind it */
	assert_int_equal(r->p.watchdog_fd, -1);
}

static void test_failing_reboot(void **state)
{
	struct priv_rig *r = *state;

	keep_job(r, true, 100);
	priv_install_load(&r->p);
	assert_int_equal(unlink(r->reboot), 0);
	priv_install_reboot(&r->p);
	assert_false(r->p.is_rebooting);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_refused),       CASE(test_no_index),      CASE(test_going_on),
		CASE(test_complete),      CASE(test_damaged_state), CASE(test_stop),
		CASE(test_nothing_to_do), CASE(test_reboot),        CASE(test_failing_reboot),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
