#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "common/cleanup.h"
#include "imagebuilder/initramfs.h"

static void fill(struct file_set *set)
{
	char *big = malloc(300000);

	for (size_t i = 0; i < 300000; i++)
		big[i] = (char)(i ^ i >> 7);
	assert_int_equal(file_set_add(set, "usr/bin/big", 0755, big, 300000), 0);
	assert_int_equal(file_set_add_text(set, "init", 0755, "#!/bin/sh\n"), 0);
}

/* Decompressed by libzstd in one call, it is the plain archive. */
static void test_pack(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	AUTO(buf_done) struct buf packed;
	AUTO(buf_done) struct buf plain;
	AUTO(freep) char *got = malloc(1 << 20);
	struct cpio_writer w;

	fill(&set);
	buf_init(&packed, 1 << 20);
	buf_init(&plain, 1 << 20);
	assert_int_equal(initramfs_pack(&set, 1700000000, 3, &packed, NULL, NULL), 0);
	cpio_writer_init_buf(&w, &plain, 1700000000);
	assert_int_equal(file_set_write(&set, &w), 0);
	assert_int_equal(cpio_end(&w), 0);

	size_t n = ZSTD_decompress(got, 1 << 20, packed.data, packed.len);
	assert_false(ZSTD_isError(n));
	assert_int_equal(n, plain.len);
	assert_memory_equal(got, plain.data, n);
}

static void test_same_again(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	AUTO(buf_done) struct buf a;
	AUTO(buf_done) struct buf b;

	fill(&set);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	assert_int_equal(initramfs_pack(&set, 0, 0, &a, NULL, NULL), 0);
	assert_int_equal(initramfs_pack(&set, 0, 0, &b, NULL, NULL), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static bool always(void *ctx)
{
	return true;
}

static void test_cancelled_and_too_big(void **state)
{
	AUTO(file_set_done) struct file_set set = FILE_SET_INIT;
	AUTO(buf_done) struct buf out;
	struct progress p;

	fill(&set);
	buf_init(&out, 100);
	assert_int_equal(initramfs_pack(&set, 0, 1, &out, NULL, NULL), -EMSGSIZE);
	progress_init(&p, NULL, NULL);
	p.cancelled = always;
	assert_int_equal(initramfs_pack(&set, 0, 1, &out, &p, NULL), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_cancelled_and_too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
