#pragma once
/*
 * The one file of a multipart/form-data body (RFC 7578, RFC 2046 §5.1), piece by piece: other parts are skipped, nothing is kept but what
 * a delimiter may be cut into.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/buf.h"
#include "common/fault.h"

#define MULTIPART_BOUNDARY_MAX 70        /* RFC 2046 §5.1.1 */
#define MULTIPART_HEADERS_MAX (8u << 10) /* of one part; of what stands before the first */
#define MULTIPART_PARTS_MAX 100

enum multipart_state {
	MULTIPART_PREAMBLE,
	MULTIPART_DELIMITER, /* behind one: "--" ends, a line end begins a part */
	MULTIPART_HEADERS,
	MULTIPART_DATA,
	MULTIPART_EPILOGUE,
};

struct multipart {
	enum multipart_state state;
	char delimiter[2 + 2 + MULTIPART_BOUNDARY_MAX + 1];
	const char *name; /* of the part that is wanted; borrowed */
	bool is_wanted;   /* the part being read is that one */
	unsigned n_parts, n_wanted;
	struct buf rest; /* not understood yet */
	/* A piece of the wanted part; negative ends the parsing with that code. */
	int (*data)(void *ctx, const void *data, size_t len, struct fault *err);
	void *ctx;
};

/* @content_type: the header; -EBADMSG when it is no multipart/form-data with a boundary. */
int multipart_init(struct multipart *m, const char *content_type, const char *name,
		   struct fault *err);
void multipart_done(struct multipart *m);
/* 0; -EBADMSG malformed, -E2BIG too many parts, -ENOMEM; what data() said. */
int multipart_feed(struct multipart *m, const void *data, size_t len, struct fault *err);
/* The body has ended: was it whole, with the wanted part once? -EBADMSG. */
int multipart_end(const struct multipart *m, struct fault *err);
