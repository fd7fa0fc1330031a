/*
 * Device graphs from made-up trees of sysfs and /proc.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "agent/graph.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

struct tree {
	char path[64];
	int fd;
};

static void tree_make(struct tree *t)
{
	strcpy(t->path, "/tmp/slipway-graph-XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_make_at(t->fd, "proc", 0755, NULL), 0);
	assert_int_equal(dir_make_at(t->fd, "sys/block", 0755, NULL), 0);
	assert_int_equal(dir_make_at(t->fd, "sys/dev/block", 0755, NULL), 0);
}

static void tree_done(struct tree *t)
{
	closep(&t->fd);
	(void)dir_remove_at(AT_FDCWD, t->path, NULL);
}

static void put(struct tree *t, const char *path, const char *text)
{
	char dir[256];

	str_copy(dir, sizeof(dir), path);
	*strrchr(dir, '/') = '\0';
	assert_int_equal(dir_make_at(t->fd, dir, 0755, NULL), 0);
	assert_int_equal(file_create_at(t->fd, path, text, strlen(text), 0644, NULL), 0);
}

static void put_in(struct tree *t, const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%.120s/%.120s", dir, name);
	put(t, path, text);
}

/* A node in sys/devices/block/@at ("sda", "sda/sda1"), reachable by its number. */
static void node(struct tree *t, const char *at, const char *devno)
{
	char dir[128], link[160], target[192];
	const char *name = strrchr(at, '/');

	snprintf(dir, sizeof(dir), "sys/devices/block/%.100s", at);
	put_in(t, dir, "dev", devno);
	put_in(t, dir, "size", "2048\n");
	snprintf(link, sizeof(link), "sys/dev/block/%.*s", (int)strcspn(devno, "\n"), devno);
	snprintf(target, sizeof(target), "../../devices/block/%.100s", at);
	assert_int_equal(symlinkat(target, t->fd, link), 0);
	if (name)
		return;
	snprintf(link, sizeof(link), "sys/block/%.100s", at);
	snprintf(target, sizeof(target), "../devices/block/%.100s", at);
	assert_int_equal(symlinkat(target, t->fd, link), 0);
}

static void partition(struct tree *t, const char *at, const char *devno, const char *start)
{
	char dir[128];

	node(t, at, devno);
	snprintf(dir, sizeof(dir), "sys/devices/block/%.100s", at);
	put_in(t, dir, "partition", "1\n");
	put_in(t, dir, "start", start);
}

/* holders/ of @lower and slaves/ of @upper; @up leads from the folder to sys/devices/block. */
static void stack(struct tree *t, const char *lower, const char *upper)
{
	char path[160], target[160];
	const char *up = strchr(lower, '/') ? "../../../" : "../../", *name = strrchr(lower, '/');

	snprintf(path, sizeof(path), "sys/devices/block/%.60s/holders", lower);
	assert_int_equal(dir_make_at(t->fd, path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "sys/devices/block/%.60s/holders/%.60s", lower, upper);
	snprintf(target, sizeof(target), "%s%.60s", up, upper);
	assert_int_equal(symlinkat(target, t->fd, path), 0);
	snprintf(path, sizeof(path), "sys/devices/block/%.60s/slaves", upper);
	assert_int_equal(dir_make_at(t->fd, path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "sys/devices/block/%.60s/slaves/%.60s", upper,
		 name ? name + 1 : lower);
	snprintf(target, sizeof(target), "../../%.60s", lower);
	assert_int_equal(symlinkat(target, t->fd, path), 0);
}

static const struct graph_node *find(const struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->nodes[i].name, name))
			return &g->nodes[i];
	return NULL;
}

static void test_partitions_are_matched_whole(void **state)
{
	AUTO(tree_done) struct tree t;
	AUTO(graph_done) struct graph g = { 0 };

	tree_make(&t);
	node(&t, "sda", "8:0\n");
	partition(&t, "sda/sda1", "8:1\n", "2048\n");
	partition(&t, "sda/sda10", "8:10\n", "409600\n");
	node(&t, "sdaa", "65:160\n");
	partition(&t, "sdaa/sdaa1", "65:161\n", "2048\n");
	assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), 0);
	assert_int_equal(g.n, 3);
	assert_string_equal(g.nodes[0].name, "sda");
	assert_true(find(&g, "sda1")->is_target);
	assert_int_equal(find(&g, "sda1")->start_bytes, 2048 * 512);
	assert_int_equal(find(&g, "sda10")->depth, 1);
	assert_null(find(&g, "sdaa"));
}

static void test_stack(void **state)
{
	AUTO(tree_done) struct tree t;
	AUTO(graph_done) struct graph g = { 0 };

	tree_make(&t);
	node(&t, "sda", "8:0\n");
	partition(&t, "sda/sda1", "8:1\n", "2048\n");
	partition(&t, "sda/sda2", "8:2\n", "4096\n");
	node(&t, "sdb", "8:16\n");
	partition(&t, "sdb/sdb1", "8:17\n", "2048\n");
	node(&t, "md0", "9:0\n");
	put(&t, "sys/devices/block/md0/md/level", "raid1\n");
	stack(&t, "sda/sda1", "md0");
	stack(&t, "sda/sda2", "md0"); /* two legs on the same disk */
	stack(&t, "sdb/sdb1", "md0");
	node(&t, "dm-0", "253:0\n");
	put(&t, "sys/devices/block/dm-0/dm/uuid", "LVM-abcdef\n");
	stack(&t, "md0", "dm-0");
	node(&t, "loop5", "7:5\n");
	put(&t, "sys/devices/block/loop5/loop/backing_file", "/dev/dm-0\n");
	assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), 0);
	assert_int_equal(g.n, 7);
	assert_int_equal(find(&g, "md0")->kind, GRAPH_MD);
	assert_int_equal(find(&g, "md0")->lowers_n, 3);
	assert_int_equal(find(&g, "dm-0")->kind, GRAPH_LVM);
	assert_int_equal(find(&g, "dm-0")->depth, 3);
	assert_int_equal(find(&g, "loop5")->kind, GRAPH_LOOP);
	assert_int_equal(find(&g, "loop5")->depth, 4);
	assert_true(find(&g, "sda2")->is_target && find(&g, "sda2")->is_above);
	assert_false(find(&g, "sdb1")->is_above);
	assert_false(find(&g, "sdb1")->is_target);
	assert_null(find(&g, "sdb")); /* the foreign leg is enough */
	/* which disk a leg is on, also of one that is not the target */
	assert_int_equal(find(&g, "sdb1")->disk, makedev(8, 16));
	assert_int_equal(find(&g, "sda2")->disk, makedev(8, 0));
	assert_int_equal(find(&g, "md0")->disk, makedev(9, 0));
}

/* An array of firmware RAID and its container stand on the same disks: the array is on top. */
static void test_md_container(void **state)
{
	static const char *const versions[] = { "external:/md127/0\n", "external:-md127/0\n" };

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		AUTO(tree_done) struct tree t;
		AUTO(graph_done) struct graph g = { 0 };

		tree_make(&t);
		node(&t, "sda", "8:0\n");
		node(&t, "md126", "9:126\n");
		put(&t, "sys/devices/block/md126/md/metadata_version", versions[i]);
		node(&t, "md127", "9:127\n");
		put(&t, "sys/devices/block/md127/md/metadata_version", "external:imsm\n");
		stack(&t, "sda", "md126");
		stack(&t, "sda", "md127");
		assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), 0);
		assert_int_equal(find(&g, "md127")->depth, 1);
		assert_int_equal(find(&g, "md126")->depth, 2);
	}
}

static void test_dm_kinds(void **state)
{
	static const struct {
		const char *uuid;
		enum graph_kind kind;
		const char *name, *title;
	} cases[] = {
		{ "CRYPT-LUKS2-0011\n", GRAPH_CRYPT, "home\n", "encrypted volume home" },
		{ "mpath-3600\n", GRAPH_MULTIPATH, "mpatha\n", "multipath mpatha" },
		{ "part1-mpath-3600\n", GRAPH_DM, "\n", "device-mapper device" },
		{ "LVM-x\n", GRAPH_LVM, "data-root\n", "LVM volume root of the volume group data" },
		{ "LVM-x\n", GRAPH_LVM, "my--data-a--b---c_rimage_0\n",
		  "LVM volume a-b- of the volume group my-data" },
		{ "LVM-x\n", GRAPH_LVM, "---\n", "LVM volume  of the volume group -" },
		{ "LVM-x\n", GRAPH_LVM, "\x1b[2J-x\n", "LVM volume" },
		{ "\n", GRAPH_DM, "x-y\n", "device-mapper device x-y" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(tree_done) struct tree t;
		AUTO(graph_done) struct graph g = { 0 };

		tree_make(&t);
		node(&t, "sda", "8:0\n");
		node(&t, "dm-0", "253:0\n");
		put(&t, "sys/devices/block/dm-0/dm/uuid", cases[i].uuid);
		put(&t, "sys/devices/block/dm-0/dm/name", cases[i].name);
		stack(&t, "sda", "dm-0");
		assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), 0);
		assert_int_equal(find(&g, "dm-0")->kind, cases[i].kind);
		assert_string_equal(graph_node_title(find(&g, "dm-0")), cases[i].title);
	}
}

static void test_mounts_of_all_namespaces(void **state)
{
	AUTO(tree_done) struct tree t;
	AUTO(graph_done) struct graph g = { 0 };

	tree_make(&t);
	node(&t, "sda", "8:0\n");
	partition(&t, "sda/sda1", "8:1\n", "2048\n");
	partition(&t, "sda/sda2", "8:2\n", "4096\n");
	partition(&t, "sda/sda3", "8:3\n", "8192\n");
	put(&t, "proc/self/mountinfo",
	    "22 1 0:5 / / rw shared:1 - rootfs rootfs rw\n"
	    "30 22 8:1 / /boot\\040dir rw - ext4 /dev/sda1 rw\n"
	    "31 22 8:10 / /not-ours rw - ext4 /dev/sdx rw\n");
	put(&t, "proc/321/mountinfo", "40 39 0:44 / /data rw,relatime - btrfs /dev/sda2 rw\n");
	put(&t, "proc/swaps",
	    "Filename Type Size Used Priority\n/dev/sda3 partition 1 0 -2\n/dev/sda30 partition 1 0 -2\n");
	assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), 0);
	assert_int_equal(find(&g, "sda")->uses_n, 0);
	assert_int_equal(find(&g, "sda1")->uses_n, 1);
	assert_string_equal(find(&g, "sda1")->uses[0].where, "/boot\\040dir");
	assert_true(find(&g, "sda1")->uses[0].is_ours);
	/* btrfs shows an anonymous device number: found by the source */
	assert_int_equal(find(&g, "sda2")->uses_n, 1);
	assert_int_equal(find(&g, "sda2")->uses[0].pid, 321);
	assert_false(find(&g, "sda2")->uses[0].is_ours);
	assert_string_equal(find(&g, "sda3")->uses[0].where, "swap");
}

static void test_bad_trees(void **state)
{
	AUTO(tree_done) struct tree t;
	struct graph g;

	tree_make(&t);
	assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), -ENOENT);
	node(&t, "sda", "8:0\n");
	partition(&t, "sda/sda1", "not a number\n", "1\n");
	assert_int_equal(graph_read(t.fd, makedev(8, 0), &g, NULL), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partitions_are_matched_whole),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_md_container),
		cmocka_unit_test(test_dm_kinds),
		cmocka_unit_test(test_mounts_of_all_namespaces),
		cmocka_unit_test(test_bad_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
