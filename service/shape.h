#pragma once
/*
 * The shape of a JSON object from a host: what survives of it, and with which types. Follows what a Go decoder and encoder do with a
 * model object (assisted-v2 §1.2): keys match without regard to case, unknown keys are dropped, empty optional scalars
 * vanish, lists stay (null when absent), a wrong type is an error.
 */
#include <jansson.h>
#include "common/fault.h"

enum shape_type {
	SHAPE_STR,
	SHAPE_INT,
	SHAPE_NUM, /* integer or real, kept as it came */
	SHAPE_BOOL,
	SHAPE_STRS, /* list of strings */
	SHAPE_OBJ,  /* .sub */
	SHAPE_OBJS, /* list of .sub */
};

enum shape_flags {
	SHAPE_KEEP = 1 << 0, /* a required field: present even when empty */
};

struct shape {
	const char *key; /* NULL ends the table */
	enum shape_type type;
	unsigned flags;
	const struct shape *sub;
};

#define SHAPE_LIST_MAX 4096 /* items of any list */

/*
 * *ret: a new object that holds only what @table names. -EINVAL with a sentence that names the field; -EMSGSIZE when a list is longer
 * than SHAPE_LIST_MAX.
 */
int shape_apply(const struct shape *table, const json_t *obj, json_t **ret, struct fault *err);

/* The shapes of what hosts send (assisted-v2 §5, §6). */
extern const struct shape shape_inventory[];
extern const struct shape shape_connectivity[];
extern const struct shape shape_api_vip[];
extern const struct shape shape_tang[];
extern const struct shape shape_ntp[];
extern const struct shape shape_domains[];
extern const struct shape shape_upgrade[];
