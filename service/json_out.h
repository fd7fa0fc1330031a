#pragma once
/*
 * Writing JSON text straight into a buffer: answers with thousands of hosts are made without a tree in between. Errors stick: they are asked
 * for once, at the end. Strings must be valid UTF-8 (everything that comes in was checked).
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/buf.h"

struct json_out {
	struct buf *b;
	int r; /* 0 or the first error */
	bool needs_comma;
};

static inline struct json_out json_out(struct buf *b)
{
	return (struct json_out){ .b = b };
}

/* @key NULL = inside an array or at the top. */
void jo_object(struct json_out *o, const char *key);
void jo_object_end(struct json_out *o);
void jo_array(struct json_out *o, const char *key);
void jo_array_end(struct json_out *o);
void jo_null(struct json_out *o, const char *key);
void jo_str(struct json_out *o, const char *key, const char *v); /* NULL = "" */
void jo_int(struct json_out *o, const char *key, int64_t v);
void jo_bool(struct json_out *o, const char *key, bool v);
/* Text that is JSON already. */
void jo_raw(struct json_out *o, const char *key, const char *json);
/* Go's omitempty: nothing when empty. */
void jo_opt_str(struct json_out *o, const char *key, const char *v);
void jo_opt_int(struct json_out *o, const char *key, int64_t v);
void jo_opt_bool(struct json_out *o, const char *key, bool v);
/* Dates of model fields (always three digits), and Go's RFC3339Nano; 0 = unset (assisted-v2 §1.2). */
void jo_time(struct json_out *o, const char *key, int64_t us);
void jo_time_nano(struct json_out *o, const char *key, int64_t us);
