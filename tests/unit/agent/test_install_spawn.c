/*
 * The writer as a process: how its end is told, whatever it was, and what of the agent it can reach.
 * The disks here are names that do not exist: it does not get further than its checks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "tests/unit/agent/install_rig.h"

#define ID "11111111-2222-3333-4444-555555555555"
#define MIB 8u
#define IMAGE ((uint64_t)MIB * RIG_MIB)

struct set {
	uint8_t *image;
	struct rig_index x;
	char dir[64], state[96];
};

static int set_up(void **state)
{
	struct set *s = calloc(1, sizeof(*s));

	s->image = rig_image(MIB, 512, 1);
	rig_index_make(&s->x, s->image, IMAGE, RIG_MIB, 512);
	strcpy(s->dir, "/tmp/slipway-spawn-XXXXXX");
	if (!mkdtemp(s->dir))
		return -1;
	snprintf(s->state, sizeof(s->state), "%s/install.state", s->dir);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct set *s = *state;

	rig_index_done(&s->x);
	free(s->image);
	(void)dir_remove_at(AT_FDCWD, s->dir, NULL);
	free(s);
	return 0;
}

static struct install_params params(const struct set *s)
{
	return (struct install_params){ .device = "/dev/nowhere",
					.install_id = ID,
					.index = s->x.data,
					.index_len = s->x.len,
					.state_path = s->state };
}

/* Reads to the end: the number of last words (DONE, FAILED). */
static unsigned read_all(struct install_writer *w, struct install_report *last)
{
	struct install_report r;
	unsigned ends = 0;
	int got;

	while ((got = install_writer_read(w, &r)) != 0) {
		struct pollfd p = { .fd = w->report_fd, .events = POLLIN };

		if (got == -EAGAIN) {
			assert_int_equal(poll(&p, 1, 60000), 1);
			continue;
		}
		assert_int_equal(got, 1);
		ends += r.phase == INSTALL_FAILED || r.phase == INSTALL_DONE;
		*last = r;
	}
	return ends;
}

static void test_failure_is_told_once(void **state)
{
	struct set *s = *state;
	const struct install_params p = params(s);
	struct install_writer w;
	struct install_report last;
	int fds[2];

	assert_int_equal(install_stream_pair(fds), 0);
	assert_int_equal(install_writer_start(&p, fds[0], &w, NULL), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* it is the writer's now */
	assert_int_equal(read_all(&w, &last), 1);
	assert_int_equal(last.phase, INSTALL_FAILED);
	assert_int_equal(last.code, -ENOENT);
	assert_non_null(strstr(last.text, "check: /dev/nowhere"));
	assert_false(last.is_committed);
	assert_int_equal(install_writer_read(&w, &last), 0); /* and stays at its end */
	assert_int_equal(waitpid(w.pid, NULL, WNOHANG), -1); /* reaped */
	install_writer_done(&w);
	close(fds[1]);
}

/* A writer that waits for the lock of another one: it is there as long as the test wants. */
static int lock_it(const struct set *s)
{
	char path[112];

	snprintf(path, sizeof(path), "%s.lock", s->state);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static void test_killed(void **state)
{
	static const int signals[] = { SIGKILL, SIGQUIT };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct set *s = *state;
		const struct install_params p = params(s);
		struct install_writer w;
		struct install_report last;
		AUTO(closep) int lock = lock_it(s);
		char name[32];
		int fds[2];

		assert_int_equal(install_stream_pair(fds), 0);
		assert_int_equal(install_writer_start(&p, fds[0], &w, NULL), 0);
		kill(w.pid, signals[i]);
		assert_int_equal(read_all(&w, &last), 1);
		assert_int_equal(last.phase, INSTALL_FAILED);
		assert_int_equal(last.code, -EPIPE);
		snprintf(name, sizeof(name), "by signal %d", signals[i]);
		if (!strstr(last.text, name))
			fail_msg("%s", last.text);
		install_writer_done(&w);
		close(fds[1]);
	}
}

static void test_cancelled(void **state)
{
	struct set *s = *state;
	const struct install_params p = params(s);
	struct install_writer w;
	struct install_report last;
	AUTO(closep) int lock = lock_it(s);
	int fds[2];

	assert_int_equal(install_stream_pair(fds), 0);
	assert_int_equal(install_writer_start(&p, fds[0], &w, NULL), 0);
	/* It has its handler when it has said its first word. */
	struct pollfd word = { .fd = w.report_fd, .events = POLLIN };
	assert_int_equal(poll(&word, 1, 60000), 1);
	install_writer_cancel(&w);
	assert_int_equal(read_all(&w, &last), 1);
	assert_int_equal(last.code, -ECANCELED);
	install_writer_cancel(&w); /* nobody is there any more */
	install_writer_done(&w);
	close(fds[1]);
}

/* Done without having been read: it is ended and leaves no zombie. */
static void test_given_up(void **state)
{
	struct set *s = *state;
	const struct install_params p = params(s);
	struct install_writer w;
	AUTO(closep) int lock = lock_it(s);
	int fds[2];

	assert_int_equal(install_stream_pair(fds), 0);
	assert_int_equal(install_writer_start(&p, fds[0], &w, NULL), 0);
	pid_t pid = w.pid;
	install_writer_done(&w);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(w.report_fd, -1);
	close(fds[1]);
}

/* The agent dies: so does its writer, at once. */
static void test_dies_with_the_agent(void **state)
{
	struct set *s = *state;
	const struct install_params p = params(s);
	AUTO(closep) int lock = lock_it(s);
	struct pollfd word;
	int pid_pipe[2], fds[2], status;
	pid_t writer = 0;

	assert_int_equal(pipe2(pid_pipe, O_CLOEXEC), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* the orphan becomes ours */
	pid_t agent = fork();
	if (agent == 0) {
		struct install_writer w;

		if (install_stream_pair(fds) < 0 || install_writer_start(&p, fds[0], &w, NULL) < 0)
			_exit(1);
		word = (struct pollfd){ .fd = w.report_fd, .events = POLLIN };
		(void)poll(&word, 1, 60000);
		(void)!write(pid_pipe[1], &w.pid, sizeof(w.pid));
		_exit(0);
	}
	assert_int_equal(waitpid(agent, &status, 0), agent);
	assert_int_equal(read(pid_pipe[0], &writer, sizeof(writer)), sizeof(writer));
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(pid_pipe[0]);
	close(pid_pipe[1]);
}

/* Of the agent's descriptors it has none but its own two and the first three. */
static void test_descriptors(void **state)
{
	struct set *s = *state;
	const struct install_params p = params(s);
	struct install_writer w;
	AUTO(closep) int lock = lock_it(s), secret = open("/dev/zero", O_RDONLY);
	char path[64], link[128];
	int fds[2];

	assert_int_equal(install_stream_pair(fds), 0);
	assert_int_equal(install_writer_start(&p, fds[0], &w, NULL), 0);
	struct pollfd word = { .fd = w.report_fd, .events = POLLIN };
	assert_int_equal(poll(&word, 1, 60000), 1);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)w.pid);
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fdopendir(dirfd);
	struct dirent *e;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd, e->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		assert_string_not_equal(link, "/dev/zero");
	}
	install_writer_done(&w);
	close(fds[1]);
}

/* A whole chunk goes in without anybody taking it out, where that may be had. */
static void test_stream_buffer(void **state)
{
	AUTO(freep) uint8_t *chunk = calloc(1, RIG_MIB);
	int fds[2];

	assert_int_equal(install_stream_pair(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[1]), 0);
	if (send(fds[1], chunk, RIG_MIB, MSG_DONTWAIT) != RIG_MIB)
		assert_true(geteuid() != 0);
	close(fds[0]);
	close(fds[1]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_failure_is_told_once),
		CASE(test_killed),
		CASE(test_cancelled),
		CASE(test_given_up),
		CASE(test_dies_with_the_agent),
		CASE(test_descriptors),
		cmocka_unit_test(test_stream_buffer),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
