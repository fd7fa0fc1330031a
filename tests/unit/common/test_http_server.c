#include "http_server_rig.h"

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
		say(fds[i], "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
		free(hear_reply(fds[i]));
	}
	int fd = dial(&t);
	say(fd, "GET /later?ms=1 HTTP/1.1\r\nHost: h\r\n\r\n");
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
	say(idle, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	free(hear_reply(idle));
	say(busy, "GET /later?ms=400 HTTP/1.1\r\nHost: h\r\n\r\n");
	usleep(50000);
	say(stop, "GET /stop HTTP/1.1\r\nHost: h\r\n\r\n");
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
	say(busy, "GET /later?ms=300 HTTP/1.1\r\nHost: h\r\n\r\n");
	usleep(50000);
	server_end(&t);
	close(busy);
}

static void answer_ok(void *ctx, struct http_request *r)
{
	http_reply(r, 200, "text/plain", "ok", 2);
}

static void stop_now(evutil_socket_t fd, short what, void *ctx)
{
	http_server_stop_accepting(ctx);
}

static unsigned
	complaints; /* of libevent: a bufferevent that ends twice is one, and sooner or later a crash */

static void note_complaint(int severity, const char *text)
{
	print_message("# libevent: %s\n", text);
	complaints++;
}

/*
 * Clients leave in the very turn of the loop in which the server is told to stop: their connections have ended, but are not gone yet when
 * the idle ones are looked for.
 */
static void test_stop_as_clients_leave(void **state)
{
	struct event_base *base = event_base_new();
	struct http_server *s;
	struct test_server at = { 0 };
	char addr[64];
	int fds[8];
	event_set_log_callback(note_complaint);
	assert_int_equal(http_server_new(base, &limits, answer_ok, NULL, &s, NULL), 0);
	assert_int_equal(http_server_listen(s, "127.0.0.1:0", NULL, NULL, addr, NULL), 0);
	at.port = (uint16_t)atoi(strrchr(addr, ':') + 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct pollfd p = { .events = POLLIN };
		fds[i] = p.fd = dial(&at);
		say(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		while (poll(&p, 1, 0) == 0)
			event_base_loop(base, EVLOOP_ONCE);
		free(hear_reply(fds[i]));
	}
	assert_int_equal(http_server_connections(s), ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	/* descriptors are reported in the order in which they became ready: this one comes last */
	int wake[2];
	assert_int_equal(pipe(wake), 0);
	struct event *stop = event_new(base, wake[0], EV_READ, stop_now, s);
	assert_int_equal(event_add(stop, NULL), 0);
	assert_int_equal(write(wake[1], "x", 1), 1);
	for (int i = 0; i < 100 && http_server_connections(s); i++)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(http_server_connections(s), 0);
	http_server_free(s);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(complaints, 0);
	event_set_log_callback(NULL);
	event_free(stop);
	close(wake[0]);
	close(wake[1]);
	event_base_free(base);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen_errors),
		cmocka_unit_test(test_max_connections),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_as_clients_leave),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
