#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "common/cleanup.h"
#include "imagebuilder/imagebuilder.h"
#include "tiny_iso.h"

#define SIZE 5000u

struct fixture {
	uint8_t base[SIZE], want[SIZE];
	struct iso_area area;
	struct overlay *o;
};

static void open_overlay(struct fixture *f, size_t segment_len)
{
	uint8_t segment[SIZE];

	for (size_t i = 0; i < SIZE; i++)
		f->base[i] = (uint8_t)(i * 7 + 1);
	memcpy(f->want, f->base, SIZE);
	memset(segment, 0xee, sizeof(segment));
	f->area = (struct iso_area){ .offset = 1000, .length = 300 };
	memset(f->want + 1000, 0, 300);
	memcpy(f->want + 1000, segment, segment_len);
	int fd = tiny_file(f->base, SIZE);
	assert_int_equal(overlay_open(fd, &f->area, segment, segment_len, &f->o, NULL), 0);
	close(fd); /* the overlay has its own */
	memset(segment, 0, sizeof(segment));
}

/* Every range around every border equals the same range of a patched copy. */
static void test_all_ranges(void **state)
{
	static const size_t borders[] = { 0,    1,    999,  1000, 1001, 1099, 1100, 1101,
					  1299, 1300, 1301, 4999, 5000, 5001, 9000 };
	static const size_t lengths[] = { 1, 2, 100, 101, 300, 301, 4000, 6000 };
	struct fixture f;
	uint8_t got[6000];

	open_overlay(&f, 100);
	assert_int_equal(overlay_size(f.o), SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(borders); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
			size_t at = borders[i];
			size_t want = at >= SIZE ? 0 : MIN_OF(lengths[j], SIZE - at);
			assert_int_equal(overlay_pread(f.o, got, lengths[j], at), want);
			if (want)
				assert_memory_equal(got, f.want + at, want);
		}
	}
	overlay_free(f.o);
}

static void test_full_and_empty_segment(void **state)
{
	static const size_t lengths[] = { 0, 300 };
	uint8_t got[SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct fixture f;
		open_overlay(&f, lengths[i]);
		assert_int_equal(overlay_pread(f.o, got, SIZE, 0), SIZE);
		assert_memory_equal(got, f.want, SIZE);
		overlay_free(f.o);
	}
	overlay_free(NULL);
}

static void test_refused(void **state)
{
	static const struct {
		uint64_t offset, length;
		size_t segment;
		int r;
	} cases[] = {
		{ 0, 100, 101, -EFBIG },        { SIZE, 1, 0, -EBADMSG },
		{ 10, SIZE, 0, -EBADMSG },      { UINT64_MAX, 2, 0, -EBADMSG },
		{ 2, UINT64_MAX, 0, -EBADMSG },
	};
	static const uint8_t data[SIZE];
	AUTO(closep) int fd = tiny_file(data, SIZE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iso_area a = { .offset = cases[i].offset, .length = cases[i].length };
		struct overlay *o = NULL;
		assert_int_equal(overlay_open(fd, &a, data, cases[i].segment, &o, NULL),
				 cases[i].r);
		assert_null(o);
	}
}

/* The base shrinks behind our back: an error, not silence. */
static void test_base_cut_off(void **state)
{
	static const uint8_t data[SIZE];
	struct iso_area a = { .offset = 10, .length = 10 };
	struct overlay *o;
	uint8_t got[100];

	AUTO(closep) int fd = tiny_file(data, SIZE);
	assert_int_equal(overlay_open(fd, &a, NULL, 0, &o, NULL), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(overlay_pread(o, got, 100, 200), -EIO);
	overlay_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ranges),
		cmocka_unit_test(test_full_and_empty_segment),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_base_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
