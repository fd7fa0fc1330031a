#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/crc32.h"
#include "common/gpt.h"
#include "tests/unit/disk_rig.h"

#define MIB 16u

/* Puts a value into the header at LBA 1 and makes both checksums right again. */
static void header_poke(uint8_t *image, uint32_t sector, size_t offset, uint64_t value, size_t len)
{
	uint8_t *h = image + sector;
	uint32_t count, crc;

	memcpy(h + offset, &value, len);
	memcpy(&count, h + 80, 4);
	if (count <= 1024) {
		crc = crc32_update(0, image + 2 * sector, count * 128);
		memcpy(h + 88, &crc, 4);
	}
	memset(h + 16, 0, 4);
	crc = crc32_update(0, h, 92);
	memcpy(h + 16, &crc, 4);
}

static void entry_poke(uint8_t *image, uint32_t sector, unsigned index, size_t offset,
		       uint64_t value)
{
	memcpy(image + 2 * sector + index * 128 + offset, &value, 8);
	header_poke(image, sector, 20, 0, 4);
}

static void test_parse(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		uint32_t s = sectors[i];
		AUTO(freep) uint8_t *image = rig_image(MIB, s, 1);
		AUTO(gpt_done) struct gpt g = { 0 };
		struct fault err = FAULT_INIT;
		char name[GPT_NAME_LEN + 1], guid[GPT_GUID_TEXT];

		assert_int_equal(gpt_sector_size(image, RIG_MIB), s);
		assert_int_equal(gpt_parse(image, RIG_MIB, s, &g, &err), 0);
		assert_int_equal(g.alternate_lba, MIB * RIG_MIB / s - 1);
		assert_int_equal(gpt_last_used(&g), (MIB - 1) * RIG_MIB / s - 1);
		assert_ptr_equal(gpt_find_type(&g, gpt_type_esp), &g.entries[1]);
		assert_null(gpt_find_type(&g, gpt_type_prep));
		assert_false(gpt_entry_is_used(&g.entries[3]));
		gpt_entry_name(&g.entries[2], name);
		assert_string_equal(name, "root");
		gpt_guid_format(gpt_type_esp, guid);
		assert_string_equal(guid, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	}
}

static void test_type_names(void **state)
{
	static const struct {
		const uint8_t *type;
		const char *text;
	} cases[] = {
		{ gpt_type_bios_boot, "21686148-6449-6e6f-744e-656564454649" },
		{ gpt_type_prep, "9e1a2d38-c612-4316-aa26-8b49521e5a8b" },
		{ gpt_type_linux, "0fc63daf-8483-4772-8e79-3d69d8477de4" },
		{ gpt_type_linux_root_x86_64, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709" },
		{ gpt_type_linux_root_arm64, "b921b045-1df0-41c3-af44-4c6f280d3fae" },
		{ gpt_type_gpfs, "37affc90-ef7d-4e96-91c3-2d7ae055b174" },
		{ gpt_type_vmfs, "aa31e02a-400f-11db-9590-000c2911d1b8" },
	};
	char guid[GPT_GUID_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		gpt_guid_format(cases[i].type, guid);
		assert_string_equal(guid, cases[i].text);
	}
}

static void test_relocate(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		uint32_t s = sectors[i];
		uint64_t disk = 100ull * RIG_MIB;
		AUTO(freep) uint8_t *image = rig_image(MIB, s, 1);
		AUTO(freep) uint8_t *backup = NULL;
		AUTO(gpt_done) struct gpt g = { 0 }, again = { 0 };
		size_t len;
		uint64_t offset;
		uint32_t size;

		assert_int_equal(gpt_parse(image, RIG_MIB, s, &g, NULL), 0);
		assert_int_equal(gpt_relocate(&g, disk, NULL), 0);
		assert_int_equal(gpt_put_primary(&g, image, RIG_MIB, NULL), 0);
		assert_int_equal(gpt_make_backup(&g, (void **)&backup, &len, &offset, NULL), 0);
		assert_int_equal(offset + len, disk);
		assert_int_equal(len, 128 * 128 + s);
		/* boot code stays, the protective entry covers the disk */
		assert_memory_equal(image,
				    "\xeb\x63\x90"
				    "boot code",
				    12);
		memcpy(&size, image + 446 + 12, 4);
		assert_int_equal(size, disk / s - 1);
		assert_int_equal(gpt_parse(image, RIG_MIB, s, &again, NULL), 0);
		assert_int_equal(again.alternate_lba, disk / s - 1);
		assert_int_equal(again.last_usable, disk / s - 1 - 128 * 128 / s - 1);
		/* both arrays are the same, the backup header points back */
		assert_memory_equal(backup, image + 2 * s, 128 * 128);
		uint64_t lba[2];
		memcpy(lba, backup + 128 * 128 + 24, 16);
		assert_int_equal(lba[0], disk / s - 1);
		assert_int_equal(lba[1], 1);
	}
}

static void test_relocate_too_small(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
	AUTO(gpt_done) struct gpt g = { 0 };
	uint64_t least = (MIB - 1) * (uint64_t)RIG_MIB + 33 * 512;

	assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), 0);
	assert_int_equal(gpt_relocate(&g, least - 512, NULL), -ENOSPC);
	assert_int_equal(gpt_relocate(&g, least, NULL), 0);
	assert_int_equal(gpt_relocate(&g, 512, NULL), -ENOSPC);
}

static void test_bad_header(void **state)
{
	static const struct {
		const char *what;
		size_t offset, len;
		uint64_t value;
	} cases[] = {
		{ "revision", 8, 4, 0x20000 },         { "header size", 12, 4, 91 },
		{ "header above sector", 12, 4, 513 }, { "my lba", 24, 8, 2 },
		{ "entry size", 84, 4, 256 },          { "no entries", 80, 4, 0 },
		{ "many entries", 80, 4, 1025 },       { "entries at 1", 72, 8, 1 },
		{ "entries far", 72, 8, 1ull << 40 },  { "entries wrap", 72, 8, ~0ull },
		{ "first usable", 40, 8, 2 },          { "usable order", 48, 8, 33 },
		{ "backup inside", 32, 8, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
		struct gpt g = { 0 };
		struct fault err = FAULT_INIT;

		header_poke(image, 512, cases[i].offset, cases[i].value, cases[i].len);
		if (gpt_parse(image, RIG_MIB, 512, &g, &err) != -EBADMSG)
			fail_msg("%s: %s", cases[i].what, fault_text(&err));
		assert_null(g.entries);
	}
}

static void test_bad_entries(void **state)
{
	static const struct {
		const char *what;
		unsigned entry;
		size_t offset;
		uint64_t value;
	} cases[] = {
		{ "overlap", 1, 32, 2 * 2048 - 1 }, { "backwards", 1, 40, 4095 },
		{ "before usable", 0, 32, 33 },     { "behind usable", 2, 40, MIB * 2048 - 34 + 1 },
		{ "wrap", 2, 40, ~0ull },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
		struct gpt g = { 0 };
		struct fault err = FAULT_INIT;

		entry_poke(image, 512, cases[i].entry, cases[i].offset, cases[i].value);
		if (gpt_parse(image, RIG_MIB, 512, &g, &err) != -EBADMSG)
			fail_msg("%s: %s", cases[i].what, fault_text(&err));
	}
}

static void test_bad_checksums(void **state)
{
	for (size_t at = 512 + 24; at < 512 + 92; at += 7) {
		AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
		struct gpt g;

		image[at] ^= 1;
		assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), -EBADMSG);
	}
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
	struct gpt g;
	image[1024 + 127 * 128 + 5] = 1;
	assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), -EBADMSG);
}

static void test_no_table(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
	struct gpt g;

	assert_int_equal(gpt_parse(image, RIG_MIB, 4096, &g, NULL), -ENOENT);
	assert_int_equal(gpt_parse(image, 1023, 512, &g, NULL), -ENOENT);
	assert_int_equal(gpt_parse(image, 2048, 512, &g, NULL),
			 -EBADMSG); /* cut inside the entries */
	image[450] = 0x83;
	assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), -EBADMSG); /* not protective */
	image[450] = 0xEE;
	image[510] = 0;
	assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), -EBADMSG);
	memset(image, 0, RIG_MIB);
	assert_int_equal(gpt_sector_size(image, RIG_MIB), 0);
}

static void test_hybrid_mbr_stays(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 1);
	AUTO(gpt_done) struct gpt g = { 0 };
	uint8_t before[64];

	image[446 + 16 + 4] = 0x0C;
	memcpy(before, image + 446, 64);
	assert_int_equal(gpt_parse(image, RIG_MIB, 512, &g, NULL), 0);
	assert_int_equal(gpt_relocate(&g, 64ull * RIG_MIB, NULL), 0);
	assert_int_equal(gpt_put_primary(&g, image, RIG_MIB, NULL), 0);
	assert_memory_equal(before, image + 446, 64);
}

static void test_mbr(void **state)
{
	uint8_t mbr[512] = { 0 };
	uint64_t end = 0;

	assert_int_equal(mbr_check(mbr, 512, &end, NULL), -ENOENT);
	mbr[510] = 0x55;
	mbr[511] = 0xAA;
	assert_int_equal(mbr_check(mbr, 512, &end, NULL), -ENOENT); /* signature, no partition */
	mbr[446 + 4] = 0x83;
	mbr[446 + 9] = 8;   /* LBA 2048 */
	mbr[446 + 13] = 16; /* 4096 sectors */
	assert_int_equal(mbr_check(mbr, 512, &end, NULL), 0);
	assert_int_equal(end, (2048 + 4096) * 512);
	mbr[446] = 0x12;
	assert_int_equal(mbr_check(mbr, 512, &end, NULL), -EBADMSG);
	mbr[446] = 0x80;
	mbr[446 + 4] = 0xEE;
	assert_int_equal(mbr_check(mbr, 512, &end, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_type_names),
		cmocka_unit_test(test_relocate),
		cmocka_unit_test(test_relocate_too_small),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_bad_checksums),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_hybrid_mbr_stays),
		cmocka_unit_test(test_mbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
