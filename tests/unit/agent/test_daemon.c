/* The two processes of the agent against a service: registration, polling, replies, refusals, deaths, the installed system. */
#include "fake_service.h"

static bool has_replies(struct fake *f)
{
	return fake_reply(f, "inventory", 0) && fake_reply(f, "ntp-synchronizer", 0) &&
	       fake_reply(f, "domain-resolution", 0) && fake_reply(f, "connectivity-check", 0) &&
	       fake_reply(f, "teleport", 0);
}

static bool has_three_more_polls(struct fake *f)
{
	return fake_polls(f) >= f->counter + 3;
}

#define STEPS                                                                                                      \
	"{\"instructions\":["                                                                                      \
	"{\"step_type\":\"inventory\",\"step_id\":\"inventory-1\",\"args\":[\"" FAKE_HOST "\"]},"                  \
	"{\"step_type\":\"ntp-synchronizer\",\"step_id\":\"ntp-1\",\"args\":[\"{\\\"ntp_source\\\":\\\"\\\"}\"]}," \
	"{\"step_type\":\"domain-resolution\",\"step_id\":\"domain-1\","                                           \
	"\"args\":[\"{\\\"domains\\\":[{\\\"domain_name\\\":\\\"localhost\\\"}]}\"]},"                             \
	"{\"step_type\":\"connectivity-check\",\"step_id\":\"conn-1\",\"args\":[\"[]\"]},"                         \
	"{\"step_type\":\"teleport\",\"step_id\":\"teleport-1\",\"args\":[]}"                                      \
	"],\"next_instruction_seconds\":1,\"post_step_action\":\"continue\"}"

static void test_registers_polls_replies(void **state)
{
	struct fake *f = *state;

	f->steps = STEPS;
	fake_start_agent(f, false);
	fake_wait(f, 40, has_replies);

	/* order and headers */
	assert_true(fake_is(&f->seen[0], "GET", "/component-versions"));
	assert_true(fake_is(&f->seen[1], "POST", "/infra-envs/" FAKE_IE "/hosts"));
	assert_true(fake_is(&f->seen[2], "GET",
			    "/infra-envs/" FAKE_IE "/hosts/" FAKE_HOST "/instructions"));
	for (size_t i = 0; i < f->n; i++) {
		assert_string_equal(f->seen[i].secret, FAKE_TOKEN);
		assert_string_equal(f->seen[i].slipway, SLIPWAY_VERSION);
		assert_true(uuid_is_valid(f->seen[i].request_id));
		if (i)
			assert_string_equal(f->seen[i].version, "registry.example.com/agent:1");
	}
	assert_int_equal(json_object_size(f->seen[1].body), 2);
	assert_string_equal(json_str(f->seen[1].body, "host_id"), FAKE_HOST);
	assert_string_equal(json_str(f->seen[1].body, "discovery_agent_version"),
			    "registry.example.com/agent:1");

	/* replies carry the poll's request id */
	assert_string_equal(fake_reply(f, "inventory", 0)->request_id, f->seen[2].request_id);
	assert_string_equal(fake_reply(f, "ntp-synchronizer", 0)->request_id,
			    f->seen[2].request_id);

	json_t *inventory = fake_reply(f, "inventory", 0)->body;
	AUTO(json_decrefp) json_t *output = json_loads(json_str(inventory, "output"), 0, NULL);
	assert_true(json_i64(json_child(output, "cpu"), "count") >= 1);
	assert_true(json_i64(json_child(output, "memory"), "usable_bytes") > 0);
	assert_null(json_object_get(inventory, "exit_code"));

	assert_string_equal(json_str(fake_reply(f, "ntp-synchronizer", 0)->body, "output"),
			    "{\"ntp_sources\":[]}");
	AUTO(json_decrefp)
	json_t *names = json_loads(json_str(fake_reply(f, "domain-resolution", 0)->body, "output"),
				   0, NULL);
	json_t *first = json_array_get(json_child(names, "resolutions"), 0);
	assert_string_equal(json_str(first, "domain_name"), "localhost");
	assert_true(json_array_size(json_child(first, "ipv4_addresses")) +
			    json_array_size(json_child(first, "ipv6_addresses")) >=
		    1);

	/* what is not built is said so */
	static const char *const unknown[] = { "connectivity-check", "teleport" };
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		json_t *reply = fake_reply(f, unknown[i], 0)->body;
		assert_int_equal(json_i64(reply, "exit_code"), -1);
		assert_non_null(
			strstr(json_str(reply, "error"), "failed to find action for step type"));
	}

	/* an identical reply is not sent again; a failed one is */
	f->counter = (unsigned)fake_polls(f);
	fake_wait(f, 20, has_three_more_polls);
	assert_null(fake_reply(f, "ntp-synchronizer", 1));
	assert_null(fake_reply(f, "domain-resolution", 1));
	assert_non_null(fake_reply(f, "teleport", 1));
	assert_int_equal(fake_registrations(f), 1);
}

/* Bound: "exit" without a number of seconds; at once a new registration, after which everything is said again. */
static int bind_after_inventory(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/instructions") || fake_registrations(f) > 1 ||
	    !fake_reply(f, "ntp-synchronizer", 0) || !fake_reply(f, "inventory", 0))
		return 0;
	*ret_body = str_dup("{\"instructions\":null,\"post_step_action\":\"exit\"}");
	return 200;
}

/* The inventory, too, although nothing of it has changed: the service has forgotten it. */
static bool has_all_again(struct fake *f)
{
	return fake_reply(f, "ntp-synchronizer", 1) && fake_reply(f, "inventory", 1);
}

static void test_exit_registers_anew(void **state)
{
	struct fake *f = *state;

	f->steps =
		"{\"instructions\":[{\"step_type\":\"ntp-synchronizer\",\"step_id\":\"n\",\"args\":[\"{\\\"ntp_source\\\":\\\"\\\"}\"]},"
		"{\"step_type\":\"inventory\",\"step_id\":\"i\",\"args\":[\"" FAKE_HOST "\"]}],"
		"\"next_instruction_seconds\":1}";
	f->answer = bind_after_inventory;
	fake_start_agent(f, false);
	fake_wait(f, 40, has_all_again);
	assert_int_equal(fake_registrations(f), 2);
	assert_int_equal(fake_count(f, "GET", "/component-versions"), 1);
}

/* Every refusal is borne: portal, closed, unauthorised, unknown, then taken in. */
static int refuse_first(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	static const int statuses[] = { 200, 503, 401, 500 };

	if (!fake_is(s, "POST", "/hosts") || f->counter >= ARRAY_SIZE(statuses))
		return 0;
	*ret_body = str_dup("<html>Sign in to the hotel network</html>");
	return statuses[f->counter++];
}

static bool has_polled(struct fake *f)
{
	return fake_polls(f) >= 1;
}

static void test_refused_registrations(void **state)
{
	struct fake *f = *state;

	f->answer = refuse_first;
	fake_start_agent(f, false);
	fake_wait(f, 60, has_polled);
	assert_int_equal(fake_registrations(f), 5);
}

/* A host that the service does not know (any more): the original freezes, this one registers. */
static int forget_host(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/instructions") || f->counter++ != 1)
		return 0;
	*ret_body = str_dup(
		"{\"code\":\"404\",\"href\":\"\",\"id\":404,\"kind\":\"Error\",\"reason\":\"Host not found\"}");
	return 404;
}

static bool has_two_registrations(struct fake *f)
{
	return fake_registrations(f) >= 2 && fake_polls(f) >= 3;
}

static void test_unknown_host_registers(void **state)
{
	struct fake *f = *state;

	f->answer = forget_host;
	fake_start_agent(f, false);
	fake_wait(f, 40, has_two_registrations);
	assert_int_equal(fake_registrations(f), 2);
}

#define UPGRADE \
	"{\"instructions\":[{\"step_type\":\"upgrade-agent\",\"args\":[\"{\\\"agent_image\\\":\\\"quay.io/x/agent:2\\\"}\"]}],\"next_instruction_seconds\":1}"

static int upgrade_until_new(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	if (!fake_is(s, "GET", "/instructions") || str_eq(s->version, "quay.io/x/agent:2"))
		return 0;
	*ret_body = str_dup(UPGRADE);
	return 200;
}

static bool polls_as_new(struct fake *f)
{
	return f->n && fake_is(&f->seen[f->n - 1], "GET", "/instructions") &&
	       str_eq(f->seen[f->n - 1].version, "quay.io/x/agent:2");
}

static void test_upgrade(void **state)
{
	struct fake *f = *state;

	f->answer = upgrade_until_new;
	fake_start_agent(f, false);
	fake_wait(f, 40, polls_as_new);
	assert_int_equal(fake_registrations(f), 2);
	assert_string_equal(json_str(fake_reply(f, "upgrade-agent", 0)->body, "output"),
			    "{\"agent_image\":\"quay.io/x/agent:2\",\"result\":\"success\"}");
}

static bool has_net_pid(struct fake *f)
{
	return fake_polls(f) >= 2 && fake_status(f, "net_pid") > 0;
}

/* The network process dies: the root process starts another, which goes on polling without a new registration. */
static void test_net_killed(void **state)
{
	struct fake *f = *state;

	fake_start_agent(f, false);
	fake_wait(f, 40, has_net_pid);
	pid_t net = (pid_t)fake_status(f, "net_pid");
	assert_int_equal(kill(net, SIGKILL), 0);
	f->counter = (unsigned)fake_polls(f);
	fake_wait(f, 40, has_three_more_polls);
	assert_int_equal(fake_registrations(f), 1);
	assert_int_not_equal(fake_status(f, "net_pid"), net);
	assert_string_equal(f->seen[f->n - 1].version, "registry.example.com/agent:1");
}

static bool is_gone(pid_t pid)
{
	char path[64];
	AUTO(freep) char *text = NULL;
	size_t len;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read_at(AT_FDCWD, path, 4096, &text, &len, NULL) < 0)
		return true;
	const char *name_end = strrchr(text, ')');
	return !name_end || name_end[2] == 'Z';
}

/* The root process dies: nothing of the agent is left behind. */
static void test_root_killed(void **state)
{
	struct fake *f = *state;

	fake_start_agent(f, false);
	fake_wait(f, 40, has_net_pid);
	pid_t net = (pid_t)fake_status(f, "net_pid");
	assert_false(is_gone(net));
	kill(f->agent, SIGKILL);
	waitpid(f->agent, NULL, 0);
	f->agent = 0;
	for (int i = 0; i < 200 && !is_gone(net); i++)
		usleep(10000);
	assert_true(is_gone(net));
}

/* SIGTERM: both end, status 0. */
static void test_ends_on_term(void **state)
{
	struct fake *f = *state;
	int status;

	fake_start_agent(f, false);
	fake_wait(f, 40, has_net_pid);
	pid_t net = (pid_t)fake_status(f, "net_pid");
	kill(f->agent, SIGTERM);
	assert_int_equal(waitpid(f->agent, &status, 0), f->agent);
	f->agent = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(is_gone(net));
}

/* A second agent with the same state is refused. */
static void test_only_one(void **state)
{
	struct fake *f = *state;
	int status;

	fake_start_agent(f, false);
	fake_wait(f, 40, has_net_pid);
	pid_t first = f->agent;
	fake_start_agent(f, false);
	assert_int_equal(waitpid(f->agent, &status, 0), f->agent);
	f->agent = first;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* Arguments that no step can use, and a step that is not ours to run now. */
static bool has_bad_replies(struct fake *f)
{
	return fake_reply(f, "inventory", 0) && fake_reply(f, "install", 0) &&
	       fake_reply(f, "stop-installation", 1) && fake_reply(f, "domain-resolution", 0) &&
	       fake_reply(f, "api-vip-connectivity-check", 0);
}

static void test_bad_arguments(void **state)
{
	struct fake *f = *state;
	static const char *const types[] = { "inventory", "install", "domain-resolution",
					     "api-vip-connectivity-check" };

	f->steps =
		"{\"instructions\":["
		"{\"step_type\":\"inventory\",\"step_id\":\"1\",\"args\":null},"
		"{\"step_type\":\"install\",\"step_id\":\"2\",\"args\":[\"{\\\"role\\\":7}\"]},"
		"{\"step_type\":\"stop-installation\",\"step_id\":\"3\",\"args\":[]},"
		"{\"step_type\":\"stop-installation\",\"step_id\":\"4\",\"args\":[\"x\"]},"
		"{\"step_type\":\"domain-resolution\",\"step_id\":\"5\",\"args\":[\"{}\",\"{}\"]},"
		"{\"step_type\":\"api-vip-connectivity-check\",\"step_id\":\"6\",\"args\":[\"no JSON\"]}"
		"],\"next_instruction_seconds\":1}";
	fake_start_agent(f, false);
	/* the second stop-installation comes with a later poll: while the first one runs it is dropped */
	f->answer = NULL;
	f->counter = 0;
	fake_wait(f, 40, has_polled);
	f->steps =
		"{\"instructions\":["
		"{\"step_type\":\"inventory\",\"step_id\":\"1\",\"args\":null},"
		"{\"step_type\":\"install\",\"step_id\":\"2\",\"args\":[\"{\\\"role\\\":7}\"]},"
		"{\"step_type\":\"stop-installation\",\"step_id\":\"4\",\"args\":[\"x\"]},"
		"{\"step_type\":\"domain-resolution\",\"step_id\":\"5\",\"args\":[\"{}\",\"{}\"]},"
		"{\"step_type\":\"api-vip-connectivity-check\",\"step_id\":\"6\",\"args\":[\"no JSON\"]}"
		"],\"next_instruction_seconds\":1}";
	fake_wait(f, 40, has_bad_replies);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		json_t *reply = fake_reply(f, types[i], 0)->body;
		assert_int_equal(json_i64(reply, "exit_code"), -1);
		assert_false(str_empty(json_str(reply, "error")));
	}
	assert_int_equal(json_i64(fake_reply(f, "stop-installation", 0)->body, "exit_code"), 0);
	assert_int_equal(json_i64(fake_reply(f, "stop-installation", 1)->body, "exit_code"), -1);
}

/* --- the installed system --------------------------------------------------------------------------------- */

static const char *nth_stage(const struct fake *f, size_t nth)
{
	for (size_t i = 0; i < f->n; i++)
		if (fake_is(&f->seen[i], "PUT", "/progress") && !nth--)
			return json_str(f->seen[i].body, "current_stage");
	return NULL;
}

static int refuse_three(struct fake *f, const struct fake_seen *s, char **ret_body)
{
	static const int statuses[] = { 503, 404, 500 };

	if (!fake_is(s, "PUT", "/progress") || f->counter >= ARRAY_SIZE(statuses))
		return 0;
	return statuses[f->counter++];
}

static bool has_four_reports(struct fake *f)
{
	return fake_count(f, "PUT", "/progress") >= 4;
}

static bool has_done(struct fake *f)
{
	return fake_count(f, "PUT", "/progress") >= 6;
}

static void test_installed(void **state)
{
	struct fake *f = *state;
	char path[80];
	int status;

	f->answer = refuse_three;
	fake_start_agent(f, true);
	fake_wait(f, 60, has_four_reports);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(nth_stage(f, i), "Configuring");

	/* nothing more until the target was reached */
	struct timeval turn = { .tv_sec = 1, .tv_usec = 500000 };
	event_base_loopexit(f->base, &turn);
	event_base_dispatch(f->base);
	assert_int_equal(fake_count(f, "PUT", "/progress"), 4);

	snprintf(path, sizeof(path), "%s/joined", f->dir);
	assert_int_equal(file_create_at(AT_FDCWD, path, "", 0, 0600, NULL), 0);
	fake_wait(f, 20, has_done);
	assert_string_equal(nth_stage(f, 4), "Joined");
	assert_string_equal(nth_stage(f, 5), "Done");
	/* it ends by itself, well */
	for (int i = 0; i < 500; i++) {
		struct timeval brief = { .tv_usec = 10000 };
		event_base_loopexit(f->base, &brief);
		event_base_dispatch(f->base);
		if (waitpid(f->agent, &status, WNOHANG) == f->agent) {
			f->agent = 0;
			break;
		}
	}
	assert_int_equal(f->agent, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(fake_registrations(f), 0);
	assert_int_equal(fake_polls(f), 0);
}

static bool has_three_reports(struct fake *f)
{
	return fake_count(f, "PUT", "/progress") >= 3;
}

/* The join was over before the agent started: the stages still come in their order. */
static void test_installed_late(void **state)
{
	static const char *const stages[] = { "Configuring", "Joined", "Done" };
	struct fake *f = *state;
	char path[80];

	snprintf(path, sizeof(path), "%s/joined", f->dir);
	assert_int_equal(file_create_at(AT_FDCWD, path, "", 0, 0600, NULL), 0);
	fake_start_agent(f, true);
	fake_wait(f, 20, has_three_reports);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		assert_string_equal(nth_stage(f, i), stages[i]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(test_registers_polls_replies),
		CASE(test_exit_registers_anew),
		CASE(test_refused_registrations),
		CASE(test_unknown_host_registers),
		CASE(test_upgrade),
		CASE(test_net_killed),
		CASE(test_root_killed),
		CASE(test_ends_on_term),
		CASE(test_only_one),
		CASE(test_bad_arguments),
		CASE(test_installed),
		CASE(test_installed_late),
	};
	int status = fake_main(argc, argv);
	return status >= 0 ? status : cmocka_run_group_tests(tests, NULL, NULL);
}
