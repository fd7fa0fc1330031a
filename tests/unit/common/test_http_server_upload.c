#include "http_testlib.h"

#include "common/buf.h"

#define MAX_BODY 10000
#define IDLE_MS 400
#define LARGE (8u << 20)

static const struct http_limits limits = { .max_headers = 4096,
					   .max_body = MAX_BODY,
					   .idle_timeout_ms = IDLE_MS,
					   .is_upload = is_upload };
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

/* What upload_end() of the server says of a whole body. */
static char *said_of(const void *data, size_t len)
{
	struct upload u = { .max = UINT64_MAX };
	upload_write(&u, data, len);
	return str_printf("len=%llu sum=%llu code=0\n", (unsigned long long)u.len,
			  (unsigned long long)u.sum);
}

#define HEAD "POST /up HTTP/1.1\r\nHost: h\r\n"

static void test_requests(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *body; /* what must have been taken; NULL = does not matter */
	} cases[] = {
		{ HEAD "Content-Length: 5\r\n\r\nhello", 200, "hello" },
		{ HEAD "content-length:5\nX-A: b\n\nhello", 200, "hello" },
		{ HEAD "Content-Length: 0\r\n\r\n", 200, "" },
		{ HEAD "\r\n", 200, "" },
		{ "POST /up?a=b HTTP/1.0\r\nContent-Length: 2\r\n\r\nok", 200, "ok" },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
		  200, "abcde" },
		{ HEAD
		  "Transfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
		  200, "0123456789" },
		/* not taken in pieces by the server, but asked for all the same */
		{ "POST /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
		  200, "abc" },
		{ "POST /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "" },
		{ "PUT /up HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
		  200, "abc" },
		/* where the body ends must be clear */
		{ HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, NULL },
		{ HEAD "Content-Length: 5, 5\r\n\r\nhello", 400, NULL },
		{ HEAD "Content-Length: -1\r\n\r\nhello", 400, NULL },
		{ HEAD "Content-Length: 18446744073709551615\r\n\r\nhello", 400, NULL },
		{ HEAD "Content-Length: \r\n\r\nhello", 400, NULL },
		{ HEAD "Content-Length: 5\r\n 6\r\n\r\nhello!", 400, NULL },
		{ HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
		  NULL },
		{ HEAD "Content-Length : 5\r\n\r\nhello", 400, NULL },
		{ HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, NULL },
		{ HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400, NULL },
		{ HEAD "Expect: magic\r\nContent-Length: 1\r\n\r\nx", 400, NULL },
		/* broken chunks */
		{ HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, NULL },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", 400, NULL },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", 400, NULL },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", 400, NULL },
		{ HEAD "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400, NULL },
		/* the handler's refusals, before the body and in it */
		{ "POST /up?no HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhello", 403,
		  NULL },
		{ "POST /up?max=4 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhello", 413,
		  NULL },
		{ "POST /up?max=4 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		  413, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) char *reply = ask(&server, cases[i].request);
		AUTO(freep)
		char *said = cases[i].body ? said_of(cases[i].body, strlen(cases[i].body)) : NULL;
		if (status_of(reply) != cases[i].status || (said && !strstr(reply, said)))
			fail_msg("%s -> %s, not %s", cases[i].request, reply, said ? said : "");
	}
}

/* The same bytes in pieces of every size that cuts the head, a line end, a chunk. */
static void test_pieces(void **state)
{
	static const char request[] =
		"POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
	AUTO(freep) char *said = said_of("hello world", 11);
	for (size_t step = 1; step < 40; step += 6) {
		int fd = dial(&server);
		for (size_t at = 0; at < sizeof(request) - 1; at += step) {
			size_t n = MIN_OF(step, sizeof(request) - 1 - at);
			assert_int_equal(send(fd, request + at, n, MSG_NOSIGNAL), (ssize_t)n);
			/* so that the kernel does not join them */
			struct timespec pause = { .tv_nsec = 300000 };
			nanosleep(&pause, NULL);
		}
		AUTO(freep) char *reply = hear_all(fd, NULL);
		if (!strstr(reply, said))
			fail_msg("in steps of %zu: %s", step, reply);
		close(fd);
	}
}

/* Far above max_body, and nothing of it is kept. */
static void test_large(void **state)
{
	AUTO(freep) char *data = malloc(LARGE);
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)file_byte(i);
	AUTO(freep) char *said = said_of(data, LARGE);
	long before = server_rss(&server);
	for (int i = 0; i < 4; i++) {
		int fd = dial(&server);
		AUTO(freep)
		char *head = str_printf(HEAD "Expect: 100-continue\r\nContent-Length: %u\r\n\r\n",
					LARGE);
		say(fd, head);
		AUTO(freep) char *go = hear_reply(fd);
		assert_int_equal(status_of(go), 100);
		for (size_t at = 0; at < LARGE;) {
			ssize_t n = send(fd, data + at, LARGE - at, MSG_NOSIGNAL);
			assert_true(n > 0);
			at += (size_t)n;
		}
		AUTO(freep) char *reply = hear_all(fd, NULL);
		assert_non_null(strstr(reply, said));
		close(fd);
	}
#ifndef __SANITIZE_ADDRESS__
	/* a sanitizer keeps what was freed */
	if (server_rss(&server) - before > 2048)
		fail_msg("%ld KiB more", server_rss(&server) - before);
#endif
	assert_true(before > 0);
}

/* A sender that has gone, one that has closed its side too early, and one that does not go on: none of them stays. */
static void test_senders_that_fail(void **state)
{
	static const char begin[] = HEAD "Content-Length: 100\r\n\r\nhello";
	int gone = dial(&server), closed = dial(&server), silent = dial(&server);
	say(gone, begin);
	close(gone);
	say(closed, begin);
	shutdown(closed, SHUT_WR);
	say(silent, begin);
	AUTO(freep) char *one = hear_all(closed, NULL);
	AUTO(freep) char *two = hear_all(silent, NULL);
	assert_string_equal(one, "");
	assert_string_equal(two, "");
	close(closed);
	close(silent);
	AUTO(freep)
	char *count = ask(&server, "GET /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_string_equal(body_of(count), "1 0");
}

/* However much it has sent before: who stands still does not stay. */
static void test_sender_that_stops(void **state)
{
	AUTO(freep) char *data = calloc(1, LARGE);
	int fd = dial(&server);

	say(fd, HEAD "Content-Length: 100000000\r\n\r\n");
	for (size_t at = 0; at < LARGE;) {
		ssize_t n = send(fd, data + at, LARGE - at, MSG_NOSIGNAL);
		assert_true(n > 0);
		at += (size_t)n;
	}
	int64_t start_ms = time_mono_ms();
	AUTO(freep) char *none = hear_all(fd, NULL);
	assert_true(time_mono_ms() - start_ms < (int64_t)20 * IDLE_MS);
	assert_string_equal(none, "");
	close(fd);
}

/* A head above the limit, and one that is no upload after all, are the server's own business. */
static void test_not_held(void **state)
{
	AUTO(freep) char *pad = malloc(6000);
	memset(pad, 'x', 5999);
	pad[5999] = '\0';
	AUTO(freep) char *head = str_printf(HEAD "X-A: %s", pad);
	AUTO(freep) char *reply = ask(&server, head);
	assert_int_equal(status_of(reply), 431);
	AUTO(freep)
	char *big = str_printf(
		"POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10001\r\n\r\n%s%s", pad, pad);
	AUTO(freep) char *no = ask(&server, big);
	assert_int_equal(status_of(no), 413);
}

/* After others on the same connection; the connection ends with its reply. */
static void test_after_others(void **state)
{
	int fd = dial(&server);
	for (int i = 0; i < 3; i++) {
		say(fd, "POST /k HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
		AUTO(freep) char *reply = hear_reply(fd);
		assert_int_equal(status_of(reply), 200);
	}
	say(fd, HEAD "Content-Length: 20000\r\n\r\n");
	AUTO(freep) char *data = malloc(20001);
	memset(data, 'y', 20000);
	data[20000] = '\0';
	AUTO(freep) char *said = said_of(data, 20000);
	say(fd, data);
	AUTO(freep) char *reply = hear_all(fd, NULL);
	assert_non_null(strstr(reply, said));
	assert_non_null(strstr(reply, "Connection: close"));
	close(fd);
}

/* The server ends while a body is on its way: the sink hears of it (a leak would fail the child under a sanitizer). */
static void test_server_ends(void **state)
{
	struct test_server own = server_begin(&limits, NULL, NULL);
	int fd = dial(&own);
	say(fd, HEAD "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n");
	AUTO(freep) char *go = hear_reply(fd);
	assert_int_equal(status_of(go), 100);
	server_end(&own);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_senders_that_fail),
		cmocka_unit_test(test_sender_that_stops),
		cmocka_unit_test(test_not_held),
		cmocka_unit_test(test_after_others),
		cmocka_unit_test(test_server_ends),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
