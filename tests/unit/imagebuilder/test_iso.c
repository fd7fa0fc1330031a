#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "imagebuilder/imagebuilder.h"
#include "tiny_iso.h"

static int find(const struct tiny_iso *iso, const char *path, uint64_t *offset, uint64_t *size,
		struct fault *err)
{
	AUTO(closep) int fd = tiny_file(iso->data, sizeof(iso->data));

	return iso_file_find(fd, path, offset, size, err);
}

static void test_find(void **state)
{
	static const struct {
		const char *path;
		int r;
		uint64_t lba, size;
	} cases[] = {
		{ "/boot/token.img", 0, TINY_TOKEN_LBA, TINY_TOKEN_SIZE },
		{ "BOOT//Token.Img", 0, TINY_TOKEN_LBA, TINY_TOKEN_SIZE },
		{ "/readme", 0, TINY_README_LBA, 5 },
		{ "/boot", -ENOENT, 0, 0 },
		{ "/boot/token", -ENOENT, 0, 0 },
		{ "/readme/token.img", -ENOENT, 0, 0 },
		{ "/", -ENOENT, 0, 0 },
	};
	struct tiny_iso iso;

	tiny_iso_init(&iso);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t offset = 0, size = 0;
		assert_int_equal(find(&iso, cases[i].path, &offset, &size, NULL), cases[i].r);
		assert_int_equal(offset, cases[i].lba * TINY_BLOCK);
		assert_int_equal(size, cases[i].size);
	}
}

static void test_volume_id(void **state)
{
	struct tiny_iso iso;
	char id[33];

	tiny_iso_init(&iso);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_volume_id(fd, id, NULL), 0);
	assert_string_equal(id, "TINY");
}

/* A record at the end of a block, and one after the gap. */
static void test_second_block(void **state)
{
	struct tiny_iso iso;
	uint64_t offset, size;

	tiny_iso_init(&iso);
	tiny_le32(tiny_block(&iso, 16) + 156 + 2, 25); /* root: two blocks at 25 */
	tiny_le32(tiny_block(&iso, 16) + 156 + 10, 2 * TINY_BLOCK);
	tiny_dots(tiny_block(&iso, 25), 25, 25);
	tiny_record(tiny_block(&iso, 26), "LATE.TXT;1", 10, 30, 7, 0);
	assert_int_equal(find(&iso, "late.txt", &offset, &size, NULL), 0);
	assert_int_equal(offset, 30 * TINY_BLOCK);
}

struct damage {
	const char *what;
	size_t lba, at;
	uint8_t value;
	int r;
	const char *text;
};

static void test_damaged(void **state)
{
	const size_t token = 2 * 34; /* in the BOOT folder */
	const struct damage cases[] = {
		{ "no magic", 16, 1, 'X', -EBADMSG, "not an ISO" },
		{ "volume longer than the file", 16, 80, TINY_BLOCKS + 1, -EBADMSG, "incomplete" },
		{ "root outside", 16, 156 + 4, 1, -EBADMSG, "root directory" },
		{ "root is a file", 16, 156 + 25, 0, -EBADMSG, "root directory" },
		{ "record too short", TINY_BOOT_LBA, token, 20, -EBADMSG, "broken directory" },
		{ "record beyond the block", TINY_BOOT_LBA, 34, 255, -ENOENT, NULL },
		{ "name longer than the record", TINY_BOOT_LBA, token + 32, 60, -EBADMSG,
		  "broken directory" },
		{ "extent outside", TINY_BOOT_LBA, token + 4, 1, -EBADMSG, "broken directory" },
		{ "size outside", TINY_BOOT_LBA, token + 13, 1, -EBADMSG, "broken directory" },
		{ "several extents", TINY_BOOT_LBA, token + 25, 0x80, -ENOTSUP, "several pieces" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault err = FAULT_INIT;
		struct tiny_iso iso;
		uint64_t offset, size;
		tiny_iso_init(&iso);
		tiny_block(&iso, (uint32_t)cases[i].lba)[cases[i].at] = cases[i].value;
		int r = find(&iso, "/boot/token.img", &offset, &size, &err);
		if (r != cases[i].r || (cases[i].text && !strstr(err.text, cases[i].text)))
			fail_msg("%s: %d %s", cases[i].what, r, err.text);
	}
}

static void test_cut_off(void **state)
{
	struct tiny_iso iso;
	uint64_t offset, size;

	tiny_iso_init(&iso);
	for (size_t len = 0; len < TINY_SIZE; len += 1024) {
		AUTO(closep) int fd = tiny_file(iso.data, len);
		assert_int_equal(iso_file_find(fd, "/boot/token.img", &offset, &size, NULL),
				 -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),         cmocka_unit_test(test_volume_id),
		cmocka_unit_test(test_second_block), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
