#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "imagebuilder/os_image.h"
#include "tests/unit/disk_rig.h"

#define MIB 16u
#define SIZE ((size_t)MIB * RIG_MIB)

/* Each by its own bytes at its own place, also when the input ends right behind them. */
static void test_containers(void **state)
{
	static const struct {
		const char *magic;
		size_t len, offset;
		const char *what, *remedy;
	} cases[] = {
		{ "QFI\xfb", 4, 0, "qcow2", "qemu-img convert" },
		{ "KDMV", 4, 0, "VMDK", "qemu-img convert" },
		{ "# Disk Descriptor", 17, 0, "VMDK", "qemu-img convert" },
		{ "conectix", 8, 0, "VHD", "qemu-img convert" },
		{ "vhdxfile", 8, 0, "VHDX", "qemu-img convert" },
		{ "\x7f\x10\xda\xbe", 4, 64, "VDI", "qemu-img convert" },
		{ "QED", 4, 0, "QED", "qemu-img convert" },
		{ "CD001", 5, 32769, "ISO 9660", "raw disk image" },
		{ "hsqs", 4, 0, "squashfs", "raw disk image" },
		{ "PK\3\4", 4, 0, "ZIP", "unzip" },
		{ "ustar", 5, 257, "tar", "tar -xf" },
		{ "7z\xbc\xaf\x27\x1c", 6, 0, "7z", "7z x" },
		{ "\x04\x22\x4d\x18", 4, 0, "lz4", "lz4 -d" },
		{ "\x1f\x8b", 2, 0, "twice", "gzip -d" },
		{ "\xfd"
		  "7zXZ",
		  6, 0, "twice", "xz -d" },
		{ "\x28\xb5\x2f\xfd", 4, 0, "twice", "zstd -d" },
		{ "070701", 6, 0, "cpio", "initramfs" },
		{ "\x7f"
		  "ELF",
		  4, 0, "program", "raw disk image" },
		{ "!<arch>", 7, 0, "package", "raw disk image" },
		{ "<html>", 1, 0, "web page", "downloaded" },
		{ "{}", 1, 0, "error message", "downloaded" },
		{ "\xef\xbb\xbf \r\n\t<", 8, 0, "web page", "downloaded" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) uint8_t *head = calloc(1, cases[i].offset + cases[i].len);
		struct fault err = FAULT_INIT;
		size_t end = cases[i].offset + cases[i].len;

		memcpy(head + cases[i].offset, cases[i].magic, cases[i].len);
		assert_int_equal(os_image_refuse(head, end, &err), -EMEDIUMTYPE);
		if (!strstr(err.text, cases[i].what) || !strstr(err.text, cases[i].remedy))
			fail_msg("case %zu: %s", i, err.text);
		/* one byte less, and one byte aside, it is none */
		if (os_image_refuse(head, end - 1, NULL) != 0)
			fail_msg("case %zu: refused without its last byte", i);
		head[end - 1] ^= 1;
		if (os_image_refuse(head, end, NULL) != 0)
			fail_msg("case %zu: refused with another last byte", i);
	}
	assert_int_equal(os_image_refuse("", 0, NULL), 0);
}

/* A page is looked for behind blanks, but not for ever. */
static void test_blanks(void **state)
{
	char page[80];

	memset(page, ' ', sizeof(page));
	page[63] = '<';
	assert_int_equal(os_image_refuse(page, sizeof(page), NULL), -EMEDIUMTYPE);
	assert_int_equal(os_image_refuse(page, 63, NULL), 0);
}

static void test_gpt(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		AUTO(freep) uint8_t *image = rig_image(MIB, sectors[i], 7);
		struct os_image_layout l = { 0 };

		assert_int_equal(os_image_layout(image, OS_IMAGE_HEAD, &l, NULL), 0);
		assert_int_equal(l.sector_size, sectors[i]);
		assert_int_equal(l.end_bytes, SIZE);
		/* less than the head is no image, whatever is in it */
		struct os_image_layout untouched = { .sector_size = 99 };
		assert_int_equal(os_image_layout(image, OS_IMAGE_HEAD - 1, &untouched, NULL),
				 -EMEDIUMTYPE);
		assert_int_equal(untouched.sector_size, 99);
		/* a table that does not match its checksum */
		image[sectors[i] + 40] ^= 1;
		struct fault err = FAULT_INIT;
		assert_true(os_image_layout(image, OS_IMAGE_HEAD, &untouched, &err) < 0);
		assert_true(*err.text);
		assert_int_equal(untouched.sector_size, 99);
	}
}

/* Some firmware must find something to start. */
static void test_boot_partition(void **state)
{
	static const struct {
		const uint8_t *type;
		int want;
	} cases[] = {
		{ gpt_type_esp, 0 },
		{ gpt_type_bios_boot, 0 },
		{ gpt_type_prep, 0 },
		{ gpt_type_linux, -EMEDIUMTYPE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) uint8_t *image = calloc(1, SIZE);
		const struct rig_part parts[] = { { gpt_type_linux, "root", 4, 8, 1 },
						  { cases[i].type, "second", 1, 2, 2 } };
		struct os_image_layout l;
		struct fault err = FAULT_INIT;

		rig_table(image, SIZE, 512, parts, ARRAY_SIZE(parts));
		assert_int_equal(os_image_layout(image, OS_IMAGE_HEAD, &l, &err), cases[i].want);
		if (cases[i].want)
			assert_non_null(strstr(err.text, "firmware could boot from"));
	}
}

static void put_mbr(uint8_t *head, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *e = head + 446;

	memset(head + 446, 0, 64);
	e[4] = type;
	for (int i = 0; i < 4; i++) {
		e[8 + i] = (uint8_t)(first >> 8 * i);
		e[12 + i] = (uint8_t)(count >> 8 * i);
	}
	head[510] = 0x55;
	head[511] = 0xAA;
}

static void test_mbr(void **state)
{
	AUTO(freep) uint8_t *head = calloc(1, OS_IMAGE_HEAD);
	struct os_image_layout l = { 0 };
	struct fault err = FAULT_INIT;

	assert_int_equal(os_image_layout(head, OS_IMAGE_HEAD, &l, &err), -EMEDIUMTYPE);
	assert_non_null(strstr(err.text, "neither a GPT nor an MBR"));
	put_mbr(head, 0x83, 2048, 4096);
	assert_int_equal(os_image_layout(head, OS_IMAGE_HEAD, &l, NULL), 0);
	assert_int_equal(l.sector_size, 512);
	assert_int_equal(l.end_bytes, 6144ull * 512);
	/* the largest that 32 bits can say does not overflow */
	put_mbr(head, 0x83, UINT32_MAX, UINT32_MAX);
	int r = os_image_layout(head, OS_IMAGE_HEAD, &l, NULL);
	assert_true(r < 0 || l.end_bytes == 2ull * UINT32_MAX * 512);
	head[510] = 0;
	assert_int_equal(os_image_layout(head, OS_IMAGE_HEAD, &l, NULL), -EMEDIUMTYPE);
	/* a protective MBR whose GPT is lost is not taken for an MBR disk */
	put_mbr(head, 0xEE, 1, UINT32_MAX);
	assert_true(os_image_layout(head, OS_IMAGE_HEAD, &l, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_containers), cmocka_unit_test(test_blanks),
		cmocka_unit_test(test_gpt),        cmocka_unit_test(test_boot_partition),
		cmocka_unit_test(test_mbr),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
