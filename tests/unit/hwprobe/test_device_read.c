/* A device that never answers costs its own time limit, and the others are read all the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/device_read.h"
#include "hwprobe/root.h"

/* One per test: a worker that was left behind before it began takes no token. */
static sem_t may_go_on[3];

static ssize_t fake_device(const char *path, uint64_t offset, void *data, size_t len)
{
	const char *hung = strstr(path, "hung");
	if (hung)
		sem_wait(&may_go_on[hung[4] - '0']);
	if (strstr(path, "bad"))
		return -EIO;
	memset(data, 'x', len);
	return (ssize_t)len;
}

static struct hwp_options opt = { .device_timeout_ms = 50 };
static struct root live = { .fd = -1, .is_live = true, .record_fd = -1 };

static struct survey new_survey(void)
{
	return (struct survey){ .root = &live,
				.opt = &opt,
				.read_device = fake_device,
				.deadline_ms = time_mono_ms() + 10000 };
}

static void test_hung_device(void **state)
{
	struct survey s = new_survey();
	char data[512] = { 0 };
	int64_t start = time_mono_ms();
	assert_int_equal(device_read(&s, "dev/good", 0, data, sizeof(data)), sizeof(data));
	assert_int_equal(data[511], 'x');
	assert_int_equal(device_read(&s, "dev/bad", 0, data, sizeof(data)), -EIO);
	assert_int_equal(s.workers, 1);
	assert_int_equal(device_read(&s, "dev/hung0", 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(device_read(&s, "dev/good", 0, data, sizeof(data)), sizeof(data));
	assert_int_equal(s.workers, 2);
	int64_t took = time_mono_ms() - start;
	assert_true(took >= 50 && took < 5000);
	device_reader_close(&s);
	device_reader_close(&s);
	sem_post(&may_go_on[0]); /* the one left behind ends and frees its memory */
}

static void test_total_time(void **state)
{
	struct survey s = new_survey();
	char data[512];
	s.deadline_ms = time_mono_ms() - 1;
	opt.device_timeout_ms = 60000;
	assert_int_equal(device_read(&s, "dev/hung1", 0, data, sizeof(data)), -ETIMEDOUT);
	device_reader_close(&s);
	opt.device_timeout_ms = 50;
	sem_post(&may_go_on[1]);
}

static void test_too_many_hang(void **state)
{
	struct survey s = new_survey();
	char data[512];
	opt.device_timeout_ms = 1;
	for (int i = 0; i < DEVICE_WORKERS_MAX; i++)
		assert_int_equal(device_read(&s, "dev/hung2", 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(device_read(&s, "dev/good", 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(s.workers, DEVICE_WORKERS_MAX);
	device_reader_close(&s);
	for (int i = 0; i < DEVICE_WORKERS_MAX; i++)
		sem_post(&may_go_on[2]);
	opt.device_timeout_ms = 50;
}

static void test_limits(void **state)
{
	struct survey s = new_survey();
	char data[DEVICE_READ_MAX + 1], path[ROOT_PATH_MAX + 1];
	assert_int_equal(device_read(&s, "dev/good", 0, data, DEVICE_READ_MAX), DEVICE_READ_MAX);
	assert_int_equal(device_read(&s, "dev/good", 0, data, DEVICE_READ_MAX + 1), -EMSGSIZE);
	memset(path, 'a', sizeof(path));
	path[ROOT_PATH_MAX] = '\0';
	assert_int_equal(device_read(&s, path, 0, data, 1), -EMSGSIZE);
	device_reader_close(&s);
}

/* --- in a whole probe of the running machine ---------------------------------------------------------------------- */

static sem_t probe_may_end;

static ssize_t hung_device(const char *path, uint64_t offset, void *data, size_t len)
{
	sem_wait(&probe_may_end);
	return -EIO;
}

static const struct hwp_error *error_of(const struct hwp_inventory *inv, const char *path)
{
	const struct hwp_error *errors;
	size_t n = hwp_errors(inv, &errors);
	for (size_t i = 0; i < n; i++)
		if (path && !strcmp(errors[i].source, path + 1) && !strcmp(errors[i].part, "disks"))
			return &errors[i];
	return NULL;
}

/* Each disk keeps all values but those that are read from it, its error is told, and the other parts are there. */
static void test_hung_probe(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_inventory *whole, *inv;
	const struct hwp_options options = { .size = sizeof(options),
					     .parts = HWP_DISKS | HWP_CPU | HWP_BOOT,
					     .device_timeout_ms = 20,
					     .total_timeout_ms = 2000,
					     .flags = HWP_MORE };
	int hung = 0;
	assert_int_equal(hwp_open(&ctx, &options), 0);
	assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
	ctx->read_device = hung_device;
	int64_t start = time_mono_ms();
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	assert_true(time_mono_ms() - start < 6000);
	assert_int_equal(hwp_disk_count(inv), hwp_disk_count(whole));
	for (size_t i = 0; i < hwp_disk_count(inv); i++) {
		const struct hwp_disk *d = hwp_disk_at(inv, i), *before = hwp_disk_at(whole, i);
		const struct hwp_error *e = error_of(inv, d->path.s);
		assert_int_equal(d->size_bytes.v, before->size_bytes.v);
		assert_string_equal(d->id.s, before->id.s);
		assert_null(d->bootable.source);
		hung += e && e->err == ETIMEDOUT;
	}
	for (size_t i = 0; i < hwp_disk_count(whole); i++)
		hung -= hwp_disk_at(whole, i)->bootable.source ||
			error_of(whole, hwp_disk_at(whole, i)->path.s);
	assert_int_equal(hung, 0); /* as many as are read otherwise */
	assert_non_null(hwp_get_cpu(inv)->architecture.s);
	assert_string_equal(hwp_get_boot(inv)->current_boot_mode.s,
			    hwp_get_boot(whole)->current_boot_mode.s);
	hwp_unref(inv);
	hwp_unref(whole);
	hwp_close(ctx);
	for (int i = 0; i < DEVICE_WORKERS_MAX; i++)
		sem_post(&probe_may_end);
}

static int setup(void **state)
{
	for (size_t i = 0; i < sizeof(may_go_on) / sizeof(may_go_on[0]); i++)
		if (sem_init(&may_go_on[i], 0, 0) < 0)
			return -1;
	return sem_init(&probe_may_end, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hung_device),   cmocka_unit_test(test_total_time),
		cmocka_unit_test(test_too_many_hang), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hung_probe),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
