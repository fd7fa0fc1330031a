/*
 * The network process as the root process sees it: started, watched, ended, started anew. It is this test program in another role, which does
 * what its environment says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include "tests/unit/agent/priv_rig.h"

#define ROLE "SLIPWAY_TEST_NET"

/* --- what the network process does --------------------------------------------------------------------- */

/* Says what it was given: its configuration, its descriptors, its signals. */
static int tell(struct ipc *c)
{
	struct ipc_msg m;
	sigset_t blocked;
	AUTO(closedirp) DIR *d = opendir("/proc/self/fd");
	AUTO(json_decrefp) json_t *fds = json_array();

	if (ipc_recv_timeout(c, &m, 10000) != 1 || m.type != MSG_CONFIG)
		return 3;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			json_array_append_new(fds, json_integer(atoi(e->d_name)));
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	AUTO(json_decrefp)
	json_t *config = json_parse(m.data, m.len, MSG_PAYLOAD_MAX, false, NULL);
	AUTO(json_decrefp)
	json_t *s = json_pack("{s:s, s:O, s:O, s:b}", "state", "told", "config", config, "fds", fds,
			      "is_blocked", sigismember(&blocked, SIGTERM));
	AUTO(freep) char *text = json_dumps(s, 0);
	ipc_msg_done(&m);
	FILE *f = fopen(getenv("SLIPWAY_TEST_FILE"), "w");
	fputs(text, f);
	fclose(f);
	if (ipc_send(c, MSG_STATUS, 0, "{\"state\":\"told\"}", 16, -1) < 0)
		return 4;
	for (;;)
		pause();
}

static int play_net(void)
{
	const char *role = getenv(ROLE);
	struct ipc c;
	static const uint32_t frame[3] = { 0xFFFFFFFF, 0, 0 };

	ipc_init(&c, MSG_NET_FD, MSG_PAYLOAD_MAX);
	if (str_eq(role, "tell"))
		return tell(&c);
	if (str_eq(role, "die"))
		return 7;
	if (str_eq(role, "crash"))
		abort();
	if (str_eq(role, "nonsense") && write(MSG_NET_FD, frame, sizeof(frame)) < 0)
		return 5;
	if (str_eq(role, "hang up"))
		close(MSG_NET_FD);
	for (;;)
		pause();
}

/* --- the root process ------------------------------------------------------------------------------------- */

struct rig {
	struct priv p;
	char dir[64], file[96];
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->p.lock_fd = -1;
	r->p.ipc.fd = -1;
	strcpy(r->dir, "/tmp/slipway-priv-net-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->file, sizeof(r->file), "%s/told", r->dir);
	setenv("SLIPWAY_TEST_FILE", r->file, 1);
	r->p.state_dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->p.base = event_base_new();
	r->p.config.url = str_dup("https://service.example.com:9543");
	r->p.config.infra_env_id = str_dup("fbe2e02f-5be9-4ca6-af2f-635fce727b94");
	r->p.config.host_id = str_dup("0d6c1d4c-8d3c-4c34-a5b5-2c7a3c8d6b11");
	r->p.config.state_dir = str_dup(r->dir);
	secret_set(&r->p.config.token, "header.claims.signature");
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	r->p.is_leaving = true;
	priv_net_stop(&r->p);
	event_base_free(r->p.base);
	closep(&r->p.state_dir);
	json_decref(r->p.status);
	json_decref(r->p.net_status);
	agent_config_done(&r->p.config);
	int status = dir_remove_at(AT_FDCWD, r->dir, NULL);
	free(r);
	return status;
}

/* As the root process's loop does: events, and children that have ended. */
static bool run_until(struct rig *r, bool (*is_there)(const struct rig *r), int seconds)
{
	for (int64_t end = time_mono_ms() + seconds * 1000; time_mono_ms() < end;) {
		int status;
		event_base_loop(r->p.base, EVLOOP_NONBLOCK);
		if (is_there(r))
			return true;
		if (r->p.net_pid && waitpid(r->p.net_pid, &status, WNOHANG) == r->p.net_pid)
			priv_net_exited(&r->p, status);
		usleep(2000);
	}
	return false;
}

static bool has_told(const struct rig *r)
{
	return str_eq(json_str(r->p.net_status, "state"), "told");
}

static bool is_gone(const struct rig *r)
{
	return !r->p.net_pid;
}

static json_t *told(struct rig *r)
{
	AUTO(freep) char *text = NULL;
	size_t len;

	assert_true(run_until(r, has_told, 20));
	assert_int_equal(file_read_at(AT_FDCWD, r->file, 65536, &text, &len, NULL), 0);
	return json_parse(text, len, 65536, false, NULL);
}

/* Its configuration comes first; of the root process's descriptors it has none but its channel. */
static void test_what_it_is_given(void **state)
{
	struct rig *r = *state;
	AUTO(closep) int inherited = open("/", O_RDONLY | O_DIRECTORY); /* not close-on-exec */
	sigset_t term, old;

	setenv(ROLE, "tell", 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	assert_int_equal(priv_net_start(&r->p), 0);
	AUTO(json_decrefp) json_t *s = told(r);
	sigprocmask(SIG_SETMASK, &old, NULL);

	json_t *config = json_child(s, "config");
	assert_string_equal(json_str(config, "url"), "https://service.example.com:9543");
	assert_string_equal(json_str(config, "token"), "header.claims.signature");
	assert_false(json_flag(config, "is_registered"));
	assert_false(json_flag(s, "is_blocked"));
	json_t *fd;
	size_t i;
	json_array_foreach(json_child(s, "fds"), i, fd)
		assert_in_range(json_integer_value(fd), 0, MSG_NET_FD);
	assert_true(i > 0);
}

/* A registration, or an installation, outlives the process that made it. */
static void test_registered(void **state)
{
	struct rig *r = *state;

	setenv(ROLE, "tell", 1);
	r->p.is_registered = true;
	assert_int_equal(priv_net_start(&r->p), 0);
	AUTO(json_decrefp) json_t *s = told(r);
	assert_true(json_flag(json_child(s, "config"), "is_registered"));
}

/* However it ends, it is noticed, the channel is closed, and another one is started a little later. */
static void test_ends(void **state)
{
	static const char *const roles[] = { "die", "crash", "nonsense", "hang up" };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		setenv(ROLE, roles[i], 1);
		assert_int_equal(priv_net_start(&r->p), 0);
		pid_t first = r->p.net_pid;
		if (!run_until(r, is_gone, 20))
			fail_msg("\"%s\" lives on", roles[i]);
		assert_int_equal(r->p.ipc.fd, -1);
		assert_null(r->p.ipc_read);
		assert_int_equal(kill(first, 0), -1);
		assert_non_null(r->p.respawn);
		assert_true(evtimer_pending(r->p.respawn, NULL));
		assert_int_equal(r->p.respawn_backoff.failures, i + 1);
		evtimer_del(r->p.respawn);
		/* nobody is there to be told anything */
		priv_send(&r->p, MSG_PING, 1, NULL, 0, -1);
		priv_answer(&r->p, 1, 0, "{}", NULL, -1);
	}
}

/* The timer starts it; the one that works then is asked to go on where the others were. */
static void test_starts_anew(void **state)
{
	struct rig *r = *state;

	setenv(ROLE, "die", 1);
	assert_int_equal(priv_net_start(&r->p), 0);
	pid_t first = r->p.net_pid;
	assert_true(run_until(r, is_gone, 20));
	setenv(ROLE, "tell", 1);
	assert_true(run_until(r, has_told, 30));
	assert_int_not_equal(r->p.net_pid, first);
}

/* One that has lived long was no failed start: the pauses begin anew. */
static void test_long_life(void **state)
{
	struct rig *r = *state;

	setenv(ROLE, "die", 1);
	r->p.respawn_backoff.failures = 9;
	assert_int_equal(priv_net_start(&r->p), 0);
	r->p.net_started_ms = time_mono_ms() - 60001;
	assert_true(run_until(r, is_gone, 20));
	assert_int_equal(r->p.respawn_backoff.failures, 1);
}

/* Leaving, no other one is started, and the one that is there does not stay. */
static void test_leaving(void **state)
{
	struct rig *r = *state;

	setenv(ROLE, "sleep", 1);
	assert_int_equal(priv_net_start(&r->p), 0);
	pid_t pid = r->p.net_pid;
	r->p.is_leaving = true;
	priv_net_stop(&r->p);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(r->p.net_pid, 0);

	r->p.is_leaving = false;
	setenv(ROLE, "die", 1);
	assert_int_equal(priv_net_start(&r->p), 0);
	r->p.is_leaving = true;
	assert_true(run_until(r, is_gone, 20));
	assert_null(r->p.respawn);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_it_is_given), CASE(test_registered), CASE(test_ends),
		CASE(test_starts_anew),      CASE(test_long_life),  CASE(test_leaving),
	};

	if (argc == 2 && !strcmp(argv[1], "--role=net"))
		_exit(play_net());
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
