/* Many heads in one go: a device that hangs costs its own time and its own values, wherever it stands. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/device_heads.h"
#include "hwprobe/device_read.h"
#include "tests/unit/hwprobe/tree.h"

enum { HEADS = 5000 }; /* more than go into as many batches as there may be workers that hang */

/* One per case: those left behind by one must not take what lets those of another go on. */
static sem_t may_go_on[7];

/* "/dev/hungN" waits for its semaphore, "/dev/bad…" fails, the others are full of a byte that tells where it stands. */
static ssize_t fake_device(const char *path, uint64_t offset, void *data, size_t len)
{
	const char *hung = strstr(path, "hung");
	if (hung)
		sem_wait(&may_go_on[hung[4] - '0']);
	if (strstr(path, "bad"))
		return -EIO;
	assert(offset == 0);
	/* LBA 0 can be read, what is behind it not; and a device that ends in the descriptor. */
	if (strstr(path, "torn") && len > HEAD_SECTOR_BYTES)
		return -EIO;
	if (strstr(path, "short"))
		len = MIN_OF(len, (size_t)HEAD_DESCRIPTOR_AT + 2);
	memset(data, 's', len);
	if (len > HEAD_DESCRIPTOR_AT)
		memset((char *)data + HEAD_DESCRIPTOR_AT, 'd', len - HEAD_DESCRIPTOR_AT);
	return (ssize_t)len;
}

static struct hwp_options opt;
static struct root live = { .fd = -1, .is_live = true, .record_fd = -1 };
static struct device_head heads[HEADS];
static char paths[HEADS][32];

/* Names are of the kind that @kinds (a list of "PLACE KIND", e.g. "3 hung") says, else good. */
static struct survey make(size_t n, const char *kinds)
{
	memset(heads, 0, sizeof(heads));
	for (size_t i = 0; i < n; i++) {
		snprintf(paths[i], sizeof(paths[i]), "dev/good%zu", i);
		heads[i] = (struct device_head){ .path = paths[i], .wants_descriptor = i % 2 };
	}
	for (const char *p = kinds; *p;) {
		char *kind;
		size_t place = strtoul(p, &kind, 10), len = strcspn(++kind, " ");
		snprintf(paths[place], sizeof(paths[place]), "dev/%.*s", (int)len, kind);
		p = kind + len + (kind[len] == ' ');
	}
	opt = (struct hwp_options){ .device_timeout_ms = 150 };
	return (struct survey){ .root = &live,
				.opt = &opt,
				.read_device = fake_device,
				.deadline_ms = time_mono_ms() + 20000 };
}

static void expect_good(size_t i)
{
	if (heads[i].sector_result != HEAD_SECTOR_BYTES || heads[i].sector[511] != 's')
		fail_msg("head %zu: %zd", i, heads[i].sector_result);
	if (heads[i].descriptor_result != (i % 2 ? HEAD_DESCRIPTOR_BYTES : 0) ||
	    (i % 2 && heads[i].descriptor[5] != 'd'))
		fail_msg("descriptor %zu: %zd", i, heads[i].descriptor_result);
	assert_ptr_equal(heads[i].path, paths[i]);
}

static void test_all_good(void **state)
{
	struct survey s = make(HEADS, "");
	device_read_heads(&s, heads, HEADS);
	for (size_t i = 0; i < HEADS; i++)
		expect_good(i);
	assert_int_equal(s.workers, 0); /* those that came back are none that hang */
}

static void test_torn_and_short(void **state)
{
	struct survey s = make(4, "1 torn 3 short");
	device_read_heads(&s, heads, 4);
	expect_good(0);
	expect_good(2);
	assert_int_equal(heads[1].sector_result, HEAD_SECTOR_BYTES);
	assert_int_equal(heads[1].sector[511], 's');
	assert_int_equal(heads[1].descriptor_result, 0);
	assert_int_equal(heads[3].sector_result, HEAD_SECTOR_BYTES);
	assert_int_equal(heads[3].descriptor_result, 2);
}

static void test_none(void **state)
{
	struct survey s = make(0, "");
	device_read_heads(&s, NULL, 0);
	assert_int_equal(s.workers, 0);
}

static void test_some_hang(void **state)
{
	static const struct {
		const char *kinds;
		int hung;
	} tests[] = {
		{ "0 hung0", 1 },
		{ "9 hung1", 1 },
		{ "4 hung2 5 hung2", 2 },
		{ "0 bad 1 hung3 9 bad", 1 },
	};
	for (size_t t = 0; t < ARRAY_SIZE(tests); t++) {
		struct survey s = make(10, tests[t].kinds);
		int64_t start = time_mono_ms();
		device_read_heads(&s, heads, 10);
		int64_t took = time_mono_ms() - start;
		if (took < 150 * tests[t].hung || took > 5000)
			fail_msg("%s: took %lld ms", tests[t].kinds, (long long)took);
		for (size_t i = 0; i < 10; i++) {
			ssize_t want = strstr(paths[i], "hung")  ? -ETIMEDOUT
				       : strstr(paths[i], "bad") ? -EIO
								 : 0;
			if (!want)
				expect_good(i);
			else if (heads[i].sector_result != want || heads[i].descriptor_result)
				fail_msg("%s: head %zu: %zd", tests[t].kinds, i,
					 heads[i].sector_result);
		}
		for (int i = 0; i < tests[t].hung; i++)
			sem_post(&may_go_on[t]); /* those left behind end and free their memory */
	}
}

/* When nothing answers any more, the end comes after a number of devices, not after all of them. */
static void test_all_hang(void **state)
{
	struct survey s = make(100, "");
	for (size_t i = 0; i < 100; i++)
		snprintf(paths[i], sizeof(paths[i]), "dev/hung4");
	opt.device_timeout_ms = 1;
	device_read_heads(&s, heads, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(heads[i].sector_result, -ETIMEDOUT);
	assert_int_equal(s.workers, DEVICE_WORKERS_MAX);
	for (int i = 0; i < DEVICE_WORKERS_MAX; i++)
		sem_post(&may_go_on[4]);
}

static void test_total_time(void **state)
{
	struct survey s = make(10, "3 hung5");
	opt.device_timeout_ms = 60000;
	s.deadline_ms = time_mono_ms() + 300;
	device_read_heads(&s, heads, 10);
	for (size_t i = 0; i < 3; i++)
		expect_good(i);
	assert_int_equal(heads[3].sector_result, -ETIMEDOUT);
	sem_post(&may_go_on[5]);
}

/* A context that looks again and again at a device that hangs must not leave a thread behind each time. */
static void test_next_look(void **state)
{
	struct hwp_ctx ctx = { .hung_heads = NULL };
	for (int look = 0; look < 3; look++) {
		struct survey s = make(4, "1 hung6");
		s.ctx = &ctx;
		device_read_heads(&s, heads, 4);
		assert_int_equal(heads[1].sector_result, -ETIMEDOUT);
		expect_good(0);
		expect_good(2);
		expect_good(3);
		assert_int_equal(s.workers, look ? 0 : 1);
	}
	/* It answers again: the worker that was left behind, and the next read. */
	sem_post(&may_go_on[6]);
	sem_post(&may_go_on[6]);
	heads[1].sector_result = 0;
	for (int64_t end = time_mono_ms() + 10000; time_mono_ms() < end;) {
		struct survey s = make(4, "1 hung6");
		s.ctx = &ctx;
		opt.device_timeout_ms = 10000;
		device_read_heads(&s, heads, 4);
		if (heads[1].sector_result > 0)
			break;
	}
	expect_good(1);
	assert_null(ctx.hung_heads);
	device_heads_forget(&ctx);
}

/* In a recorded tree the files of those names, an errno file among them. */
static void test_recorded(void **state)
{
	struct tree t;
	struct hwp_inventory *inv;
	char image[HEAD_DESCRIPTOR_AT + 2048] = { 0 };
	tree_init(&t);
	memcpy(image + 510, "\x55\xaa", 2);
	tree_files(&t, "sys/block/sda/size", "2048", "sys/block/sdb/size", "2048",
		   "sys/block/sdc/size", "2048", "dev/sdb.errno", "5\n", NULL);
	tree_write(&t, "dev/sda", image, sizeof(image));
	inv = tree_probe(&t, HWP_DISKS);
	const struct hwp_error *errors;
	assert_int_equal(hwp_errors(inv, &errors), 1);
	assert_string_equal(errors[0].source, "dev/sdb");
	assert_int_equal(errors[0].err, EIO);
	assert_true(hwp_disk_at(inv, 0)->bootable.v);
	assert_null(hwp_disk_at(inv, 1)->bootable.source);
	assert_null(hwp_disk_at(inv, 2)->bootable.source); /* nothing is recorded of it */
	hwp_unref(inv);
	tree_done(&t);
}

static int setup(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(may_go_on); i++)
		if (sem_init(&may_go_on[i], 0, 0) < 0)
			return -1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_good),       cmocka_unit_test(test_none),
		cmocka_unit_test(test_torn_and_short), cmocka_unit_test(test_some_hang),
		cmocka_unit_test(test_all_hang),       cmocka_unit_test(test_total_time),
		cmocka_unit_test(test_next_look),      cmocka_unit_test(test_recorded),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
