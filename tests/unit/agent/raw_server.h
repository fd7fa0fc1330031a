#pragma once
/*
 * A server that answers each connection with the bytes that a test has written down, on the test's loop: what no proper HTTP server would say.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RAW_PEERS_MAX 64

struct raw_server {
	struct evconnlistener *listener;
	struct bufferevent *peers[RAW_PEERS_MAX];
	unsigned n; /* connections so far */
	char url[64];
	const char *head;   /* sent when a request's head is complete; NULL = nothing ever is */
	size_t noise;       /* bytes of 'x' behind it */
	bool stays_open;    /* the connection is not closed after that */
	char request[4096]; /* the last one's head */
};

static inline void raw_sent(struct bufferevent *b, void *ctx)
{
	struct raw_server *s = ctx;

	if (!s->stays_open && !evbuffer_get_length(bufferevent_get_output(b)))
		shutdown(bufferevent_getfd(b), SHUT_WR);
}

static inline void raw_readable(struct bufferevent *b, void *ctx)
{
	struct raw_server *s = ctx;
	struct evbuffer *in = bufferevent_get_input(b);

	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0 || !s->head)
		return;
	ev_ssize_t n = evbuffer_copyout(in, s->request, sizeof(s->request) - 1);
	s->request[n > 0 ? n : 0] = '\0';
	evbuffer_drain(in, evbuffer_get_length(in));
	bufferevent_setcb(b, raw_readable, raw_sent, NULL, s);
	bufferevent_write(b, s->head, strlen(s->head));
	if (s->noise) {
		char *noise = malloc(s->noise);
		memset(noise, 'x', s->noise);
		bufferevent_write(b, noise, s->noise);
		free(noise);
	}
}

static inline void raw_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a,
			      int len, void *ctx)
{
	struct raw_server *s = ctx;
	struct bufferevent *b =
		bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE);

	if (!b || s->n == RAW_PEERS_MAX)
		abort();
	s->peers[s->n++] = b;
	bufferevent_setcb(b, raw_readable, NULL, NULL, s);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

static inline void raw_start(struct raw_server *s, struct event_base *base)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	*s = (struct raw_server){ 0 };
	s->listener = evconnlistener_new_bind(base, raw_accept, s, LEV_OPT_CLOSE_ON_FREE, -1,
					      (struct sockaddr *)&a, sizeof(a));
	if (!s->listener ||
	    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a, &len) < 0)
		abort();
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(a.sin_port));
}

static inline void raw_stop(struct raw_server *s)
{
	for (unsigned i = 0; i < s->n; i++)
		bufferevent_free(s->peers[i]);
	evconnlistener_free(s->listener);
}
