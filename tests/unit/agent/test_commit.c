/*
 * The writes that make a disk bootable: their order, what they put where, and that any failure leaves
 * LBA 0 zero.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "agent/commit.h"
#include "tests/unit/agent/install_rig.h"

#define MIB 16u
#define DISK ((uint64_t)24 * RIG_MIB)

struct set {
	uint8_t *image;
	struct mem_disk *m;
	struct commit c;
	struct fault err;
};

static struct set *make(uint32_t sector)
{
	struct set *s = calloc(1, sizeof(*s));

	s->image = rig_image(MIB, sector, 1);
	s->m = mem_disk_new(DISK, sector);
	memset(s->m->cache, 0, RIG_MIB); /* as the wipe leaves it */
	memset(s->m->persist, 0, RIG_MIB);
	return s;
}

static int set_up(void **state)
{
	*state = make(512);
	return 0;
}

static int tear_down(void **state)
{
	struct set *s = *state;

	commit_done(&s->c);
	mem_disk_free(s->m);
	free(s->image);
	free(s);
	return 0;
}

static int prepare(struct set *s, bool is_efi)
{
	commit_done(&s->c);
	return commit_prepare(&s->c, s->image, &s->m->d.id, is_efi, &s->err);
}

static void test_whole(void **state)
{
	const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < 2; i++) {
		struct set *s = make(sectors[i]);
		AUTO(gpt_done) struct gpt g = { 0 };
		bool is_done = false;

		assert_int_equal(prepare(s, true), 0);
		assert_int_equal(s->m->writes, 0);
		assert_int_equal(commit_run(&s->c, &s->m->d, &is_done, &s->err), 0);
		assert_true(is_done);
		/* the table is that of the image, moved to the end of this disk */
		assert_int_equal(gpt_parse(s->m->persist, RIG_MIB, sectors[i], &g, NULL), 0);
		assert_int_equal(g.alternate_lba, DISK / sectors[i] - 1);
		assert_memory_equal(s->m->persist + DISK - sectors[i], "EFI PART", 8);
		assert_memory_equal(s->m->persist, s->image, 440);
		/* the last word is LBA 0, alone, between two flushes */
		assert_int_equal(s->m->lba0_writes, 1);
		assert_true(s->m->was_lba0_alone);
		assert_int_equal(s->m->writes_after_lba0, 0);
		assert_int_equal(s->m->flushes_after_lba0, 1);
		tear_down((void **)&s);
	}
}

/* Power lost, or the disk failing, at every single write and flush. */
static void test_every_failure(void **state)
{
	struct set *whole = make(512);
	bool is_done;

	assert_int_equal(prepare(whole, true), 0);
	assert_int_equal(commit_run(&whole->c, &whole->m->d, &is_done, NULL), 0);
	for (unsigned at = 1; at <= whole->m->writes; at++) {
		struct set *s = make(512);

		assert_int_equal(prepare(s, true), 0);
		s->m->cut_at = at;
		is_done = true;
		assert_int_equal(commit_run(&s->c, &s->m->d, &is_done, &s->err), -EIO);
		assert_false(is_done);
		assert_int_equal(s->m->lba0_writes, 0);
		assert_memory_equal(s->m->persist, "\0\0\0\0\0\0\0\0", 8);
		tear_down((void **)&s);
	}
	for (unsigned at = 1; at <= whole->m->flushes; at++) {
		struct set *s = make(512);

		assert_int_equal(prepare(s, true), 0);
		s->m->fail_flush = at;
		assert_int_equal(commit_run(&s->c, &s->m->d, &is_done, &s->err), -EIO);
		assert_false(is_done);
		assert_memory_equal(s->m->persist, "\0\0\0\0\0\0\0\0", 8);
		/* and LBA 0 is taken back where it got into the cache */
		assert_memory_equal(s->m->cache, "\0\0\0\0\0\0\0\0", 8);
		tear_down((void **)&s);
	}
	tear_down((void **)&whole);
}

/* What reads back with other bytes is not committed. */
static void test_read_back(void **state)
{
	const uint64_t places[] = { DISK - 100, 5000, 100 };
	static const char *const words[] = { "backup partition table", "the partition table",
					     "the first sector" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct set *s = make(512);
		bool is_done = true;

		assert_int_equal(prepare(s, true), 0);
		s->m->corrupt_at = places[i];
		s->m->corrupt_times = 1;
		assert_int_equal(commit_run(&s->c, &s->m->d, &is_done, &s->err), -EIO);
		assert_false(is_done);
		assert_non_null(strstr(s->err.text, words[i]));
		assert_non_null(strstr(s->err.text, "replace the disk"));
		assert_memory_equal(s->m->persist, "\0\0\0\0\0\0\0\0", 8);
		tear_down((void **)&s);
	}
}

static void test_images_that_do_not_boot_here(void **state)
{
	struct set *s = *state;

	/* BIOS without boot code: only where there is a BIOS */
	memset(s->image, 0, 440);
	assert_int_equal(prepare(s, true), 0);
#if defined(__x86_64__) || defined(__i386__)
	assert_int_equal(prepare(s, false), -EMEDIUMTYPE);
	assert_non_null(strstr(s->err.text, "boot code"));
#endif
	/* another sector size */
	s->m->d.id.sector_size = 4096;
	assert_int_equal(prepare(s, true), -EMEDIUMTYPE);
	s->m->d.id.sector_size = 512;
	/* UEFI without a system partition */
	const struct rig_part parts[] = { { gpt_type_linux, "root", 6, MIB - 7, 0x60 } };
	memset(s->image, 0, (size_t)MIB * RIG_MIB);
	rig_table(s->image, (uint64_t)MIB * RIG_MIB, 512, parts, 1);
	assert_int_equal(prepare(s, true), -EMEDIUMTYPE);
	assert_non_null(strstr(s->err.text, "EFI system partition"));
	assert_int_equal(prepare(s, false), 0);
}

static void test_bad_tables(void **state)
{
	struct set *s = *state;

	/* a damaged one */
	s->image[1024 + 40] ^= 1;
	assert_int_equal(prepare(s, true), -EBADMSG);
	s->image[1024 + 40] ^= 1;
	/* partitions behind the end of the disk */
	s->m->d.id.size_bytes = (uint64_t)(MIB - 2) * RIG_MIB;
	assert_true(prepare(s, true) < 0);
	s->m->d.id.size_bytes = DISK;
	assert_int_equal(prepare(s, true), 0);
	assert_int_equal(s->m->writes, 0);
}

/* An image with an MBR alone: LBA 0 is last all the same. */
static void test_mbr(void **state)
{
	static const uint8_t part[16] = { 0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0 };
	struct set *s = *state;
	bool is_done = false;

	memset(s->image, 0, RIG_MIB);
	memset(s->image, 0x90, 440);
	memcpy(s->image + 446, part, 16);
	memcpy(s->image + 510, "\x55\xAA", 2);
	memset(s->image + 1000, 0x77, 100);
	assert_int_equal(prepare(s, false), 0);
	assert_false(s->c.has_gpt);
	assert_int_equal(commit_run(&s->c, &s->m->d, &is_done, &s->err), 0);
	assert_true(is_done);
	assert_memory_equal(s->m->persist, s->image, RIG_MIB);
	assert_true(s->m->was_lba0_alone);
	assert_int_equal(s->m->persist[DISK - 1], 0xAA); /* there is no backup to write */
	s->m->d.id.size_bytes = 3 << 20;                 /* where the partition ends */
	assert_int_equal(prepare(s, false), 0);
	s->m->d.id.size_bytes -= 512;
	assert_int_equal(prepare(s, false), -ENOSPC);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_every_failure),
		cmocka_unit_test(test_read_back),
		CASE(test_images_that_do_not_boot_here),
		CASE(test_bad_tables),
		CASE(test_mbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
