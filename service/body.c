#include "service/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"

#define PATH_MAX_LEN 256 /* of a field's name in messages, "static_network_config.0.network_yaml" */

struct check {
	const struct body_schema *schema;
	struct fault *err;
};

static const char *type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
		[JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "bool",
		[JSON_FALSE] = "bool",     [JSON_NULL] = "null",
	};
	return names[json_typeof(v)];
}

static const char *wanted_name(enum body_type t)
{
	static const char *const names[] = {
		[BODY_STR] = "string", [BODY_UUID] = "string",   [BODY_BOOL] = "bool",
		[BODY_INT] = "int64",  [BODY_OBJECT] = "object", [BODY_ARRAY] = "array",
		[BODY_ANY] = "any",
	};
	return names[t];
}

static bool type_fits(enum body_type t, const json_t *v)
{
	switch (t) {
	case BODY_STR:
	case BODY_UUID:
		return json_is_string(v);
	case BODY_BOOL:
		return json_is_boolean(v);
	case BODY_INT:
		return json_is_integer(v);
	case BODY_OBJECT:
		return json_is_object(v);
	case BODY_ARRAY:
		return json_is_array(v);
	case BODY_ANY:
		return true;
	}
	return false;
}

static int wrong_type(const struct check *c, const char *path, const json_t *v, const char *wanted)
{
	return fault_set(
		c->err, -EBADMSG,
		"parsing %s body from \"\" failed, because json: cannot unmarshal %s into field %s of type %s",
		c->schema->name, type_name(v), path, wanted);
}

static int check_object(const struct check *c, const char *path, const struct body_field *fields,
			json_t *obj);

static int check_enum(const struct check *c, const char *path, const struct body_field *f,
		      const char *text)
{
	char list[512] = "";
	size_t len = 0;

	for (const char *const *v = f->values; *v; v++) {
		if (!strcmp(*v, text))
			return 0;
	}
	for (const char *const *v = f->values; *v && len < sizeof(list); v++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? " " : "", *v);
	return fault_set(c->err, -EBADMSG, "%s in body should be one of [%s]", path, list);
}

static int check_text(const struct check *c, const char *path, const struct body_field *f,
		      const json_t *v)
{
	const char *text = json_string_value(v);

	if (f->type == BODY_UUID && !uuid_is_valid(text))
		return fault_set(c->err, -EBADMSG, "%s in body must be of type uuid: \"%s\"", path,
				 text);
	if (f->max_len && json_string_length(v) > f->max_len)
		return fault_set(c->err, -EBADMSG, "%s in body should be at most %zu chars long",
				 path, f->max_len);
	return f->values ? check_enum(c, path, f, text) : 0;
}

static int check_array(const struct check *c, const char *path, const struct body_field *f,
		       json_t *array)
{
	char item_path[PATH_MAX_LEN];
	size_t i;
	json_t *item;

	if (json_array_size(array) > BODY_ARRAY_MAX)
		return fault_set(c->err, -EBADMSG, "%s in body should have at most %d items", path,
				 BODY_ARRAY_MAX);
	json_array_foreach(array, i, item) {
		snprintf(item_path, sizeof(item_path), "%.200s.%zu", path, i);
		if (f->sub) {
			if (!json_is_object(item))
				return wrong_type(c, item_path, item, "object");
			int r = check_object(c, item_path, f->sub, item);
			if (r < 0)
				return r;
		} else if (!json_is_string(item)) {
			return wrong_type(c, item_path, item, "string");
		}
	}
	return 0;
}

static int check_value(const struct check *c, const char *path, const struct body_field *f,
		       json_t *v)
{
	if (!type_fits(f->type, v))
		return wrong_type(c, path, v, wanted_name(f->type));
	switch (f->type) {
	case BODY_STR:
	case BODY_UUID:
		return check_text(c, path, f, v);
	case BODY_INT:
		if (f->flags & BODY_POSITIVE && json_integer_value(v) < 0)
			return fault_set(c->err, -EBADMSG,
					 "%s in body should be greater than or equal to 0", path);
		return 0;
	case BODY_OBJECT:
		return f->sub ? check_object(c, path, f->sub, v) : 0;
	case BODY_ARRAY:
		return check_array(c, path, f, v);
	default:
		return 0;
	}
}

static const struct body_field *field_find(const struct body_field *fields, const char *key)
{
	for (const struct body_field *f = fields; f->key; f++) {
		if (!strcasecmp(f->key, key))
			return f;
	}
	return NULL;
}

/* Refuses unknown keys; a key in another case gets the spelling of the table, unless that one is there too. */
static int check_keys(const struct check *c, const struct body_field *fields, json_t *obj)
{
	const char *key;
	json_t *v;
	void *tmp;

	json_object_foreach_safe(obj, tmp, key, v) {
		const struct body_field *f = field_find(fields, key);
		if (!f)
			return fault_set(
				c->err, -EBADMSG,
				"parsing %s body from \"\" failed, because json: unknown field \"%s\"",
				c->schema->name, key);
		if (!strcmp(f->key, key))
			continue;
		if (!json_object_get(obj, f->key) && json_object_set(obj, f->key, v) < 0)
			return -ENOMEM;
		json_object_del(obj, key);
	}
	return 0;
}

static int check_object(const struct check *c, const char *path, const struct body_field *fields,
			json_t *obj)
{
	char field_path[PATH_MAX_LEN];

	int r = check_keys(c, fields, obj);
	for (const struct body_field *f = fields; f->key && r == 0; f++) {
		json_t *v = json_object_get(obj, f->key);
		snprintf(field_path, sizeof(field_path), "%.150s%s%.100s", path, path[0] ? "." : "",
			 f->key);
		if (v && !json_is_null(v))
			r = check_value(c, field_path, f, v);
	}
	/* Go decodes everything before it looks for what is missing. */
	for (const struct body_field *f = fields; f->key && r == 0; f++) {
		snprintf(field_path, sizeof(field_path), "%.150s%s%.100s", path, path[0] ? "." : "",
			 f->key);
		if (f->flags & BODY_REQUIRED && !body_has(obj, f->key))
			r = fault_set(c->err, -EBADMSG, "%s in body is required", field_path);
	}
	return r;
}

bool body_has(const json_t *body, const char *key)
{
	const json_t *v = json_object_get(body, key);

	return v && !json_is_null(v);
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	}
	return true;
}

int body_parse(const struct body_schema *schema, const char *text, size_t len, json_t **ret,
	       struct fault *err)
{
	struct fault why = FAULT_INIT;
	struct check c = { schema, err };

	if (len > BODY_MAX)
		return fault_set(err, -E2BIG, "the body has more than %u bytes", BODY_MAX);
	if (is_blank(text, len)) {
		if (!schema->optional)
			return fault_set(err, -EBADMSG, "%s in body is required", schema->name);
		*ret = json_object();
		return *ret ? 0 : -ENOMEM;
	}

	AUTO(json_decrefp) json_t *v = json_parse(text, len, BODY_MAX, true, &why);
	if (!v)
		return fault_set(err, -EBADMSG, "parsing %s body from \"\" failed, because %s",
				 schema->name, fault_text(&why));
	if (!json_is_object(v))
		return fault_set(
			err, -EBADMSG,
			"parsing %s body from \"\" failed, because json: cannot unmarshal %s into an object",
			schema->name, type_name(v));
	int r = check_object(&c, "", schema->fields, v);
	if (r == 0)
		*ret = TAKE(v);
	return r;
}
