/* The map of block devices: names, numbers, what stands on what, and where it is mounted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/cleanup.h"
#include "hwprobe/block.h"
#include "tests/unit/hwprobe/pass.h"

/* sda with two partitions, dm-0 (a volume on sda2), md0 with a partition, a smart array, a loop device. */
static void make_tree(struct tree *t)
{
	tree_init(t);
	tree_files(
		t, "sys/block/sda/dev", "8:0\n", "sys/block/sda/sda1/dev", "8:1\n",
		"sys/block/sda/sda1/partition", "1\n", "sys/block/sda/sda2/dev", "8:2\n",
		"sys/block/sda/sda2/partition", "2\n", "sys/block/sda/sda2/holders/dm-0/x", "",
		"sys/block/sda/queue/rotational", "1\n", "sys/block/sda/sdafoo/dev", "9:9\n",
		"sys/block/dm-0/dev", "253:0\n", "sys/block/dm-0/dm/uuid", "LVM-abc\n",
		"sys/block/dm-0/dm/name", "vg-root\n", "sys/block/cciss!c0d0/dev", "104:0\n",
		"sys/block/loop0/dev", "7:0\n", "sys/block/zram0/dev", "252:0\n",
		"sys/block/sdb/dev", "garbage\n", "run/udev/data/b8:0",
		"S:disk/by-id/wwn-0x1\nS:disk/by-id/wwn-0x2\nS:disk/by-id/ata-x\nL:-5\nI:1\nE:ID_PATH=p\nE:ID_FS_TYPE=\n",
		"run/udev/data/b8:1", "S:disk/by-id/wwn-0x1\nL:7\nI:1\nE:ID_FS_TYPE=ext4\n", NULL);
	tree_link(t, "dev/disk/by-label/ROOT", "../../sda1");
}

static void test_names(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	make_tree(&t);
	pass_open(&p, &t, 0);
	block_map_read(&p.s, &m);
	assert_int_equal(m.n, 6); /* sda sda1 sda2 sdb dm-0 cciss!c0d0 */
	const struct block_dev *sda = block_by_name(&m, "sda");
	assert_int_equal(sda->parts, 2);
	assert_int_equal(sda->parent, -1);
	assert_string_equal(sda[1].name, "sda1");
	assert_string_equal(sda[1].dir, "sys/block/sda/sda1");
	assert_int_equal(sda[2].parent, sda - m.v);
	assert_int_equal(sda[2].holders.n, 1);
	assert_true(sda->has_number);
	assert_int_equal(sda[1].minor, 1);
	assert_false(block_by_name(&m, "sdb")->has_number);
	assert_string_equal(block_by_name(&m, "dm-0")->dm_name, "vg-root");
	assert_null(block_by_name(&m, "loop0"));
	assert_int_equal(m.loops.n, 1);
	assert_true(m.has_udev);
	/* sda1 by priority */
	assert_int_equal(strmap_get(&m.links, "disk/by-id/wwn-0x1"), sda + 1 - m.v);
	assert_int_not_equal(strmap_get(&m.tied, "disk/by-id/wwn-0x1"), 1);
	assert_int_equal(strmap_get(&m.links, "disk/by-id/wwn-0x2"), sda - m.v);
	assert_int_equal(strmap_get(&m.links, "disk/by-id/ata-x"), STRMAP_NONE);
	assert_int_equal(strmap_get(&m.id_paths, "p"), 1);
	const struct hwp_error *errors;
	assert_int_equal(hwp_errors(p.inv, &errors), 1);
	assert_string_equal(errors[0].source, "sys/block/sdb/dev");
	pass_close(&p);
	tree_done(&t);
}

static void test_nodes(void **state)
{
	static const struct {
		const char *node, *name;
	} tests[] = {
		{ "/dev/sda2", "sda2" },
		{ "/dev/mapper/vg-root", "dm-0" },
		{ "/dev/cciss/c0d0", "cciss!c0d0" },
		{ "/dev/disk/by-label/ROOT", "sda1" },
		{ "/dev/mapper/none", NULL },
		{ "/dev/loop0", NULL },
		{ "sda2", NULL },
		{ "/dev/", NULL },
		{ "tmpfs", NULL },
	};
	struct tree t;
	struct pass p;
	struct block_map m;
	make_tree(&t);
	pass_open(&p, &t, 0);
	block_map_read(&p.s, &m);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const struct block_dev *d = block_by_node(&p.s, &m, tests[i].node);
		if (!d != !tests[i].name || (d && strcmp(d->name, tests[i].name)))
			fail_msg("%s: %s", tests[i].node, d ? d->name : "none");
	}
	pass_close(&p);
	tree_done(&t);
}

static void test_properties(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	struct hwp_str value = { 0 };
	const char *source;
	char text[] = "E:ID_FS_TYPE=xfs\nE:ID_FS_UUID=u\n";
	make_tree(&t);
	pass_open(&p, &t, 0);
	block_map_read(&p.s, &m);
	struct block_dev *sda1 = block_by_name(&m, "sda1");
	udev_record_parse(&sda1->blkid, p.s.tmp, text, strlen(text));
	assert_string_equal(block_property(sda1, "ID_FS_TYPE", &source), "ext4");
	assert_string_equal(source, "udev");
	assert_string_equal(block_property(sda1, "ID_FS_UUID", &source), "u");
	assert_string_equal(source, "libblkid");
	assert_null(block_property(sda1, "ID_FS_LABEL", NULL));
	assert_true(block_put_property(&p.s, &value, sda1, "ID_FS_UUID"));
	assert_string_equal(value.source, "libblkid ID_FS_UUID");
	assert_false(block_put_property(&p.s, &value, sda1, "ID_FS_LABEL"));
	assert_string_equal(value.s, "u");
	pass_close(&p);

	/* Without the database nothing of it counts. */
	pass_open(&p, &t, HWP_NO_UDEV);
	block_map_read(&p.s, &m);
	assert_false(m.has_udev);
	assert_null(block_property(block_by_name(&m, "sda1"), "ID_FS_TYPE", NULL));
	pass_close(&p);
	tree_done(&t);
}

static void test_use(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	make_tree(&t);
	tree_files(&t, "proc/self/mountinfo",
		   "1 0 253:0 / /var rw - xfs /dev/mapper/vg-root rw\n"
		   "2 0 253:0 / /var rw - xfs /dev/mapper/vg-root rw\n"
		   "3 0 8:1 / /run/media/iso ro - iso9660 /dev/sda1 ro\n",
		   "proc/swaps", "Filename Type\n/dev/cciss/c0d0 partition 1 0 -2\n", NULL);
	pass_open(&p, &t, 0);
	block_map_read(&p.s, &m);
	block_map_read_use(&p.s, &m);
	struct block_dev *sda = block_by_name(&m, "sda"), *dm = block_by_name(&m, "dm-0");
	assert_int_equal(dm->mounts.n, 1); /* the same point counts once */
	assert_true(block_is_used(dm));
	assert_false(block_is_used(sda));
	assert_true(block_is_used(block_by_name(&m, "cciss!c0d0")));
	assert_ptr_equal(block_user(&m, sda), dm);
	assert_null(block_user(&m, dm)); /* it does not stand on itself */
	assert_true(block_has_iso_mount(&m, sda));
	assert_false(block_has_iso_mount(&m, dm));
	pass_close(&p);
	tree_done(&t);
}

/* A running machine has one list of all devices, a recorded tree the folders of the disks: both tell the same partitions. */
static void read_as(struct pass *p, struct tree *t, bool is_live, struct block_map *ret)
{
	pass_open(p, t, 0);
	p->ctx->root.is_live = is_live;
	block_map_read(&p->s, ret);
	assert_int_equal(ret->has_parts, is_live);
}

static void expect_same_map(const char *what, const struct block_map *a, const struct block_map *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct block_dev *x = &a->v[i], *y = &b->v[i];
		if (strcmp(x->dir, y->dir) || x->parent != y->parent || x->parts != y->parts)
			fail_msg("%s: %s with %zu partitions, %s with %zu", what, x->dir, x->parts,
				 y->dir, y->parts);
	}
}

static void test_one_list(void **state)
{
	/* "DISK" or "DISK/PARTITION" */
	static const char *const lists[] = {
		"sda sda/sda1 sda/sda2 sda/sda10 sdaa sdaa/sdaa1",
		"sd sd/sd2 sd1 sd1/sd1p1 sd1/sd1p12 sd11 sd11/sd11p1",
		"nvme0n1 nvme0n1/nvme0n1p1 nvme0n1/nvme0n1p15 nvme0n10 nvme0n10/nvme0n10p1",
		"mmcblk0 mmcblk0/mmcblk0p1 mmcblk0boot0 mmcblk0boot1 mmcblk0boot1/mmcblk0boot1p1",
		"md127 md127/md127p1 md_d0 md_d0/md_d0p2 dm-0 sr0 xvda xvda1",
		"cciss!c0d0 cciss!c0d0/cciss!c0d0p1 cciss!c0d1",
		"md_x5 md_x5/md_x5p2 md_x5p md_x5p/md_x5p3 1 1/1p5 12", /* names of arrays are free */
		"loop0 loop0/loop0p1 zram0 sda",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct tree t;
		struct pass a, b;
		struct block_map x, y;
		char list[256], path[128], *save = NULL;
		tree_init(&t);
		snprintf(list, sizeof(list), "%s", lists[i]);
		for (char *d = strtok_r(list, " ", &save); d; d = strtok_r(NULL, " ", &save)) {
			char *part = strchr(d, '/');
			snprintf(path, sizeof(path), "sys/block/%s/%s", d,
				 part ? "partition" : "dev");
			tree_file(&t, path, "1\n");
			snprintf(path, sizeof(path), "sys/class/block/%s", part ? part + 1 : d);
			tree_dir(&t, path);
		}
		read_as(&a, &t, false, &x);
		read_as(&b, &t, true, &y);
		expect_same_map(lists[i], &x, &y);
		pass_close(&a);
		pass_close(&b);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),      cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_properties), cmocka_unit_test(test_use),
		cmocka_unit_test(test_one_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
