/*
 * Every disk of every recorded machine goes and comes: a look at that disk shows what a look at all of them shows, whatever the others are.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include "hwprobe/disk_refresh.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/refreshed.h"

enum { FILE_MAX_BYTES = 1 << 20 };

static struct {
	struct tree tree;
	size_t skip; /* length of the original's name and slash */
} copy;              /* nftw() takes no argument for its callback */

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + copy.skip;
	char target[1024], *data = NULL;
	size_t len = 0;
	if (type == FTW_D) {
		if (*name && path[copy.skip - 1] == '/')
			tree_dir(&copy.tree, name);
		return 0;
	}
	if (type == FTW_SL || type == FTW_SLN) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		tree_link(&copy.tree, name, target);
		return 0;
	}
	if (file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &data, &len, NULL) < 0)
		return -1;
	tree_write(&copy.tree, name, data, len);
	free(data);
	return 0;
}

static void rename_disk(const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof(a), "%s/sys/block/%s", copy.tree.dir, from);
	snprintf(b, sizeof(b), "%s/sys/%s", copy.tree.dir, to);
	assert_int_equal(rename(a, b), 0);
}

static void return_disk(const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof(a), "%s/sys/%s", copy.tree.dir, from);
	snprintf(b, sizeof(b), "%s/sys/block/%s", copy.tree.dir, to);
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
	char root[1024];
	struct hwp_inventory *whole;
	struct root_names names = { 0 };
	struct arena tmp = { 0 };
	int singles = 0;
	snprintf(root, sizeof(root), "%s/root", (const char *)*state);
	tree_init(&copy.tree);
	copy.skip = strlen(root) + 1;
	assert_int_equal(nftw(root, copy_one, 16, FTW_PHYS), 0);
	struct hwp_ctx *ctx = open_tree(&copy.tree);
	assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
	(void)root_list(&ctx->root, &tmp, "sys/block", &names);
	for (size_t i = 0; i < names.n; i++)
		come_and_go(ctx, whole, names.v[i], &singles);
	print_message("%d of %zu can go alone\n", singles, names.n);
	hwp_unref(whole);
	hwp_close(ctx);
	arena_done(&tmp);
	tree_done(&copy.tree);
}

int main(void)
{
	return expected_run("disk_refresh", "tests/data/roots", NULL, 0, test_machine);
}
