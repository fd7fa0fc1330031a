#include "service/ctl_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/ipc.h"
#include "common/json_map.h"
#include "common/log.h"
#include "common/wire/ctl.h"
#include "service/ctl_verb.h"
#include "service/server.h"

#define CONNECTIONS_MAX 16
#define BACKLOG 16

struct ctl_connection {
	struct ctl_server *server;
	struct ctl_connection *next;
	struct ipc ipc;
	struct event *readable, *writable; /* owned */
	struct ctl_call call;
	json_t *request; /* owned; holds call.args; NULL = idle */
	struct ctl_child *child;
};

struct ctl_server {
	struct service *service;
	int fd;
	struct event *acceptable;
	struct ctl_connection *connections;
	unsigned n_connections;
};

/* --- ending --- */

static void end_call(struct ctl_connection *c)
{
	struct ctl_call *call = &c->call;

	ctl_child_free(c->child);
	c->child = NULL;
	if (call->has_job) {
		closep(&call->job.tmp_fd);
		if (call->job.cleanup)
			call->job.cleanup(call);
	}
	closep(&call->fd);
	json_decref(c->request);
	c->request = NULL;
	*call = (struct ctl_call){ .service = c->server->service, .fd = -1 };
}

static void connection_free(struct ctl_connection *c)
{
	struct ctl_server *s = c->server;

	for (struct ctl_connection **p = &s->connections; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			s->n_connections--;
			break;
		}
	}
	end_call(c);
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	ipc_done(&c->ipc);
	free(c);
}

/* --- answering --- */

/* Also when the peer is gone: the reader will notice and end the connection. */
static void send_frame(struct ctl_connection *c, enum ctl_frame type, const char *text, size_t len)
{
	if (ipc_queue(&c->ipc, (uint16_t)type, 0, text, len, -1) < 0)
		return;
	if (ipc_flush(&c->ipc) == 0)
		event_add(c->writable, NULL);
}

static void send_result(struct ctl_connection *c, const char *text)
{
	if (!text)
		text = "{\"ok\":false,\"error\":\"out of memory\"}";
	send_frame(c, CTL_RESULT, text, strlen(text));
}

static void answer(struct ctl_connection *c, int code, json_t *members, const struct fault *why)
{
	AUTO(json_decrefp) json_t *v = members ? json_incref(members) : json_object();
	int bad = json_object_set_new(v, "ok", json_boolean(code == 0));

	if (code < 0)
		bad |= json_object_set_new(v, "error", json_string(fault_text(why)));
	AUTO(freep) char *text = bad ? NULL : json_text(v, true);
	end_call(c); /* who reads the result may look at what is left */
	send_result(c, text);
}

/*
 * Runs one function of a verb as a transaction of its own: what requests left waiting is committed before, so that a failure here takes back nothing of
 * theirs.
 */
static int transact(struct ctl_connection *c,
		    int (*fn)(struct ctl_call *, json_t **, struct fault *), json_t **ret,
		    struct fault *why)
{
	struct service *svc = c->server->service;

	if (svc->server)
		server_flush(svc->server);
	state_begin(svc->state);
	int r = fn(&c->call, ret, why);
	if (r < 0)
		state_abort(svc->state);
	int e = r >= 0 && state_is_dirty(svc->state) ? state_commit(svc->state, why) : 0;
	if (r < 0 || e < 0)
		(void)images_publish(svc); /* it may have been changed and taken back */
	return e < 0 ? e : r;
}

/* --- jobs --- */

static void on_job_progress(void *ctx, const char *json, size_t len)
{
	send_frame(ctx, CTL_PROGRESS, json, len);
}

static void on_job_done(void *ctx, int code, const struct fault *result)
{
	struct ctl_connection *c = ctx;
	struct fault why = *result;
	AUTO(json_decrefp) json_t *members = NULL;

	if (code == 0)
		code = transact(c, c->call.job.finish, &members, &why);
	answer(c, code, members, &why);
}

static void start_job(struct ctl_connection *c)
{
	struct fault why = FAULT_INIT;
	int r = ctl_child_start(c->server->service->base, &c->call.job, on_job_progress,
				on_job_done, c, &c->child, &why);

	if (r < 0)
		answer(c, r, NULL, &why);
}

/* --- requests --- */

static const struct ctl_verb *find_verb(const char *name)
{
	for (const struct ctl_verb *const *v = ctl_verbs; name && *v; v++) {
		if (strcmp((*v)->name, name) == 0)
			return *v;
	}
	return NULL;
}

static int begin_call(struct ctl_connection *c, struct ipc_msg *m, const struct ctl_verb **ret,
		      struct fault *why)
{
	c->call.fd = TAKE_FD(m->fd);
	if (m->type != CTL_REQUEST)
		return fault_set(why, -EPROTO, "a request was expected");
	c->request = json_parse(m->data, m->len, CTL_MAX, false, why);
	if (!c->request)
		return -EINVAL;
	c->call.args = json_child(c->request, "args");
	const struct ctl_verb *verb = find_verb(json_str(c->request, "verb"));
	if (!verb)
		return fault_set(
			why, -ENOSYS,
			"this slipwayd does not know that request: is it older than slipwayctl?");
	if (verb->needs_fd && c->call.fd < 0)
		return fault_set(why, -EINVAL, "the request carries no open file");
	*ret = verb;
	return 0;
}

static void take_request(struct ctl_connection *c, struct ipc_msg *m)
{
	struct fault why = FAULT_INIT;
	AUTO(json_decrefp) json_t *members = NULL;
	const struct ctl_verb *verb = NULL;

	int r = begin_call(c, m, &verb, &why);
	if (r == 0)
		r = transact(c, verb->run, &members, &why);
	if (r == CTL_LATER)
		start_job(c);
	else
		answer(c, r, members, &why);
}

static int take_messages(struct ctl_connection *c)
{
	struct ipc_msg m;
	int r;

	while ((r = ipc_next(&c->ipc, &m)) == 1) {
		bool is_busy = c->request != NULL;
		if (!is_busy)
			take_request(c, &m);
		ipc_msg_done(&m);
		if (is_busy)
			return -EPROTO; /* one request at a time */
	}
	return r;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct ctl_connection *c = ctx;
	int r = ipc_fill(&c->ipc);

	if (r == -EAGAIN)
		return;
	if (take_messages(c) < 0 || r <= 0)
		connection_free(c);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct ctl_connection *c = ctx;
	int r = ipc_flush(&c->ipc);

	if (r == 0)
		event_add(c->writable, NULL);
	else if (r < 0)
		connection_free(c);
}

/* --- connections --- */

static bool peer_is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static int connection_new(struct ctl_server *s, int fd)
{
	struct ctl_connection *c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->server = s;
	c->call = (struct ctl_call){ .service = s->service, .fd = -1 };
	ipc_init(&c->ipc, fd, CTL_MAX);
	c->next = s->connections;
	s->connections = c;
	s->n_connections++;
	c->readable = event_new(s->service->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(s->service->base, fd, EV_WRITE, on_writable, c);
	if (!c->readable || !c->writable || event_add(c->readable, NULL) < 0) {
		connection_free(c);
		return -ENOMEM;
	}
	return 0;
}

static void on_acceptable(evutil_socket_t listener, short what, void *ctx)
{
	struct ctl_server *s = ctx;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (s->n_connections >= CONNECTIONS_MAX || !peer_is_trusted(fd)) {
		close(fd);
		return;
	}
	if (connection_new(s, fd) < 0)
		log_warning("no memory for a control connection");
}

/* Bound by the open folder: its path may be longer than a socket address holds. */
static int bind_socket(struct service *svc, int fd, struct fault *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" CTL_SOCKET_NAME,
		 svc->state_dirfd);
	if (unlinkat(svc->state_dirfd, CTL_SOCKET_NAME, 0) < 0 && errno != ENOENT)
		return fault_set(err, -errno, "cannot remove the old control socket: %s",
				 strerror(errno));
	mode_t before = umask(0177);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(before);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r < 0 ? fault_set(err, r, "cannot listen on the control socket: %s", strerror(-r))
		     : 0;
}

int ctl_server_new(struct service *svc, struct ctl_server **ret, struct fault *err)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	if (!s)
		return fault_oom(err);
	s->service = svc;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = s->fd < 0 ? fault_set(err, -errno, "cannot make a socket: %s", strerror(errno))
			  : bind_socket(svc, s->fd, err);
	if (r == 0) {
		s->acceptable = event_new(svc->base, s->fd, EV_READ | EV_PERSIST, on_acceptable, s);
		if (!s->acceptable || event_add(s->acceptable, NULL) < 0)
			r = fault_oom(err);
	}
	if (r < 0) {
		ctl_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void ctl_server_free(struct ctl_server *s)
{
	if (!s)
		return;
	while (s->connections)
		connection_free(s->connections);
	if (s->acceptable)
		event_free(s->acceptable);
	if (s->fd >= 0) {
		(void)unlinkat(s->service->state_dirfd, CTL_SOCKET_NAME, 0);
		close(s->fd);
	}
	free(s);
}
