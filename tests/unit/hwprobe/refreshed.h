#pragma once
/* Two inventories that must show the same, in all that the full format has. Only the order of errors may differ. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include "tests/unit/hwprobe/tree.h"

/* For looks at the disks, and at something else beside them. */
UNUSED static struct hwp_ctx *open_tree(const struct tree *t)
{
	struct hwp_ctx *ctx;
	const struct hwp_options opt = { .size = sizeof(opt),
					 .sysroot = t->dir,
					 .parts = HWP_DISKS | HWP_HOSTNAME,
					 .flags = HWP_MORE };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	return ctx;
}

UNUSED static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

UNUSED static void add_errors(char *text, size_t size, const json_t *errors)
{
	size_t i, n = json_array_size(errors);
	char **lines = calloc(n + 1, sizeof(*lines));
	json_t *item;
	json_array_foreach(errors, i, item)
		lines[i] = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS);
	qsort(lines, n, sizeof(*lines), by_text);
	for (i = 0; i < n; i++) {
		snprintf(text + strlen(text), size - strlen(text), "\n%s", lines[i]);
		free(lines[i]);
	}
	free(lines);
}

/* The full document, its errors in an order of their own behind it. The caller free()s. */
UNUSED static char *document(const struct hwp_inventory *inv)
{
	enum { DOCUMENT_MAX = 1 << 20 };
	char *text = hwp_to_json(inv, HWP_JSON_FULL, 0), *all = calloc(1, DOCUMENT_MAX);
	assert_non_null(text);
	json_t *v = json_loads(text, 0, NULL);
	json_t *errors = json_incref(json_object_get(v, "errors"));
	json_object_del(v, "errors");
	char *rest = json_dumps(v, JSON_COMPACT);
	snprintf(all, DOCUMENT_MAX, "%s", rest);
	add_errors(all, DOCUMENT_MAX, errors);
	json_decref(errors);
	json_decref(v);
	free(text);
	free(rest);
	return all;
}

UNUSED static void expect_same(const char *what, const struct hwp_inventory *whole,
			       const struct hwp_inventory *inv)
{
	char *a = document(whole), *b = document(inv);
	if (strcmp(a, b))
		fail_msg("%s:\nwhole look: %s\nnamed look: %s", what, a, b);
	free(a);
	free(b);
}
