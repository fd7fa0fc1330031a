/* Everything that the JSON of a machine shows can be asked for by the path that it has there, and names what it is known from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/expected.h"

struct walk {
	const struct hwp_inventory *inv;
	bool is_full;
	size_t asked;
};

static char *explain(struct walk *w, const char *path)
{
	char *text = NULL;
	w->asked++;
	int rc = hwp_explain(w->inv, path, &text);
	if (rc < 0)
		fail_msg("%s is in the %s format and cannot be asked for: %s", path,
			 w->is_full ? "full" : "assisted", strerror(-rc));
	return text;
}

/* A value, or a text of a list, as JSON: the answer has it, with a source. Reals are printed in other ways. */
static void check_value(struct walk *w, const char *path, const json_t *v)
{
	char *text = explain(w, path);
	char *want = json_dumps(v, JSON_ENCODE_ANY), *found = strstr(text, want);
	const char *source = strstr(text, "\n  source: ");
	if (!found && !json_is_real(v) && !json_is_array(v))
		fail_msg("%s: no %s in:\n%s", path, want, text);
	if (!source || source[strlen("\n  source: ")] == '\n')
		fail_msg("%s: no source in:\n%s", path, text);
	free(want);
	free(text);
}

/* Lists without anything say so, and what was looked at, or what they are known from. */
static void check_nothing(struct walk *w, const char *path)
{
	char *text = explain(w, path);
	char want[512];
	snprintf(want, sizeof(want), "%s: [] (nothing)\n", path);
	if (strncmp(text, want, strlen(want)) ||
	    (!strstr(text, "  looked at ") && !strstr(text, "  source: ") &&
	     !strstr(text, ": nothing there\n")))
		fail_msg("%s: nothing was looked at:\n%s", path, text);
	free(text);
}

static bool is_sourced(const struct walk *w, const json_t *v)
{
	return w->is_full && json_object_get(v, "value") && json_object_get(v, "source");
}

static void walk(struct walk *w, const char *path, const json_t *v);

static void walk_list(struct walk *w, const char *path, const json_t *list)
{
	char sub[512];
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
		walk(w, sub, item);
	}
	if (json_array_size(list))
		free(explain(w, path));
	else
		check_nothing(w, path);
}

static void walk_object(struct walk *w, const char *path, const json_t *v)
{
	char sub[512];
	const char *key;
	json_t *item;
	if (is_sourced(w, v))
		check_value(w, path, json_object_get(v, "value"));
	else if (*path)
		free(explain(w, path));
	json_object_foreach((json_t *)v, key, item) {
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "." : "", key);
		if (is_sourced(w, v) && strcmp(key, "value"))
			free(explain(w, sub)); /* ".source", ".placeholder": told with the value */
		else
			walk(w, sub, item);
	}
}

static void walk(struct walk *w, const char *path, const json_t *v)
{
	if (json_is_object(v))
		walk_object(w, path, v);
	else if (json_is_array(v))
		walk_list(w, path, v);
	else
		check_value(w, path, v);
}

static void walk_format(const struct hwp_inventory *inv, bool is_full)
{
	struct walk w = { .inv = inv, .is_full = is_full };
	char *text = hwp_to_json(inv, is_full ? HWP_JSON_FULL : HWP_JSON_ASSISTED, 0);
	json_t *v = json_loads(text, 0, NULL);
	assert_non_null(v);
	walk(&w, "", v);
	assert_true(w.asked > 20);
	json_decref(v);
	free(text);
}

static void quiet(void *data, int prio, const char *part, const char *msg)
{
}

/* NULL = the running one. */
static void check_machine(const char *root, unsigned parts)
{
	struct hwp_ctx *ctx = NULL;
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .size = sizeof(opt),
				   .sysroot = root,
				   .log = quiet,
				   .parts = parts,
				   .flags = HWP_EXPLAIN | HWP_MORE };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	walk_format(inv, true);
	walk_format(inv, false);
	hwp_unref(inv);
	hwp_close(ctx);
}

static void test_machine(void **state)
{
	char root[1024];
	snprintf(root, sizeof(root), "%s/root", (const char *)*state);
	check_machine(root, HWP_ALL | HWP_LLDP);
}

static void test_this_machine(void **state)
{
	check_machine(NULL, HWP_ALL);
}

int main(void)
{
	static const struct CMUnitTest own[] = { cmocka_unit_test(test_this_machine) };
	return expected_run("explain", "tests/data/roots", own, 1, test_machine);
}
