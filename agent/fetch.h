#pragma once
/*
 * Image data for a running writer (install.h): takes its wants from the stream socket, fetches the frames by HTTP range requests, decompresses them and
 * sends the chunks back. Back-pressure goes from the socket to TCP. A broken connection goes on at the first missing chunk; after five tries
 * in a row without a byte the writer is told why, and fails.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/http_client.h"
#include "common/slx.h"

#define FETCH_TRIES 5       /* in a row without a byte */
#define FETCH_CHUNK_TRIES 3 /* frames that do not decompress */

struct fetch;

struct fetch_options {
	struct event_base *base;
	struct http_client *http;
	const char *url;         /* payload; copied */
	const struct slx *index; /* borrowed until fetch_free() */
	int stream_fd;           /* taken, whatever happens */
	/* The network does not answer, or does again: for the progress text. May be NULL. */
	void (*waiting)(void *ctx, bool is_waiting, const char *why);
	void *ctx;
};

int fetch_new(const struct fetch_options *o, struct fetch **ret, struct fault *err);
void fetch_free(struct fetch *f);
uint64_t fetch_payload_bytes(const struct fetch *f); /* received so far */
