#include "service/shape.h"

#include <errno.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/json_map.h"

static const char *type_name(enum shape_type t)
{
	static const char *const names[] = {
		[SHAPE_STR] = "string",   [SHAPE_INT] = "integer", [SHAPE_NUM] = "number",
		[SHAPE_BOOL] = "boolean", [SHAPE_STRS] = "array",  [SHAPE_OBJ] = "object",
		[SHAPE_OBJS] = "array",
	};
	return names[t];
}

static int wrong_type(const struct shape *s, struct fault *err)
{
	return fault_set(err, -EINVAL, "%s must be of type %s", s->key, type_name(s->type));
}

/* The member named @key in any case; an exact match wins, as in Go's decoder. */
static json_t *find_member(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);
	if (v)
		return v;
	const char *k;
	json_t *m;
	json_object_foreach((json_t *)obj, k, m) {
		if (strcasecmp(k, key) == 0)
			return m;
	}
	return NULL;
}

static bool is_scalar_type(const struct shape *s, const json_t *v)
{
	switch (s->type) {
	case SHAPE_STR:
		return json_is_string(v);
	case SHAPE_INT:
		return json_is_integer(v);
	case SHAPE_NUM:
		return json_is_number(v);
	default:
		return json_is_boolean(v);
	}
}

static bool is_empty(const json_t *v)
{
	if (json_is_string(v))
		return json_string_length(v) == 0;
	return json_is_number(v) ? json_number_value(v) == 0 : json_is_false(v);
}

static json_t *empty_of(const struct shape *s)
{
	switch (s->type) {
	case SHAPE_STR:
		return json_string("");
	case SHAPE_BOOL:
		return json_false();
	case SHAPE_INT:
	case SHAPE_NUM:
		return json_integer(0);
	default:
		return json_null();
	}
}

static int apply_scalar(const struct shape *s, json_t *v, json_t *out, struct fault *err)
{
	if (v && !json_is_null(v)) {
		if (!is_scalar_type(s, v))
			return wrong_type(s, err);
		if (is_empty(v) && !(s->flags & SHAPE_KEEP))
			return 0;
		return json_object_set(out, s->key, v) ? -ENOMEM : 0;
	}
	if (!(s->flags & SHAPE_KEEP))
		return 0;
	return json_object_set_new(out, s->key, empty_of(s)) ? -ENOMEM : 0;
}

static int apply_item(const struct shape *s, json_t *v, json_t **ret, struct fault *err)
{
	if (s->type == SHAPE_OBJS) {
		if (json_is_null(v)) {
			*ret = json_null();
			return 0;
		}
		if (!json_is_object(v))
			return fault_set(err, -EINVAL, "%s must hold objects", s->key);
		return shape_apply(s->sub, v, ret, err);
	}
	if (!json_is_string(v))
		return fault_set(err, -EINVAL, "%s must hold strings", s->key);
	*ret = json_incref(v);
	return 0;
}

static int apply_list(const struct shape *s, json_t *v, json_t *out, struct fault *err)
{
	if (!v || json_is_null(v))
		return json_object_set_new(out, s->key, json_null()) ? -ENOMEM : 0;
	if (!json_is_array(v))
		return wrong_type(s, err);
	if (json_array_size(v) > SHAPE_LIST_MAX)
		return fault_set(err, -EMSGSIZE, "%s has more than %d items", s->key,
				 SHAPE_LIST_MAX);

	AUTO(json_decrefp) json_t *list = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(v, i, item) {
		json_t *clean;
		int r = apply_item(s, item, &clean, err);
		if (r < 0)
			return r;
		/* a Go list of pointers may hold null; nobody can use such an item */
		if (json_is_null(clean))
			continue;
		if (json_array_append_new(list, clean))
			return fault_oom(err);
	}
	return json_object_set(out, s->key, list) ? -ENOMEM : 0;
}

static int apply_object(const struct shape *s, json_t *v, json_t *out, struct fault *err)
{
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_object(v))
		return wrong_type(s, err);
	json_t *clean;
	int r = shape_apply(s->sub, v, &clean, err);
	if (r < 0)
		return r;
	return json_object_set_new(out, s->key, clean) ? -ENOMEM : 0;
}

int shape_apply(const struct shape *table, const json_t *obj, json_t **ret, struct fault *err)
{
	if (!json_is_object(obj))
		return fault_set(err, -EINVAL, "must be a JSON object");

	AUTO(json_decrefp) json_t *out = json_object();
	if (!out)
		return fault_oom(err);
	for (const struct shape *s = table; s->key; s++) {
		json_t *v = find_member(obj, s->key);
		int r;

		if (s->type == SHAPE_OBJ)
			r = apply_object(s, v, out, err);
		else if (s->type == SHAPE_OBJS || s->type == SHAPE_STRS)
			r = apply_list(s, v, out, err);
		else
			r = apply_scalar(s, v, out, err);
		if (r == -ENOMEM)
			return fault_oom(err);
		if (r < 0)
			return r;
	}
	*ret = TAKE(out);
	return 0;
}
