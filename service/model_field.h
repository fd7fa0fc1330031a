#pragma once
/*
 * One field list per object: it frees, copies, stores and loads, so that none of them can forget a field.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/fault.h"

enum model_kind {
	MODEL_INFRA_ENV,
	MODEL_CLUSTER,
	MODEL_HOST,
	MODEL_EVENT,
	MODEL_OS_IMAGE,
	MODEL_USER,
	MODEL_KIND_COUNT
};

enum model_type {
	MODEL_CHARS,  /* char[size] inside the struct; "" = unset */
	MODEL_STR,    /* char *, owned */
	MODEL_SECRET, /* struct secret; always encrypted at rest */
	MODEL_I64,    /* int64_t */
	MODEL_U64,    /* uint64_t */
	MODEL_INT,    /* int */
	MODEL_BOOL,   /* bool */
	MODEL_ENUM,   /* an enum, stored by name */
};

enum model_flags {
	MODEL_KEY = 1 << 0,     /* part of the primary key (only MODEL_CHARS) */
	MODEL_ENCRYPT = 1 << 1, /* a MODEL_STR that is encrypted at rest */
	MODEL_AUTO = 1 << 2,    /* the store chooses it (event ids) */
};

struct model_enum {
	const char *(*name)(int value);
	int (*parse)(const char *name, int *ret);
};

struct model_field {
	const char *column; /* NULL ends the list */
	enum model_type type;
	size_t offset, size;
	unsigned flags;
	const struct model_enum *names; /* MODEL_ENUM */
};

struct model_class {
	const char *table;
	size_t size; /* of the struct */
	const struct model_field *fields;
};

#define MODEL_KEY_MAX 80 /* bytes of a key text: two ids, or a 64-digit image id, or a user name */

const struct model_class *model_class(enum model_kind kind);
void model_done(enum model_kind kind, void *obj);
/* Deep copy into uninitialised @to. 0 or -ENOMEM (then @to is zeroed). */
int model_copy(enum model_kind kind, const void *from, void *to);
bool model_equal(enum model_kind kind, const void *a, const void *b);
/* The primary key as one text ("id", or "infra_env_id/id" for hosts). */
void model_key(enum model_kind kind, const void *obj, char ret[MODEL_KEY_MAX]);
