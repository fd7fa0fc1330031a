#pragma once
/* One plain server with small limits for the whole program: what the tests of http_server*.c share. */
#include "http_testlib.h"

#define MAX_HEADERS 4096
#define MAX_BODY 10000
#define IDLE_MS 600

static const struct http_limits limits = { .max_headers = MAX_HEADERS,
					   .max_body = MAX_BODY,
					   .idle_timeout_ms = IDLE_MS };
static struct test_server server;

static inline int setup(void **state)
{
	server = server_begin(&limits, NULL, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	server_end(&server);
	return 0;
}

/* Reads to the end and closes; the milliseconds it took. */
static inline int64_t closed_after(int fd)
{
	int64_t start = time_mono_ms();
	free(hear_all(fd, NULL));
	close(fd);
	return time_mono_ms() - start;
}
