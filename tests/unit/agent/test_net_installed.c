/* The installed system's reports: their order, each until the service has it, and the end. */
#include "tests/unit/agent/net_rig.h"

static struct net_rig *rig_of(struct fake *f)
{
	return f->rig;
}

static int setup_as(void **state, bool is_installed)
{
	int status = rig_setup(state);
	struct net_rig *r = *state;
	struct agent_config config = { .installed = is_installed };

	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	return status;
}

static int setup(void **state)
{
	return setup_as(state, true);
}

static int setup_discovery(void **state)
{
	return setup_as(state, false);
}

/* "Configuring Joined …", as they came; a repeated one is there twice. */
static void stages(const struct fake *f, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < f->n; i++)
		if (fake_is(&f->seen[i], "PUT", "/progress"))
			len += (size_t)snprintf(ret + len, size - len, "%s ",
						json_str(f->seen[i].body, "current_stage"));
}

static bool is_finished(struct fake *f)
{
	return rig_of(f)->finished > 0;
}

static bool has_configured(struct fake *f)
{
	return rig_of(f)->net.has_configured;
}

static void joined(struct net_rig *r)
{
	assert_int_equal(ipc_send(&r->root, MSG_JOINED, 0, NULL, 0, -1), 0);
}

static void expect(struct net_rig *r, const char *want)
{
	char got[512];

	stages(r->f, got, sizeof(got));
	assert_string_equal(got, want);
	assert_int_equal(fake_registrations(r->f), 0);
	assert_int_equal(fake_polls(r->f), 0);
}

static void test_order(void **state)
{
	struct net_rig *r = *state;

	net_begin(&r->net, false);
	fake_wait(r->f, 10, has_configured);
	expect(r, "Configuring ");
	assert_string_equal(r->net.state, "waiting for slipway-join.target");
	joined(r);
	joined(r); /* it is told again and again */
	fake_wait(r->f, 10, is_finished);
	joined(r);
	event_base_loop(r->f->base, EVLOOP_NONBLOCK);
	expect(r, "Configuring Joined Done ");
	assert_int_equal(r->finished, 1);
	assert_string_equal(r->net.state, "done");
}

/* The join was over before this process began. */
static void test_joined_first(void **state)
{
	struct net_rig *r = *state;

	joined(r);
	net_begin(&r->net, false);
	joined(r);
	fake_wait(r->f, 10, is_finished);
	expect(r, "Configuring Joined Done ");
}

static int refuse_some(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	static const int statuses[] = { 500, 200, 503, 200, 401, 200 };

	return fake_is(s, "PUT", "/progress") && f->counter < ARRAY_SIZE(statuses)
		       ? statuses[f->counter++]
		       : 0;
}

/* Each is repeated until it is there, and the next one waits for it. */
static void test_refused(void **state)
{
	struct net_rig *r = *state;

	r->f->answer = refuse_some;
	net_begin(&r->net, false);
	joined(r);
	fake_wait(r->f, 60, is_finished);
	expect(r, "Configuring Configuring Joined Joined Done Done ");
}

static int already_further(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	return fake_is(s, "PUT", "/progress") ? 409 : 0;
}

/* A service that is further already has all it needs. */
static void test_already_further(void **state)
{
	struct net_rig *r = *state;

	r->f->answer = already_further;
	net_begin(&r->net, false);
	joined(r);
	fake_wait(r->f, 20, is_finished);
	expect(r, "Configuring Joined Done ");
}

static bool has_registered(struct fake *f)
{
	return fake_polls(f) > 0;
}

/* In a discovery system nobody joins, whatever the root process says. */
static void test_not_installed(void **state)
{
	struct net_rig *r = *state;
	char got[64];

	joined(r);
	net_begin(&r->net, false);
	fake_wait(r->f, 10, has_registered);
	joined(r);
	for (int i = 0; i < 20; i++)
		event_base_loop(r->f->base, EVLOOP_NONBLOCK);
	stages(r->f, got, sizeof(got));
	assert_string_equal(got, "");
	assert_false(r->net.has_joined);
	assert_int_equal(r->finished, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_order),
		CASE(test_joined_first),
		CASE(test_refused),
		CASE(test_already_further),
		cmocka_unit_test_setup_teardown(test_not_installed, setup_discovery, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
