/* What a hostile network process can make the root process do: nothing that is not written in msg.h, and that only with good arguments. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "tests/unit/agent/priv_rig.h"

static bool is_rebooted(const struct priv_rig *r)
{
	return access(r->rebooted, F_OK) == 0;
}

/* systemd takes "NAME=value" lines from the main process: MAINPID, WATCHDOG_USEC, FDSTORE … */
static void test_status_is_one_line(void **state)
{
	struct priv_rig *r = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char got[4096];
	ssize_t n;
	bool has_status = false;

	AUTO(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", r->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	rig_say_text(
		r, MSG_STATUS,
		"{\"state\":\"polling\\nMAINPID=1\\u001b[2J\",\"last_error\":\"a\\u001b]0;x\\u0007b\"}");
	unsetenv("NOTIFY_SOCKET");
	while ((n = recv(fd, got, sizeof(got) - 1, 0)) > 0) {
		got[n] = '\0';
		has_status |= strstr(got, "STATUS=polling") != NULL;
		assert_null(strchr(got, '\n'));
		assert_null(strchr(got, '\033'));
	}
	assert_true(has_status);
	AUTO(freep) char *text = NULL;
	size_t len;
	assert_int_equal(file_read_at(r->p.state_dir, "status.json", 65536, &text, &len, NULL), 0);
	assert_null(strstr(text, "u001b"));
	assert_null(strstr(text, "u001B"));
}

/* However long its words are, the status can be read. */
static void test_status_is_short(void **state)
{
	struct priv_rig *r = *state;
	AUTO(freep) char *long_text = malloc(60001);
	AUTO(freep) char *text = NULL;
	size_t len;

	memset(long_text, 'x', 60000);
	long_text[60000] = '\0';
	AUTO(freep) char *json = str_printf("{\"state\":\"%s\"}", long_text);
	rig_say_text(r, MSG_STATUS, json);
	assert_int_equal(file_read_at(r->p.state_dir, "status.json", 8192, &text, &len, NULL), 0);
}

static void test_reboot_needs_an_installation(void **state)
{
	struct priv_rig *r = *state;
	json_t *job = rig_job("/dev/no-such-disk");

	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	json_object_set_new(job, "is_done", json_true());
	json_object_set_new(job, "percent", json_integer(100));
	rig_install(r, job, -1);
	assert_int_equal(r->report.phase, INSTALL_FAILED);
	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	assert_false(is_rebooted(r));
	assert_false(r->p.has_job);
}

static void test_reboot_command_has_no_token(void **state)
{
	struct priv_rig *r = *state;
	AUTO(freep) char *text = NULL;
	size_t len;

	r->p.has_job = r->p.job.is_done = true;
	setenv("PULL_SECRET_TOKEN", "header.claims.signature", 1);
	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	unsetenv("PULL_SECRET_TOKEN");
	assert_int_equal(file_read_at(AT_FDCWD, r->rebooted, 65536, &text, &len, NULL), 0);
	assert_null(strstr(text, "header.claims.signature"));
}

/* The disk is complete, the machine on its way down: nothing begins anew on that disk. */
static void test_nothing_begins_while_rebooting(void **state)
{
	struct priv_rig *r = *state;
	AUTO(closep) int fd = rig_memfd("x", 1);

	r->p.has_job = r->p.job.is_done = true;
	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	assert_true(is_rebooted(r));
	rig_install(r, rig_job("/dev/no-such-disk"), fd);
	assert_int_equal(r->report.phase, INSTALL_FAILED);
	assert_int_equal(r->report.code, -EPERM);
	/* and once is enough */
	unlink(r->rebooted);
	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	assert_false(is_rebooted(r));
}

static void test_an_installed_system_installs_nothing(void **state)
{
	struct priv_rig *r = *state;
	AUTO(closep) int fd = rig_memfd("x", 1);

	r->p.config.installed = true;
	rig_install(r, rig_job("/dev/no-such-disk"), fd);
	assert_int_equal(r->report.phase, INSTALL_FAILED);
	assert_int_equal(r->report.code, -EPERM);
	assert_false(r->p.has_job);
}

/* Only the seed's own folder, readable by root alone. */
static void test_seed_paths(void **state)
{
	static const struct {
		const char *path;
		int mode;
	} cases[] = {
		{ "etc/shadow", 0600 },
		{ "/etc/slipway/x", 0600 },
		{ "etc/slipway/../shadow", 0600 },
		{ "etc/slipway/sub/x", 0600 },
		{ "etc/slipway", 0600 },
		{ "etc/slipway/", 0600 },
		{ "etc/systemd/system/x.service", 0600 },
		{ "etc/slipway/x", 0755 },
		{ "etc/slipway/x", 04600 },
	};
	struct priv_rig *r = *state;
	AUTO(closep) int fd = rig_memfd("x", 1);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *job = rig_job("/dev/no-such-disk");
		json_t *files = json_pack("[{s:s, s:i, s:s}]", "path", cases[i].path, "mode",
					  cases[i].mode, "data", "eA==");

		json_object_set_new(job, "files", files);
		r->report = (struct install_report){ 0 };
		rig_install(r, job, fd);
		if (r->report.code != -EINVAL || !strstr(r->report.text, "file"))
			fail_msg("%s: %d %s", cases[i].path, r->report.code, r->report.text);
	}
}

static unsigned open_fds(void)
{
	AUTO(closedirp) DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	return n;
}

/* Who asks and does not listen gets no heap of archives. */
static void test_logs_are_not_made_on_stock(void **state)
{
	struct priv_rig *r = *state;
	unsigned before = open_fds();

	for (uint32_t i = 0; i < 400; i++)
		rig_say(r, MSG_ASK_LOGS, i, NULL, 0, -1);
	assert_in_range(open_fds(), before, before + 8);
	rig_listen(r);
	assert_in_range(r->answers_ok, 1, 2);
	assert_int_equal(r->answers_ok + r->answers_bad, 400);
}

/* A process that only talks is as dead as one that is silent. */
static void test_pong_answers_a_ping(void **state)
{
	struct priv_rig *r = *state;

	r->p.is_pong_due = true;
	r->p.ping_id = 7;
	rig_say(r, MSG_PONG, 0, NULL, 0, -1);
	rig_say(r, MSG_PONG, 6, NULL, 0, -1);
	assert_true(r->p.is_pong_due);
	rig_say(r, MSG_PONG, 7, NULL, 0, -1);
	assert_false(r->p.is_pong_due);
}

/* A network process that dies again and again does not put the reboot off for ever. */
static void test_reboot_deadline_stands(void **state)
{
	struct priv_rig *r = *state;
	struct timeval first, second;

	r->p.has_job = r->p.job.is_done = true;
	priv_install_net_ready(&r->p);
	assert_true(event_pending(r->p.reboot_deadline, EV_TIMEOUT, &first));
	usleep(300 * 1000);
	priv_install_net_ready(&r->p);
	assert_true(event_pending(r->p.reboot_deadline, EV_TIMEOUT, &second));
	assert_int_equal(first.tv_sec * 10 + first.tv_usec / 100000,
			 second.tv_sec * 10 + second.tv_usec / 100000);
}

/* A state directory that another start has left, and now only a look is wanted. */
static void test_no_disk_writes_means_no_reboot(void **state)
{
	struct priv_rig *r = *state;

	r->p.config.no_disk_writes = true;
	r->p.has_job = r->p.job.is_done = true;
	rig_say(r, MSG_REBOOT, 0, NULL, 0, -1);
	assert_false(is_rebooted(r));
}

/* Every type with everything that is not what belongs there. */
static void test_nonsense(void **state)
{
	static const char *const payloads[] = {
		"",
		"{",
		"[]",
		"null",
		"7",
		"\"x\"",
		"{}",
		"{\"state\":7,\"last_error\":[],\"agent_version\":{}}",
		"{\"offset_us\":\"x\"}",
		"{\"offset_us\":9223372036854775807}",
		"{\"offset_us\":-9223372036854775808}",
		"{\"offset_us\":1e300}",
		"{\"step_id\":1,\"install_id\":2,\"device\":3,\"role\":4,\"image_url\":5}",
		"{\"step_id\":\"\",\"install_id\":\"\",\"device\":\"\",\"role\":\"\",\"image_url\":\"\",\"files\":7}",
		"{\"step_id\":\"s\",\"install_id\":\"11111111-2222-3333-4444-555555555555\",\"device\":\"/dev/mem\","
		"\"role\":\"worker\",\"image_url\":\"u\",\"disk\":[],\"files\":[7,{},{\"path\":1,\"data\":2,\"mode\":\"x\"}]}",
		"{\"step_id\":\"s\",\"install_id\":\"11111111-2222-3333-4444-555555555555\",\"device\":\"/dev/../etc/passwd\","
		"\"role\":\"worker\",\"image_url\":\"u\",\"disk\":{\"size_bytes\":-1,\"diskseq\":\"x\",\"wwn\":3}}",
	};
	struct priv_rig *r = *state;
	AUTO(closep) int file = rig_memfd(payloads[8], 18);
	AUTO(closep) int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = { -1, file, folder, null };
	unsigned before = open_fds();

	r->p.clock_floor_s = INT64_MAX / 1000000; /* no clock is moved by a test */
	for (uint16_t type = 0; type < 70; type++)
		for (size_t i = 0; type != MSG_ASK_LOGS && i < ARRAY_SIZE(payloads) * 4; i++) {
			rig_say(r, type, (uint32_t)i, payloads[i / 4], strlen(payloads[i / 4]),
				fds[i % 4]);
			rig_listen(r);
		}
	assert_false(r->p.has_job);
	assert_false(r->p.has_writer);
	assert_false(r->p.is_leaving);
	assert_false(is_rebooted(r));
	assert_in_range(open_fds(), before, before + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status_is_one_line, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_status_is_short, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_reboot_needs_an_installation, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_reboot_command_has_no_token, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_begins_while_rebooting, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_an_installed_system_installs_nothing,
						rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_seed_paths, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_logs_are_not_made_on_stock, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_pong_answers_a_ping, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_reboot_deadline_stands, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_no_disk_writes_means_no_reboot, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, rig_setup, rig_teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
