/* The network process: this program again in another role, watched, started anew with ever longer pauses when it dies. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/log.h"
#include "common/pki.h"

#define STABLE_MS 60000 /* a network process that lived this long was no failed start */

static void flush(struct priv *p)
{
	int r = ipc_flush(&p->ipc);
	if (r == 0)
		event_add(p->ipc_write, NULL);
	/* A broken channel shows as end of file or as the end of the process. */
}

void priv_send(struct priv *p, uint16_t type, uint32_t id, const void *data, size_t len, int fd)
{
	if (!p->net_pid)
		return;
	if (ipc_queue(&p->ipc, type, id, data, len, fd) == 0)
		flush(p);
}

void priv_answer(struct priv *p, uint32_t id, int code, const char *output, const char *error,
		 int fd)
{
	AUTO(json_decrefp)
	json_t *obj =
		json_pack("{s:i, s:s*, s:s*}", "code", code, "output", output, "error", error);
	AUTO(freep) char *text = obj ? json_text(obj, false) : NULL;
	if (text)
		priv_send(p, MSG_ANSWER, id, text, strlen(text), fd);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	flush(ctx);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;
	struct ipc_msg m;
	int more = 0;

	int r = ipc_fill(&p->ipc);
	if (r == -EAGAIN)
		return;
	while (p->net_pid && (more = ipc_next(&p->ipc, &m)) > 0) {
		priv_handle(p, &m);
		ipc_msg_done(&m);
	}
	if ((r > 0 && more >= 0) || !p->net_pid)
		return;
	/* End of file or nonsense: whatever is left of that process must go; SIGCHLD does the rest. */
	event_del(p->ipc_read);
	kill(p->net_pid, SIGKILL);
}

static void close_channel(struct priv *p)
{
	if (p->ipc_read)
		event_free(p->ipc_read);
	if (p->ipc_write)
		event_free(p->ipc_write);
	p->ipc_read = p->ipc_write = NULL;
	ipc_done(&p->ipc);
	p->ipc.fd = -1;
}

static int send_config(struct priv *p)
{
	AUTO(json_decrefp) json_t *obj = agent_config_encode(&p->config);
	if (!obj ||
	    json_object_set_new(obj, "is_registered",
				json_boolean(p->is_registered || p->has_job)) < 0 ||
	    json_object_set_new(obj, "has_medium", json_boolean(p->medium != NULL)) < 0)
		return -ENOMEM;
	AUTO(freep) char *text = json_text(obj, false);
	if (!text)
		return -ENOMEM;
	priv_send(p, MSG_CONFIG, 0, text, strlen(text), -1);
	secret_wipe(text, strlen(text));
	return 0;
}

/* Async-signal-safe only. */
static void become_net(int fd)
{
	static const char *const argv[] = { "slipway-agent", "--role=net", NULL };
	char *const *args = (char *const *)argv;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd == MSG_NET_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, MSG_NET_FD) < 0)
		_exit(127);
	(void)close_range(MSG_NET_FD + 1, ~0u, 0); /* also what the agent itself was started with */
	execv("/proc/self/exe", args);
	_exit(127);
}

int priv_net_start(struct priv *p)
{
	int fds[2];

	int r = ipc_pair(fds);
	if (r < 0)
		return r;
	AUTO(closep) int theirs = fds[1];
	ipc_init(&p->ipc, fds[0], MSG_PAYLOAD_MAX);
	r = fd_set_nonblock(fds[0]);
	p->ipc_read = event_new(p->base, fds[0], EV_READ | EV_PERSIST, on_readable, p);
	p->ipc_write = event_new(p->base, fds[0], EV_WRITE, on_writable, p);
	if (r < 0 || !p->ipc_read || !p->ipc_write) {
		close_channel(p);
		return r < 0 ? r : -ENOMEM;
	}
	pid_t pid = fork();
	if (pid == 0)
		become_net(theirs);
	if (pid < 0) {
		r = -errno;
		close_channel(p);
		return r;
	}
	event_add(p->ipc_read, NULL);
	p->net_pid = pid;
	p->net_started_ms = time_mono_ms();
	p->is_pong_due = false;
	log_debug("network process %d", pid);
	r = send_config(p);
	if (r == 0)
		priv_install_net_ready(p);
	return r;
}

void priv_net_stop(struct priv *p)
{
	if (p->net_pid) {
		/* End of file ends it; it has no state of its own that a signal could harm. */
		kill(p->net_pid, SIGKILL);
		waitpid(p->net_pid, NULL, 0);
		p->net_pid = 0;
	}
	close_channel(p);
	if (p->respawn)
		event_free(p->respawn);
	p->respawn = NULL;
}

static void on_respawn(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;
	int r = priv_net_start(p);
	if (r < 0) {
		log_error_errno(r, "cannot start the network process");
		priv_net_exited(p, 0);
	}
}

void priv_net_exited(struct priv *p, int status)
{
	uint32_t random;

	if (WIFSIGNALED(status))
		log_warning("the network process was ended by signal %d", WTERMSIG(status));
	else if (!p->is_leaving)
		log_warning("the network process has ended with status %d", WEXITSTATUS(status));
	p->net_pid = 0;
	close_channel(p);
	if (p->is_leaving)
		return;
	priv_install_net_lost(p);
	if (time_mono_ms() - p->net_started_ms >= STABLE_MS)
		backoff_reset(&p->respawn_backoff);
	random_bytes(&random, sizeof(random));
	uint64_t ms = backoff_next_ms(&p->respawn_backoff, BACKOFF_TRANSIENT, 0, random);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	if (!p->respawn)
		p->respawn = evtimer_new(p->base, on_respawn, p);
	if (p->respawn)
		evtimer_add(p->respawn, &tv);
}
