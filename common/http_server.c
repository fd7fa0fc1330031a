#include "common/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/http_server_priv.h"
#include "common/str.h"

#define BACKLOG 4096 /* the kernel cuts it at net.core.somaxconn */
#define KEEPALIVE_S 60

void http_server_ref(struct http_server *s)
{
	s->refs++;
}

void http_server_unref(struct http_server *s)
{
	if (--s->refs)
		return;
	if (s->scratch)
		evbuffer_free(s->scratch);
	free(s->by_fd);
	free(s);
}

static uint64_t or_default(uint64_t v, uint64_t otherwise)
{
	return v ? v : otherwise;
}

static void on_kick(evutil_socket_t fd, short what, void *ctx)
{
	http_conn_kick_all(ctx);
}

static void sweep(struct http_server *s)
{
	int64_t now_ms = time_mono_ms();
	struct http_conn *c;
	/* Nothing is freed in here: http_conn_end() works from the loop. */
	TAILQ_FOREACH(c, &s->conns, link)
	http_conn_check(c, now_ms);
}

static void listeners_resume(struct http_server *s)
{
	struct http_listener *l;
	TAILQ_FOREACH(l, &s->listeners, link)
	{
		if (!l->is_paused || !l->bound)
			continue;
		l->is_paused = false;
		evconnlistener_enable(evhttp_bound_socket_get_listener(l->bound));
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *ctx)
{
	struct http_server *s = ctx;
	sweep(s);
	/* Also the way back from a shortage of descriptors. */
	if (s->n_conns < s->limits.max_connections)
		listeners_resume(s);
}

int http_server_new(struct event_base *base, const struct http_limits *limits, http_handler handler,
		    void *ctx, struct http_server **ret, struct fault *err)
{
	static const struct http_limits none;
	const struct http_limits *in = limits ? limits : &none;
	struct http_server *s = calloc(1, sizeof(*s));
	if (!s)
		return fault_oom(err);
	*s = (struct http_server){
		.refs = 1,
		.base = base,
		.handler = handler,
		.ctx = ctx,
		.limits = {
			.max_headers = or_default(in->max_headers, HTTP_HEADERS_DEFAULT),
			.max_body = or_default(in->max_body, HTTP_BODY_DEFAULT),
			.idle_timeout_ms = or_default(in->idle_timeout_ms, HTTP_IDLE_MS_DEFAULT),
			.keep_ms = or_default(in->keep_ms, or_default(in->idle_timeout_ms, HTTP_IDLE_MS_DEFAULT)),
			.max_connections = (unsigned)or_default(in->max_connections, HTTP_CONNECTIONS_DEFAULT),
			.is_upload = in->is_upload,
		},
	};
	TAILQ_INIT(&s->listeners);
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->kicks);
	TAILQ_INIT(&s->requests);
	TAILQ_INIT(&s->lingerers);

	/* Ten looks per idle time, at most one per 50 ms and at least one per 5 s. */
	uint64_t every_ms = MAX_OF(50, MIN_OF(5000, s->limits.idle_timeout_ms / 10));
	struct timeval tv = { .tv_sec = (time_t)(every_ms / 1000),
			      .tv_usec = (suseconds_t)(every_ms % 1000 * 1000) };
	s->scratch = evbuffer_new();
	s->kick = event_new(base, -1, 0, on_kick, s);
	s->sweep = event_new(base, -1, EV_PERSIST, on_sweep, s);
	if (!s->scratch || !s->kick || !s->sweep || event_add(s->sweep, &tv)) {
		http_server_free(s);
		return fault_oom(err);
	}
	*ret = s;
	return 0;
}

/* Pauses accepting; the sweep or the next closed connection resumes it. */
static void listener_pause(struct http_listener *l)
{
	if (!l->bound || l->is_paused)
		return;
	l->is_paused = true;
	evconnlistener_disable(evhttp_bound_socket_get_listener(l->bound));
}

/* Out of descriptors or memory (accept(2)): the listening socket stays readable, so without a pause the loop would spin. */
static void on_accept_error(struct evconnlistener *lev, void *ctx)
{
	struct http_server *s = ctx;
	struct http_listener *l;
	TAILQ_FOREACH(l, &s->listeners, link)
	listener_pause(l);
}

void http_server_conn_gone(struct http_server *s)
{
	if (s->n_conns + 1 == s->limits.max_connections)
		listeners_resume(s);
}

static struct bufferevent *on_connection(struct event_base *base, void *ctx)
{
	struct http_listener *l = ctx;
	struct http_server *s = l->server;
	struct bufferevent *bev = http_conn_new(base, l);
	if (s->n_conns >= s->limits.max_connections) {
		struct http_listener *each;
		TAILQ_FOREACH(each, &s->listeners, link)
		listener_pause(each);
	}
	return bev;
}

/* "HOST:PORT", "[V6]:PORT"; an empty host or "*" is any address. */
static int address_split(const char *text, char *host, size_t size, char *port, size_t port_size)
{
	const char *colon = strrchr(text, ':');
	uint64_t number;
	if (!colon || str_to_u64(colon + 1, &number) || number > 65535)
		return -EINVAL;
	size_t len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return -EINVAL;
	}
	if (len >= size)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!strcmp(host, "*"))
		host[0] = '\0';
	return str_copy(port, port_size, colon + 1) ? 0 : -EINVAL;
}

/* Accepted sockets inherit these options (tcp(7), socket(7)). */
static void socket_options(int fd, uint64_t idle_ms)
{
	int on = 1, off = 0, idle_s = KEEPALIVE_S, unsent = HTTP_OUT_MAX,
	    user_ms = (int)MIN_OF(idle_ms, 600000u);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* The kernel's part of what a slow reader costs. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	/* A peer that has vanished while data waits for its ACK. */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof(user_ms));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
}

static int socket_listen(const struct addrinfo *ai, uint64_t idle_ms)
{
	AUTO(closep) int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	socket_options(fd, idle_ms);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG))
		return -errno;
	return TAKE_FD(fd);
}

int http_server_check_address(const char *addr_port, struct fault *err)
{
	char host[256], port[8];
	return address_split(addr_port, host, sizeof(host), port, sizeof(port))
		       ? fault_set(err, -EINVAL, "\"%s\" is not ADDRESS:PORT", addr_port)
		       : 0;
}

static int address_listen(const char *addr_port, uint64_t idle_ms, struct fault *err)
{
	char host[256], port[8];
	if (http_server_check_address(addr_port, err))
		return -EINVAL;
	(void)address_split(addr_port, host, sizeof(host), port, sizeof(port));

	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	const char *name = host;
	if (!*host) {
		/* :: takes both families, where the kernel has IPv6 at all. */
		AUTO(closep) int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		name = probe >= 0 ? "::" : "0.0.0.0";
	}
	int r = getaddrinfo(name, port, &hints, &list);
	if (r)
		return fault_set(err, -EINVAL, "cannot find the address %s: %s", host,
				 gai_strerror(r));
	int fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = socket_listen(ai, idle_ms);
	freeaddrinfo(list);
	return fd < 0 ? fault_set(err, fd, "cannot listen on %s: %s", addr_port, strerror(-fd))
		      : fd;
}

static void address_text(int fd, char ret[64])
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	ret[0] = '\0';
	if (getsockname(fd, (struct sockaddr *)&sa, &len) ||
	    getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(ret, 64, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static void listener_free(struct http_listener *l)
{
	if (!l)
		return;
	if (l->evhttp)
		evhttp_free(l->evhttp); /* closes the listening socket and all connections */
	tls_server_free(l->tls);
	free(l);
}

static void listener_freep(struct http_listener **l)
{
	listener_free(*l);
}

static int evhttp_configure(struct http_listener *l)
{
	const struct http_limits *lim = &l->server->limits;
	l->evhttp = evhttp_new(l->server->base);
	if (!l->evhttp)
		return -ENOMEM;
	evhttp_set_max_headers_size(l->evhttp, (ev_ssize_t)lim->max_headers);
	evhttp_set_max_body_size(l->evhttp, (ev_ssize_t)lim->max_body);
	evhttp_set_default_content_type(l->evhttp, NULL);
	/* CONNECT is known so that it gets a 405 (http_server_request.c) and no 501 */
	evhttp_set_allowed_methods(l->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
						      EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
						      EVHTTP_REQ_CONNECT);
	evhttp_set_bevcb(l->evhttp, on_connection, l);
	evhttp_set_gencb(l->evhttp, http_request_arrived, l);
	return 0;
}

int http_server_listen(struct http_server *s, const char *addr_port, const char *cert_pem,
		       const char *key_pem, char ret_addr_port[64], struct fault *err)
{
	AUTO(listener_freep) struct http_listener *l = calloc(1, sizeof(*l));
	if (!l)
		return fault_oom(err);
	l->server = s;
	int r = cert_pem ? tls_server_new(cert_pem, key_pem, &l->tls, err) : 0;
	if (r)
		return r;
	if (evhttp_configure(l))
		return fault_oom(err);

	AUTO(closep) int fd = address_listen(addr_port, s->limits.idle_timeout_ms, err);
	if (fd < 0)
		return fd;
	if (ret_addr_port)
		address_text(fd, ret_addr_port);
	struct evconnlistener *lev = evconnlistener_new(
		s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!lev)
		return fault_oom(err);
	TAKE_FD(fd);
	l->bound = evhttp_bind_listener(l->evhttp, lev);
	if (!l->bound) {
		evconnlistener_free(lev);
		return fault_oom(err);
	}
	evconnlistener_set_error_cb(lev, on_accept_error);
	TAILQ_INSERT_TAIL(&s->listeners, l, link);
	TAKE(l);
	return 0;
}

void http_server_stop_accepting(struct http_server *s)
{
	struct http_listener *l;
	s->is_stopping = true;
	TAILQ_FOREACH(l, &s->listeners, link)
	{
		if (l->bound)
			evhttp_del_accept_socket(l->evhttp, l->bound);
		l->bound = NULL;
	}
	sweep(s);
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->n_conns;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	struct http_request *r;
	struct http_listener *l;
	struct http_conn *c;
	s->is_stopping = true;
	/* Their handlers still hold them and will reply; evhttp frees its part now. */
	TAILQ_FOREACH(r, &s->requests, link)
	r->ev = NULL;
	TAILQ_FOREACH(c, &s->conns, link)
	http_upload_gone(c);
	while ((l = TAILQ_FIRST(&s->listeners))) {
		TAILQ_REMOVE(&s->listeners, l, link);
		listener_free(l);
	}
	http_linger_end_all(s);
	if (s->sweep)
		event_free(s->sweep);
	if (s->kick)
		event_free(s->kick);
	s->sweep = s->kick = NULL;
	http_server_unref(s);
}
