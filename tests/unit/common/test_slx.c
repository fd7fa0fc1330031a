#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/slx.h"

#define MIB (1u << 20)

/* Three chunks, the last one short. */
static struct slx sample(struct slx_entry entries[3])
{
	struct slx s = { .image_size = 2 * MIB + 4096,
			 .chunk_size = MIB,
			 .sector_size = 512,
			 .count = 3,
			 .codec = SLX_CODEC_ZSTD,
			 .hash = 1,
			 .payload_size = 600,
			 .created = 1790000000,
			 .label = "Debian 12",
			 .entries = entries };
	for (uint32_t i = 0; i < 3; i++) {
		entries[i] = (struct slx_entry){ .offset = 200 * i,
						 .length = 200,
						 .flags = i == 1 ? SLX_ENTRY_ZERO : 0 };
		memset(entries[i].hash, (int)i + 1, SHA256_LEN);
	}
	return s;
}

static void *format_sample(size_t *ret_len)
{
	struct slx_entry entries[3];
	struct slx s = sample(entries);
	void *data = NULL;
	assert_int_equal(slx_format(&s, &data, ret_len, NULL), 0);
	return data;
}

static void test_round_trip(void **state)
{
	struct slx_entry entries[3];
	struct slx s = sample(entries);
	AUTO(freep) void *data = NULL;
	size_t len;
	assert_int_equal(slx_format(&s, &data, &len, NULL), 0);
	assert_int_equal(len, 128 + 3 * 48);
	assert_memory_equal(
		data,
		"SLIPIDX1\x80\0\0\0\1\0\0\0\0\x10\x20\0\0\0\0\0\0\0\x10\0\0\2\0\0\3\0\0\0\1\1\0\0",
		40);

	AUTO(slx_done) struct slx back = { 0 };
	assert_int_equal(slx_parse(data, len, &back, NULL), 0);
	assert_int_equal(back.image_size, s.image_size);
	assert_int_equal(back.chunk_size, MIB);
	assert_int_equal(back.sector_size, 512);
	assert_int_equal(back.count, 3);
	assert_int_equal(back.payload_size, 600);
	assert_true(back.created == 1790000000);
	assert_string_equal(back.label, "Debian 12");
	assert_memory_equal(back.image_id, s.image_id, SHA256_LEN);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(back.entries[i].offset, entries[i].offset);
		assert_int_equal(back.entries[i].length, entries[i].length);
		assert_int_equal(back.entries[i].flags, entries[i].flags);
		assert_memory_equal(back.entries[i].hash, entries[i].hash, SHA256_LEN);
	}
	assert_int_equal(slx_chunk_len(&back, 0), MIB);
	assert_int_equal(slx_chunk_len(&back, 2), 4096);
}

static void test_signature_behind(void **state)
{
	size_t len;
	AUTO(freep) uint8_t *data = format_sample(&len);
	uint8_t *bigger = realloc(data, len + 100);
	data = bigger;
	memset(data + len, 0, 100);
	data[len] = 1;
	data[len + 34] = 64;
	static const struct {
		size_t more;
		int code;
	} cases[] = { { 0, 0 }, { 100, 0 }, { 99, -EBADMSG }, { 1, -EBADMSG }, { 35, -EBADMSG } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(slx_done) struct slx s = { 0 };
		assert_int_equal(slx_parse(data, len + cases[i].more, &s, NULL), cases[i].code);
	}
	data[len] = 2; /* an unknown algorithm */
	struct slx s = { 0 };
	assert_int_equal(slx_parse(data, len + 100, &s, NULL), -EBADMSG);
}

/* What a builder could get wrong; a parser sees the same after the image id fits. */
static void test_refused_values(void **state)
{
	static const struct {
		const char *fault;
		size_t offset;
		size_t size;
		uint64_t value;
	} cases[] = {
#define HEAD(member, v) offsetof(struct slx, member), sizeof(((struct slx *)0)->member), v
		{ "3 chunks of 2097152 bytes do not make 2101248 bytes",
		  HEAD(chunk_size, 2 * MIB) },
		{ "1048577 is no chunk size", HEAD(chunk_size, MIB + 1) },
		{ "32768 is no chunk size", HEAD(chunk_size, 32768) },
		{ "33554432 is no chunk size", HEAD(chunk_size, 32 * MIB) },
		{ "0 is no chunk size", HEAD(chunk_size, 0) },
		{ "1024 is no sector size", HEAD(sector_size, 1024) },
		{ "the image size 0 is no number of sectors", HEAD(image_size, 0) },
		{ "the image size 2101249 is no number of sectors",
		  HEAD(image_size, 2 * MIB + 4097) },
		{ "3 chunks of 1048576 bytes do not make 18446744073709551104 bytes",
		  HEAD(image_size, UINT64_MAX - 511) },
		{ "0 is no number of chunks", HEAD(count, 0) },
		{ "1048577 is no number of chunks", HEAD(count, SLX_ENTRIES_MAX + 1) },
		{ "2 chunks of 1048576 bytes do not make 2101248 bytes", HEAD(count, 2) },
		{ "unknown codec 2", HEAD(codec, 2) },
		{ "chunk 0 is stored plainly with 200 instead of 1048576 bytes", HEAD(codec, 0) },
		{ "unknown hash 0", HEAD(hash, 0) },
		{ "unknown flags 0x8000", HEAD(flags, 0x8000) },
		{ "chunk 2 lies outside of the payload", HEAD(payload_size, 599) },
		{ "the time of creation lies before 1970", HEAD(created, (uint64_t)-1) },
		{ "the label is no text", HEAD(label[0], 0xff) },
		{ "the label is no text", HEAD(label[0], '\n') },
#undef HEAD
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slx_entry entries[3];
		struct slx s = sample(entries);
		struct fault err = FAULT_INIT;
		void *data = NULL;
		size_t len;
		memcpy((char *)&s + cases[i].offset, &cases[i].value,
		       cases[i].size); /* little endian */
		assert_int_equal(slx_format(&s, &data, &len, &err), -EBADMSG);
		assert_string_equal(err.text + strlen("image index: "), cases[i].fault);
		assert_null(data);
	}
}

static void test_refused_entries(void **state)
{
	static const struct {
		const char *fault;
		unsigned i;
		uint64_t offset;
		uint32_t length, flags;
	} cases[] = {
		{ "chunk 1 overlaps the one before", 1, 199, 200, 0 },
		{ "chunk 2 overlaps the one before", 2, 0, 200, 0 },
		{ "chunk 2 lies outside of the payload", 2, 401, 200, 0 },
		{ "chunk 2 lies outside of the payload", 2, UINT64_MAX - 100, 200, 0 },
		{ "chunk 0 cannot have a frame of 0 bytes", 0, 0, 0, 0 },
		{ "chunk 0 cannot have a frame of 1114113 bytes", 0, 0, MIB + 65537, 0 },
		{ "chunk 2 cannot have a frame of 69633 bytes", 2, 400, 4096 + 65537, 0 },
		{ "chunk 0 has unknown flags 0x2", 0, 0, 200, 2 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slx_entry entries[3];
		struct slx s = sample(entries);
		struct fault err = FAULT_INIT;
		void *data = NULL;
		size_t len;
		entries[cases[i].i].offset = cases[i].offset;
		entries[cases[i].i].length = cases[i].length;
		entries[cases[i].i].flags = cases[i].flags;
		assert_int_equal(slx_format(&s, &data, &len, &err), -EBADMSG);
		assert_string_equal(err.text + strlen("image index: "), cases[i].fault);
	}
}

static void test_frame_at_limit(void **state)
{
	struct slx_entry entries[3];
	struct slx s = sample(entries);
	AUTO(freep) void *data = NULL;
	size_t len;
	s.payload_size = 10 * MIB;
	entries[0].length = MIB + 65536;
	entries[1].offset = MIB + 65536;
	entries[2].offset = 2 * MIB;
	entries[2].length = 4096 + 65536;
	assert_int_equal(slx_format(&s, &data, &len, NULL), 0);
}

/* Each single changed byte is found, and each length but the right one. */
static void test_damaged(void **state)
{
	size_t len;
	AUTO(freep) uint8_t *data = format_sample(&len);
	unsigned accepted = 0;
	for (size_t i = 0; i < len; i++) {
		AUTO(slx_done) struct slx s = { 0 };
		data[i] ^= 0x40;
		accepted += slx_parse(data, len, &s, NULL) == 0;
		data[i] ^= 0x40;
	}
	/*
	 * The image id binds the entries, not the header, and these remain possible: 7 bytes of a larger payload size, 8 of the
	 * time, 31 of the label ('D' becomes a control character), 1 of the image size (a longer last chunk).
	 */
	assert_int_equal(accepted, 7 + 8 + 31 + 1);
	for (size_t i = 0; i < len; i++) {
		struct slx s = { .count = 7 };
		AUTO(freep)
		uint8_t *cut = malloc(i + 1); /* exact, so that reading too far is seen */
		memcpy(cut, data, i);
		assert_int_equal(slx_parse(cut, i, &s, NULL), -EBADMSG);
		assert_int_equal(s.count, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_signature_behind),
		cmocka_unit_test(test_refused_values), cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_frame_at_limit), cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
