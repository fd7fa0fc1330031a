#include "http_server_rig.h"

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
		{ "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400, "{\"code\":400" },
		{ "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 501, "{\"code\":501" },
		{ "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501, "{\"code\":501" },
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
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: ", MAX_HEADERS - 43,
		  "\r\n\r\n", 200 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: ", MAX_HEADERS - 42,
		  "\r\n\r\n", 431 },
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: ", MAX_HEADERS + 100, "",
		  431 },
		{ "GET /", MAX_HEADERS, " HTTP/1.1\r\nHost: h\r\n\r\n", 431 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n",
		  MAX_BODY, "", 200 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10001\r\n\r\n",
		  MAX_BODY + 1, "", 413 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n",
		  1 << 19, "", 413 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n",
		  MAX_BODY, "\r\n0\r\n\r\n", 200 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n",
		  MAX_BODY + 1, "\r\n0\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2710\r\n",
		  MAX_BODY, "\r\n0\r\n\r\n", 413 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *request = filled(cases[i].before, cases[i].fill, cases[i].after);
		AUTO(freep) char *reply = ask(&server, request);
		if (status_of(reply) != cases[i].status)
			fail_msg("case %zu: %.200s", i, reply);
	}
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

/* RFC 9112 §3.2: exactly one Host, and one that can be a host. */
static void test_host(void **state)
{
	static const struct {
		const char *start; /* request line and first headers */
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n", 400 },
		{ "POST / HTTP/1.1\r\nContent-Length: 0\r\n", 400 },
		{ "GET http://h/ HTTP/1.1\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400 },
		{ "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: u@a\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a,b\r\nX: y\r\n", 200 }, /* a reg-name may hold it */
		{ "GET / HTTP/1.1\r\nHost:\r\n", 200 },
		{ "GET / HTTP/1.1\r\nhost: h:8090\r\n", 200 },
		{ "GET / HTTP/1.1\r\nHost: [::1]:8090\r\n", 200 },
		{ "GET / HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n", 200 },
		{ "GET / HTTP/1.0\r\n", 200 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep)
		char *request = str_printf("%sConnection: close\r\n\r\n", cases[i].start);
		AUTO(freep) char *reply = ask(&server, request);
		if (status_of(reply) != cases[i].status)
			fail_msg("%s -> %s", cases[i].start, reply);
	}
}

static unsigned count_of(const char *text, const char *word)
{
	unsigned n = 0;
	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

/* No proxy: a tunnel is refused, and what follows is not taken for a request of this connection. */
static void test_connect(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{ "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 405 },
		{ "CONNECT h:443 HTTP/1.0\r\n\r\n", 405 },
		{ "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", 405 },
		{ "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\nabc", 405 },
		{ "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n",
		  405 },
		{ "CONNECT http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 405 },
		{ "CONNECT h:x HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
		{ "CONNECT  HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *reply = ask(&server, cases[i].request);
		if (status_of(reply) != cases[i].status || count_of(reply, "HTTP/1.") != 1)
			fail_msg("%s -> %s", cases[i].request, reply);
		assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
		assert_true(
			(cases[i].status == 405) ==
			!!strstr(reply,
				 "\r\nAllow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS\r\n"));
	}
}

/*
 * Requests whose end two readers may see in different places (RFC 9112 §11.2), each with a second one behind it: one refusal, the end
 * of the connection, and the second one is never served.
 */
static void test_smuggling(void **state)
{
	static const char second[] = "GET /second HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char *const heads[] = {
		"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n",
		"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
		"X: a\rTransfer-Encoding: chunked\r\n\r\n",
		"X: a\rContent-Length: 3\r\n\r\n",
		"X: \x7f\r\n\r\n",
		"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"Content-Length: 0, 0\r\n\r\n",
		"Content-Length: +0\r\n\r\n",
		"Content-Length: -0\r\n\r\n",
		"Content-Length: 0x0\r\n\r\n",
		"Content-Length: 0 0\r\n\r\n",
		"Content-Length: 18446744073709551616\r\n\r\n",
		"Content-Length: 9223372036854775808\r\n\r\n",
		"Content-Length:\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		AUTO(freep)
		char *request = str_printf("POST /first HTTP/1.1\r\nHost: h\r\n%s%s%s", heads[i],
					   second, second);
		AUTO(freep) char *reply = ask(&server, request);
		if ((status_of(reply) != 400 && status_of(reply) != 413) ||
		    count_of(reply, "HTTP/1.1 ") != 1 || strstr(reply, "/second"))
			fail_msg("case %zu, %s -> %s", i, heads[i], reply);
	}
}

/* Trailers are dropped: they change neither the request nor where the next one begins (RFC 9110 §6.5.1). */
static void test_trailers(void **state)
{
	static const char *const trailers[] = { "Content-Length: 5", "Transfer-Encoding: chunked",
						"Host: other", "X-Test: late" };
	for (size_t i = 0; i < ARRAY_SIZE(trailers); i++) {
		AUTO(freep)
		char *request = str_printf(
			"POST /first HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n%s\r\n\r\n"
			"GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			trailers[i]);
		AUTO(freep) char *reply = ask(&server, request);
		if (count_of(reply, "HTTP/1.1 200 ") != 2 ||
		    !strstr(reply, "POST /first q=- x=- ") || !strstr(reply, "len=1 body=x\n") ||
		    !strstr(reply, "GET /second "))
			fail_msg("%s -> %s", trailers[i], reply);
	}
}

/* Sizes that are none, or too large to be true: refused as soon as they are seen, nothing is waited for. */
static void test_chunk_sizes(void **state)
{
	static const char *const sizes[] = { "g",
					     "-1",
					     "5;ext=1",
					     "5\t",
					     "7fffffffffffffff",
					     "8000000000000000",
					     "ffffffffffffffff",
					     "10000000000000005",
					     "fffffffffffffffffffffffffffffffff" };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO(freep)
		char *request = str_printf(
			"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n%s\r\n",
			sizes[i]);
		AUTO(freep) char *reply = ask(&server, request);
		if (status_of(reply) != 413)
			fail_msg("chunk size %s -> %s", sizes[i], reply);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),        cmocka_unit_test(test_limits),
		cmocka_unit_test(test_expect_continue), cmocka_unit_test(test_host),
		cmocka_unit_test(test_connect),         cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_trailers),        cmocka_unit_test(test_chunk_sizes),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
