#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "imagebuilder/imagebuilder.h"
#include "tiny_iso.h"

static void test_token_area(void **state)
{
	struct tiny_iso iso;
	struct iso_area a;

	tiny_iso_init(&iso);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, NULL), 0);
	assert_int_equal(a.offset, TINY_TOKEN_LBA * TINY_BLOCK);
	assert_int_equal(a.length, TINY_TOKEN_SIZE);
	assert_string_equal(a.path, "/boot/token.img");
	assert_false(a.ignition);
}

/* What is written, and that nothing around it changes: against the same image written by memcpy(). */
static void test_write(void **state)
{
	static const size_t lengths[] = { TINY_TOKEN_SIZE, 1, 0, 100, TINY_TOKEN_SIZE - 1 };
	struct tiny_iso iso, got;
	struct iso_area a;
	uint8_t segment[TINY_TOKEN_SIZE];

	tiny_iso_init(&iso);
	memset(segment, 's', sizeof(segment));
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_int_equal(iso_area_write(fd, &a, segment, lengths[i], NULL), 0);
		memset(iso.data + a.offset, 0, a.length);
		memcpy(iso.data + a.offset, segment, lengths[i]);
		assert_int_equal(pread(fd, got.data, sizeof(got.data), 0), sizeof(got.data));
		assert_memory_equal(got.data, iso.data, sizeof(got.data));
	}
}

static void test_too_long(void **state)
{
	struct fault err = FAULT_INIT;
	struct tiny_iso iso, got;
	struct iso_area a;
	uint8_t segment[TINY_TOKEN_SIZE + 1] = { 1 };

	tiny_iso_init(&iso);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, NULL), 0);
	assert_int_equal(iso_area_write(fd, &a, segment, sizeof(segment), &err), -EFBIG);
	assert_non_null(strstr(err.text, "does not fit"));
	assert_int_equal(pread(fd, got.data, sizeof(got.data), 0), sizeof(got.data));
	assert_memory_equal(got.data, iso.data, sizeof(got.data));
}

/* A tiny image whose /BOOT is renamed and holds another file. */
static void rename_token(struct tiny_iso *iso, const char *dir, const char *file, uint32_t lba,
			 uint32_t size)
{
	tiny_iso_init(iso);
	uint8_t *at = tiny_dots(tiny_block(iso, TINY_ROOT_LBA), TINY_ROOT_LBA, TINY_ROOT_LBA);
	memset(at, 0, 200);
	tiny_record(at, dir, strlen(dir), TINY_BOOT_LBA, TINY_BLOCK, 2);
	at = tiny_dots(tiny_block(iso, TINY_BOOT_LBA), TINY_BOOT_LBA, TINY_ROOT_LBA);
	memset(at, 0, 200);
	tiny_record(at, file, strlen(file), lba, size, 0);
}

static void test_ignition_file(void **state)
{
	struct tiny_iso iso;
	struct iso_area a;

	rename_token(&iso, "IMAGES", "IGNITION.IMG;1", 24, 2048);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, NULL), 0);
	assert_true(a.ignition);
	assert_int_equal(a.offset, 24 * TINY_BLOCK);
	assert_int_equal(a.length, 2048);
}

static void test_igninfo(void **state)
{
	static const struct {
		const char *json;
		int r;
		uint64_t offset, length;
	} cases[] = {
		{ "{\"file\":\"coreos/igninfo.json\"}", 0, 0, 2048 },
		{ "{\"file\":\"coreos/igninfo.json\",\"offset\":512,\"length\":100}", 0, 512, 100 },
		{ "{\"file\":\"coreos/igninfo.json\",\"offset\":512}", 0, 512, 1536 },
		{ "{\"file\":\"coreos/igninfo.json\",\"offset\":2049}", -EBADMSG, 0, 0 },
		{ "{\"file\":\"coreos/igninfo.json\",\"offset\":-1}", -EBADMSG, 0, 0 },
		{ "{\"file\":\"coreos/igninfo.json\",\"offset\":2000,\"length\":49}", -EBADMSG, 0,
		  0 },
		{ "{\"file\":\"coreos/igninfo.json\",\"length\":0}", -EBADMSG, 0, 0 },
		{ "{}", -EBADMSG, 0, 0 },
		{ "[", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tiny_iso iso;
		struct iso_area a = { 0 };
		rename_token(&iso, "COREOS", "IGNINFO.JSON;1", 24, 2048);
		memset(tiny_block(&iso, 24), ' ', 2048);
		memcpy(tiny_block(&iso, 24), cases[i].json, strlen(cases[i].json));
		AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
		int r = iso_area_find(fd, &a, NULL);
		if (cases[i].r == 0) {
			assert_int_equal(r, 0);
			assert_int_equal(a.offset, 24 * TINY_BLOCK + cases[i].offset);
			assert_int_equal(a.length, cases[i].length);
			assert_true(a.ignition);
		} else {
			assert_true(r < 0 && r != -ENOENT);
		}
	}
}

static void test_coreiso_header(void **state)
{
	struct tiny_iso iso;
	struct iso_area a;

	rename_token(&iso, "OTHER", "FILE.IMG;1", 24, 2048);
	memcpy(iso.data + 32744, "coreiso+\0\300\0\0\0\0\0\0\0\10\0\0\0\0\0\0", 24);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, NULL), 0);
	assert_int_equal(a.offset, 0xc000);
	assert_int_equal(a.length, 0x800);

	uint8_t beyond = 2; /* offset 0x2c000 */
	assert_int_equal(pwrite(fd, &beyond, 1, 32744 + 10), 1);
	assert_int_equal(iso_area_find(fd, &a, NULL), -EBADMSG);
}

static void test_none(void **state)
{
	struct fault err = FAULT_INIT;
	struct tiny_iso iso;
	struct iso_area a;

	rename_token(&iso, "OTHER", "FILE.IMG;1", 24, 2048);
	AUTO(closep) int fd = tiny_file(iso.data, sizeof(iso.data));
	assert_int_equal(iso_area_find(fd, &a, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no area"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_area), cmocka_unit_test(test_write),
		cmocka_unit_test(test_too_long),   cmocka_unit_test(test_ignition_file),
		cmocka_unit_test(test_igninfo),    cmocka_unit_test(test_coreiso_header),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
