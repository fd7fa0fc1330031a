/*
 * Plans from made-up graphs: what is refused, with what words, and in which order things are taken
 * apart.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/plan.h"
#include "common/cleanup.h"
#include "common/gpt.h"
#include "common/str.h"

#define GIB (1ull << 30)

/* A node in short: name, kind, what it stands on (indices, -1 ends), where it is used. */
struct n {
	const char *name;
	enum graph_kind kind;
	int lowers[4]; /* -1 ends; the first node has none */
	const char *use;
	const char *fstype;
	bool is_foreign, is_elsewhere;
	const char *title;
};

#define ON(...)                 \
	{                       \
		__VA_ARGS__, -1 \
	}
#define NONE       \
	{          \
		-1 \
	}

static void graph_make(struct graph *g, const struct n *nodes, size_t n)
{
	g->nodes = calloc(n, sizeof(*g->nodes));
	g->n = n;
	for (size_t i = 0; i < n; i++) {
		struct graph_node *to = &g->nodes[i];

		str_copy(to->name, sizeof(to->name), nodes[i].name);
		to->kind = nodes[i].kind;
		to->devno = 0x800 + i;
		to->is_above = !nodes[i].is_foreign;
		to->is_target = i == 0 ||
				(nodes[i].kind == GRAPH_PARTITION && nodes[i].lowers[0] == 0);
		to->start_bytes = i * GIB;
		to->size_bytes = GIB;
		for (int l = 0; nodes[i].lowers[l] >= 0; l++) {
			to->lowers[to->lowers_n++] = (uint16_t)nodes[i].lowers[l];
			to->depth = MAX_OF(to->depth, g->nodes[nodes[i].lowers[l]].depth + 1);
		}
		if (nodes[i].use) {
			str_copy(to->uses[0].where, sizeof(to->uses[0].where), nodes[i].use);
			to->uses[0].is_ours = !nodes[i].is_elsewhere;
			to->uses[0].pid = 4711;
			to->uses_n = 1;
		}
		if (nodes[i].title)
			str_copy(to->title, sizeof(to->title), nodes[i].title);
		if (nodes[i].fstype)
			str_copy(to->fstype, sizeof(to->fstype), nodes[i].fstype);
	}
}

static int plan_of(const struct n *nodes, size_t n, const struct disk_id *disk, char *ret_text,
		   size_t size, struct fault *err)
{
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(buf_done) struct buf out;
	const struct plan_input in = {
		.disk = disk, .graph = &g, .image_size = 10 * GIB, .sector_size = 512
	};

	graph_make(&g, nodes, n);
	buf_init(&out, 65536);
	int r = plan_make(&in, &p, err);
	if (r == 0) {
		assert_int_equal(plan_text(&p, &out), 0);
		str_copy(ret_text, size, out.data);
	}
	return r;
}

static const struct disk_id good = { .name = "sda", .size_bytes = 100 * GIB, .sector_size = 512 };

static void test_empty_disk(void **state)
{
	const struct n nodes[] = { { "sda", GRAPH_DISK, NONE } };
	char text[4096];

	assert_int_equal(plan_of(nodes, 1, &good, text, sizeof(text), NULL), 0);
	assert_string_equal(
		text,
		"1. wipe sda: disk, nothing recognised\n"
		"2. zero both ends sda: no partition table until the new system is complete\n");
}

/*
 * A usual old system: partitions, LVM on LUKS on md, all on this disk. Deepest first, partitions
 * before the disk.
 */
static void test_stack_is_taken_apart(void **state)
{
	const struct n nodes[] = {
		{ "sda", GRAPH_DISK, NONE },
		{ "sda1", GRAPH_PARTITION, ON(0), NULL, "vfat" },
		{ "sda2", GRAPH_PARTITION, ON(0), NULL, "linux_raid_member" },
		{ "md0", GRAPH_MD, ON(2), NULL, "crypto_LUKS" },
		{ "dm-0", GRAPH_CRYPT, ON(3) },
		{ "dm-1", GRAPH_LVM, ON(4) },
		{ "dm-2", GRAPH_LVM, ON(4) },
		{ "loop3", GRAPH_LOOP, ON(5) },
	};
	char text[4096];

	assert_int_equal(plan_of(nodes, ARRAY_SIZE(nodes), &good, text, sizeof(text), NULL), 0);
	assert_string_equal(
		text,
		"1. detach loop3: loop device on dm-1\n"
		"2. remove dm-1: LVM volume on dm-0\n"
		"3. remove dm-2: LVM volume on dm-0\n"
		"4. remove dm-0: encrypted volume on md0\n"
		"5. stop md0: software RAID on sda2\n"
		"6. wipe sda1: partition, vfat\n"
		"7. wipe sda2: partition, linux_raid_member\n"
		"8. wipe sda: disk, nothing recognised\n"
		"9. zero both ends sda: no partition table until the new system is complete\n");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *word; /* in the sentence */
		int code;
		struct n nodes[6];
	} cases[] = {
		{ "mounted on /srv",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE }, { "sda1", GRAPH_PARTITION, ON(0), "/srv" } } },
		{ "sda is mounted", -EBUSY, { { "sda", GRAPH_DISK, NONE, "/mnt" } } },
		{ "process 4711",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sda1", GRAPH_PARTITION, ON(0), "/x", NULL, false, true } } },
		{ "swap",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE }, { "sda5", GRAPH_PARTITION, ON(0), "swap" } } },
		{ "running system",
		  -EPERM,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sda1", GRAPH_PARTITION, ON(0) },
		    { "dm-0", GRAPH_LVM, ON(1), "/" } } },
		{ "running system", -EPERM, { { "sda", GRAPH_DISK, NONE, "/run/initramfs/live" } } },
		{ "boot medium", -EPERM, { { "sda", GRAPH_DISK, NONE, NULL, "iso9660" } } },
		{ "sdb1, which is not part",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sda1", GRAPH_PARTITION, ON(0) },
		    { "sdb1", GRAPH_PARTITION, NONE, NULL, NULL, true },
		    { "md0", GRAPH_MD, ON(1, 2) } } },
		{ "dm-3 (LVM volume) also stands on sdb",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sdb", GRAPH_DISK, NONE, NULL, NULL, true },
		    { "dm-3", GRAPH_LVM, ON(0, 1) } } },
		{ "dm-3 (LVM volume root of the volume group data) also stands on sdb",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sdb", GRAPH_DISK, NONE, NULL, NULL, true },
		    { "dm-3", GRAPH_LVM, ON(0, 1), NULL, NULL, false, false,
		      "LVM volume root of the volume group data" } } },
		{ "multipath disk dm-0",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE }, { "dm-0", GRAPH_MULTIPATH, ON(0) } } },
		{ "bcache",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE }, { "bcache0", GRAPH_BCACHE, ON(0) } } },
		{ "drbd0",
		  -EBUSY,
		  { { "sda", GRAPH_DISK, NONE }, { "drbd0", GRAPH_OTHER, ON(0) } } },
		{ "other machines",
		  -EPERM,
		  { { "sda", GRAPH_DISK, NONE },
		    { "sda1", GRAPH_PARTITION, ON(0), NULL, "ocfs2" } } },
		{ "other machines",
		  -EPERM,
		  { { "sda", GRAPH_DISK, NONE, NULL, "ceph_bluestore" } } },
		{ "not a disk", -EMEDIUMTYPE, { { "sda1", GRAPH_PARTITION, NONE } } },
		{ "not a disk", -EMEDIUMTYPE, { { "dm-0", GRAPH_LVM, NONE } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		size_t n = 0;
		char text[4096];

		while (n < 6 && cases[i].nodes[n].name)
			n++;
		int r = plan_of(cases[i].nodes, n, &good, text, sizeof(text), &err);
		if (r != cases[i].code || !strstr(err.text, cases[i].word))
			fail_msg("case %zu (\"%s\"): %d %s", i, cases[i].word, r, fault_text(&err));
	}
}

/* An array over two disks that the kernel has put together. */
static void test_both_disks_given_up(void **state)
{
	static const struct {
		dev_t given_up[2];
		int code;
	} cases[] = {
		{ { 0, 0 }, -EBUSY },
		{ { 0x800, 0 }, -EBUSY }, /* the installation disk alone */
		{ { 0x801, 0 }, -EBUSY }, /* a partition is no whole disk */
		{ { 0x900, 0 }, 0 },
		{ { 0x800, 0x900 }, 0 },
	};
	const struct n nodes[] = {
		{ "sda", GRAPH_DISK, NONE },
		{ "sda1", GRAPH_PARTITION, ON(0) },
		{ "sdb1", GRAPH_PARTITION, NONE, NULL, NULL, true },
		{ "md0", GRAPH_MD, ON(1, 2) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(graph_done) struct graph g = { 0 };
		AUTO(plan_done) struct plan p = { 0 };
		const struct plan_input in = {
			.disk = &good, .graph = &g, .given_up = cases[i].given_up, .given_up_n = 2
		};

		graph_make(&g, nodes, ARRAY_SIZE(nodes));
		g.nodes[2].disk = 0x900;
		assert_int_equal(plan_make(&in, &p, NULL), cases[i].code);
		if (cases[i].code == 0) {
			assert_int_equal(p.actions[0].kind, PLAN_MD_STOP);
			assert_string_equal(p.actions[0].name, "md0");
		}
		/* what is on the other disk is left to whoever installs there */
		for (size_t k = 0; k < p.n; k++)
			assert_string_not_equal(p.actions[k].name, "sdb1");
	}
}

static void test_disk_properties(void **state)
{
	static const struct {
		const char *word;
		int code;
		struct disk_id disk;
	} cases[] = {
		{ "too small",
		  -ENOSPC,
		  { .name = "sda", .size_bytes = 10 * GIB - 512, .sector_size = 512 } },
		{ "sectors of 512",
		  -EMEDIUMTYPE,
		  { .name = "sda", .size_bytes = 100 * GIB, .sector_size = 4096 } },
		{ "read-only",
		  -EROFS,
		  { .name = "sda",
		    .size_bytes = 100 * GIB,
		    .sector_size = 512,
		    .is_read_only = true } },
		{ "one path",
		  -EMEDIUMTYPE,
		  { .name = "nvme0c0n1",
		    .size_bytes = 100 * GIB,
		    .sector_size = 512,
		    .is_hidden = true } },
		{ "no disk",
		  -EMEDIUMTYPE,
		  { .name = "loop0", .size_bytes = 100 * GIB, .sector_size = 512 } },
		{ "no disk",
		  -EMEDIUMTYPE,
		  { .name = "zram1", .size_bytes = 100 * GIB, .sector_size = 512 } },
		{ "no disk",
		  -EMEDIUMTYPE,
		  { .name = "sr0", .size_bytes = 100 * GIB, .sector_size = 512 } },
	};
	const struct n nodes[] = { { "x", GRAPH_DISK, NONE } };
	char text[4096];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		int r = plan_of(nodes, 1, &cases[i].disk, text, sizeof(text), &err);

		if (r != cases[i].code || !strstr(err.text, cases[i].word))
			fail_msg("case %zu: %d %s", i, r, fault_text(&err));
	}
	/* exactly as large as the image is enough for the plan; names are compared whole */
	struct disk_id exact = { .name = "sdaa", .size_bytes = 10 * GIB, .sector_size = 512 };
	assert_int_equal(plan_of(nodes, 1, &exact, text, sizeof(text), NULL), 0);
	str_copy(exact.name, sizeof(exact.name), "srv0x");
	assert_int_equal(plan_of(nodes, 1, &exact, text, sizeof(text), NULL), 0);
}

static void test_partition_type_of_a_cluster(void **state)
{
	const struct n nodes[] = { { "sda", GRAPH_DISK, NONE },
				   { "sda1", GRAPH_PARTITION, ON(0) } };
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	const struct plan_input in = { .disk = &good, .graph = &g };

	graph_make(&g, nodes, 2);
	memcpy(g.nodes[1].part_type, gpt_type_gpfs, 16);
	assert_int_equal(plan_make(&in, &p, NULL), -EPERM);
	memcpy(g.nodes[1].part_type,
	       "\x09\x08\xcd\x30\xb2\xc2\x9c\x49\x88\x79\x2d\x6b\x78\x52\x98\x76", 16);
	assert_int_equal(plan_make(&in, &p, NULL), -EPERM); /* Ceph's block.db */
	memcpy(g.nodes[1].part_type, gpt_type_linux, 16);
	assert_int_equal(plan_make(&in, &p, NULL), 0);
	assert_int_equal(p.actions[0].kind, PLAN_WIPE);
	assert_int_equal(p.actions[0].start_bytes, GIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_disk),
		cmocka_unit_test(test_stack_is_taken_apart),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_both_disks_given_up),
		cmocka_unit_test(test_disk_properties),
		cmocka_unit_test(test_partition_type_of_a_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
