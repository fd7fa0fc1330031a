/*
 * The writer as a process of its own: no network, no other descriptors, killed when the agent dies.
 */
#include "agent/install.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"

#define REPORT_FD 3
#define STREAM_FD 4
#define LAST_REPORT_MS 5000 /* how long the last report may wait for a busy reader */

_Static_assert(sizeof(struct install_report) <= 4096,
	       "a report is written in one piece (PIPE_BUF)");

/* Set by the signal handler, so it cannot be anywhere else. */
static volatile sig_atomic_t is_cancelled;

static void on_term(int signal_number)
{
	(void)signal_number;
	is_cancelled = 1;
}

/* A slow reader loses values in between, never the last one. */
static void report_write(void *ctx, const struct install_report *r)
{
	bool is_last = r->phase == INSTALL_DONE || r->phase == INSTALL_FAILED;
	struct pollfd p = { .fd = REPORT_FD, .events = POLLOUT };

	(void)ctx;
	if (write(REPORT_FD, r, sizeof(*r)) >= 0 || errno != EAGAIN || !is_last)
		return;
	if (poll(&p, 1, LAST_REPORT_MS) > 0)
		(void)!write(REPORT_FD, r, sizeof(*r));
}

static void signals_set(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL); /* of the terminal: the agent decides */
	action.sa_handler = on_term;
	(void)sigaction(SIGTERM, &action, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps stdin to stderr, the pipe and the stream; everything else of the agent's is closed. */
static void descriptors_set(int report_fd, int stream_fd)
{
	int report = fcntl(report_fd, F_DUPFD_CLOEXEC, STREAM_FD + 1),
	    stream = fcntl(stream_fd, F_DUPFD_CLOEXEC, STREAM_FD + 1);

	if (report < 0 || stream < 0 || dup3(report, REPORT_FD, O_CLOEXEC) < 0 ||
	    dup3(stream, STREAM_FD, O_CLOEXEC) < 0)
		_exit(1);
	(void)close_range(STREAM_FD + 1, ~0u, 0);
	(void)fcntl(REPORT_FD, F_SETFL, O_NONBLOCK);
}

static _Noreturn void writer_main(const struct install_params *p, pid_t parent, int report_fd,
				  int stream_fd)
{
	const struct install_sink sink = { .report = report_write, .cancel = &is_cancelled };
	struct fault err = FAULT_INIT;

	is_cancelled = 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)prctl(PR_SET_NAME, "slipway-writer");
	signals_set();
	descriptors_set(report_fd, stream_fd);
	_exit(install_run(p, NULL, STREAM_FD, &sink, &err) < 0 ? 1 : 0);
}

int install_stream_pair(int ret_fds[2])
{
	const int size = INSTALL_STREAM_BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return -errno;
	/* Of a Unix socket only the sender's buffer counts; more than net.core.wmem_max needs the right to. */
	if (setsockopt(ret_fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(ret_fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

int install_writer_start(const struct install_params *p, int stream_fd, struct install_writer *ret,
			 struct fault *err)
{
	AUTO(closep) int stream = stream_fd;
	int pipe_fds[2];
	pid_t parent = getpid();

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fault_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	AUTO(closep) int read_end = pipe_fds[0];
	AUTO(closep) int write_end = pipe_fds[1];
	(void)fcntl(read_end, F_SETFL, O_NONBLOCK);
	pid_t pid = fork();
	if (pid < 0)
		return fault_set(err, -errno, "cannot start the writer: %s", strerror(errno));
	if (pid == 0)
		writer_main(p, parent, write_end, stream);
	*ret = (struct install_writer){ .pid = pid, .report_fd = TAKE_FD(read_end) };
	return 0;
}

static int reap(struct install_writer *w)
{
	int status = 0;

	if (!w->is_reaped)
		while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
			;
	w->is_reaped = true;
	return status;
}

/* The writer said nothing about its end: it was killed. */
static void make_up(struct install_writer *w, int status, struct install_report *ret)
{
	*ret = w->last;
	ret->phase = INSTALL_FAILED;
	ret->code = -EPIPE;
	if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof(ret->text),
			 "%s: the writing process was killed by signal %d (%s)",
			 install_phase_name(w->last.phase), WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(ret->text, sizeof(ret->text),
			 "%s: the writing process ended with status %d without a word",
			 install_phase_name(w->last.phase), WEXITSTATUS(status));
}

int install_writer_read(struct install_writer *w, struct install_report *ret)
{
	struct install_report r;
	ssize_t n = read(w->report_fd, &r, sizeof(r));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
	if (n == 0) {
		int status = reap(w);

		if (w->has_ended)
			return 0;
		w->has_ended = true;
		make_up(w, status, ret);
		return 1;
	}
	if (n != sizeof(r))
		return -EPROTO;
	r.text[sizeof(r.text) - 1] = '\0';
	w->last = r;
	w->has_ended |= r.phase == INSTALL_DONE || r.phase == INSTALL_FAILED;
	*ret = r;
	return 1;
}

void install_writer_cancel(const struct install_writer *w)
{
	if (!w->is_reaped)
		(void)kill(w->pid, SIGTERM);
}

void install_writer_done(struct install_writer *w)
{
	if (!w->is_reaped) {
		(void)kill(w->pid, SIGKILL);
		(void)reap(w);
	}
	closep(&w->report_fd);
	w->report_fd = -1;
}
