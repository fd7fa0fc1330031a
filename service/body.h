#pragma once
/*
 * What a request body must look like: names, types, required fields, enumerations. Unknown fields are refused (assisted-v2 §1). The checked
 * JSON is then read by the handler, because "absent", "null" and "empty" differ in updates.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"

#define BODY_MAX (8u << 20)  /* bytes of any JSON body */
#define BODY_ARRAY_MAX 10000 /* items of any array in a body */

enum body_type { BODY_STR, BODY_UUID, BODY_BOOL, BODY_INT, BODY_OBJECT, BODY_ARRAY, BODY_ANY };
enum body_flags { BODY_REQUIRED = 1 << 0, BODY_POSITIVE = 1 << 1 /* >= 0 */ };

struct body_field {
	const char *key;
	enum body_type
		type; /* for BODY_ARRAY: of arrays; the items are .sub objects, or strings when .sub is NULL */
	unsigned flags;
	const struct body_field *sub; /* BODY_OBJECT, BODY_ARRAY of objects; ends with .key == NULL */
	const char *const *values;    /* enumeration, NULL-terminated; NULL = any */
	size_t max_len;               /* most characters; 0 = no limit but BODY_MAX */
};

struct body_schema {
	const char *
		name; /* of the parameter, as the reference's messages call it: "infraenvCreateParams" */
	const struct body_field *fields;
	bool optional; /* an empty body is {} */
};

/*
 * Parses and checks. null counts as absent. *ret: new reference, keys in the spelling of the table (Go's decoder takes any case). -EBADMSG (400) with
 * a sentence; -E2BIG (413).
 */
int body_parse(const struct body_schema *schema, const char *text, size_t len, json_t **ret,
	       struct fault *err);

/* Is @key there and not null? */
bool body_has(const json_t *body, const char *key);
