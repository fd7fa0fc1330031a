#pragma once
/*
 * A server in a child process and a blocking client, for test_http_server*, test_http_client and test_http_call.
 * The child exits by itself when the pipe from its parent closes; its exit status (sanitizer findings too) is checked by server_end().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/http_server.h"
#include "common/str.h"

#define FILE_SIZE (64u << 20)
#define FILE_ETAG "\"f1\""
#define FILE_MTIME 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static inline uint8_t file_byte(uint64_t offset)
{
	return (uint8_t)((offset * 2654435761u) >> 13);
}

struct test_server {
	pid_t pid;
	int stop_fd; /* closing it ends the child */
	uint16_t port;
	char url[64];
};

struct child {
	struct event_base *base;
	struct http_server *server;
	unsigned frees; /* of sources */
};

struct later {
	struct child *child;
	struct http_request *req;
	struct event *ev;
};

static inline long file_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		p[i] = file_byte(offset + i);
	return (long)len;
}

static inline long bad_pread(void *ctx, void *data, size_t len, uint64_t offset)
{
	return offset >= 1u << 20 ? -EIO : file_pread(ctx, data, len, offset);
}

static inline void file_free(void *ctx)
{
	struct child *c = ctx;
	c->frees++;
}

static inline void later_fire(evutil_socket_t fd, short what, void *ctx)
{
	struct later *l = ctx;
	/* Everything must still be readable, whether the client is there or not. */
	size_t len;
	if (!http_request_path(l->req) || !http_request_body(l->req, &len))
		abort();
	http_reply(l->req, 200, "text/plain", "late\n", 5);
	event_free(l->ev);
	free(l);
}

static inline uint64_t query_number(const struct http_request *r, const char *name,
				    uint64_t otherwise)
{
	uint64_t v;
	const char *text = http_request_query(r, name);
	return text && !str_to_u64(text, &v) ? v : otherwise;
}

static inline void serve_later(struct child *c, struct http_request *r)
{
	struct later *l = calloc(1, sizeof(*l));
	uint64_t ms = query_number(r, "ms", 100);
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	l->child = c;
	l->req = r;
	l->ev = event_new(c->base, -1, 0, later_fire, l);
	event_add(l->ev, &tv);
}

static inline void serve_echo(struct http_request *r)
{
	size_t len, again;
	const char *body = http_request_body(r, &len);
	const char *second = http_request_body(r, &again);
	const char *q = http_request_query(r, "q"), *h = http_request_header(r, "X-Test");
	char *text = str_printf("%s %s q=%s x=%s peer=%s tls=%d same=%d len=%zu body=%.*s\n",
				http_request_method(r), http_request_path(r), q ? q : "-",
				h ? h : "-", http_request_peer(r), http_request_is_tls(r),
				len == again && body[len] == '\0' && !strcmp(body, second), len,
				(int)MIN_OF(len, 200u), body);
	(void)http_reply_header(r, "X-One", "1");
	(void)http_reply_header(r, "X-Two", "a");
	(void)http_reply_header(r, "X-Two", "b");
	http_reply(r, 200, "text/plain", text, strlen(text));
	free(text);
}

/* A body in pieces: counted and summed; "/up?max=N" refuses the byte after the Nth, "/up?no" does not read at all. */
struct upload {
	struct http_request *req;
	uint64_t len, sum, max;
};

static inline int upload_write(void *ctx, const void *data, size_t len)
{
	struct upload *u = ctx;
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		u->sum += p[i] * (++u->len % 251 + 1);
	if (u->len <= u->max)
		return 0;
	http_reply(u->req, 413, "text/plain", "enough\n", 7);
	free(u);
	return -E2BIG;
}

static inline void upload_end(void *ctx, int code)
{
	AUTO(freep) struct upload *u = ctx;
	AUTO(freep)
	char *text = str_printf("len=%llu sum=%llu code=%d\n", (unsigned long long)u->len,
				(unsigned long long)u->sum, code);
	http_reply(u->req, code ? 400 : 200, "text/plain", text, strlen(text));
}

static inline void serve_upload(struct http_request *r)
{
	if (http_request_query(r, "no")) {
		http_reply(r, 403, "text/plain", "no\n", 3);
		return;
	}
	struct upload *u = calloc(1, sizeof(*u));
	u->req = r;
	u->max = query_number(r, "max", UINT64_MAX);
	const struct http_sink sink = { .write = upload_write, .end = upload_end, .ctx = u };
	http_request_read(r, &sink);
}

static inline bool is_upload(void *ctx, const char *path)
{
	return str_starts(path, "/up");
}

static inline void serve(void *ctx, struct http_request *r)
{
	struct child *c = ctx;
	const char *path = http_request_path(r);
	if (!strcmp(path, "/later")) {
		serve_later(c, r);
	} else if (!strcmp(path, "/file") || !strcmp(path, "/bad")) {
		struct http_source src = { .size = query_number(r, "size", FILE_SIZE),
					   .free = file_free,
					   .ctx = c };
		src.pread = *++path == 'b' ? bad_pread : file_pread;
		http_reply_source(r, "application/octet-stream", FILE_ETAG, FILE_MTIME, src);
	} else if (!strcmp(path, "/big")) {
		size_t size = query_number(r, "size", 1000);
		char *data = malloc(size + 1);
		file_pread(NULL, data, size, 0);
		http_reply(r, 200, "application/octet-stream", data, size);
		free(data);
	} else if (!strcmp(path, "/status")) {
		http_reply(r, (int)query_number(r, "code", 200), NULL, NULL, 0);
	} else if (!strcmp(path, "/redirect")) {
		(void)http_reply_header(r, "Location", http_request_query(r, "to"));
		http_reply(r, 302, NULL, NULL, 0);
	} else if (!strcmp(path, "/count")) {
		char *text = str_printf("%u %u", http_server_connections(c->server), c->frees);
		http_reply(r, 200, "text/plain", text, strlen(text));
		free(text);
	} else if (!strcmp(path, "/up") || !strcmp(path, "/other")) {
		serve_upload(r);
	} else if (!strcmp(path, "/stop")) {
		http_server_stop_accepting(c->server);
		http_reply(r, 200, "text/plain", "stopping", 8);
	} else {
		serve_echo(r);
	}
}

static inline void child_stop(evutil_socket_t fd, short what, void *ctx)
{
	struct child *c = ctx;
	/* The loop ends by itself when nothing is left: late replies come after the server has gone. */
	http_server_free(c->server);
	c->server = NULL;
}

static inline int child_main(const struct http_limits *limits, const char *cert, const char *key,
			     int ready_fd, int stop_fd)
{
	struct child c = { .base = event_base_new() };
	struct fault err = FAULT_INIT;
	char addr[64] = "";
	if (http_server_new(c.base, limits, serve, &c, &c.server, &err) ||
	    http_server_listen(c.server, "127.0.0.1:0", cert, key, addr, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (write(ready_fd, addr, sizeof(addr)) != sizeof(addr))
		return 1;
	struct event *stop = event_new(c.base, stop_fd, EV_READ, child_stop, &c);
	event_add(stop, NULL);
	event_base_dispatch(c.base);
	event_free(stop);
	event_base_free(c.base);
	return 0;
}

static inline struct test_server server_begin(const struct http_limits *limits, const char *cert,
					      const char *key)
{
	struct test_server t = { 0 };
	int ready[2], stop[2];
	char addr[64];
	fflush(NULL);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(stop), 0);
	t.pid = fork();
	assert_true(t.pid >= 0);
	if (!t.pid) {
		close(ready[0]);
		close(stop[1]);
		signal(SIGPIPE, SIG_IGN);
		exit(child_main(limits, cert, key, ready[1], stop[0]));
	}
	close(ready[1]);
	close(stop[0]);
	assert_int_equal(read(ready[0], addr, sizeof(addr)), sizeof(addr));
	close(ready[0]);
	t.stop_fd = stop[1];
	t.port = (uint16_t)atoi(strrchr(addr, ':') + 1);
	snprintf(t.url, sizeof(t.url), "%s://%s:%u", cert ? "https" : "http",
		 cert ? "localhost" : "127.0.0.1", t.port);
	return t;
}

static inline void server_end(struct test_server *t)
{
	int status;
	close(t->stop_fd);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Resident memory of the child, KiB. */
static inline long server_rss(const struct test_server *t)
{
	char path[64], line[128];
	long kib = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)t->pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "VmRSS:", 6))
			kib = atol(line + 6);
	}
	fclose(f);
	return kib;
}

/* --- a blocking client on a bare socket -------------------------------------------------------------- */

static inline int dial_rcvbuf(const struct test_server *t, int rcvbuf)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons(t->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static inline int dial(const struct test_server *t)
{
	return dial_rcvbuf(t, 0);
}

static inline void say(int fd, const char *text)
{
	size_t len = strlen(text);
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Everything until the server closes; -1 length = reset or timeout. NUL behind it. */
static inline char *hear_all(int fd, ssize_t *ret_len)
{
	size_t len = 0, size = 1 << 16;
	char *data = malloc(size);
	for (;;) {
		if (len + 65536 > size)
			data = realloc(data, size *= 2);
		ssize_t n = recv(fd, data + len, 65535, 0);
		if (n <= 0) {
			data[len] = '\0';
			if (ret_len)
				*ret_len = n < 0 ? -1 : (ssize_t)len;
			return data;
		}
		len += (size_t)n;
	}
}

/* One reply with Content-Length on a connection that stays open: head and body, NUL behind. */
static inline char *hear_reply(int fd)
{
	size_t len = 0, size = 1 << 16, want = 0;
	char *data = malloc(size);
	for (;;) {
		assert_true(len + 1 < size);
		ssize_t n = recv(fd, data + len, want ? want - len : 1, 0);
		if (n <= 0)
			fail_msg("no reply: %zd, errno %d", n, errno);
		len += (size_t)n;
		data[len] = '\0';
		if (want && len == want)
			return data;
		if (want || len < 4 || strcmp(data + len - 4, "\r\n\r\n") != 0)
			continue;
		const char *cl = strcasestr(data, "\r\nContent-Length: ");
		want = len + (cl ? strtoul(cl + 18, NULL, 10) : 0);
		if (want == len)
			return data;
		if (want >= size)
			data = realloc(data, size = want + 65536);
	}
}

static inline char *ask(const struct test_server *t, const char *request)
{
	int fd = dial(t);
	say(fd, request);
	char *reply = hear_all(fd, NULL);
	close(fd);
	return reply;
}

static inline int status_of(const char *reply)
{
	int status = 0;
	return sscanf(reply, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

static inline const char *body_of(const char *reply)
{
	const char *end = strstr(reply, "\r\n\r\n");
	return end ? end + 4 : "";
}
