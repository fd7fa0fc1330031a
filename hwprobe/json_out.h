#pragma once
/*
 * Compact JSON, written from front to back without a tree: what jansson prints with JSON_COMPACT, for a small part of the work.
 * The first failure sticks: nothing is written after it, and json_out_take() tells.
 */
#include "common/buf.h"

enum { JSON_OUT_REAL_DIGITS = 15 }; /* what a double holds for certain: 3187.2 stays 3187.2 */

struct json_out {
	struct buf text;
	bool has_failed;
};

void json_out_init(struct json_out *o, size_t max_bytes);
void json_out_done(struct json_out *o); /* frees; for AUTO() */
/* The document, owned by the caller (free()). NULL = no memory, @max_bytes passed, or a value that JSON cannot hold. */
char *json_out_take(struct json_out *o);

/* Commas stand by themselves where they belong. @bracket: '{' or '[', and the same to close what was opened. */
void json_out_open(struct json_out *o, char bracket);
void json_out_close(struct json_out *o, char bracket);
void json_out_key(struct json_out *o, const char *key); /* without characters to escape */

void json_out_str(struct json_out *o, const char *s); /* UTF-8; NULL fails */
void json_out_int(struct json_out *o, int64_t v);
void json_out_real(struct json_out *o, double v); /* infinity and NaN fail */
void json_out_bool(struct json_out *o, bool v);
