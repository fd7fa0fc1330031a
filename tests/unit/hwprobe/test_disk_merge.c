/* Whose error it is, by the file that was read; the rest of the merge is seen in test_disk_refresh.c. The source is a part of this test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/disk_merge.c"

static void test_files_of_disks(void **state)
{
	static const struct {
		const char *source, *disk;
		bool is_of;
	} rows[] = {
		{ "sys/block/sda", "sda", true },
		{ "sys/block/sda/size", "sda", true },
		{ "sys/block/sda/sda1/size", "sda", true },
		{ "sys/block/sdaa/size", "sda", false },
		{ "sys/block/sda/size", "sdaa", false },
		{ "sys/block/cciss!c0d0/size", "cciss!c0d0", true },
		{ "dev/sda", "sda", true },
		{ "dev/sda1", "sda", true },
		{ "dev/sda128", "sda", true },
		{ "dev/sdaa", "sda", false },
		{ "dev/sda1x", "sda", false },
		{ "dev/sd", "sda", false },
		{ "dev/nvme0n1", "nvme0n1", true },
		{ "dev/nvme0n1p1", "nvme0n1", true },
		{ "dev/nvme0n10", "nvme0n1", false },
		{ "dev/nvme0n1p", "nvme0n1", false },
		{ "dev/cciss/c0d0p2", "cciss!c0d0", true },
		{ "dev/mmcblk0boot0", "mmcblk0", false },
		{ "run/udev/data/b8:0", "sda", false },
		{ "proc/self/mountinfo", "sda", false },
		{ "", "sda", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is_file_of(rows[i].source, rows[i].disk) != rows[i].is_of)
			fail_msg("%s of %s", rows[i].source, rows[i].disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_of_disks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
