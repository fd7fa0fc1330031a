#include "http_server_rig.h"

#include "common/http_range.h"

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
		char *request = str_printf(
			"GET /file?size=1000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
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
		"HEAD /file?size=1000 HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n");
	assert_int_equal(status_of(reply), 200);
	assert_non_null(strstr(reply, "\r\nContent-Length: 1000\r\n"));
	assert_string_equal(body_of(reply), "");
	/* And the connection is in step after it. */
	int fd = dial(&server);
	say(fd,
	    "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
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
	    "GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=5-6, 300000-599999,-3\r\n\r\n");
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
		&server,
		"GET /bad HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=2000000-\r\n\r\n");
	assert_int_equal(status_of(early), 500);
	int fd = dial(&server);
	say(fd, "GET /bad HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
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
		char *request = str_printf(
			"GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", paths[i]);
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

/* A source of no bytes has no range (RFC 9110 §14.1.2), and one of many ranges is not answered piece by piece. */
static void test_odd_sources(void **state)
{
	static const struct {
		const char *size, *headers;
		int status;
		const char *length; /* Content-Length */
	} cases[] = {
		{ "0", "", 200, "0" },
		{ "0", "Range: bytes=0-\r\n", 416, "0" },
		{ "0", "Range: bytes=-5\r\n", 416, "0" },
		{ "1", "Range: bytes=0-\r\n", 206, "1" },
		{ "1", "Range: bytes=1-\r\n", 416, "0" },
		{ "10", "Range: bytes=0-18446744073709551615\r\n", 206, "10" },
		{ "10", "Range: bytes=18446744073709551615-\r\n", 416, "0" },
		{ "10", "Range: bytes=18446744073709551616-\r\n", 200,
		  "10" }, /* no number of ours */
		{ "10", "Range: bytes=3-2,0-0\r\n", 200, "10" },
		{ "10", "Range: bytes=0-0\r\nIf-Range: \r\n", 200, "10" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep)
		char *request = str_printf(
			"GET /file?size=%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
			cases[i].size, cases[i].headers);
		AUTO(freep)
		char *length = str_printf("\r\nContent-Length: %s\r\n", cases[i].length);
		AUTO(freep) char *reply = ask(&server, request);
		if (status_of(reply) != cases[i].status || !strstr(reply, length))
			fail_msg("size %s, %s -> %.400s", cases[i].size, cases[i].headers, reply);
	}
}

/* More ranges than HTTP_RANGES_MAX cost no more than one answer. */
static void test_many_ranges(void **state)
{
	char list[2000] = "";
	for (unsigned i = 0; i <= HTTP_RANGES_MAX; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%u-%u", i ? "," : "",
			 i * 3, i * 3);
	AUTO(freep)
	char *request = str_printf(
		"GET /file?size=1000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=%s\r\n\r\n",
		list);
	AUTO(freep) char *reply = ask(&server, request);
	assert_int_equal(status_of(reply), 200);
	assert_non_null(strstr(reply, "\r\nContent-Length: 1000\r\n"));
}

/* However the reply ends, its source is freed once: whole, 304, 416, HEAD, failed at once, failed later. */
static void test_freed_once(void **state)
{
	static const char *const requests[] = {
		"GET /file?size=5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /file?size=0 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /file?size=5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nIf-None-Match: *\r\n\r\n",
		"GET /file?size=5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=5-\r\n\r\n",
		"GET /file?size=5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=0-1,3-4\r\n\r\n",
		"HEAD /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /bad HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=2000000-\r\n\r\n",
		"GET /bad HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
	};
	static const char count[] = "GET /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		unsigned conns, before, after;
		AUTO(freep) char *one = ask(&server, count);
		assert_int_equal(sscanf(body_of(one), "%u %u", &conns, &before), 2);
		free(ask(&server, requests[i]));
		AUTO(freep) char *two = ask(&server, count);
		assert_int_equal(sscanf(body_of(two), "%u %u", &conns, &after), 2);
		if (after != before + 1)
			fail_msg("%s: freed %u times", requests[i], after - before);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),      cmocka_unit_test(test_head),
		cmocka_unit_test(test_multipart),   cmocka_unit_test(test_source_error),
		cmocka_unit_test(test_large),       cmocka_unit_test(test_odd_sources),
		cmocka_unit_test(test_many_ranges), cmocka_unit_test(test_freed_once),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
