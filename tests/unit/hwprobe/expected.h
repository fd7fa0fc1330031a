#pragma once
/*
 * Comparison of an inventory with a recorded machine's expected.json: a subset. null, false, 0, "" and [] mean "absent or
 * empty"; "@exact" names the lists that hold nothing else, each with names that may be there as well.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hwprobe/hwprobe.h"

static bool expected_is_empty(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return !*json_string_value(v);
	case JSON_INTEGER:
	case JSON_REAL:
		return json_number_value(v) == 0;
	case JSON_ARRAY:
		return json_array_size(v) == 0;
	case JSON_NULL:
	case JSON_FALSE:
		return true;
	default:
		return false;
	}
}

__attribute__((unused)) static int expected_differ(const char *path, const json_t *want,
						   const json_t *got)
{
	char *w = json_dumps(want, JSON_ENCODE_ANY),
	     *g = got ? json_dumps(got, JSON_ENCODE_ANY) : NULL;
	fprintf(stderr, "%s: expected %s, got %s\n", path, w, g ? g : "nothing");
	free(w);
	free(g);
	return 1;
}

/* What names an item of the list; NULL = its place. */
static const char *expected_key(const char *list)
{
	static const char *const keys[][2] = { { "disks", "name" },
					       { "interfaces", "name" },
					       { "gpus", "address" } };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(list, keys[i][0]))
			return keys[i][1];
	return NULL;
}

static int expected_compare(const char *path, const json_t *want, const json_t *got, bool is_exact,
			    const json_t *also);

static const json_t *expected_find(const json_t *array, const char *key, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item) {
		const char *n = json_string_value(json_object_get(item, key));
		if (n && name && !strcmp(n, name))
			return item;
	}
	return NULL;
}

static bool expected_is_allowed(const json_t *also, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(also, i, item) {
		if (name && json_is_string(item) && !strcmp(json_string_value(item), name))
			return true;
	}
	return false;
}

static int expected_named_list(const char *path, const char *key, const json_t *want,
			       const json_t *got, bool is_exact, const json_t *also)
{
	int bad = 0;
	size_t i;
	json_t *item;
	json_array_foreach(want, i, item) {
		const char *name = json_string_value(json_object_get(item, key));
		char sub[256];
		snprintf(sub, sizeof(sub), "%s[%s]", path, name);
		bad += expected_compare(sub, item, expected_find(got, key, name), false, NULL);
	}
	json_array_foreach(got, i, item) {
		const char *name = json_string_value(json_object_get(item, key));
		if (!is_exact || expected_find(want, key, name) || expected_is_allowed(also, name))
			continue;
		fprintf(stderr, "%s: %s must not be there\n", path, name);
		bad++;
	}
	return bad;
}

static int expected_list(const char *path, const json_t *want, const json_t *got, bool is_exact,
			 const json_t *also)
{
	const char *key = expected_key(path);
	if (key)
		return expected_named_list(path, key, want, got, is_exact, also);
	int bad = 0;
	size_t i;
	json_t *item;
	json_array_foreach(want, i, item) {
		char sub[256];
		snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
		bad += expected_compare(sub, item, json_array_get(got, i), false, NULL);
	}
	if (json_array_size(got) != json_array_size(want)) {
		fprintf(stderr, "%s: %zu items, expected %zu\n", path, json_array_size(got),
			json_array_size(want));
		bad++;
	}
	return bad;
}

static int expected_object(const char *path, const json_t *want, const json_t *got)
{
	const json_t *exact = json_object_get(want, "@exact");
	int bad = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)want, key, value) {
		if (!strcmp(key, "@exact"))
			continue;
		char sub[256];
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "." : "", key);
		bad += expected_compare(*path ? sub : key, value, json_object_get(got, key),
					json_object_get(exact, key), json_object_get(exact, key));
	}
	return bad;
}

/* Prints every difference; returns how many. */
__attribute__((unused)) static int expected_compare(const char *path, const json_t *want,
						    const json_t *got, bool is_exact,
						    const json_t *also)
{
	if (expected_is_empty(want) && !is_exact)
		return got && !expected_is_empty(got) ? expected_differ(path, want, got) : 0;
	if (json_is_array(want))
		return !got || json_is_array(got) ? expected_list(path, want, got, is_exact, also)
						  : expected_differ(path, want, got);
	if (json_is_object(want))
		return json_is_object(got) ? expected_object(path, want, got)
					   : expected_differ(path, want, got);
	if (json_is_number(want) && json_is_number(got))
		return fabs(json_number_value(want) - json_number_value(got)) > 1e-6
			       ? expected_differ(path, want, got)
			       : 0;
	return got && json_equal(want, got) ? 0 : expected_differ(path, want, got);
}

static void expected_log(void *data, int prio, const char *part, const char *msg)
{
	fprintf(stderr, "%s: %s\n", part, msg);
}

/* The full format without the sources: {"value","source"} becomes the value. A new reference. */
static json_t *expected_values(const json_t *v)
{
	const char *key;
	json_t *item, *out;
	size_t i;
	if (json_object_get(v, "value") && json_object_get(v, "source"))
		return json_incref(json_object_get(v, "value"));
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, item)
			json_array_append_new(out, expected_values(item));
		return out;
	}
	if (!json_is_object(v))
		return json_incref((json_t *)v);
	out = json_object();
	json_object_foreach((json_t *)v, key, item)
		json_object_set_new(out, key, expected_values(item));
	return out;
}

/* What hwp_to_json() makes of @inv, parsed; NULL = it failed, or that is not JSON. A new reference. */
static json_t *expected_document(const struct hwp_inventory *inv, bool is_full)
{
	char *text = hwp_to_json(inv, is_full ? HWP_JSON_FULL : HWP_JSON_ASSISTED, 0);
	json_t *v = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(text);
	return v;
}

/* Probes DIR/root; the assisted document, or the values of the full one with all parts; NULL = failed. */
__attribute__((unused)) static json_t *expected_probe(const char *dir, bool is_full)
{
	char root[1024];
	snprintf(root, sizeof(root), "%s/root", dir);
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = root, .log = expected_log };
	if (is_full) {
		opt.parts = HWP_ALL | HWP_LLDP;
		opt.flags = HWP_MORE;
	}
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL;
	json_t *v = NULL;
	if (hwp_open(&ctx, &opt) == 0 && hwp_probe(ctx, 0, &inv) == 0)
		v = expected_document(inv, is_full);
	if (v && is_full) {
		json_t *values = expected_values(v);
		json_decref(v);
		v = values;
	}
	hwp_unref(inv);
	hwp_close(ctx);
	return v;
}

static int expected_check_file(const char *dir, const char *name, bool is_full)
{
	char file[1024];
	snprintf(file, sizeof(file), "%s/%s", dir, name);
	json_error_t err;
	json_t *want = json_load_file(file, 0, &err), *got = expected_probe(dir, is_full);
	int bad = want && got ? expected_compare("", want, got, false, NULL) : -1;
	if (!want)
		fprintf(stderr, "%s: %s\n", file, err.text);
	json_decref(want);
	json_decref(got);
	return bad;
}

/* Differences between the machine in @dir and its expected.json and, where it has one, full.json; -1 = one cannot be read. */
__attribute__((unused)) static int expected_check(const char *dir)
{
	char file[1024];
	snprintf(file, sizeof(file), "%s/full.json", dir);
	int bad = expected_check_file(dir, "expected.json", false);
	return bad || access(file, F_OK) < 0 ? bad : expected_check_file(dir, "full.json", true);
}

enum { EXPECTED_MACHINES_MAX = 256 };

static bool expected_has(const char *dir, const char *folder, const char *name)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, name);
	return access(path, F_OK) == 0;
}

/*
 * Folders below @dir that are machines: one with an expected.json or a root alone fails its test. Paths are malloc()ed. More than there
 * is room for are none: that fails, too.
 */
__attribute__((unused)) static size_t expected_machines(const char *dir,
							char *paths[EXPECTED_MACHINES_MAX])
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);
	size_t count = 0;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		char path[1024];
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (name[0] != '.' &&
		    (expected_has(dir, name, "expected.json") || expected_has(dir, name, "root")) &&
		    count++ < EXPECTED_MACHINES_MAX)
			paths[count - 1] = strdup(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (count <= EXPECTED_MACHINES_MAX)
		return count;
	fprintf(stderr, "%zu machines in %s, %d are too many\n", count, dir,
		EXPECTED_MACHINES_MAX + 1);
	for (size_t i = 0; i < EXPECTED_MACHINES_MAX; i++)
		free(paths[i]);
	return 0;
}

enum { EXPECTED_OWN_MAX = 8 };

/* The @own_n tests of a program, then @test_machine for every machine of @dir, whose path is its *state. What main() returns. */
__attribute__((unused)) static int expected_run(const char *group, const char *dir,
						const struct CMUnitTest *own, size_t own_n,
						CMUnitTestFunction test_machine)
{
	char *paths[EXPECTED_MACHINES_MAX];
	size_t n = expected_machines(dir, paths);
	struct CMUnitTest tests[EXPECTED_OWN_MAX + EXPECTED_MACHINES_MAX];
	if (!n || own_n > EXPECTED_OWN_MAX) {
		fprintf(stderr, "no machine to test in %s (paths are relative to the top folder)\n",
			dir);
		return 1;
	}
	for (size_t i = 0; i < own_n; i++)
		tests[i] = own[i];
	for (size_t i = 0; i < n; i++)
		tests[own_n + i] = (struct CMUnitTest){ .name = strrchr(paths[i], '/') + 1,
							.test_func = test_machine,
							.initial_state = paths[i] };
	int failed = _cmocka_run_group_tests(group, tests, own_n + n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	return failed;
}
