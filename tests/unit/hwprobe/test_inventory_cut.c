/* What goes first when the document is too long, what goes next, and that it never is too long afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/inventory_cut.h"

static json_t *make(void)
{
	static const char text[] =
		"{\"cpu\":{\"flags\":[\"fpu\",\"vmx\",\"sse\",\"svm\",\"avx2\"]},"
		"\"disks\":[{\"name\":\"a\",\"installation_eligibility\":{\"eligible\":true}},"
		"{\"name\":\"b\",\"installation_eligibility\":{\"eligible\":false}},"
		"{\"name\":\"c\",\"installation_eligibility\":{\"eligible\":true}},"
		"{\"name\":\"d\"}],"
		"\"interfaces\":[{\"name\":\"eth0\",\"type\":\"physical\"},{\"name\":\"veth1\",\"type\":\"veth\"},"
		"{\"name\":\"br0\",\"type\":\"bridge\",\"ipv4_addresses\":[\"192.0.2.1/24\"]},"
		"{\"name\":\"br1\",\"type\":\"bridge\",\"ipv6_addresses\":[\"2001:db8::1/64\"]}],"
		"\"routes\":[{\"destination\":\"0.0.0.0\",\"gateway\":\"192.0.2.254\"},{\"destination\":\"0.0.0.0\"},"
		"{\"destination\":\"192.0.2.0\"},{\"destination\":\"::\",\"gateway\":\"fe80::1\"}]}";
	json_t *v = json_loads(text, 0, NULL), *item, *flags;
	assert_non_null(v);
	/* Items long enough that the reasons for leaving them out are shorter. */
	static const char *const lists[] = { "disks", "interfaces", "routes" };
	char pad[200];
	size_t k;
	memset(pad, 'x', sizeof(pad) - 1);
	pad[sizeof(pad) - 1] = '\0';
	for (size_t i = 0; i < 3; i++)
		json_array_foreach(json_object_get(v, lists[i]), k, item)
			json_object_set_new(item, "pad", json_string(pad));
	flags = json_object_get(json_object_get(v, "cpu"), "flags");
	json_array_append_new(flags, json_string(pad));
	return v;
}

static size_t length(const json_t *v)
{
	return json_dumpb(v, NULL, 0, JSON_COMPACT);
}

/* @v, which is longer, within @max. */
static json_t *cut_to(const json_t *v, size_t max)
{
	char *whole = json_dumps(v, JSON_COMPACT);
	char *text = inventory_cut(whole, max);
	free(whole);
	assert_non_null(text);
	json_t *got = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(got);
	if (max >= strlen("{\"truncation\":{\"type\":\"full\"}}"))
		assert_true(strlen(text) <= max);
	free(text);
	return got;
}

static json_t *cut(size_t max)
{
	json_t *v = make(), *got = cut_to(v, max);
	json_decref(v);
	return got;
}

static size_t count(const json_t *v, const char *key)
{
	return json_array_size(json_object_get(v, key));
}

static const char *type(const json_t *v)
{
	return json_string_value(json_object_get(json_object_get(v, "truncation"), "type"));
}

static size_t reasons(const json_t *v)
{
	return count(json_object_get(v, "truncation"), "reasons");
}

/* The steps one after the other: a limit that is one byte below what a step left makes the next one happen. */
static void test_steps(void **state)
{
	json_t *whole = make();
	size_t max = length(whole) - 1;
	json_decref(whole);
	static const struct {
		size_t disks, interfaces, routes, flags, reasons;
	} steps[] = {
		{ 2, 4, 4, 6, 1 }, { 2, 3, 4, 6, 2 }, { 2, 3, 2, 6, 3 },
		{ 2, 3, 2, 2, 4 }, { 1, 3, 2, 2, 5 },
	};
	size_t step = 0;
	for (; max > 60; max--) {
		json_t *v = cut(max);
		if (type(v) && !strcmp(type(v), "full")) {
			json_decref(v);
			break;
		}
		/* The same step as for a byte more, or the next one. */
		step += reasons(v) != steps[step].reasons;
		assert_true(step < 5);
		assert_int_equal(reasons(v), steps[step].reasons);
		assert_int_equal(count(v, "disks"), steps[step].disks);
		assert_int_equal(count(v, "interfaces"), steps[step].interfaces);
		assert_int_equal(count(v, "routes"), steps[step].routes);
		assert_int_equal(count(json_object_get(v, "cpu"), "flags"), steps[step].flags);
		assert_string_equal(type(v), "partial");
		json_decref(v);
	}
	assert_int_equal(step, 4); /* each was seen */
	for (; max > 0; max--) {   /* from here on there is no inventory */
		json_t *v = cut(max);
		assert_string_equal(type(v), "full");
		assert_int_equal(json_object_size(v), 1);
		json_decref(v);
	}
}

/* What is told to be left out was there: this machine has nothing but eligible disks and routes to no gateway. */
static void test_reasons_are_true(void **state)
{
	json_t *v = make(), *got;
	json_array_remove(json_object_get(v, "disks"), 3);
	json_array_remove(json_object_get(v, "disks"), 1);
	json_array_clear(json_object_get(v, "interfaces"));
	got = cut_to(v, length(v) - 1);
	json_t *told = json_object_get(json_object_get(got, "truncation"), "reasons");
	assert_int_equal(json_array_size(told), 1);
	assert_string_equal(json_string_value(json_array_get(told, 0)),
			    "routes other than default routes are left out");
	assert_int_equal(count(got, "disks"), 2);
	json_decref(got);
	json_decref(v);
}

/* Which of them stay. */
static void test_what_stays(void **state)
{
	json_t *v = make();
	size_t max = length(v) + 300; /* room for reasons: everything else must have gone */
	char *filler = malloc(2000);
	memset(filler, 'x', 1999);
	filler[1999] = '\0';
	json_array_append_new(json_object_get(json_object_get(v, "cpu"), "flags"),
			      json_string(filler));
	json_t *got = cut_to(v, max);
	static const struct {
		const char *list, *key, *values[3];
	} cases[] = { { "disks", "name", { "a", "c" } },
		      { "interfaces", "name", { "eth0", "br0", "br1" } },
		      { "routes", "gateway", { "192.0.2.254", "fe80::1" } } };
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < count(got, cases[i].list); k++)
			assert_string_equal(
				json_string_value(json_object_get(
					json_array_get(json_object_get(got, cases[i].list), k),
					cases[i].key)),
				cases[i].values[k]);
	json_t *flags = json_object_get(json_object_get(got, "cpu"), "flags");
	assert_int_equal(json_array_size(flags), 2);
	assert_string_equal(json_string_value(json_array_get(flags, 0)), "vmx");
	json_decref(got);
	json_decref(v);
	free(filler);
}

/* --- eligible disks --- */

enum { MANY_DISKS = 40, LEFT_OUT = 5 /* reasons when not all eligible disks stay */ };

/* Disks of different lengths, with an ineligible one after every three. */
static json_t *make_disks(void)
{
	json_t *disks = json_array();
	char name[64];
	for (int i = 0; i < MANY_DISKS; i++) {
		snprintf(name, sizeof(name), "d%d%.*s", i, i * 7 % 31,
			 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		json_array_append_new(disks, json_pack("{s:s, s:{s:b}}", "name", name,
						       "installation_eligibility", "eligible",
						       i % 4 != 3));
	}
	return json_pack("{s:o, s:[]}", "disks", disks, "routes");
}

/* Is the n-th disk of @v the n-th eligible one of @whole, for all that are left? */
static bool is_front(const json_t *v, const json_t *whole)
{
	for (size_t i = 0; i < count(v, "disks"); i++)
		if (!json_equal(json_array_get(json_object_get(v, "disks"), i),
				json_array_get(json_object_get(whole, "disks"), i + i / 3)))
			return false;
	return true;
}

/* How long @v would be with one more of the eligible disks of @whole. */
static size_t length_with_one_more(const json_t *v, const json_t *whole)
{
	size_t n = count(v, "disks");
	return length(v) + (n > 0) +
	       length(json_array_get(json_object_get(whole, "disks"), n + n / 3));
}

/* From the front stay as many as fit; when not one does, there is no inventory. */
static void test_as_many_disks_as_fit(void **state)
{
	json_t *whole = make_disks();
	size_t max = length(whole) - 1, least = MANY_DISKS, seen = 0;
	for (; max > 0; max--) {
		json_t *v = cut_to(whole, max);
		if (!strcmp(type(v), "full")) {
			json_decref(v);
			break;
		}
		size_t n = count(v, "disks");
		assert_in_range(n, 1, least);
		assert_true(is_front(v, whole));
		if (reasons(v) == LEFT_OUT)
			assert_true(length_with_one_more(v, whole) > max);
		seen += n < least;
		least = n;
		json_decref(v);
	}
	assert_int_equal(least, 1);
	/* Every number but the one that a longer list of reasons takes the room of. */
	assert_in_range(seen, MANY_DISKS * 3 / 4 - 3, MANY_DISKS * 3 / 4);
	json_decref(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_reasons_are_true),
		cmocka_unit_test(test_what_stays),
		cmocka_unit_test(test_as_many_disks_as_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
