/*
 * Old signatures: all of them, in the ranges of the plan and nowhere else, partitions before the disk.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/chunk_pool.h"
#include "agent/wipe.h"
#include "tests/unit/agent/member_rig.h"

#define SIZE MEMBER_DISK_BYTES
#define PART_AT (8ull << 20)
#define PART_SIZE (24ull << 20)

struct set {
	struct disk d;
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct set *s = calloc(1, sizeof(*s));

	strcpy(s->path, "/tmp/slipway-wipe-XXXXXX");
	s->fd = mkostemp(s->path, O_CLOEXEC);
	*state = s;
	return s->fd >= 0 && ftruncate(s->fd, SIZE) == 0 &&
			       disk_open_file(s->path, 512, &s->d, NULL) == 0
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	struct set *s = *state;

	disk_close(&s->d);
	closep(&s->fd);
	unlink(s->path);
	free(s);
	return 0;
}

static size_t members_in(struct set *s, uint64_t start, uint64_t size)
{
	AUTO(members_done) struct members m = { 0 };
	const struct member_range r = { s->fd, start, size };

	assert_int_equal(members_probe(&m, &r, "x", 1, false, NULL), 0);
	return m.n;
}

static uint8_t byte(struct set *s, uint64_t at)
{
	uint8_t b;

	assert_int_equal(fd_pread(s->fd, &b, 1, at), 1);
	return b;
}

static void test_signatures(void **state)
{
	static const uint16_t roles[] = { 0, 1 };
	struct set *s = *state;
	struct plan_action actions[] = {
		{ .kind = PLAN_WIPE, .name = "x1", .start_bytes = PART_AT, .size_bytes = PART_SIZE },
		{ .kind = PLAN_WIPE, .name = "x2", .start_bytes = 40 << 20, .size_bytes = 0 },
		{ .kind = PLAN_ZERO_ENDS, .name = "x" },
	};
	const struct plan p = { actions, ARRAY_SIZE(actions) };
	const uint8_t mark = 0x5A;

	/* one hides the other: an array's superblock at the end, a file system at the start */
	put_md1(s->fd, PART_AT, 5, 6, roles, 2);
	put_btrfs(s->fd, PART_AT, 7, 8, 2);
	put_imsm(s->fd, PART_AT + PART_SIZE, 0xCAFE, (const uint32_t[]){ 2, 2 }, 2);
	/* not in the plan */
	put_btrfs(s->fd, 0, 9, 9, 2);
	put(s->fd, PART_AT - 1, &mark, 1);
	put(s->fd, PART_AT + (1 << 20), &mark, 1);
	put(s->fd, 40 << 20, &mark, 1);
	/* the array's data begin in the partition: its own superblock is not seen there */
	assert_true(members_in(s, PART_AT, PART_SIZE) >= 1);
	assert_int_equal(wipe_signatures(&s->d, &p, NULL), 0);
	assert_int_equal(members_in(s, PART_AT, PART_SIZE), 0);
	assert_int_equal(members_in(s, 0, PART_AT), 1);
	/* the first MiB of the range and not a byte more */
	assert_int_equal(byte(s, PART_AT - 1), mark);
	assert_int_equal(byte(s, PART_AT + 65536 + 64), 0);
	assert_int_equal(byte(s, PART_AT + (1 << 20)), mark);
	assert_int_equal(byte(s, 40 << 20), mark);
}

struct killed {
	unsigned left; /* calls that still happen */
};

static bool may_write(struct disk *d)
{
	struct killed *k = d->ctx;

	return k->left && k->left--;
}

static int write_until_killed(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	return may_write(d) ? disk_ops_real.write(d, data, len, offset) : -EIO;
}

/* Killed at any place: as soon as anything of the old system is gone, the disk does not begin to boot. */
static void test_first_sector_goes_first(void **state)
{
	struct set *s = *state;
	struct plan_action actions[] = {
		{ .kind = PLAN_WIPE, .name = "x1", .start_bytes = PART_AT, .size_bytes = PART_SIZE },
		{ .kind = PLAN_WIPE, .name = "x", .size_bytes = SIZE },
	};
	const struct plan p = { actions, ARRAY_SIZE(actions) };
	struct disk_ops ops = disk_ops_real;

	ops.write = write_until_killed;
	for (unsigned n = 0; n < 4; n++) {
		struct killed k = { n };

		put(s->fd, 0, "boot code", 9);
		put_btrfs(s->fd, PART_AT, 7, 8, 1);
		s->d.ops = &ops;
		s->d.ctx = &k;
		assert_int_equal(wipe_signatures(&s->d, &p, NULL), n < 3 ? -EIO : 0);
		AUTO(members_done) struct members m = { 0 };
		bool is_whole = members_in(s, PART_AT, PART_SIZE) == 1;
		if (byte(s, 0) != 0 && !is_whole)
			fail_msg("after %u writes the disk boots into a damaged system", n);
		assert_int_equal(byte(s, 0) != 0, n == 0);
		assert_int_equal(is_whole, n == 0);
	}
}

static void test_ends(void **state)
{
	struct set *s = *state;
	AUTO(freep) uint8_t *old = malloc(SIZE), *now = malloc(SIZE);

	memset(old, 0xAA, SIZE);
	put(s->fd, 0, old, SIZE);
	assert_int_equal(wipe_ends(&s->d, NULL), 0);
	assert_int_equal(fd_pread(s->fd, now, SIZE, 0), SIZE);
	assert_true(chunk_is_zero(now, WIPE_END_BYTES));
	assert_true(chunk_is_zero(now + SIZE - WIPE_END_BYTES, WIPE_END_BYTES));
	assert_memory_equal(now + WIPE_END_BYTES, old, SIZE - 2 * WIPE_END_BYTES);
}

/* A disk smaller than its ends. */
static void test_small_disk(void **state)
{
	struct set *s = *state;
	uint8_t old[4096];

	s->d.id.size_bytes = 65536;
	memset(old, 0xAA, sizeof(old));
	put(s->fd, 0, old, sizeof(old));
	put(s->fd, 65536, old, sizeof(old));
	assert_int_equal(wipe_ends(&s->d, NULL), 0);
	assert_int_equal(byte(s, 0), 0);
	assert_int_equal(byte(s, 65536), 0xAA);
}

static int write_eio(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	return -EIO;
}

static int flush_eio(struct disk *d)
{
	return -EIO;
}

static void test_failing_disks(void **state)
{
	struct set *s = *state;
	struct plan_action action = { .kind = PLAN_WIPE, .name = "x", .size_bytes = SIZE };
	const struct plan p = { &action, 1 };
	struct disk_ops ops = disk_ops_real;
	struct fault err = FAULT_INIT;

	ops.write = write_eio;
	s->d.ops = &ops;
	assert_int_equal(wipe_ends(&s->d, &err), -EIO);
	assert_non_null(strstr(err.text, "the start"));
	assert_int_equal(wipe_signatures(&s->d, &p, &err), -EIO);
	ops.write = disk_ops_real.write;
	ops.flush = flush_eio;
	assert_int_equal(wipe_ends(&s->d, &err), -EIO);
	assert_non_null(strstr(err.text, "flush"));
	assert_int_equal(wipe_signatures(&s->d, &p, &err), -EIO);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_signatures), CASE(test_first_sector_goes_first), CASE(test_ends),
		CASE(test_small_disk), CASE(test_failing_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
