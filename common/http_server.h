#pragma once
/*
 * HTTP and HTTPS listeners: libevent's evhttp, with mbedTLS as a filter bufferevent, limits, and range answers from a source.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

struct http_server;
struct http_request;

struct http_limits {
	size_t max_headers; /* bytes; 0 = 16 KiB: more is 431 */
	size_t max_body;    /* bytes; 0 = 1 MiB: more (or a broken chunk) is 413 */
	uint64_t idle_timeout_ms; /* no progress on a connection; 0 = 60,000 (slow and half-open ones are closed) */
	uint64_t keep_ms; /* how long a connection that was used waits for its next request; 0 = idle_timeout_ms */
	unsigned max_connections; /* 0 = 20,000 */
	/*
	 * Does a POST to @path (as sent, without query) come with a body for http_request_read()? The handler is then called as soon as the head
	 * is there, max_body does not count, and the connection ends with the reply. NULL = no. @ctx is the handler's.
	 */
	bool (*is_upload)(void *ctx, const char *path);
};

/*
 * Every request ends in exactly one http_reply*() call, now or later, on the loop's thread; the client may have gone by then, and even
 * http_server_free() may have come first (method, target, headers and body are then empty).
 * What never reaches the handler (malformed, above a limit, unknown method, CONNECT, no Host, NUL in the path, unclear framing) is answered with
 * {"code":STATUS,"message":"…"} and a closed connection.
 */
typedef void (*http_handler)(void *ctx, struct http_request *req);

/* 0, or -EINVAL: @addr_port is not what http_server_listen() takes. */
int http_server_check_address(const char *addr_port, struct fault *err);
/* @cert_pem, @key_pem: NULL = plain HTTP. @addr_port: "127.0.0.1:8090", "[::]:9543"; port 0 = the kernel's choice. */
int http_server_new(struct event_base *base, const struct http_limits *limits, http_handler handler,
		    void *ctx, struct http_server **ret, struct fault *err);
int http_server_listen(struct http_server *s, const char *addr_port, const char *cert_pem,
		       const char *key_pem, char ret_addr_port[64], struct fault *err);
void http_server_stop_accepting(struct http_server *s);
unsigned http_server_connections(const struct http_server *s);
void http_server_free(struct http_server *s);

/* --- the request; everything is borrowed until the reply --- */
const char *http_request_method(const struct http_request *r); /* "GET"… as sent */
const char *http_request_path(
	const struct http_request
		*r); /* percent-decoded, without query; NUL bytes are refused before */
const char *http_request_target(const struct http_request *r); /* as sent */
const char *http_request_query(const struct http_request *r,
			       const char *name); /* decoded; NULL = absent */
const char *http_request_header(const struct http_request *r, const char *name);
const char *http_request_body(const struct http_request *r, size_t *ret_len); /* NUL behind it */
const char *http_request_peer(const struct http_request *r);                  /* address text */
bool http_request_is_tls(const struct http_request *r);

/* Bytes of the body by its headers; UINT64_MAX = not known before its end. */
uint64_t http_request_length(const struct http_request *r);
/* Where a body goes, piece by piece. */
struct http_sink {
	/* Negative: no more is wanted, end() is not called; a reply must have been given, or come later. */
	int (*write)(void *ctx, const void *data, size_t len);
	/* 0 = the body was whole; -EPROTO = its framing was broken; -ECONNRESET = the client or the server has gone. Then comes the reply. */
	void (*end)(void *ctx, int code);
	void *ctx;
};
/*
 * Begins to take the body of @r; both functions may be called before it returns. Sends "100 Continue" to a client that waits for it. A
 * sender may be slow, but not without progress (idle_timeout_ms) nor for ever.
 */
void http_request_read(struct http_request *r, const struct http_sink *sink);

/* --- the reply --- */
int http_reply_header(struct http_request *r, const char *name,
		      const char *value); /* before the reply; repeated names allowed */
/* @data is copied. Takes @r. HEAD sends the headers only. */
void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len);

/* Bytes for a range answer: several may be open at once. */
struct http_source {
	uint64_t size;
	/* Reads up to @len bytes at @offset; >0 bytes, or -errno. */
	long (*pread)(void *ctx, void *data, size_t len, uint64_t offset);
	void (*free)(void *ctx); /* called once when the reply has ended, however it ended */
	void *ctx;
};
/*
 * Answers GET or HEAD with 200, 206 (single range; several ranges: multipart/byteranges) or 416, honours If-Range, If-None-Match,
 * If-Modified-Since (RFC 9110 §13–14). @etag: with quotes, or NULL. @mtime_s: Last-Modified, 0 = none. Memory per reader is bounded
 * (about 256 KiB) however slow it is. Takes @r and the source.
 */
void http_reply_source(struct http_request *r, const char *content_type, const char *etag,
		       int64_t mtime_s, struct http_source src);
