/* Snapshots with some parts looked at again: those are new, the others are those of before, whatever became of the snapshot they come from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/inventory.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

enum { ROUNDS = 50 };

static struct hwp_ctx *open_root(const char *root)
{
	struct hwp_ctx *ctx;
	const struct hwp_options opt = { .size = sizeof(opt), .sysroot = root, .flags = HWP_MORE };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	return ctx;
}

static void set_machine(struct tree *t, const char *memory, const char *hostname)
{
	char text[64];
	snprintf(text, sizeof(text), "MemTotal: %s kB\n", memory);
	tree_file(t, "proc/meminfo", text);
	tree_file(t, "proc/sys/kernel/hostname", hostname);
}

static void expect(const struct hwp_inventory *inv, int64_t usable_bytes, const char *hostname)
{
	assert_int_equal(hwp_get_parts(inv), HWP_ALL);
	assert_int_equal(hwp_get_memory(inv)->usable_bytes.v, usable_bytes);
	assert_string_equal(hwp_get_hostname(inv), hostname);
}

static void test_only_what_is_asked_for(void **state)
{
	struct tree t;
	struct hwp_inventory *first, *second, *third;
	unsigned changed = 0;
	tree_init(&t);
	set_machine(&t, "1000", "before");
	struct hwp_ctx *ctx = open_root(t.dir);
	assert_int_equal(hwp_probe(ctx, 0, &first), 0);
	expect(first, 1000 * 1024, "before");

	set_machine(&t, "2000", "after");
	assert_int_equal(hwp_refresh(ctx, first, HWP_MEMORY, &second), 0);
	expect(second, 2000 * 1024, "before");
	expect(first, 1000 * 1024, "before");
	assert_int_equal(hwp_diff(first, second, &changed), 1);
	assert_int_equal(changed, HWP_MEMORY);

	assert_int_equal(hwp_refresh(ctx, second, HWP_HOSTNAME, &third), 0);
	hwp_unref(first);
	hwp_unref(second);
	expect(third, 2000 * 1024, "after");

	/* Nothing has changed since. */
	assert_int_equal(hwp_refresh(ctx, third, HWP_HOSTNAME | HWP_MEMORY, &first), 0);
	assert_int_equal(hwp_diff(third, first, &changed), 0);
	assert_int_equal(changed, 0);
	hwp_unref(third);
	hwp_unref(first);
	hwp_close(ctx);
	tree_done(&t);
}

static void test_parts_add_up(void **state)
{
	struct tree t;
	struct hwp_inventory *memory, *both;
	unsigned changed = 0;
	tree_init(&t);
	set_machine(&t, "1000", "name");
	struct hwp_ctx *ctx = open_root(t.dir);
	assert_int_equal(hwp_probe(ctx, HWP_MEMORY, &memory), 0);
	assert_int_equal(hwp_refresh(ctx, memory, HWP_HOSTNAME, &both), 0);
	assert_int_equal(hwp_get_parts(both), HWP_MEMORY | HWP_HOSTNAME);
	assert_int_equal(hwp_diff(memory, both, &changed), 1);
	assert_int_equal(changed, HWP_HOSTNAME);
	assert_null(hwp_get_cpu(both));
	hwp_unref(memory);
	hwp_unref(both);
	hwp_close(ctx);
	tree_done(&t);
}

/* A watcher goes on for months: it keeps what is used, and no more. */
static void test_nothing_piles_up(void **state)
{
	struct tree t;
	struct hwp_inventory *last, *now;
	char memory[16];
	tree_init(&t);
	set_machine(&t, "1", "name");
	struct hwp_ctx *ctx = open_root(t.dir);
	assert_int_equal(hwp_probe(ctx, 0, &last), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		snprintf(memory, sizeof(memory), "%d", i);
		set_machine(&t, memory, "name");
		assert_int_equal(
			hwp_refresh(ctx, last, i % 2 ? HWP_MEMORY : HWP_MEMORY | HWP_DISKS, &now),
			0);
		hwp_unref(last);
		last = now;
		expect(last, i * 1024, "name");
		for (size_t bit = 0; bit < INVENTORY_PARTS; bit++)
			for (size_t j = 0; last->origins[bit] && j < INVENTORY_PARTS; j++)
				assert_null(last->origins[bit]->origins[j]);
	}
	hwp_unref(last);
	hwp_close(ctx);
	tree_done(&t);
}

static void test_errors_go_with_their_part(void **state)
{
	struct tree t;
	struct hwp_inventory *bad, *mended, *worse;
	const struct hwp_error *errors;
	tree_init(&t);
	tree_file(&t, "proc/meminfo", "nonsense");
	tree_file(&t, "sys/block/vda/size", "nonsense");
	struct hwp_ctx *ctx = open_root(t.dir);
	assert_int_equal(hwp_probe(ctx, 0, &bad), 0);
	size_t n = hwp_errors(bad, &errors);
	assert_true(n >= 2);

	set_machine(&t, "1000", "name");
	assert_int_equal(hwp_refresh(ctx, bad, HWP_MEMORY, &mended), 0);
	size_t left = hwp_errors(mended, &errors);
	assert_true(left > 0 && left < n);
	for (size_t i = 0; i < left; i++)
		assert_string_not_equal(errors[i].part, "memory");

	tree_file(&t, "proc/meminfo", "nonsense");
	assert_int_equal(hwp_refresh(ctx, mended, HWP_MEMORY, &worse), 0);
	hwp_unref(bad);
	hwp_unref(mended);
	assert_int_equal(hwp_errors(worse, &errors), n);
	for (size_t i = 0; i < n; i++)
		assert_true(errors[i].part && errors[i].source && errors[i].detail);
	hwp_unref(worse);
	hwp_close(ctx);
	tree_done(&t);
}

/* The same sources are faulty. A source of several parts is told once in one look, and by each part in looks of their own. */
static void expect_errors(const struct hwp_inventory *want, const struct hwp_inventory *inv)
{
	const struct hwp_error *a, *b;
	size_t n = hwp_errors(want, &a), m = hwp_errors(inv, &b);
	bool *is_wanted = calloc(m + 1, sizeof(*is_wanted));
	for (size_t i = 0; i < n; i++) {
		bool is_found = false;
		for (size_t j = 0; j < m; j++) {
			if (strcmp(a[i].source, b[j].source) || a[i].err != b[j].err)
				continue;
			is_found = is_wanted[j] = true;
		}
		assert_true(is_found);
	}
	for (size_t j = 0; j < m; j++)
		assert_true(is_wanted[j]);
	free(is_wanted);
}

/* Part by part another machine becomes this one, with all that the full format shows. */
static void test_all_of_a_part(void **state)
{
	char root[1024];
	struct hwp_inventory *want, *inv;
	snprintf(root, sizeof(root), "%s/root", (const char *)*state);
	struct hwp_ctx *ctx = open_root(root);
	struct hwp_ctx *other = open_root("tests/data/roots/fc-multipath/root");
	assert_int_equal(hwp_probe(ctx, 0, &want), 0);
	assert_int_equal(hwp_probe(other, 0, &inv), 0);
	for (unsigned part = 1; part <= HWP_ALL; part <<= 1) {
		struct hwp_inventory *next;
		if (!(HWP_ALL & part))
			continue;
		assert_int_equal(hwp_refresh(ctx, inv, part, &next), 0);
		hwp_unref(inv);
		inv = next;
	}
	expect_errors(want, inv);
	json_t *a = expected_document(want, true), *b = expected_document(inv, true);
	assert_non_null(a);
	assert_non_null(b);
	json_object_del(a, "errors");
	json_object_del(b, "errors");
	if (!json_equal(a, b))
		expected_differ(root, a, b);
	assert_true(json_equal(a, b));
	assert_int_equal(hwp_diff(want, inv, NULL), 0);
	json_decref(a);
	json_decref(b);
	hwp_unref(want);
	hwp_unref(inv);
	hwp_close(other);
	hwp_close(ctx);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(test_only_what_is_asked_for),
		cmocka_unit_test(test_parts_add_up),
		cmocka_unit_test(test_nothing_piles_up),
		cmocka_unit_test(test_errors_go_with_their_part),
	};
	return expected_run("refresh", "tests/data/roots", own, sizeof(own) / sizeof(own[0]),
			    test_all_of_a_part);
}
