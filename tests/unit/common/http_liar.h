#pragma once
/*
 * A server that says what it is told to, in a child process: for the faults that ours does not commit.
 */
#include "http_testlib.h"

static const struct {
	const char *path, *reply;
	bool hangs; /* keeps the connection open afterwards */
} lies[] = {
	{ "/200", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789", false },
	{ "/other",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 6-10/20\r\nContent-Length: 5\r\n\r\n01234",
	  false },
	{ "/shorter",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-8/20\r\nContent-Length: 4\r\n\r\n0123",
	  false },
	{ "/small-total",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/9\r\nContent-Length: 5\r\n\r\n01234",
	  false },
	{ "/no-range", "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\n01234", false },
	{ "/junk-range",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/20x\r\nContent-Length: 5\r\n\r\n01234",
	  false },
	{ "/few",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/20\r\nContent-Length: 4\r\n\r\n0123",
	  false },
	{ "/many",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/20\r\nContent-Length: 6\r\n\r\n012345",
	  false },
	{ "/star",
	  "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/*\r\nContent-Length: 5\r\n\r\n01234",
	  false },
	{ "/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", false },
	{ "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", false },
	{ "/nothing", "", false },
	{ "/no-http", "220 mail ESMTP\r\n\r\n", false },
	{ "/stall", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", true },
	{ "/silent", "", true },
	{ "/loop",
	  "HTTP/1.1 302 Found\r\nLocation: /loop\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
	  false },
	{ "/to-file",
	  "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	  false },
	{ "/continue",
	  "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late:  2 \r\nContent-Length: 2\r\n\r\nok",
	  false },
};

static inline void lie(int fd)
{
	char request[70000];
	size_t len = 0;
	while (len + 1 < sizeof(request)) {
		ssize_t n = recv(fd, request + len, sizeof(request) - 1 - len, 0);
		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	char *path = strchr(request, ' ') + 1;
	size_t path_len = strcspn(path, " ?");
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		if (strlen(lies[i].path) != path_len || memcmp(lies[i].path, path, path_len) != 0)
			continue;
		(void)!send(fd, lies[i].reply, strlen(lies[i].reply), MSG_NOSIGNAL);
		if (lies[i].hangs)
			(void)!recv(fd, request, 1, 0);
		return;
	}
	if (!strncmp(path, "/headers", 8)) {
		static const char line[] =
			"X-Pad: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
		(void)!send(fd, "HTTP/1.1 200 OK\r\n", 17, MSG_NOSIGNAL);
		for (int i = 0; i < 1000; i++)
			(void)!send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
		(void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
		return;
	}
	/* Anything else: what was asked, as the body. */
	char head[64];
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	(void)!send(fd, head, strlen(head), MSG_NOSIGNAL);
	(void)!send(fd, request, len, MSG_NOSIGNAL);
}

static inline int liar_main(int listener, int stop_fd)
{
	struct pollfd p[2] = { { .fd = listener, .events = POLLIN },
			       { .fd = stop_fd, .events = POLLIN } };
	while (poll(p, 2, -1) > 0 && !p[1].revents) {
		int fd = accept(listener, NULL, NULL);
		pid_t pid = fork();
		if (!pid) {
			struct timeval tv = { .tv_sec = 10 };
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
			lie(fd);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}

static inline struct test_server liar_begin(const struct test_server *other)
{
	struct test_server t = { 0 };
	int stop[2];
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(pipe(stop), 0);
	fflush(NULL);
	t.pid = fork();
	if (!t.pid) {
		close(stop[1]);
		close(other->stop_fd); /* or that server would never see its end */
		signal(SIGCHLD, SIG_IGN);
		_exit(liar_main(fd, stop[0]));
	}
	close(fd);
	close(stop[0]);
	t.stop_fd = stop[1];
	t.port = ntohs(sa.sin_port);
	snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%u", t.port);
	return t;
}
