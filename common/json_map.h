#pragma once
/*
 * Tables that map a JSON object to a struct, used by the decoder and the encoder, so that the two cannot drift. jansson parses and prints.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

enum json_type_id {
	JSON_F_STR,    /* char *, owned */
	JSON_F_BOOL,   /* bool */
	JSON_F_I64,    /* int64_t */
	JSON_F_U64,    /* uint64_t; negative numbers are refused */
	JSON_F_DOUBLE, /* double; integers accepted */
	JSON_F_JSON,   /* json_t *, owned reference: any value */
	JSON_F_OBJECT, /* struct inside; .sub is its table */
	JSON_F_STRS,   /* struct json_strs: array of strings; null = empty */
};

enum json_flags {
	JSON_REQUIRED = 1 << 0,   /* decoder: absent or null is an error */
	JSON_OMIT_EMPTY = 1 << 1, /* encoder: "", 0, false, NULL are left out (Go omitempty) */
	JSON_NULLABLE = 1 << 2, /* null is taken as absent even for required types of Go pointers */
};

#define JSON_STRS_MAX 10000 /* items of an array of strings from outside */
#define JSON_DEPTH_MAX 64   /* nesting of a text from outside */

struct json_strs {
	char **v; /* owned, each owned */
	size_t n;
};

struct json_field {
	const char *key;
	enum json_type_id type;
	size_t offset;
	unsigned flags;
	const struct json_field *sub; /* JSON_F_OBJECT */
};
#define JSON_FIELD(st, member, name, t, fl)                                                      \
	{                                                                                        \
		.key = (name), .type = (t), .offset = offsetof(struct st, member), .flags = (fl) \
	}
#define JSON_FIELD_SUB(st, member, name, table, fl)                                          \
	{                                                                                    \
		.key = (name), .type = JSON_F_OBJECT, .offset = offsetof(struct st, member), \
		.flags = (fl), .sub = (table)                                                \
	}
#define JSON_FIELD_END      \
	{                   \
		.key = NULL \
	}

/* Decoder options. */
#define JSON_REJECT_UNKNOWN 1u /* a key that is not in the table is an error */
#define JSON_ANY_CASE 2u       /* keys match without regard to case, as Go's decoder does */

/*
 * Fills zeroed @out from @obj. -EINVAL with a sentence that names path and problem, worded as go-openapi does where a client
 * may see it: "name in body is required", "name in body must be of type string: \"number\"", and as Go's decoder where it speaks
 * first: "json: unknown field \"colour\"". Wrong types and unknown keys are found in the order of the document, missing ones
 * after them. On error @out may be half filled: json_map_done() it in any case.
 */
int json_map_decode(const struct json_field *table, json_t *obj, void *out, unsigned options,
		    struct fault *err);
/*
 * New object; keys stand in table order. NULL = no memory, or a value JSON cannot hold: text that is not UTF-8, a number
 * above INT64_MAX, infinity.
 */
json_t *json_map_encode(const struct json_field *table, const void *in);
/* Frees what the fields own and zeroes them. */
void json_map_done(const struct json_field *table, void *obj);

/*
 * Parses text from outside: depth and size are limited (@max bytes, depth JSON_DEPTH_MAX), duplicate keys and text behind the value
 * are errors unless @lenient. NULL with @err set on failure.
 */
json_t *json_parse(const char *text, size_t len, size_t max, bool lenient, struct fault *err);
/* Compact text, keys sorted when @sorted; owned by the caller; NULL = no memory. */
char *json_text(const json_t *v, bool sorted);

/* Reading without fuss: defaults for absent or wrong types. Results are borrowed. */
const char *json_str(const json_t *obj, const char *key); /* NULL */
int64_t json_i64(const json_t *obj, const char *key);     /* 0 */
bool json_flag(const json_t *obj, const char *key);       /* false */
json_t *json_child(const json_t *obj, const char *key);   /* NULL */

void json_strs_done(struct json_strs *s);
int json_strs_add(struct json_strs *s, const char *v);
/* For AUTO(): json_decrefp() comes with jansson.h. */
