#include "common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/str.h"

#define KILL_AFTER_MS 2000
#define ERROR_TEXT_MAX (64u << 10)

extern char **environ;

struct stream {
	int fd; /* our end of the pipe; -1 = not captured or ended */
	struct buf *to;
};

struct running {
	pid_t pid;
	int pidfd;
	struct stream out, errout;
	int64_t deadline_ms; /* -1 = none */
	bool terminated;     /* SIGTERM was sent */
	int verdict;         /* why we ended it: -ETIMEDOUT, -EMSGSIZE */
};

/* --- start --------------------------------------------------------------------------------- */

/* A descriptor of the child for @target: @fd when given, else /dev/null opened with @flags. */
static int place_fd(posix_spawn_file_actions_t *a, int fd, int target, int flags)
{
	if (fd >= 0)
		return -posix_spawn_file_actions_adddup2(a, fd, target);
	return -posix_spawn_file_actions_addopen(a, target, "/dev/null", flags, 0);
}

static int fill_actions(posix_spawn_file_actions_t *a, const struct proc_spec *spec, int out_fd,
			int err_fd)
{
	int r = place_fd(a, spec->stdin_fd, STDIN_FILENO, O_RDONLY);
	if (r == 0)
		r = place_fd(a, out_fd, STDOUT_FILENO, O_WRONLY);
	if (r == 0 && err_fd >= 0)
		r = place_fd(a, err_fd, STDERR_FILENO, O_WRONLY);
	if (r == 0 && spec->cwd)
		r = -posix_spawn_file_actions_addchdir_np(a, spec->cwd);
	if (r == 0) /* whatever a library has opened without close-on-exec */
		r = -posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
	return r;
}

/* Default signals, none blocked, a process group of its own: a time limit ends what the program has started, too. */
static int fill_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setpgroup(attr, 0);
	return -posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						       POSIX_SPAWN_SETPGROUP);
}

static int spawn(const struct proc_spec *spec, int out_fd, int err_fd, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	int r = fill_actions(&actions, spec, out_fd, err_fd);
	if (r == 0)
		r = fill_attributes(&attr);
	if (r == 0)
		r = -posix_spawnp(ret, spec->argv[0], &actions, &attr, (char *const *)spec->argv,
				  spec->env ? (char *const *)spec->env : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* --- while it runs ------------------------------------------------------------------------- */

static void end_group(struct running *p, int verdict, int signal)
{
	if (p->verdict == 0)
		p->verdict = verdict;
	(void)kill(-p->pid, signal);
}

/* Takes what is in the pipe; more than the cap: stdout ends the program, stderr is cut. */
static void drain(struct running *p, struct stream *s)
{
	char data[8192];
	ssize_t n;
	while (s->fd >= 0 && (n = read(s->fd, data, sizeof(data))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		if (!s->to)
			continue;
		size_t room = s->to->max - s->to->len;
		if (buf_append(s->to, data, MIN_OF((size_t)n, room)) < 0)
			end_group(p, -ENOMEM, SIGKILL);
		else if ((size_t)n > room && s == &p->out)
			end_group(p, -EMSGSIZE, SIGKILL);
	}
	closep(&s->fd);
	s->fd = -1;
}

static void check_deadline(struct running *p)
{
	if (p->deadline_ms < 0 || time_mono_ms() < p->deadline_ms)
		return;
	end_group(p, -ETIMEDOUT, p->terminated ? SIGKILL : SIGTERM);
	p->deadline_ms = p->terminated ? -1 : time_mono_ms() + KILL_AFTER_MS;
	p->terminated = true;
}

/* Until the program itself has ended; what it left running in the background is not waited for. */
static int supervise(struct running *p)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = p->pidfd, .events = POLLIN },
			{ .fd = p->out.fd, .events = POLLIN },
			{ .fd = p->errout.fd, .events = POLLIN },
		};
		int64_t left = p->deadline_ms < 0 ? -1 : MAX_OF(p->deadline_ms - time_mono_ms(), 0);
		int n = poll(fds, ARRAY_SIZE(fds), (int)MIN_OF(left, (int64_t)INT32_MAX));
		if (n < 0 && errno != EINTR)
			return -errno;
		check_deadline(p);
		if (n <= 0)
			continue;
		if (fds[1].revents)
			drain(p, &p->out);
		if (fds[2].revents)
			drain(p, &p->errout);
		if (fds[0].revents)
			return 0;
	}
}

/* Both ends close-on-exec, ours non-blocking. */
static int open_pipe(int *ret_ours, int *ret_theirs)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

static int finish(struct running *p, const struct proc_spec *spec, int *ret_status,
		  struct fault *err)
{
	siginfo_t info = { 0 };
	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	if (p->verdict == -ETIMEDOUT)
		return fault_set(err, -ETIMEDOUT, "%s took longer than %llu ms and was ended",
				 spec->argv[0], (unsigned long long)spec->timeout_ms);
	if (p->verdict == -EMSGSIZE)
		return fault_set(err, -EMSGSIZE, "%s wrote more than %zu bytes", spec->argv[0],
				 spec->out->max);
	if (p->verdict < 0)
		return fault_oom(err);
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
	return 0;
}

int proc_run(const struct proc_spec *spec, int *ret_status, struct fault *err)
{
	const char *name = spec->argv[0];
	AUTO(closep) int out_theirs = -1;
	AUTO(closep) int err_theirs = -1;
	AUTO(closep) int pidfd = -1;
	struct running p = { .pidfd = -1,
			     .out = { -1, spec->out },
			     .errout = { -1, spec->errout },
			     .deadline_ms = -1 };
	AUTO(closep) int out_ours = -1;
	AUTO(closep) int err_ours = -1;

	int r = spec->stdout_fd < 0 && spec->out ? open_pipe(&out_ours, &out_theirs) : 0;
	if (r == 0 && spec->errout)
		r = open_pipe(&err_ours, &err_theirs);
	if (r == 0)
		r = spawn(spec, spec->stdout_fd >= 0 ? spec->stdout_fd : out_theirs, err_theirs,
			  &p.pid);
	if (r < 0)
		return fault_set(err, r, "cannot run %s: %s", name, strerror(-r));
	closep(&out_theirs);
	closep(&err_theirs);
	out_theirs = err_theirs = -1;
	p.out.fd = TAKE_FD(out_ours);
	p.errout.fd = TAKE_FD(err_ours);

	if (spec->timeout_ms)
		p.deadline_ms =
			time_mono_ms() + (int64_t)MIN_OF(spec->timeout_ms, (uint64_t)INT32_MAX);
	pidfd = (int)syscall(SYS_pidfd_open, p.pid,
			     0); /* Linux 5.3; glibc has a wrapper since 2.36 only */
	p.pidfd = pidfd;
	r = pidfd < 0 ? -errno : supervise(&p);
	if (r < 0)
		end_group(&p, -ECANCELED, SIGKILL);
	drain(&p, &p.out);
	drain(&p, &p.errout);
	closep(&p.out.fd);
	closep(&p.errout.fd);
	int done = finish(&p, spec, ret_status, err);
	return r < 0 ? fault_set(err, r, "cannot wait for %s: %s", name, strerror(-r)) : done;
}

/* --- with a verdict ------------------------------------------------------------------------ */

/* The last line of @text that is not empty; cuts @text. */
static const char *last_line(char *text)
{
	char *s = str_trim(text);
	char *newline = strrchr(s, '\n');
	return newline ? str_trim(newline + 1) : s;
}

int proc_run_ok(const struct proc_spec *spec, struct fault *err)
{
	AUTO(buf_done) struct buf own;
	struct proc_spec with_errors = *spec;
	int status;
	buf_init(&own, ERROR_TEXT_MAX);
	if (!spec->errout)
		with_errors.errout = &own;
	int r = proc_run(&with_errors, &status, err);
	if (r < 0 || status == 0)
		return r;
	AUTO(freep) char *text = str_dup(with_errors.errout->data ? with_errors.errout->data : "");
	if (!text)
		return fault_oom(err);
	const char *line = last_line(text);
	const char *how = status >= 256 ? "was ended by signal" : "ended with status";
	return fault_set(err, -EIO, "%s %s %d%s%s", spec->argv[0], how,
			 status >= 256 ? status - 256 : status, *line ? ": " : "", line);
}
