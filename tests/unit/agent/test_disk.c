/*
 * Identity of disks, and the calls on a regular file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/chunk_pool.h"
#include "agent/disk.h"
#include "common/cleanup.h"

static const struct disk_id now = {
	.name = "sdb",
	.wwn = "0x5000c500a",
	.serial = "S4E",
	.size_bytes = 1ull << 40,
	.sector_size = 512,
	.diskseq = 12,
};

static void test_identity(void **state)
{
	static const struct {
		const char *word;
		struct disk_id then;
	} cases[] = {
		{ NULL, { .size_bytes = 0 } }, /* nothing is known: nothing is compared */
		{ NULL,
		  { .name = "sda",
		    .devno = 99,
		    .serial = "S4E",
		    .size_bytes = 1ull << 40 } }, /* names and numbers move */
		{ NULL,
		  { .wwn = "0x5000c500a",
		    .serial = "S4E",
		    .size_bytes = 1ull << 40,
		    .sector_size = 512,
		    .diskseq = 12 } },
		{ "WWN", { .wwn = "0x5000c500b" } },
		{ "serial", { .serial = "S4" } },
		{ "serial", { .serial = "S4E1" } },
		{ "size", { .size_bytes = (1ull << 40) - 512 } },
		{ "sector size", { .sector_size = 4096 } },
		{ "sequence", { .serial = "S4E", .diskseq = 11 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		int r = disk_id_check(&cases[i].then, &now, &err);

		if (r != (cases[i].word ? -ESTALE : 0) ||
		    (cases[i].word && !strstr(err.text, cases[i].word)))
			fail_msg("case %zu: %d %s", i, r, fault_text(&err));
	}
	/* a disk that had a serial number and has none now is another one */
	struct disk_id bare = now;
	struct fault err = FAULT_INIT;
	bare.serial[0] = '\0';
	assert_int_equal(disk_id_check(&now, &bare, &err), -ESTALE);
	assert_non_null(strstr(err.text, "missing"));
}

static void test_not_disks(void **state)
{
	struct disk_id id;
	struct disk d;

	assert_int_equal(disk_id_read("/dev/null", &id, NULL), -ENOTBLK);
	assert_int_equal(disk_id_read("/tmp", &id, NULL), -ENOTBLK);
	assert_int_equal(disk_id_read("/nowhere", &id, NULL), -ENOENT);
	assert_int_equal(disk_open_file("/tmp", 512, &d, NULL), -EISDIR);
	assert_int_equal(disk_open_file("/dev/null", 512, &d, NULL), -EINVAL);
}

static void test_file_as_disk(void **state)
{
	char path[] = "/tmp/slipway-disk-XXXXXX";
	AUTO(freep) uint8_t *a = chunk_alloc(65536), *b = chunk_alloc(65536);
	int fd = mkostemp(path, 0);
	struct disk d;

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	assert_int_equal(disk_open_file(path, 4096, &d, NULL), 0);
	assert_int_equal(d.id.size_bytes, 1 << 20);
	assert_int_equal(d.id.sector_size, 4096);
	memset(a, 0x5A, 65536);
	assert_int_equal(d.ops->write(&d, a, 65536, 4096), 0);
	assert_int_equal(d.ops->flush(&d), 0);
	assert_int_equal(d.ops->read(&d, b, 65536, 4096), 0);
	assert_memory_equal(a, b, 65536);
	int r = d.ops->zero(&d, 4096, 65536);
	if (r == 0) {
		assert_int_equal(d.ops->read(&d, b, 65536, 4096), 0);
		assert_true(chunk_is_zero(b, 65536));
	} else {
		assert_int_equal(r, -EOPNOTSUPP);
	}
	assert_int_equal(d.ops->read(&d, b, 65536, (1 << 20) - 4096), -EIO); /* behind the end */
	assert_int_equal(d.ops->reread_table(&d), 0);
	disk_close(&d);
	unlink(path);
}

static void test_chunk_is_zero(void **state)
{
	uint8_t data[100] = { 0 };

	assert_true(chunk_is_zero(data, 0));
	assert_true(chunk_is_zero(data, 100));
	for (size_t i = 0; i < 100; i++) {
		data[i] = 1;
		assert_false(chunk_is_zero(data, 100));
		data[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_not_disks),
		cmocka_unit_test(test_file_as_disk),
		cmocka_unit_test(test_chunk_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
