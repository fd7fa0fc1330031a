/*
 * A job of the control socket in a child process: forked, low priority, talking to the service by frames.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/json_map.h"
#include "common/wire/ctl.h"
#include "service/ctl_verb.h"

#define CHILD_NICENESS 10 /* polling hosts come first */
#define KEEP_MAX 8

struct ctl_child {
	pid_t pid;
	struct ipc ipc;
	struct event *readable; /* owned */
	ctl_child_progress progress;
	ctl_child_done done;
	void *ctx;
	bool has_result;
	int code;
	struct fault why;
};

/* --- in the child --- */

static void send_progress(void *ctx, unsigned percent, const char *what, uint64_t done,
			  uint64_t total)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:i, s:s}", "percent", (int)percent, "step", what ? what : "");
	AUTO(freep) char *text = v ? json_text(v, false) : NULL;

	if (text)
		(void)ipc_send(ctx, CTL_PROGRESS, 0, text, strlen(text), -1);
}

static void send_result(struct ipc *ipc, int code, const struct fault *why)
{
	AUTO(json_decrefp)
	json_t *v = json_pack("{s:i, s:s}", "code", code, "error", code ? fault_text(why) : "");
	AUTO(freep) char *text = v ? json_text(v, false) : NULL;

	if (text)
		(void)ipc_send(ipc, CTL_RESULT, 0, text, strlen(text), -1);
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Sockets, store and listeners are the service's alone. */
static void close_others(const struct ctl_job *job, int ipc_fd)
{
	int keep[KEEP_MAX] = { ipc_fd, job->tmp_fd, job->keep_fds[0], job->keep_fds[1] };
	size_t n = 4;
	unsigned next = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(keep[0]), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)next)
			continue;
		if ((unsigned)keep[i] > next)
			(void)close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	(void)close_range(next, ~0u, 0);
}

static void reset_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2 };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(const struct ctl_job *job, int ipc_fd, pid_t parent)
{
	struct ipc ipc;
	struct progress p;
	struct fault why = FAULT_INIT;

	reset_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_others(job, ipc_fd);
	(void)!nice(CHILD_NICENESS);
	ipc_init(&ipc, ipc_fd, CTL_MAX);
	progress_init(&p, send_progress, &ipc);
	send_result(&ipc, job->work(job, &p, &why), &why);
	_exit(0);
}

/* --- in the service --- */

static void take_result(struct ctl_child *c, const struct ipc_msg *m)
{
	AUTO(json_decrefp) json_t *v = json_parse(m->data, m->len, CTL_MAX, false, NULL);
	const char *text = json_str(v, "error");

	c->has_result = v != NULL;
	c->code = (int)json_i64(v, "code");
	if (c->code)
		fault_set(&c->why, c->code, "%s", text ? text : "");
}

static int take_messages(struct ctl_child *c)
{
	struct ipc_msg m;
	int r;

	while ((r = ipc_next(&c->ipc, &m)) == 1) {
		if (m.type == CTL_PROGRESS)
			c->progress(c->ctx, m.data, m.len);
		else if (m.type == CTL_RESULT)
			take_result(c, &m);
		ipc_msg_done(&m);
	}
	return r;
}

static void reap(struct ctl_child *c)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = -1;
	if (c->has_result)
		return;
	c->code = -EIO;
	if (WIFSIGNALED(status))
		fault_set(&c->why, -EIO, "the work was ended by signal %d", WTERMSIG(status));
	else
		fault_set(&c->why, -EIO, "the work ended without a result");
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct ctl_child *c = ctx;
	int r = ipc_fill(&c->ipc);

	if (r == -EAGAIN)
		return;
	if (take_messages(c) >= 0 && r == 1)
		return;
	/* the end, or nonsense: a child that still runs is of no use any more */
	if (r != 0)
		(void)kill(c->pid, SIGKILL);
	reap(c);
	event_del(c->readable);
	c->done(c->ctx, c->code, &c->why);
}

static int watch(struct event_base *base, struct ctl_child *c, int fd, struct fault *err)
{
	ipc_init(&c->ipc, fd, CTL_MAX);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	if (!c->readable || event_add(c->readable, NULL) < 0)
		return fault_oom(err);
	return 0;
}

int ctl_child_start(struct event_base *base, const struct ctl_job *job, ctl_child_progress progress,
		    ctl_child_done done, void *ctx, struct ctl_child **ret, struct fault *err)
{
	int fds[2];
	struct ctl_child *c = calloc(1, sizeof(*c));
	if (!c)
		return fault_oom(err);
	int r = ipc_pair(fds);
	if (r < 0) {
		free(c);
		return fault_set(err, r, "cannot make a socket pair: %s", strerror(-r));
	}
	*c = (struct ctl_child){ .pid = -1, .progress = progress, .done = done, .ctx = ctx };
	r = watch(base, c, fds[0], err);
	pid_t parent = getpid();
	c->pid = r == 0 ? fork() : -1;
	if (c->pid == 0)
		run_child(job, fds[1], parent);
	close(fds[1]);
	if (r == 0 && c->pid < 0)
		r = fault_set(err, -errno, "cannot start a process: %s", strerror(errno));
	if (r < 0) {
		ctl_child_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void ctl_child_free(struct ctl_child *c)
{
	if (!c)
		return;
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		reap(c);
	}
	if (c->readable)
		event_free(c->readable);
	ipc_done(&c->ipc);
	free(c);
}
