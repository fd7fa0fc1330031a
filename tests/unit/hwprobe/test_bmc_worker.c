/* The thread that waits for a BMC: its answer, its failure, and that it may be left alone at any time. */
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
#include "hwprobe/bmc.h"

static sem_t may_answer[2]; /* one per test */

static int hung(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		size_t *ret_len)
{
	sem_wait(&may_answer[0]);
	return -EIO;
}

static int silent(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		  size_t *ret_len)
{
	sem_wait(&may_answer[1]);
	sem_post(&may_answer[1]);
	return -EIO;
}

static int quick(uint8_t netfn, uint8_t cmd, const uint8_t *data, size_t len, uint8_t *ret,
		 size_t *ret_len)
{
	memcpy(ret, "\1\5\x81", 3);
	*ret_len = 3;
	return 0;
}

static int64_t soon_ms(int ms)
{
	return time_mono_ms() + ms;
}

static void test_answer(void **state)
{
	struct bmc_worker *w;
	struct bmc_answer a;
	assert_int_equal(bmc_worker_start(&w, quick, 1000, false), 0);
	assert_int_equal(bmc_worker_wait(w, soon_ms(10000), &a), 0);
	assert_int_equal(a.rc, 0);
	assert_false(a.info.has_v4);
	assert_non_null(a.transcript);
	assert_memory_equal(a.transcript, "06 42 01 > 00 01 05 81\n06 42 02", 31);
	free(a.transcript);
	/* Asked twice it says the same; the transcript is given once. */
	assert_int_equal(bmc_worker_wait(w, 0, &a), 0);
	assert_null(a.transcript);
	bmc_worker_leave(w);
	bmc_worker_leave(NULL);
}

static void test_failure(void **state)
{
	struct bmc_worker *w;
	struct bmc_answer a = { .rc = 7 };
	assert_int_equal(bmc_worker_start(&w, hung, 1000, false), 0);
	int64_t start = time_mono_ms();
	assert_int_equal(bmc_worker_wait(w, soon_ms(20), &a), -ETIMEDOUT);
	assert_true(time_mono_ms() - start >= 19);
	assert_int_equal(a.rc, 7);
	assert_int_equal(bmc_worker_wait(w, 0, &a), -ETIMEDOUT);
	sem_post(&may_answer[0]);
	assert_int_equal(bmc_worker_wait(w, soon_ms(10000), &a), 0);
	assert_int_equal(a.rc, -EIO);
	assert_null(a.transcript);
	bmc_worker_leave(w);
}

/* Left while it asks, it ends by itself and frees what it had (the leak checker looks). */
static void test_left(void **state)
{
	struct bmc_worker *w[8];
	struct bmc_answer a;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(bmc_worker_start(&w[i], silent, 1000, true), 0);
	for (size_t i = 0; i < 7; i++)
		bmc_worker_leave(w[i]);
	sem_post(&may_answer[1]);
	assert_int_equal(bmc_worker_wait(w[7], soon_ms(10000), &a), 0);
	assert_int_equal(a.rc, -EIO);
	bmc_worker_leave(w[7]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_left),
	};
	sem_init(&may_answer[0], 0, 0);
	sem_init(&may_answer[1], 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
