#include "common/json_map.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/str.h"

/* How the wire names the types (go-openapi's validation messages). */
static const char *const type_names[] = {
	[JSON_F_STR] = "string",    [JSON_F_BOOL] = "boolean",  [JSON_F_I64] = "int64",
	[JSON_F_U64] = "uint64",    [JSON_F_DOUBLE] = "number", [JSON_F_JSON] = "any",
	[JSON_F_OBJECT] = "object", [JSON_F_STRS] = "array",
};

static const char *kind_of(const json_t *v)
{
	static const char *const kinds[] = {
		[JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
		[JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
		[JSON_FALSE] = "boolean",  [JSON_NULL] = "null",
	};
	return kinds[json_typeof(v)];
}

/* Where we are in the body: "proxy.http_proxy". */
struct place {
	const struct place *outer;
	const char *key;
};

static void place_text(const struct place *p, char *ret, size_t size)
{
	size_t len;
	ret[0] = '\0';
	if (p->outer) {
		place_text(p->outer, ret, size);
		len = strlen(ret);
		str_copy(ret + len, size - len, ".");
	}
	len = strlen(ret);
	str_copy(ret + len, size - len, p->key);
}

static int wrong_type(const struct place *at, const char *wanted, const json_t *v,
		      struct fault *err)
{
	char path[256];
	place_text(at, path, sizeof(path));
	return fault_set(err, -EINVAL, "%s in body must be of type %s: \"%s\"", path, wanted,
			 kind_of(v));
}

/* --- decoding: one function per type ------------------------------------------------------- */

typedef int decode_fn(const struct json_field *f, json_t *v, void *member, unsigned options,
		      const struct place *at, struct fault *err);

static int decode_table(const struct json_field *table, json_t *obj, void *out, unsigned options,
			const struct place *at, struct fault *err);

static int decode_str(const struct json_field *f, json_t *v, void *member, unsigned options,
		      const struct place *at, struct fault *err)
{
	if (!json_is_string(v))
		return wrong_type(at, type_names[f->type], v, err);
	return str_set(member, json_string_value(v)) < 0 ? fault_oom(err) : 0;
}

static int decode_bool(const struct json_field *f, json_t *v, void *member, unsigned options,
		       const struct place *at, struct fault *err)
{
	if (!json_is_boolean(v))
		return wrong_type(at, type_names[f->type], v, err);
	*(bool *)member = json_is_true(v);
	return 0;
}

static int decode_i64(const struct json_field *f, json_t *v, void *member, unsigned options,
		      const struct place *at, struct fault *err)
{
	if (!json_is_integer(v))
		return wrong_type(at, type_names[f->type], v, err);
	*(int64_t *)member = json_integer_value(v);
	return 0;
}

static int decode_u64(const struct json_field *f, json_t *v, void *member, unsigned options,
		      const struct place *at, struct fault *err)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return wrong_type(at, type_names[f->type], v, err);
	*(uint64_t *)member = (uint64_t)json_integer_value(v);
	return 0;
}

static int decode_double(const struct json_field *f, json_t *v, void *member, unsigned options,
			 const struct place *at, struct fault *err)
{
	if (!json_is_number(v))
		return wrong_type(at, type_names[f->type], v, err);
	*(double *)member = json_number_value(v);
	return 0;
}

static int decode_json(const struct json_field *f, json_t *v, void *member, unsigned options,
		       const struct place *at, struct fault *err)
{
	json_decref(*(json_t **)member);
	*(json_t **)member = json_incref(v);
	return 0;
}

static int decode_object(const struct json_field *f, json_t *v, void *member, unsigned options,
			 const struct place *at, struct fault *err)
{
	if (!json_is_object(v))
		return wrong_type(at, type_names[f->type], v, err);
	return decode_table(f->sub, v, member, options, at, err);
}

static int decode_strs(const struct json_field *f, json_t *v, void *member, unsigned options,
		       const struct place *at, struct fault *err)
{
	struct json_strs *strs = member;
	size_t i;
	json_t *item;
	char path[256];
	if (!json_is_array(v))
		return wrong_type(at, type_names[f->type], v, err);
	place_text(at, path, sizeof(path));
	if (json_array_size(v) > JSON_STRS_MAX)
		return fault_set(err, -EINVAL, "%s in body should have at most %d items", path,
				 JSON_STRS_MAX);
	json_strs_done(strs);
	json_array_foreach(v, i, item) {
		if (!json_is_string(item))
			return fault_set(err, -EINVAL,
					 "%s.%zu in body must be of type string: \"%s\"", path, i,
					 kind_of(item));
		if (json_strs_add(strs, json_string_value(item)) < 0)
			return fault_oom(err);
	}
	return 0;
}

static decode_fn *const decoders[] = {
	[JSON_F_STR] = decode_str,       [JSON_F_BOOL] = decode_bool,
	[JSON_F_I64] = decode_i64,       [JSON_F_U64] = decode_u64,
	[JSON_F_DOUBLE] = decode_double, [JSON_F_JSON] = decode_json,
	[JSON_F_OBJECT] = decode_object, [JSON_F_STRS] = decode_strs,
};

static const struct json_field *find_field(const struct json_field *table, const char *key,
					   unsigned options)
{
	int (*compare)(const char *, const char *) = options & JSON_ANY_CASE ? strcasecmp : strcmp;
	for (const struct json_field *f = table; f->key; f++) {
		if (compare(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static json_t *find_member(json_t *obj, const char *key, unsigned options)
{
	json_t *v = json_object_get(obj, key), *candidate;
	const char *k;
	if (v || !(options & JSON_ANY_CASE))
		return v;
	json_object_foreach(obj, k, candidate) {
		if (strcasecmp(k, key) == 0)
			v = candidate;
	}
	return v;
}

static int check_required(const struct json_field *table, json_t *obj, unsigned options,
			  const struct place *outer, struct fault *err)
{
	for (const struct json_field *f = table; f->key; f++) {
		if (!(f->flags & JSON_REQUIRED))
			continue;
		json_t *v = find_member(obj, f->key, options);
		if (v && (!json_is_null(v) || f->flags & JSON_NULLABLE))
			continue;
		const struct place at = { outer, f->key };
		char path[256];
		place_text(&at, path, sizeof(path));
		return fault_set(err, -EINVAL, "%s in body is required", path);
	}
	return 0;
}

/* In the order of the document, as Go's decoder does, so that the first of several mistakes is the same one. */
static int decode_table(const struct json_field *table, json_t *obj, void *out, unsigned options,
			const struct place *outer, struct fault *err)
{
	const char *key;
	json_t *v;
	json_object_foreach(obj, key, v) {
		const struct json_field *f = find_field(table, key, options);
		if (!f && options & JSON_REJECT_UNKNOWN)
			return fault_set(err, -EINVAL, "json: unknown field \"%s\"", key);
		if (!f || json_is_null(v))
			continue;
		const struct place at = { outer, f->key };
		int r = decoders[f->type](f, v, (char *)out + f->offset, options, &at, err);
		if (r < 0)
			return r;
	}
	return check_required(table, obj, options, outer, err);
}

int json_map_decode(const struct json_field *table, json_t *obj, void *out, unsigned options,
		    struct fault *err)
{
	if (!json_is_object(obj))
		return fault_set(err, -EINVAL, "body must be of type object: \"%s\"",
				 obj ? kind_of(obj) : "nothing");
	return decode_table(table, obj, out, options, NULL, err);
}

/* --- encoding ------------------------------------------------------------------------------ */

typedef json_t *encode_fn(const struct json_field *f, const void *member, bool *ret_empty);

static json_t *encode_str(const struct json_field *f, const void *member, bool *ret_empty)
{
	const char *s = *(char *const *)member;
	*ret_empty = str_empty(s);
	if (!s && f->flags & JSON_NULLABLE)
		return json_null();
	return json_string(s ? s : "");
}

static json_t *encode_bool(const struct json_field *f, const void *member, bool *ret_empty)
{
	*ret_empty = !*(const bool *)member;
	return json_boolean(*(const bool *)member);
}

static json_t *encode_i64(const struct json_field *f, const void *member, bool *ret_empty)
{
	*ret_empty = *(const int64_t *)member == 0;
	return json_integer(*(const int64_t *)member);
}

static json_t *encode_u64(const struct json_field *f, const void *member, bool *ret_empty)
{
	uint64_t v = *(const uint64_t *)member;
	*ret_empty = v == 0;
	return v <= INT64_MAX ? json_integer((json_int_t)v) : NULL;
}

static json_t *encode_double(const struct json_field *f, const void *member, bool *ret_empty)
{
	double v = *(const double *)member;
	*ret_empty = fpclassify(v) == FP_ZERO;
	return json_real(v);
}

static json_t *encode_json(const struct json_field *f, const void *member, bool *ret_empty)
{
	json_t *v = *(json_t *const *)member;
	*ret_empty = !v || json_is_null(v);
	return v ? json_incref(v) : json_null();
}

static json_t *encode_object(const struct json_field *f, const void *member, bool *ret_empty)
{
	json_t *v = json_map_encode(f->sub, member);
	*ret_empty = json_object_size(v) == 0;
	return v;
}

static json_t *encode_strs(const struct json_field *f, const void *member, bool *ret_empty)
{
	const struct json_strs *s = member;
	AUTO(json_decrefp) json_t *array = json_array();
	*ret_empty = s->n == 0;
	for (size_t i = 0; i < s->n; i++) {
		if (json_array_append_new(array, json_string(s->v[i])) < 0)
			return NULL;
	}
	return TAKE(array);
}

static encode_fn *const encoders[] = {
	[JSON_F_STR] = encode_str,       [JSON_F_BOOL] = encode_bool,
	[JSON_F_I64] = encode_i64,       [JSON_F_U64] = encode_u64,
	[JSON_F_DOUBLE] = encode_double, [JSON_F_JSON] = encode_json,
	[JSON_F_OBJECT] = encode_object, [JSON_F_STRS] = encode_strs,
};

json_t *json_map_encode(const struct json_field *table, const void *in)
{
	AUTO(json_decrefp) json_t *obj = json_object();
	for (const struct json_field *f = table; f->key; f++) {
		bool empty = false;
		AUTO(json_decrefp)
		json_t *v = encoders[f->type](f, (const char *)in + f->offset, &empty);
		if (!v)
			return NULL;
		if (empty && f->flags & JSON_OMIT_EMPTY)
			continue;
		if (json_object_set(obj, f->key, v) < 0)
			return NULL;
	}
	return TAKE(obj);
}

/* --- life cycle ---------------------------------------------------------------------------- */

static void member_done(const struct json_field *f, void *member)
{
	switch (f->type) {
	case JSON_F_STR:
		free(*(char **)member);
		*(char **)member = NULL;
		break;
	case JSON_F_JSON:
		json_decref(*(json_t **)member);
		*(json_t **)member = NULL;
		break;
	case JSON_F_OBJECT:
		json_map_done(f->sub, member);
		break;
	case JSON_F_STRS:
		json_strs_done(member);
		break;
	case JSON_F_BOOL:
		*(bool *)member = false;
		break;
	case JSON_F_I64:
	case JSON_F_U64:
		*(uint64_t *)member = 0;
		break;
	case JSON_F_DOUBLE:
		*(double *)member = 0;
		break;
	}
}

void json_map_done(const struct json_field *table, void *obj)
{
	for (const struct json_field *f = table; f->key; f++)
		member_done(f, (char *)obj + f->offset);
}

void json_strs_done(struct json_strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct json_strs){ 0 };
}

int json_strs_add(struct json_strs *s, const char *v)
{
	/* grows at powers of two: s->n tells how much is allocated */
	if ((s->n & (s->n - 1)) == 0) {
		char **bigger = reallocarray(s->v, s->n ? 2 * s->n : 1, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		s->v = bigger;
	}
	char *copy = strdup(v);
	if (!copy)
		return -ENOMEM;
	s->v[s->n++] = copy;
	return 0;
}
