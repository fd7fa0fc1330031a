/* Text from and to JSON, and reading without fuss: the other half of json_map.h. */
#include "common/json_map.h"

#include <errno.h>

/*
 * Does the nesting of @text stay within @max? Looked at before the parser recurses. Nothing but brackets outside of strings
 * counts; with @first_only what stands behind the first value does not.
 */
static bool depth_is_within(const char *text, size_t len, unsigned max, bool first_only)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if ((c == '{' || c == '[') && ++depth > max)
			return false;
		else if ((c == '}' || c == ']') && depth > 0 && --depth == 0 && first_only)
			return true;
	}
	return true;
}

json_t *json_parse(const char *text, size_t len, size_t max, bool lenient, struct fault *err)
{
	json_error_t e;
	if (len > max) {
		fault_set(err, -EMSGSIZE, "JSON text of %zu bytes is larger than the limit of %zu",
			  len, max);
		return NULL;
	}
	if (!depth_is_within(text, len, JSON_DEPTH_MAX, lenient)) {
		fault_set(err, -EINVAL, "JSON text is nested deeper than %d levels",
			  JSON_DEPTH_MAX);
		return NULL;
	}
	size_t flags = JSON_DECODE_ANY |
		       (lenient ? JSON_DISABLE_EOF_CHECK : JSON_REJECT_DUPLICATES);
	json_t *v = json_loadb(text, len, flags, &e);
	if (!v)
		fault_set(err, -EINVAL, "not JSON: %s (line %d, column %d)", e.text, e.line,
			  e.column);
	return v;
}

char *json_text(const json_t *v, bool sorted)
{
	return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | (sorted ? JSON_SORT_KEYS : 0));
}

const char *json_str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

int64_t json_i64(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

bool json_flag(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

json_t *json_child(const json_t *obj, const char *key)
{
	return json_object_get(obj, key);
}
