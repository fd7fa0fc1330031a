#include "http_testlib.h"

#include <sys/resource.h>

#include "common/http_range.h"

#define MAX_HEADERS 4096
#define MAX_BODY 10000
#define IDLE_MS 600

static const struct http_limits limits = { .max_headers = MAX_HEADERS,
					   .max_body = MAX_BODY,
					   .idle_timeout_ms = IDLE_MS };
static struct test_server server;

static int setup(void **state)
{
	server = server_begin(&limits, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	server_end(&server);
	return 0;
}

/* Requests and what must come back. Every one ends with the connection closed. */
static void test_requests(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *text; /* in the whole reply */
	} cases[] = {
		{ "GET /a%20b?q=1%2B1+x&z HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200,
		  "GET /a b q=1+1 x x=- peer=127.0.0.1 tls=0" },
		{ "POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\nX-Test: v\r\n\r\nhello",
		  200, "x=v peer=127.0.0.1 tls=0 same=1 len=5 body=hello\n" },
		{ "POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		  200, "len=5 body=abcde\n" },
		{ "PUT /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
		  200, "PUT /p" },
		{ "PATCH /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
		  200, "PATCH /p" },
		{ "DELETE /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "DELETE /p" },
		{ "DELETE /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]",
		  200, "len=2 body=[]" },
		{ "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "OPTIONS *" },
		{ "GET http://h/abs?q=7 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nProxy-Connection: close\r\n\r\n",
		  200, "GET /abs q=7" },
		{ "GET /old HTTP/1.0\r\n\r\n", 200, "GET /old" },
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200,
		  "\r\nX-Two: a\r\nX-Two: b\r\n" },
		{ "GET /?qq=1&q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "q= x" },
		{ "GET /status?code=204 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 204,
		  "204 No Content" },
		{ "GET /status?code=422 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 422,
		  "422 Unprocessable Content" },
		/* What must be refused, each with a small JSON body. */
		{ "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400,
		  "{\"code\":400,\"message\":\"Bad Request\"}" },
		{ "GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n", 400, "{\"code\":400" },
		{ "GET /a%2Fb HTTP/1.1\r\nHost: h\r\n\r\n", 400, "{\"code\":400" },
		{ "GET /a?b=c%2fd HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\n", 400,
		  "{\"code\":400" },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX Y: z\r\n\r\n", 400, "{\"code\":400" },
		{ "GET relative HTTP/1.1\r\nHost: h\r\n\r\n", 400, "{\"code\":400" },
		{ "nonsense\r\n\r\n", 400, "{\"code\":400" },
		{ "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400, "{\"code\":400" },
		{ "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "{\"code\":400" },
		{ "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 501, "{\"code\":501" },
		{ "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "{\"code\":501" },
		{ "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 501, "{\"code\":501" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", 400,
		  "{\"code\":400" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		  400, "{\"code\":400" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400, "{\"code\":400" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		  400, "{\"code\":400" },
		{ "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 400,
		  "400 Bad Request" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 413,
		  "{\"code\":413" },
		{ "POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\nContent-Length: 1\r\n\r\nx", 417,
		  "{\"code\":417" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *reply = ask(&server, cases[i].request);
		if (status_of(reply) != cases[i].status || !strstr(reply, cases[i].text) ||
		    strstr(reply, "<HTML>"))
			fail_msg("%s -> %s", cases[i].request, reply);
	}
}

static char *filled(const char *before, size_t n, const char *after)
{
	AUTO(freep) char *pad = malloc(n + 1);
	memset(pad, 'x', n);
	pad[n] = '\0';
	return str_printf("%s%s%s", before, pad, after);
}

/* At the limit and one above; the reply must arrive although the client still sends. */
static void test_limits(void **state)
{
	static const struct {
		const char *before;
		size_t fill;
		const char *after;
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nConnection: close\r\nX-A: ", MAX_HEADERS - 36, "\r\n\r\n",
		  200 },
		{ "GET / HTTP/1.1\r\nConnection: close\r\nX-A: ", MAX_HEADERS - 35, "\r\n\r\n",
		  431 },
		{ "GET / HTTP/1.1\r\nConnection: close\r\nX-A: ", MAX_HEADERS + 100, "", 431 },
		{ "GET /", MAX_HEADERS, " HTTP/1.1\r\n\r\n", 431 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n", MAX_BODY,
		  "", 200 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 10001\r\n\r\n",
		  MAX_BODY + 1, "", 413 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n",
		  1 << 19, "", 413 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n",
		  MAX_BODY, "\r\n0\r\n\r\n", 200 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n",
		  MAX_BODY + 1, "\r\n0\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2710\r\n",
		  MAX_BODY, "\r\n0\r\n\r\n", 413 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *request = filled(cases[i].before, cases[i].fill, cases[i].after);
		AUTO(freep) char *reply = ask(&server, request);
		if (status_of(reply) != cases[i].status)
			fail_msg("case %zu: %.200s", i, reply);
	}
}

static void test_keep_alive_and_pipelining(void **state)
{
	int fd = dial(&server);
	for (int i = 0; i < 50; i++) {
		say(fd, "POST /k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
		AUTO(freep) char *reply = hear_reply(fd);
		assert_int_equal(status_of(reply), 200);
		assert_non_null(strstr(reply, "body=ok\n"));
	}
	/* The second and third request lie there while the first one waits for its reply. */
	say(fd,
	    "GET /later?ms=80 HTTP/1.1\r\n\r\nGET /two HTTP/1.1\r\n\r\nGET /later?ms=10 HTTP/1.1\r\n\r\n");
	AUTO(freep) char *one = hear_reply(fd), *two = hear_reply(fd), *three = hear_reply(fd);
	assert_string_equal(body_of(one), "late\n");
	assert_non_null(strstr(two, "GET /two"));
	assert_string_equal(body_of(three), "late\n");
	close(fd);
}

static void test_expect_continue(void **state)
{
	int fd = dial(&server);
	say(fd,
	    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n");
	AUTO(freep) char *go = hear_reply(fd);
	assert_int_equal(status_of(go), 100);
	say(fd, "abc");
	AUTO(freep) char *reply = hear_all(fd, NULL);
	assert_int_equal(status_of(reply), 200);
	assert_non_null(strstr(reply, "body=abc"));
	close(fd);
	/* Refused before the body; and after it has begun. */
	AUTO(freep)
	char *no = ask(
		&server,
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n");
	assert_int_equal(status_of(no), 413);
	fd = dial(&server);
	say(fd,
	    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
	AUTO(freep) char *go2 = hear_reply(fd);
	assert_int_equal(status_of(go2), 100);
	say(fd, "fffff\r\n");
	AUTO(freep) char *no2 = hear_all(fd, NULL);
	assert_int_equal(status_of(no2), 413);
	close(fd);
}

/* A client that closes its sending side after the request still gets the reply, also a late and a large one. */
static void test_half_close(void **state)
{
	static const char *const paths[] = { "/x", "/later?ms=50", "/file?size=3000000",
					     "/big?size=3000000" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO(freep)
		char *request = str_printf("GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
		int fd = dial(&server);
		say(fd, request);
		shutdown(fd, SHUT_WR);
		ssize_t len;
		AUTO(freep) char *reply = hear_all(fd, &len);
		assert_int_equal(status_of(reply), 200);
		const char *cl = strstr(reply, "Content-Length: ");
		assert_non_null(cl);
		assert_int_equal(len - (body_of(reply) - reply), atol(cl + 16));
		close(fd);
	}
}

static int64_t closed_after(int fd)
{
	int64_t start = time_mono_ms();
	free(hear_all(fd, NULL));
	close(fd);
	return time_mono_ms() - start;
}

/* Connections without progress are closed: silent, one byte now and then, body that does not come, idle keep-alive. */
static void test_timeouts(void **state)
{
	int fd = dial(&server);
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	fd = dial(&server);
	say(fd, "POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\nabc");
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	fd = dial(&server);
	say(fd, "GET / HTTP/1.1\r\n\r\n");
	free(hear_reply(fd));
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	/* The slow sender: never silent for long, and cut all the same. */
	fd = dial(&server);
	int64_t start = time_mono_ms();
	const char *line =
		"GET / HTTP/1.1\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	size_t i = 0;
	for (; line[i]; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
		if (send(fd, line + i, 1, MSG_NOSIGNAL) != 1 || poll(&p, 1, 50) > 0)
			break;
	}
	assert_true(line[i]);
	assert_in_range(time_mono_ms() - start, IDLE_MS / 2, IDLE_MS * 3);
	close(fd);
}

/* A handler may take longer than the idle time. */
static void test_slow_handler(void **state)
{
	AUTO(freep)
	char *reply = ask(&server, "GET /later?ms=1500 HTTP/1.1\r\nConnection: close\r\n\r\n");
	assert_string_equal(body_of(reply), "late\n");
}

static void counts(unsigned *conns, unsigned *frees)
{
	AUTO(freep) char *reply = ask(&server, "GET /count HTTP/1.1\r\nConnection: close\r\n\r\n");
	assert_int_equal(sscanf(body_of(reply), "%u %u", conns, frees), 2);
}

/* The client goes away before the late reply, and in the middle of a file: no leak, the source is freed, the server lives. */
static void test_client_gone(void **state)
{
	unsigned before, after, conns;
	struct linger hard = { .l_onoff = 1 };
	counts(&conns, &before);
	for (int i = 0; i < 20; i++) {
		int fd = dial(&server);
		say(fd, i % 2 ? "GET /later?ms=60 HTTP/1.1\r\n\r\n" : "GET /file HTTP/1.1\r\n\r\n");
		char some[1000];
		if (i % 2 == 0)
			assert_true(recv(fd, some, sizeof(some), 0) > 0);
		if (i % 4 > 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
	}
	for (int i = 0; i < 40; i++) {
		counts(&conns, &after);
		if (after - before == 10 && conns == 1)
			return;
		usleep(50000);
	}
	fail_msg("%u connections, %u sources freed", conns, after - before);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *headers;
		int status;
		uint64_t first, length; /* of a single part; length 0 = no body is looked at */
		const char *text;
	} cases[] = {
		{ "", 200, 0, 1000, "\r\nAccept-Ranges: bytes\r\n" },
		{ "", 200, 0, 1000, "\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n" },
		{ "Range: bytes=0-0\r\n", 206, 0, 1, "\r\nContent-Range: bytes 0-0/1000\r\n" },
		{ "Range: bytes=10-19\r\n", 206, 10, 10,
		  "\r\nContent-Range: bytes 10-19/1000\r\n" },
		{ "Range: bytes=990-\r\n", 206, 990, 10,
		  "\r\nContent-Range: bytes 990-999/1000\r\n" },
		{ "Range: bytes=-7\r\n", 206, 993, 7, "\r\nContent-Range: bytes 993-999/1000\r\n" },
		{ "Range: bytes=-5000\r\n", 206, 0, 1000,
		  "\r\nContent-Range: bytes 0-999/1000\r\n" },
		{ "Range: bytes=500-5000\r\n", 206, 500, 500,
		  "\r\nContent-Range: bytes 500-999/1000\r\n" },
		{ "Range: bytes=1000-\r\n", 416, 0, 0, "\r\nContent-Range: bytes */1000\r\n" },
		{ "Range: bytes=-0\r\n", 416, 0, 0, "\r\nContent-Range: bytes */1000\r\n" },
		{ "Range: bytes=5-4\r\n", 200, 0, 1000, "" },
		{ "Range: lines=0-1\r\n", 200, 0, 1000, "" },
		{ "Range: bytes=0-1,2000-\r\n", 206, 0, 2,
		  "\r\nContent-Range: bytes 0-1/1000\r\n" },
		{ "Range: bytes=0-1\r\nIf-Range: \"f1\"\r\n", 206, 0, 2, "" },
		{ "Range: bytes=0-1\r\nIf-Range: \"f2\"\r\n", 200, 0, 1000, "" },
		{ "Range: bytes=0-1\r\nIf-Range: W/\"f1\"\r\n", 200, 0, 1000, "" },
		{ "Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 206, 0, 2,
		  "" },
		{ "Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 200, 0, 1000,
		  "" },
		{ "If-None-Match: \"f1\"\r\n", 304, 0, 0, "\r\nETag: \"f1\"\r\n" },
		{ "If-None-Match: \"a\", W/\"f1\"\r\n", 304, 0, 0, "" },
		{ "If-None-Match: *\r\n", 304, 0, 0, "" },
		{ "If-None-Match: \"f\"\r\n", 200, 0, 1000, "" },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304, 0, 0, "" },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200, 0, 1000, "" },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-None-Match: \"x\"\r\n",
		  200, 0, 1000, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep)
		char *request =
			str_printf("GET /file?size=1000 HTTP/1.1\r\nConnection: close\r\n%s\r\n",
				   cases[i].headers);
		int fd = dial(&server);
		say(fd, request);
		ssize_t len;
		AUTO(freep) char *reply = hear_all(fd, &len);
		close(fd);
		if (status_of(reply) != cases[i].status || !strstr(reply, cases[i].text))
			fail_msg("%s -> %.600s", cases[i].headers, reply);
		const uint8_t *body = (const uint8_t *)body_of(reply);
		if (!cases[i].length)
			continue;
		assert_int_equal((const uint8_t *)reply + len - body, cases[i].length);
		for (uint64_t k = 0; k < cases[i].length; k++)
			assert_int_equal(body[k], file_byte(cases[i].first + k));
	}
}

static void test_head(void **state)
{
	AUTO(freep)
	char *reply = ask(
		&server,
		"HEAD /file?size=1000 HTTP/1.1\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n");
	assert_int_equal(status_of(reply), 200);
	assert_non_null(strstr(reply, "\r\nContent-Length: 1000\r\n"));
	assert_string_equal(body_of(reply), "");
	/* And the connection is in step after it. */
	int fd = dial(&server);
	say(fd, "HEAD /x HTTP/1.1\r\n\r\nGET /y HTTP/1.1\r\nConnection: close\r\n\r\n");
	AUTO(freep) char *both = hear_all(fd, NULL);
	close(fd);
	assert_int_equal(status_of(both), 200);
	assert_int_equal(status_of(body_of(both)), 200);
	assert_non_null(strstr(both, "GET /y"));
}

static void test_multipart(void **state)
{
	int fd = dial(&server);
	say(fd,
	    "GET /file HTTP/1.1\r\nConnection: close\r\nRange: bytes=5-6, 300000-599999,-3\r\n\r\n");
	ssize_t len;
	AUTO(freep) char *reply = hear_all(fd, &len);
	close(fd);
	assert_int_equal(status_of(reply), 206);
	const char *b = strstr(reply, "boundary=");
	assert_non_null(b);
	AUTO(freep) char *boundary = strndup(b + 9, strcspn(b + 9, "\r"));
	char *p = (char *)body_of(reply);
	assert_int_equal(strtol(strstr(reply, "Content-Length: ") + 16, NULL, 10), reply + len - p);

	static const uint64_t want[][2] = { { 5, 6 },
					    { 300000, 599999 },
					    { FILE_SIZE - 3, FILE_SIZE - 1 } };
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		AUTO(freep)
		char *head = str_printf(
			"%s--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %llu-%llu/%u\r\n\r\n",
			i ? "\r\n" : "", boundary, (unsigned long long)want[i][0],
			(unsigned long long)want[i][1], FILE_SIZE);
		assert_memory_equal(p, head, strlen(head));
		p += strlen(head);
		for (uint64_t k = want[i][0]; k <= want[i][1]; k++, p++)
			assert_int_equal((uint8_t)*p, file_byte(k));
	}
	AUTO(freep) char *tail = str_printf("\r\n--%s--\r\n", boundary);
	assert_string_equal(p, tail);
}

/* A source that fails: before the first byte it is a 500, later the body is cut. */
static void test_source_error(void **state)
{
	AUTO(freep)
	char *early = ask(
		&server, "GET /bad HTTP/1.1\r\nConnection: close\r\nRange: bytes=2000000-\r\n\r\n");
	assert_int_equal(status_of(early), 500);
	int fd = dial(&server);
	say(fd, "GET /bad HTTP/1.1\r\nConnection: close\r\n\r\n");
	ssize_t len;
	AUTO(freep) char *late = hear_all(fd, &len);
	close(fd);
	assert_int_equal(status_of(late), 200);
	assert_true(len < 2 << 20);
}

/* Large replies whole, at full speed. */
static void test_large(void **state)
{
	static const char *const paths[] = { "/file", "/big?size=67108864" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO(freep)
		char *request =
			str_printf("GET %s HTTP/1.1\r\nConnection: close\r\n\r\n", paths[i]);
		int fd = dial(&server);
		say(fd, request);
		ssize_t len;
		AUTO(freep) char *reply = hear_all(fd, &len);
		close(fd);
		const uint8_t *body = (const uint8_t *)body_of(reply);
		assert_int_equal((const uint8_t *)reply + len - body, FILE_SIZE);
		for (uint32_t k = 0; k < FILE_SIZE; k++) {
			if (body[k] != file_byte(k))
				fail_msg("byte %u differs", k);
		}
	}
}

static void test_listen_errors(void **state)
{
	static const char *const bad[] = {
		"", "8090", "1.2.3.4", "::1:80", "127.0.0.1:99999", "127.0.0.1:x", "192.0.2.1:0"
	};
	struct event_base *base = event_base_new();
	struct http_server *s;
	assert_int_equal(http_server_new(base, NULL, serve, NULL, &s, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fault err = FAULT_INIT;
		char addr[64];
		assert_true(http_server_listen(s, bad[i], NULL, NULL, addr, &err) < 0);
		assert_true(err.text[0]);
	}
	char addr[64];
	struct fault err = FAULT_INIT;
	assert_int_equal(http_server_listen(s, "[::1]:0", NULL, NULL, addr, NULL), 0);
	assert_memory_equal(addr, "[::1]:", 6);
	assert_int_equal(http_server_listen(s, addr, NULL, NULL, NULL, &err), -EADDRINUSE);
	http_server_free(s);
	event_base_free(base);
}

/* Above the limit of connections new ones wait, and come in when others go. */
static void test_max_connections(void **state)
{
	struct http_limits few = limits;
	few.max_connections = 4;
	struct test_server t = server_begin(&few, NULL, NULL);
	int fds[4];
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial(&t);
		say(fds[i], "GET /a HTTP/1.1\r\n\r\n");
		free(hear_reply(fds[i]));
	}
	int fd = dial(&t);
	say(fd, "GET /later?ms=1 HTTP/1.1\r\n\r\n");
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 200), 0);
	close(fds[0]);
	AUTO(freep) char *reply = hear_reply(fd);
	assert_int_equal(status_of(reply), 200);
	close(fd);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	server_end(&t);
}

/* The end: no new connection, idle ones closed, the running reply completed, then free with one still waiting. */
static void test_stop(void **state)
{
	struct test_server t = server_begin(NULL, NULL, NULL);
	int idle = dial(&t), busy = dial(&t), stop = dial(&t);
	say(idle, "GET /a HTTP/1.1\r\n\r\n");
	free(hear_reply(idle));
	say(busy, "GET /later?ms=400 HTTP/1.1\r\n\r\n");
	usleep(50000);
	say(stop, "GET /stop HTTP/1.1\r\n\r\n");
	AUTO(freep) char *reply = hear_all(stop, NULL);
	assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
	assert_true(closed_after(idle) < 2000);
	AUTO(freep) char *late = hear_all(busy, NULL);
	assert_string_equal(body_of(late), "late\n");
	close(busy);
	close(stop);
	server_end(&t);

	t = server_begin(NULL, NULL, NULL);
	busy = dial(&t);
	say(busy, "GET /later?ms=300 HTTP/1.1\r\n\r\n");
	usleep(50000);
	server_end(&t);
	close(busy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_keep_alive_and_pipelining),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_slow_handler),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_multipart),
		cmocka_unit_test(test_source_error),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_listen_errors),
		cmocka_unit_test(test_max_connections),
		cmocka_unit_test(test_stop),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
