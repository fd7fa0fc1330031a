#include <errno.h>
#include <string.h>
#include "agent/net.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"

struct handler {
	uint16_t type;
	void (*run)(struct net *n, struct ipc_msg *m);
};

static json_t *parse(const struct ipc_msg *m)
{
	return json_parse(m->data ? m->data : "", m->len, MSG_PAYLOAD_MAX, true, NULL);
}

static void on_reply(struct net *n, struct ipc_msg *m)
{
	struct net_ask **at = &n->asks;
	while (*at && (*at)->id != m->id)
		at = &(*at)->next;
	AUTO(freep) struct net_ask *ask = *at;
	if (!ask)
		return;
	*at = ask->next;

	AUTO(json_decrefp) json_t *obj = parse(m);
	if (json_is_object(obj))
		ask->fn(ask->ctx, (int)json_i64(obj, "code"), json_str(obj, "output"),
			json_str(obj, "error"), TAKE_FD(m->fd));
	else
		ask->fn(ask->ctx, -EPROTO, NULL, "the root process gave no usable answer", -1);
}

static void flush(struct net *n);

static void on_ping(struct net *n, struct ipc_msg *m)
{
	if (ipc_queue(&n->ipc, MSG_PONG, m->id, NULL, 0, -1) == 0)
		flush(n);
}

static void on_resume(struct net *n, struct ipc_msg *m)
{
	net_install_resume(n, parse(m), TAKE_FD(m->fd));
}

static void on_stream(struct net *n, struct ipc_msg *m)
{
	net_install_stream(n, TAKE_FD(m->fd));
}

static void on_report(struct net *n, struct ipc_msg *m)
{
	net_install_report(n, m->data, m->len);
}

static void on_joined(struct net *n, struct ipc_msg *m)
{
	net_installed_joined(n);
}

static const struct handler handlers[] = {
	{ MSG_ANSWER, on_reply },  { MSG_PING, on_ping },     { MSG_RESUME, on_resume },
	{ MSG_STREAM, on_stream }, { MSG_REPORT, on_report }, { MSG_JOINED, on_joined },
};

static void handle(struct net *n, struct ipc_msg *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].type == m->type)
			handlers[i].run(n, m);
	ipc_msg_done(m);
}

/* Without the root process there is nothing to do. */
static void leave(struct net *n, int status)
{
	n->exit_status = status;
	event_base_loopbreak(n->base);
}

static void flush(struct net *n)
{
	int r = ipc_flush(&n->ipc);
	if (r < 0)
		leave(n, 1);
	else if (r == 0)
		event_add(n->ipc_write, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	flush(ctx);
}

int net_ipc_drain(struct net *n)
{
	struct ipc_msg m;
	int more;

	while ((more = ipc_next(&n->ipc, &m)) > 0)
		handle(n, &m);
	return more;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net *n = ctx;

	int r = ipc_fill(&n->ipc);
	if (r == -EAGAIN)
		return;
	if (net_ipc_drain(n) < 0 || r <= 0) {
		log_debug("the root process is gone");
		leave(n, r == 0 ? 0 : 1);
	}
}

int net_ipc_init(struct net *n, int fd)
{
	int r = fd_set_nonblock(fd);
	if (r < 0)
		return r;
	n->ipc_read = event_new(n->base, fd, EV_READ | EV_PERSIST, on_readable, n);
	n->ipc_write = event_new(n->base, fd, EV_WRITE, on_writable, n);
	if (!n->ipc_read || !n->ipc_write)
		return -ENOMEM;
	event_add(n->ipc_read, NULL);
	return 0;
}

void net_ipc_done(struct net *n)
{
	if (n->ipc_read)
		event_free(n->ipc_read);
	if (n->ipc_write)
		event_free(n->ipc_write);
	n->ipc_read = n->ipc_write = NULL;
	while (n->asks) {
		struct net_ask *next = n->asks->next;
		free(n->asks);
		n->asks = next;
	}
	ipc_done(&n->ipc);
}

int net_send(struct net *n, uint16_t type, const void *data, size_t len, int fd)
{
	int r = ipc_queue(&n->ipc, type, 0, data, len, fd);
	if (!r)
		flush(n);
	return r;
}

int net_send_json(struct net *n, uint16_t type, json_t *obj, int fd)
{
	AUTO(json_decrefp) json_t *owned = obj;
	AUTO(freep) char *text = owned ? json_text(owned, false) : NULL;
	if (!text)
		return -ENOMEM;
	int r = net_send(n, type, text, strlen(text), fd);
	secret_wipe(text, strlen(text)); /* a job carries the seed's token */
	return r;
}

static void ask(struct net *n, uint16_t type, const char *text, net_answer_fn fn, void *ctx)
{
	struct net_ask *ask = calloc(1, sizeof(*ask));
	if (!ask) {
		fn(ctx, -ENOMEM, NULL, "out of memory", -1);
		return;
	}
	*ask = (struct net_ask){ .id = ++n->last_ask, .fn = fn, .ctx = ctx, .next = n->asks };
	int r = ipc_queue(&n->ipc, type, ask->id, text, text ? strlen(text) : 0, -1);
	if (r < 0) {
		free(ask);
		fn(ctx, r, NULL, "the root process cannot be asked", -1);
		return;
	}
	n->asks = ask;
	flush(n);
}

void net_ask(struct net *n, uint16_t type, net_answer_fn fn, void *ctx)
{
	ask(n, type, NULL, fn, ctx);
}

void net_ask_json(struct net *n, uint16_t type, json_t *obj, net_answer_fn fn, void *ctx)
{
	AUTO(json_decrefp) json_t *owned = obj;
	AUTO(freep) char *text = owned ? json_text(owned, false) : NULL;

	if (text)
		ask(n, type, text, fn, ctx);
	else
		fn(ctx, -ENOMEM, NULL, "out of memory", -1);
}
