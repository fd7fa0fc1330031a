#include "service/ignition_merge.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/str.h"
#include "service/ignition_look.h"
#include "service/rules.h"

#define MERGE_DEPTH_MAX 32

/* By what the items of a list are the same thing; lists without an entry hold plain values. */
static const struct {
	const char *list, *key;
} identities[] = {
	{ "files", "path" },
	{ "directories", "path" },
	{ "links", "path" },
	{ "filesystems", "device" },
	{ "disks", "device" },
	{ "raid", "name" },
	{ "luks", "name" },
	{ "partitions", "number" },
	{ "units", "name" },
	{ "dropins", "name" },
	{ "users", "name" },
	{ "groups", "name" },
	{ "httpHeaders", "name" },
	{ "merge", "source" },
	{ "certificateAuthorities", "source" },
};

static int merge_objects(json_t *into, const json_t *child, unsigned depth);

static const char *identity_of(const char *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		if (strcmp(identities[i].list, list) == 0)
			return identities[i].key;
	}
	return NULL;
}

static json_t *find_same(const json_t *list, const char *key, const json_t *item)
{
	size_t i;
	json_t *have;

	json_array_foreach(list, i, have) {
		if (!key ? json_equal(have, item)
			 : json_object_get(have, key) && json_equal(json_object_get(have, key),
								    json_object_get(item, key)))
			return have;
	}
	return NULL;
}

static int merge_lists(json_t *into, const json_t *child, const char *name, unsigned depth)
{
	const char *key = identity_of(name);
	size_t i;
	json_t *item;

	json_array_foreach(child, i, item) {
		const char *item_key = json_is_object(item) ? key : NULL;
		json_t *have = find_same(into, item_key, item);
		int r = 0;
		if (!have)
			r = json_array_append_new(into, json_deep_copy(item)) ? -ENOMEM : 0;
		else if (item_key)
			r = merge_objects(have, item, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_objects(json_t *into, const json_t *child, unsigned depth)
{
	const char *key;
	json_t *v;

	if (depth > MERGE_DEPTH_MAX)
		return -EINVAL;
	json_object_foreach((json_t *)child, key, v) {
		json_t *have = json_object_get(into, key);
		int r = 0;
		if (json_is_null(v))
			continue;
		if (json_is_object(have) && json_is_object(v))
			r = merge_objects(have, v, depth + 1);
		else if (json_is_array(have) && json_is_array(v))
			r = merge_lists(have, v, key, depth + 1);
		else
			r = json_object_set_new(into, key, json_deep_copy(v)) ? -ENOMEM : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int ignition_merge(const json_t *parent, const json_t *child, json_t **ret, struct fault *err)
{
	AUTO(json_decrefp) json_t *out = json_deep_copy(parent);
	if (!out)
		return fault_oom(err);
	int r = merge_objects(out, child, 0);
	if (r == -ENOMEM)
		return fault_oom(err);
	if (r < 0)
		return fault_set(err, r, "the Ignition configuration is nested too deeply");
	*ret = TAKE(out);
	return 0;
}

int ignition_merge_text(json_t *parent, const char *child_text, json_t **ret, struct fault *err)
{
	if (str_empty(child_text)) {
		*ret = json_incref(parent);
		return 0;
	}
	int r = ignition_check(child_text, err);
	if (r < 0)
		return r;
	AUTO(json_decrefp)
	json_t *child = json_parse(child_text, strlen(child_text), IGNITION_MAX, true, err);
	return child ? ignition_merge(parent, child, ret, err) : -EINVAL;
}

json_t *ignition_file(const char *path, int mode, const char *source)
{
	return json_pack("{s:s, s:i, s:b, s:{s:s}, s:{s:s}}", "path", path, "mode", mode,
			 "overwrite", 1, "user", "name", "root", "contents", "source", source);
}

json_t *ignition_text_file(const char *path, int mode, const char *text)
{
	AUTO(freep) char *source = data_url_plain(text);

	return source ? ignition_file(path, mode, source) : NULL;
}

json_t *ignition_unit(const char *name, const char *contents)
{
	if (!contents)
		return json_pack("{s:s, s:b}", "name", name, "enabled", 1);
	return json_pack("{s:s, s:b, s:s}", "name", name, "enabled", 1, "contents", contents);
}
