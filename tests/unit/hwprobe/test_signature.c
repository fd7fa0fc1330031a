/* What libblkid finds in the bytes of a recorded disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/str.h"
#include "hwprobe/signature.h"
#include "tests/unit/hwprobe/images.h"
#include "tests/unit/hwprobe/loop.h"
#include "tests/unit/hwprobe/pass.h"

enum { DISK_BYTES = 64 << 20 };

static struct image image; /* too large for the stack */

static void begin(struct tree *t)
{
	tree_init(t);
	memset(&image, 0, sizeof(image));
	image.size = DISK_BYTES;
	tree_files(t, "sys/block/sda/dev", "8:0\n", "sys/block/sda/sda1/partition", "1\n",
		   "sys/block/sda/sda1/dev", "8:1\n", "sys/block/sda/sda2/partition", "2\n",
		   "sys/block/sda/sda2/dev", "8:2\n", NULL);
}

/* Probes dev/sda; the map lives until pass_close(). */
static struct block_dev *probe(struct pass *p, struct tree *t, struct block_map *m, unsigned sector)
{
	pass_open(p, t, 0);
	block_map_read(&p->s, m);
	struct block_dev *b = block_by_name(m, "sda");
	signature_find(&p->s, b, "dev/sda", image.size, sector);
	return b;
}

static void expect(const struct block_dev *b, const char *key, const char *want)
{
	const char *got = block_property(b, key, NULL);
	if (!got != !want || (got && strcmp(got, want)))
		fail_msg("%s of %s is %s, not %s", key, b->name, got, want);
}

static void test_table(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	begin(&t);
	image_mbr_entry(&image, 1, true, 0xef, 2048, 4096);
	image_mbr_entry(&image, 2, false, 0x83, 8192, 16384);
	image_put(&image, 440, "\x78\x56\x34\x12", 4);
	image_write(&image, &t, "dev/sda");
	struct block_dev *b = probe(&p, &t, &m, 512);
	expect(b, "ID_PART_TABLE_TYPE", "dos");
	expect(b, "ID_PART_TABLE_UUID", "12345678");
	expect(b, "ID_FS_TYPE", NULL);
	expect(b + 1, "ID_PART_ENTRY_TYPE", "0xef");
	expect(b + 1, "ID_PART_ENTRY_UUID", "12345678-01");
	expect(b + 1, "ID_PART_ENTRY_FLAGS", "0x80");
	expect(b + 2, "ID_PART_ENTRY_TYPE", "0x83");
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

static void test_head_and_tail(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	begin(&t);
	image_swap(&image, "SW1");
	image_write(&image, &t, "dev/sda");
	struct block_dev *b = probe(&p, &t, &m, 512);
	expect(b, "ID_FS_TYPE", "swap");
	expect(b, "ID_FS_LABEL", "SW1");
	expect(b, "ID_FS_UUID", "11111111-2222-3333-4444-555555555555");
	expect(b, "ID_FS_USAGE", "other");
	pass_close(&p);
	tree_done(&t);

	begin(&t);
	image_imsm(&image);
	image_write(&image, &t, "dev/sda");
	b = probe(&p, &t, &m, 512);
	expect(b, "ID_FS_TYPE", "isw_raid_member");
	pass_close(&p);
	/* The tail ends where the device ends, however long the record is. */
	tree_write(&t, "dev/sda.tail", image.tail + IMAGE_TAIL - 1024, 1024);
	b = probe(&p, &t, &m, 512);
	expect(b, "ID_FS_TYPE", "isw_raid_member");
	pass_close(&p);
	tree_write(&t, "dev/sda.tail", image.tail, IMAGE_TAIL - 512);
	b = probe(&p, &t, &m, 512);
	expect(b, "ID_FS_TYPE", NULL);
	pass_close(&p);
	tree_done(&t);
}

/* A file system in a partition is added to what the table says of it. */
static void test_partition(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	begin(&t);
	image_mbr_entry(&image, 1, false, 0x82, 2048, 4096);
	image_write(&image, &t, "dev/sda");
	memset(&image, 0, sizeof(image));
	image.size = DISK_BYTES;
	image_swap(&image, "PART");
	image_write(&image, &t, "dev/sda1");
	struct block_dev *b = probe(&p, &t, &m, 512);
	signature_find_fs(&p.s, b + 1, "dev/sda1", 4096 * 512);
	expect(b + 1, "ID_PART_ENTRY_TYPE", "0x82");
	expect(b + 1, "ID_FS_TYPE", "swap");
	expect(b + 1, "ID_FS_LABEL", "PART");
	pass_close(&p);
	tree_done(&t);
}

/* Blank, shorter than a sector, garbage, two signatures at once, absent: nothing is said, and no other value suffers. */
static void test_nothing(void **state)
{
	static char garbage[IMAGE_HEAD];
	struct tree t;
	struct pass p;
	struct block_map m;
	begin(&t);
	assert_null(probe(&p, &t, &m, 512)->blkid_text);
	pass_close(&p);
	image_write(&image, &t, "dev/sda");
	assert_null(probe(&p, &t, &m, 512)->blkid_text);
	pass_close(&p);
	tree_file(&t, "dev/sda", "x");
	assert_null(probe(&p, &t, &m, 512)->blkid_text);
	pass_close(&p);
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	tree_write(&t, "dev/sda", garbage, sizeof(garbage));
	assert_null(probe(&p, &t, &m, 512)->blkid_text);
	pass_close(&p);
	image_swap(&image, "A");
	image_imsm(&image);
	image_write(&image, &t, "dev/sda");
	expect(probe(&p, &t, &m, 512), "ID_FS_TYPE",
	       "isw_raid_member"); /* RAID goes before what it holds */
	pass_close(&p);
	image.size = 100;
	assert_null(probe(&p, &t, &m, 512)->blkid_text);
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

/* A value with a newline would be two lines of a record. */
static void test_newline(void **state)
{
	struct tree t;
	struct pass p;
	struct block_map m;
	begin(&t);
	image_swap(&image, "A\nE:ID=B");
	image_write(&image, &t, "dev/sda");
	struct block_dev *b = probe(&p, &t, &m, 512);
	expect(b, "ID_FS_TYPE", "swap");
	expect(b, "ID_FS_LABEL", NULL);
	expect(b, "ID", NULL);
	pass_close(&p);
	tree_done(&t);
}

/* The image behind a loop device; -errno. */
static int attach_image(char name[LOOP_NAME_MAX])
{
	char file[] = "/tmp/hwprobe-image-XXXXXX";
	int fd = mkstemp(file);
	assert_true(fd >= 0);
	unlink(file);
	assert_int_equal(ftruncate(fd, (off_t)image.size), 0);
	assert_int_equal(pwrite(fd, image.head, IMAGE_HEAD, 0), IMAGE_HEAD);
	assert_int_equal(pwrite(fd, image.tail, IMAGE_TAIL, (off_t)(image.size - IMAGE_TAIL)),
			 IMAGE_TAIL);
	int loop = loop_attach(fd, name);
	close(fd);
	return loop;
}

/* A real node, read by the worker. */
static void test_live_node(void **state)
{
	struct pass p = { .inv = inventory_new(HWP_ALL) };
	struct block_dev b = { .dir = "sys/block", .parent = -1 };
	char name[LOOP_NAME_MAX], path[64];
	memset(&image, 0, sizeof(image));
	image.size = DISK_BYTES;
	image_swap(&image, "NODE");
	int loop = attach_image(name);
	if (loop < 0) {
		print_message("no loop device: %s\n", strerror(-loop));
		hwp_unref(p.inv);
		skip();
	}
	assert_int_equal(hwp_open(&p.ctx, NULL), 0);
	p.s = (struct survey){ .ctx = p.ctx,
			       .root = &p.ctx->root,
			       .opt = &p.ctx->opt,
			       .inv = p.inv,
			       .mem = &p.inv->mem,
			       .tmp = &p.tmp,
			       .part = "test",
			       .deadline_ms = time_mono_ms() + 10000 };
	b.name = name;
	snprintf(path, sizeof(path), "dev/%s", name);
	signature_find(&p.s, &b, path, image.size, 512);
	loop_detach(loop);
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	expect(&b, "ID_FS_TYPE", "swap");
	expect(&b, "ID_FS_LABEL", "NODE");
	pass_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),     cmocka_unit_test(test_head_and_tail),
		cmocka_unit_test(test_partition), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_newline),   cmocka_unit_test(test_live_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
