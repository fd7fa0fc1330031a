#pragma once
/*
 * Inside of common/http_server. One server has listeners (one evhttp each), connections (one filter bufferevent each, plain ones too)
 * and requests that wait for their reply.
 *
 * Files: http_server.c (server, listeners, limits in time), http_server_conn.c (the filter, its back-pressure and the life of a
 * connection), http_server_tls.c (mbedTLS), http_server_request.c (request and reply), http_server_source.c (range replies),
 * http_server_upload.c (bodies in pieces).
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/http_server.h"

#define HTTP_HEADERS_DEFAULT (16u << 10)
#define HTTP_BODY_DEFAULT (1u << 20)
#define HTTP_IDLE_MS_DEFAULT 60000
#define HTTP_CONNECTIONS_DEFAULT 20000
#define HTTP_OUT_MAX (256u << 10) /* bytes that may wait below the filter before it takes no more */
#define HTTP_PIECE (128u << 10)   /* bytes of a source that are read at once */
#define HTTP_REST_AFTER \
	3000 /* bytes moved on a TLS connection after which it gives memory back when it falls idle */
#define HTTP_BODY_RATE \
	1024 /* bytes/s that a sender must reach on average once the idle time has passed */

struct tls_server; /* http_server_tls.c: certificate, key, ticket keys */
struct tls_conn;
struct http_upload; /* http_server_upload.c */

enum conn_phase {
	CONN_HANDSHAKE,
	CONN_IDLE,     /* between requests */
	CONN_READING,  /* part of a request has come */
	CONN_HANDLING, /* the handler has it */
	CONN_WRITING,  /* a reply is on its way */
};

struct http_listener {
	struct http_server *server;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound; /* NULL = does not accept any more */
	struct tls_server *tls;            /* NULL = plain */
	bool is_paused;
	TAILQ_ENTRY(http_listener) link;
};

struct http_conn {
	struct http_server *server; /* a reference */
	struct http_listener *listener;
	struct bufferevent *bev;        /* the filter; owns this struct */
	struct bufferevent *underlying; /* the socket; owned by the filter */
	struct tls_conn *tls;           /* NULL = plain */
	int fd;                         /* -1 until the first byte */

	enum conn_phase phase;
	int64_t since_ms;       /* start of the phase, or last progress in it */
	uint64_t request_bytes; /* of the request being read */
	uint64_t last_in;       /* the same at the last look */
	int64_t grown_ms;       /* the look that found more of them */
	uint64_t moved;         /* bytes in and out since the last rest */
	size_t last_out;        /* bytes below the filter at the last look */

	bool is_held; /* one byte at the head of the filter's output has been encoded already, see conn_output() */
	bool has_reply; /* what is written is ours, not a page of evhttp's own */
	bool is_whole;  /* that reply is all in the filter's output */
	bool has_eof;   /* the client has ended its side during our reply */
	bool is_failed;
	bool is_refused; /* the request was not read to its end: linger after the reply */
	bool is_kicked;
	bool is_used; /* it has brought a request */

	struct http_request *request; /* with the handler, or being answered from a source */
	struct http_upload *upload;   /* NULL = none; then this is the connection's last request */

	/* libevent's filter callbacks on the socket, which ours wrap. */
	bufferevent_data_cb filter_read, filter_write;
	bufferevent_event_cb filter_event;
	void *filter_arg;

	TAILQ_ENTRY(http_conn) link;
	TAILQ_ENTRY(http_conn) kick_link;
};

struct http_request {
	struct http_server *server; /* a reference */
	struct evhttp_request *ev;  /* NULL when the server has gone */
	struct http_conn *conn;     /* NULL when the client has gone */
	char *path;                 /* decoded */
	char *peer;
	struct http_value *values; /* decoded query values that were asked for */
	bool is_terminated;        /* the NUL behind the body is there */
	bool is_tls;
	TAILQ_ENTRY(http_request) link;
};

struct http_server {
	unsigned refs; /* the user, each connection, each waiting request */
	struct event_base *base;
	struct http_limits limits;
	http_handler handler;
	void *ctx;
	bool is_stopping;
	struct event *sweep;      /* looks for connections without progress */
	struct event *kick;       /* sends what evhttp has written by itself */
	struct evbuffer *scratch; /* empty between uses */
	struct http_conn **by_fd;
	size_t by_fd_size;
	unsigned n_conns;
	unsigned n_lingering;
	TAILQ_HEAD(, http_listener) listeners;
	TAILQ_HEAD(, http_conn) conns;
	TAILQ_HEAD(, http_conn) kicks;
	TAILQ_HEAD(, http_request) requests;
	TAILQ_HEAD(, http_lingerer) lingerers;
};

/* http_server.c */
void http_server_ref(struct http_server *s);
void http_server_unref(struct http_server *s);
void http_server_conn_gone(struct http_server *s); /* a place may have become free */

/* http_server_conn.c */
struct bufferevent *http_conn_new(struct event_base *base,
				  void *listener); /* for evhttp_set_bevcb() */
struct http_conn *http_conn_of(struct http_server *s, struct evhttp_connection *evcon);
void http_conn_phase(struct http_conn *c, enum conn_phase phase);
void http_linger_end_all(struct http_server *s);
void http_conn_idle(struct http_conn *c); /* a reply is out */
void http_conn_flush(struct http_conn *c);
/* Ends the connection from the loop, as if the socket had reported @what (BEV_EVENT_…). */
void http_conn_end(struct http_conn *c, short what);
void http_conn_kick_all(struct http_server *s);
/* The time limits: ends it when there was no progress for too long. */
void http_conn_check(struct http_conn *c, int64_t now_ms);

/* Puts @text on the wire ahead of any reply. */
void http_conn_say(struct http_conn *c, const char *text, size_t len);

/* http_server_upload.c */
/* Clear bytes have come into @dst, or into the upload's own buffer. @is_start: with them begins a request. 0 or -ENOMEM. */
int http_upload_arrived(struct http_conn *c, struct evbuffer *dst, bool is_start);
struct evbuffer *http_upload_buffer(
	struct http_conn *c);                         /* where clear bytes go; NULL = to evhttp */
bool http_upload_is_bad(const struct http_conn *c);   /* its framing is unclear */
bool http_upload_is_whole(const struct http_conn *c); /* the whole body was taken */
void http_upload_feed(struct http_conn *c);
void http_upload_gone(struct http_conn *c); /* the client or the server has gone */
void http_upload_free(struct http_upload *u);

/* http_server_request.c */
void http_request_arrived(struct evhttp_request *ev, void *listener); /* for evhttp_set_gencb() */
void http_request_free(struct http_request *r);
/* Headers that every reply gets; marks the connection as answered by us. */
void http_reply_begin(struct http_request *r);
const char *http_status_text(int status);

/* http_server_tls.c */
int tls_server_new(const char *cert_pem, const char *key_pem, struct tls_server **ret,
		   struct fault *err);
void tls_server_free(struct tls_server *t);
struct tls_conn *tls_conn_new(struct tls_server *t); /* NULL = no memory */
void tls_conn_free(struct tls_conn *t);
bool tls_conn_is_up(const struct tls_conn *t); /* handshake done */
/*
 * Takes what @src has, puts clear bytes into @dst and handshake answers into @out. Returns 0, 1 when the client has closed its
 * side, or -EPROTO; then @out holds a last alert.
 */
int tls_conn_input(struct tls_conn *t, struct evbuffer *src, struct evbuffer *dst,
		   struct evbuffer *out);
/* Encodes @len bytes into @out. 0 or -EPROTO. */
int tls_conn_output(struct tls_conn *t, const void *data, size_t len, struct evbuffer *out);
/* For a connection that falls idle after much data: gives memory back. */
void tls_conn_rest(struct tls_conn *t);
void tls_conn_close_notify(struct tls_conn *t, struct evbuffer *out);
