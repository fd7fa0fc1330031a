/*
 * Every disk of every recorded machine goes and comes: a look at that disk shows what a look at all of them shows, whatever the others are.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/disk_refresh.h"
#include "tests/unit/hwprobe/copied.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/refreshed.h"

static struct tree copy;

static void rename_disk(const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof(a), "%s/sys/block/%s", copy.dir, from);
	snprintf(b, sizeof(b), "%s/sys/%s", copy.dir, to);
	assert_int_equal(rename(a, b), 0);
}

static void return_disk(const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof(a), "%s/sys/%s", copy.dir, from);
	snprintf(b, sizeof(b), "%s/sys/block/%s", copy.dir, to);
	assert_int_equal(rename(a, b), 0);
}

/* The disk goes, comes, and stays: each time the named look is as good as the whole one. */
static void come_and_go(struct hwp_ctx *ctx, struct hwp_inventory *with, char *name, int *singles)
{
	struct hwp_inventory *without, *now, *single = NULL;
	const struct root_names list = { .v = &name, .n = 1 };
	rename_disk(name, "away");
	assert_int_equal(hwp_probe(ctx, 0, &without), 0);
	*singles += disk_refresh(ctx, with, &list, &single) == 0;
	hwp_unref(single);
	assert_int_equal(inventory_refresh(ctx, with, HWP_DISKS, &list, &now), 0);
	expect_same(name, without, now);
	hwp_unref(now);

	return_disk("away", name);
	assert_int_equal(inventory_refresh(ctx, without, HWP_DISKS, &list, &now), 0);
	expect_same(name, with, now);
	hwp_unref(now);
	hwp_unref(without);
	assert_int_equal(inventory_refresh(ctx, with, HWP_DISKS, &list, &now), 0);
	expect_same(name, with, now);
	hwp_unref(now);
}

static void test_machine(void **state)
{
	struct hwp_inventory *whole;
	struct root_names names = { 0 };
	struct arena tmp = { 0 };
	int singles = 0;
	copy_tree(&copy, *state, NULL);
	struct hwp_ctx *ctx = open_tree(&copy);
	assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
	(void)root_list(&ctx->root, &tmp, "sys/block", &names);
	for (size_t i = 0; i < names.n; i++)
		come_and_go(ctx, whole, names.v[i], &singles);
	print_message("%d of %zu can go alone\n", singles, names.n);
	hwp_unref(whole);
	hwp_close(ctx);
	arena_done(&tmp);
	tree_done(&copy);
}

int main(void)
{
	return expected_run("disk_refresh", "tests/data/roots", NULL, 0, test_machine);
}
