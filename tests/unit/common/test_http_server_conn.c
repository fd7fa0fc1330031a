#include "http_server_rig.h"

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
	    "GET /later?ms=80 HTTP/1.1\r\nHost: h\r\n\r\nGET /two HTTP/1.1\r\nHost: h\r\n\r\nGET /later?ms=10 HTTP/1.1\r\nHost: h\r\n\r\n");
	AUTO(freep) char *one = hear_reply(fd), *two = hear_reply(fd), *three = hear_reply(fd);
	assert_string_equal(body_of(one), "late\n");
	assert_non_null(strstr(two, "GET /two"));
	assert_string_equal(body_of(three), "late\n");
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

/* Connections without progress are closed: silent, one byte now and then, body that does not come, idle keep-alive. */
static void test_timeouts(void **state)
{
	int fd = dial(&server);
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	fd = dial(&server);
	say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\nabc");
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	fd = dial(&server);
	say(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	free(hear_reply(fd));
	assert_in_range(closed_after(fd), IDLE_MS / 2, IDLE_MS * 3);

	/* The slow sender: never silent for long, and cut all the same. */
	fd = dial(&server);
	int64_t start = time_mono_ms();
	const char *line =
		"GET / HTTP/1.1\r\nHost: h\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
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
	char *reply =
		ask(&server, "GET /later?ms=1500 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_string_equal(body_of(reply), "late\n");
}

static void counts(unsigned *conns, unsigned *frees)
{
	AUTO(freep)
	char *reply = ask(&server, "GET /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
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
		say(fd, i % 2 ? "GET /later?ms=60 HTTP/1.1\r\nHost: h\r\n\r\n"
			      : "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
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

/* Sends @start, then @drip a byte at a time for ever: the milliseconds until the server has had enough. */
static int64_t dripped_until(const char *start, char drip)
{
	int fd = dial(&server);
	int64_t begin = time_mono_ms();
	say(fd, start);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
		if (send(fd, &drip, 1, MSG_NOSIGNAL) != 1 || poll(&p, 1, 50) > 0 ||
		    time_mono_ms() - begin > 10 * IDLE_MS)
			break;
	}
	close(fd);
	return time_mono_ms() - begin;
}

/* A body that comes in drops holds a connection no longer than one that does not come. */
static void test_slow_bodies(void **state)
{
	static const char *const starts[] = {
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ",
	};
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		assert_in_range(dripped_until(starts[i], 'a'), IDLE_MS / 2, IDLE_MS * 4);
}

/* Many that have said half a request: others are served meanwhile, and all places come free. */
static void test_half_open(void **state)
{
	int fds[200];
	unsigned conns, frees;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial(&server);
		if (i % 2)
			say(fds[i], "GET / HTTP/1.1\r\nHost: h\r\nX-Half");
	}
	counts(&conns, &frees);
	assert_int_equal(conns, ARRAY_SIZE(fds) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		assert_in_range(closed_after(fds[i]), 0, IDLE_MS * 3);
	counts(&conns, &frees);
	assert_int_equal(conns, 1);
}

/* Nonsense behind a good request: that one is answered, then comes one refusal and the end. */
static void test_nonsense_behind(void **state)
{
	static const char *const behind[] = { "nonsense\r\n\r\n", "GET /\r\n\r\n",
					      "GET / HTTP/1.1\r\n\r\n",
					      "\x16\x03\x01\x02\x01\r\n\r\n" };
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
		AUTO(freep)
		char *both = str_printf("GET /first HTTP/1.1\r\nHost: h\r\n\r\n%s", behind[i]);
		AUTO(freep) char *reply = ask(&server, both);
		assert_int_equal(status_of(reply), 200);
		const char *refusal = strstr(body_of(reply), "HTTP/1.1 ");
		if (!refusal || status_of(refusal) != 400)
			fail_msg("%s -> %s", behind[i], reply);
		assert_null(strstr(refusal + 1, "HTTP/1.1 "));
	}
}

/* A connection that was used may wait longer for its next request than one that never said anything. */
static void test_keep(void **state)
{
	static const struct http_limits own_limits = { .idle_timeout_ms = 300, .keep_ms = 1500 };
	struct test_server own = server_begin(&own_limits, NULL, NULL);
	int used = dial(&own), unused = dial(&own);

	say(used, "GET /one HTTP/1.1\r\nHost: h\r\n\r\n");
	free(hear_reply(used));
	int64_t ms = closed_after(unused);
	if (ms < 200 || ms > 1200)
		fail_msg("silent from the start: closed after %lld ms", (long long)ms);
	struct timespec pause = { .tv_nsec = 400000000 };
	nanosleep(&pause, NULL);
	say(used, "GET /two HTTP/1.1\r\nHost: h\r\n\r\n");
	AUTO(freep) char *reply = hear_reply(used);
	assert_non_null(strstr(reply, "GET /two"));
	ms = closed_after(used);
	if (ms < 1300 || ms > 4000)
		fail_msg("used: closed after %lld ms", (long long)ms);
	server_end(&own);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive_and_pipelining),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_slow_handler),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_slow_bodies),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_nonsense_behind),
		cmocka_unit_test(test_keep),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
