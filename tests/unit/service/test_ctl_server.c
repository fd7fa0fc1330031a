#include "ctl_rig.h"
#include <grp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "tests/unit/disk_rig.h"

static const char status[] = "{\"verb\":\"status\"}";

static void send_request(struct ipc *c, const char *text, int fd)
{
	assert_int_equal(ipc_send(c, CTL_REQUEST, 1, text, strlen(text), fd), 0);
}

static bool is_ok(json_t *v)
{
	bool ok = v && json_flag(v, "ok");

	json_decref(v);
	return ok;
}

/* The service is as good as before. */
static void still_serves(struct ctl_rig *g)
{
	assert_true(is_ok(ctl_rig_ask(g, status, -1, NULL)));
}

/* Private, and where it should be; what a killed service left is replaced, and goes at the end. */
static void test_socket(void **state)
{
	struct ctl_rig *g = *state;
	struct stat st;
	mode_t old = umask(0);

	ctl_rig_listen(g);
	umask(old);
	assert_int_equal(fstatat(g->fd, CTL_SOCKET_NAME, &st, 0), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	still_serves(g);
	ctl_server_free(g->svc.ctl);
	g->svc.ctl = NULL;
	assert_int_equal(faccessat(g->fd, CTL_SOCKET_NAME, F_OK, 0), -1);
	ctl_rig_put(g->fd, CTL_SOCKET_NAME, "left", 4);
	ctl_rig_listen(g);
	still_serves(g);
	ctl_server_free(g->svc.ctl);
	g->svc.ctl = NULL;
	/* a folder in its place is somebody's: said, not removed */
	struct fault err = FAULT_INIT;
	assert_int_equal(mkdirat(g->fd, CTL_SOCKET_NAME, 0700), 0);
	assert_true(ctl_server_new(&g->svc, &g->svc.ctl, &err) < 0);
	assert_non_null(strstr(err.text, "cannot remove the old control socket"));
	assert_null(g->svc.ctl);
}

/* Several requests on one connection, one after the other; each is answered once. */
static void test_requests(void **state)
{
	static const struct {
		const char *request;
		const char *error; /* NULL = fine */
	} cases[] = {
		{ status, NULL },
		{ "{\"verb\":\"status\",\"args\":null}", NULL },
		{ "{\"verb\":\"status\",\"args\":[1]}", NULL },
		{ "{\"verb\":\"users-list\",\"more\":{\"deep\":[]}}", NULL },
		{ "{\"verb\":\"fly\"}", "is it older than slipwayctl?" },
		{ "{\"verb\":5}", "does not know that request" },
		{ "{\"verb\":null}", "does not know that request" },
		{ "{}", "does not know that request" },
		{ "[]", "" },
		{ "", "" },
		{ "{\"verb\":", "" },
		{ "\xff", "" },
		{ "{\"verb\":\"backup\"}", "carries no open file" },
		{ "{\"verb\":\"os-image-add\",\"args\":{}}", "carries no open file" },
		{ "{\"verb\":\"users-remove\",\"args\":{\"name\":\"nobody\"}}", "no user nobody" },
	};
	struct ctl_rig *g = *state;
	struct ipc c;

	ctl_rig_listen(g);
	ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			send_request(&c, cases[i].request, -1);
			AUTO(json_decrefp) json_t *v = ctl_rig_result(g, &c, NULL);
			const char *error = json_str(v, "error");
			assert_non_null(v);
			if (json_flag(v, "ok") != !cases[i].error ||
			    (cases[i].error && (!error || !strstr(error, cases[i].error))))
				fail_msg("%s: %s", cases[i].request, error ? error : "fine");
		}
	}
	ipc_done(&c);
	ctl_rig_turn(g);
}

/* What comes with a request is closed in the end, wanted or not, answered or not. */
static void test_descriptors_are_closed(void **state)
{
	struct ctl_rig *g = *state;
	static const char *const requests[] = { status, "{\"verb\":\"fly\"}", "[",
						"{\"verb\":\"os-image-add\"}" };

	ctl_rig_listen(g);
	still_serves(g);
	unsigned before = ctl_rig_open_fds();
	AUTO(closep) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		json_decref(ctl_rig_ask(g, requests[i], fd, NULL));
	ctl_rig_turn(g);
	assert_int_equal(ctl_rig_open_fds(), before + 1);
	/* gone before the frame is complete */
	struct ipc c;
	ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
	send_request(&c, status, fd);
	ipc_done(&c);
	for (int i = 0; i < 5; i++)
		ctl_rig_turn(g);
	assert_int_equal(ctl_rig_open_fds(), before + 1);
	still_serves(g);
}

/* Bytes that are no frame, frames above the limit, frames of another kind: the end of that connection, or a refusal. */
static void test_no_frames(void **state)
{
	struct ctl_rig *g = *state;
	static const struct {
		uint32_t length;
		uint16_t type, flags;
		const char *body;
		bool is_answered;
	} cases[] = {
		{ CTL_MAX + 1, CTL_REQUEST, 0, "x", false },
		{ UINT32_MAX, CTL_REQUEST, 0, "", false },
		{ 2, CTL_REQUEST, 0x8000, "{}", false },
		{ 2, CTL_REQUEST, 1, "{}",
		  false }, /* says that a descriptor comes, and none does */
		{ 2, CTL_RESULT, 0, "{}", true },
		{ 0, 0, 0, "", true },
		{ 17, 99, 0, "{\"verb\":\"status\"}", true },
	};

	ctl_rig_listen(g);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ipc c;
		uint32_t id = 1;
		char head[IPC_HEADER_SIZE];
		ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
		memcpy(head, &cases[i].length, 4);
		memcpy(head + 4, &cases[i].type, 2);
		memcpy(head + 6, &cases[i].flags, 2);
		memcpy(head + 8, &id, 4);
		assert_int_equal(fd_write(c.fd, head, sizeof(head)), 0);
		assert_int_equal(fd_write(c.fd, cases[i].body, strlen(cases[i].body)), 0);
		AUTO(json_decrefp) json_t *v = ctl_rig_result(g, &c, NULL);
		if (!v != !cases[i].is_answered)
			fail_msg("case %zu was %s", i, v ? "answered" : "not answered");
		if (v)
			assert_string_equal(json_str(v, "error"), "a request was expected");
		ipc_done(&c);
		still_serves(g);
	}
}

/* Half a request, then nothing or the end: others are served meanwhile. */
static void test_half_a_request(void **state)
{
	struct ctl_rig *g = *state;
	int fd;

	ctl_rig_listen(g);
	fd = ctl_rig_dial(g);
	assert_int_equal(fd_write(fd, "\x10\0\0\0\x01\0", 6), 0);
	still_serves(g);
	close(fd);
	still_serves(g);
}

/* No more connections than there are places; one that goes makes room. */
static void test_many(void **state)
{
	struct ctl_rig *g = *state;
	int fds[16];

	ctl_rig_listen(g);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = ctl_rig_dial(g);
		ctl_rig_turn(g);
	}
	struct ipc c;
	ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
	(void)ipc_send(&c, CTL_REQUEST, 1, status, strlen(status), -1);
	assert_null(ctl_rig_result(g, &c, NULL));
	ipc_done(&c);
	close(fds[5]);
	for (int i = 0; i < 5; i++)
		ctl_rig_turn(g);
	still_serves(g);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (i != 5)
			close(fds[i]);
	}
	for (int i = 0; i < 20; i++)
		ctl_rig_turn(g);
	still_serves(g);
}

/* A failed verb takes back what it changed, and nothing that was there before. */
static void test_taken_back(void **state)
{
	struct ctl_rig *g = *state;

	ctl_rig_listen(g);
	assert_true(is_ok(ctl_rig_ask(
		g, "{\"verb\":\"users-add\",\"args\":{\"name\":\"bob\",\"password\":\"12345678\"}}",
		-1, NULL)));
	assert_false(is_ok(ctl_rig_ask(
		g, "{\"verb\":\"users-passwd\",\"args\":{\"name\":\"bob\",\"password\":\"short\"}}",
		-1, NULL)));
	assert_false(state_is_dirty(g->svc.state));
	ctl_rig_close_state(g);
	ctl_rig_open_state(g);
	const struct user *u = state_user(g->svc.state, "bob");
	assert_non_null(u);
	assert_true(auth_password_matches(u->password_hash, "12345678"));
}

/* A job that waits for its input for ever, begun by @c. */
static int begin_endless_job(struct ctl_rig *g, struct ipc *c)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	ipc_init(c, ctl_rig_dial(g), CTL_MAX);
	send_request(c, "{\"verb\":\"os-image-add\"}", pipes[0]);
	close(pipes[0]);
	for (int i = 0; i < 1000 && !ctl_rig_entries(g, "os-images"); i++)
		ctl_rig_turn(g);
	assert_int_equal(ctl_rig_entries(g, "os-images"), 1);
	return pipes[1];
}

static void nothing_is_left(struct ctl_rig *g)
{
	/* the child began with a copy of the client's end: its end shows when the child has closed that */
	for (int i = 0; i < 2000 && ctl_rig_entries(g, "os-images"); i++) {
		ctl_rig_turn(g);
		(void)poll(NULL, 0, 5);
	}
	assert_int_equal(ctl_rig_entries(g, "os-images"), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Whoever goes away in the middle ends the work; others were served meanwhile. */
static void test_gone_during_a_job(void **state)
{
	struct ctl_rig *g = *state;
	struct ipc c;

	ctl_rig_listen(g);
	AUTO(closep) int input = begin_endless_job(g, &c);
	still_serves(g);
	ipc_done(&c);
	nothing_is_left(g);
	still_serves(g);
}

/* A second request while the first one works ends both. */
static void test_two_at_a_time(void **state)
{
	struct ctl_rig *g = *state;
	struct ipc c;

	ctl_rig_listen(g);
	AUTO(closep) int input = begin_endless_job(g, &c);
	send_request(&c, status, -1);
	assert_null(ctl_rig_result(g, &c, NULL));
	ipc_done(&c);
	nothing_is_left(g);
	still_serves(g);
}

/* The end of the service in the middle of a job: the child is gone, its folder too. */
static void test_end_during_a_job(void **state)
{
	struct ctl_rig *g = *state;
	struct ipc c;

	ctl_rig_listen(g);
	AUTO(closep) int input = begin_endless_job(g, &c);
	ctl_server_free(g->svc.ctl);
	g->svc.ctl = NULL;
	nothing_is_left(g);
	ipc_done(&c);
}

/* Asks and never reads: what waits for it is bounded, and the service goes on. */
static void test_never_reads(void **state)
{
	struct ctl_rig *g = *state;
	struct ipc c;
	unsigned sent = 0;

	ctl_rig_listen(g);
	ipc_init(&c, ctl_rig_dial(g), CTL_MAX);
	for (int i = 0; i < 20000; i++) {
		/* without waiting for room */
		if (ipc_queue(&c, CTL_REQUEST, 1, status, strlen(status), -1) < 0 ||
		    ipc_flush(&c) < 0)
			break;
		ctl_rig_turn(g);
		sent++;
	}
	assert_true(sent > 100);
	still_serves(g);
	ipc_done(&c);
	ctl_rig_turn(g);
	still_serves(g);
}

/* Another user than root and the service's own: closed without a word, even where the file lets him in. */
static int ask_as_nobody(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char byte;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CTL_SOCKET_NAME, path);
	if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return 2;
	struct timeval limit = { .tv_sec = 20 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* 0 = closed; a request's answer would be bytes, a service that waits for one the time-out */
	return recv(fd, &byte, 1, 0) == 0 ? 0 : 3;
}

static void test_other_user(void **state)
{
	struct ctl_rig *g = *state;
	int status_of_child;

	ctl_rig_listen(g);
	assert_int_equal(fchmod(g->fd, 0755), 0);
	assert_int_equal(fchmodat(g->fd, CTL_SOCKET_NAME, 0666, 0), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid)
		_exit(ask_as_nobody(g->path));
	while (waitpid(pid, &status_of_child, WNOHANG) == 0)
		ctl_rig_turn(g);
	assert_true(WIFEXITED(status_of_child));
	assert_int_equal(WEXITSTATUS(status_of_child), 0);
	still_serves(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(test_socket),
		CTL_TEST(test_requests),
		CTL_TEST(test_descriptors_are_closed),
		CTL_TEST(test_no_frames),
		CTL_TEST(test_half_a_request),
		CTL_TEST(test_many),
		CTL_TEST(test_taken_back),
		CTL_TEST(test_gone_during_a_job),
		CTL_TEST(test_two_at_a_time),
		CTL_TEST(test_end_during_a_job),
		CTL_TEST(test_never_reads),
		CTL_TEST(test_other_user), /* the last one: only root can become somebody else */
	};
	size_t n = ARRAY_SIZE(tests) - (geteuid() ? 1 : 0);

	if (geteuid())
		print_message("# not root: no test with another user\n");
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
