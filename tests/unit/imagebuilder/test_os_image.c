#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/imagebuilder.h"
#include "tests/unit/disk_rig.h"
#include "tests/unit/imagebuilder/compress.h"

#define MIB 16u
#define SIZE ((size_t)MIB * RIG_MIB)

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite(fd, data, len, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

struct result {
	int payload, index;
	struct slx slx;
	struct fault err;
};

static void result_done(struct result *r)
{
	closep(&r->payload);
	closep(&r->index);
	slx_done(&r->slx);
}

static int convert_fd(int fd, const struct os_image_spec *how, struct result *out)
{
	struct os_image_spec spec =
		how ? *how : (struct os_image_spec){ .created = 1700000000, .label = "Test" };

	*out = (struct result){ .payload = memfd_create("payload", MFD_CLOEXEC),
				.index = memfd_create("index", MFD_CLOEXEC) };
	spec.in_fd = fd;
	return os_image_convert(&spec, out->payload, out->index, &out->slx, NULL, &out->err);
}

static int convert(const void *data, size_t len, const struct os_image_spec *how,
		   struct result *out)
{
	AUTO(closep) int fd = memory_file(data, len);

	return convert_fd(fd, how, out);
}

static char *content(int fd, size_t *ret_len)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *data = malloc((size_t)len + 1);

	assert_non_null(data);
	assert_int_equal(fd_pread(fd, data, (size_t)len, 0), len);
	*ret_len = (size_t)len;
	return data;
}

/* Index and payload describe exactly this image. */
static void check_result(const struct result *r, const uint8_t *image, size_t size)
{
	AUTO(freep) char *payload = NULL;
	AUTO(freep) char *index = NULL;
	AUTO(freep) uint8_t *chunk = malloc(SLX_CHUNK_MAX);
	AUTO(slx_done) struct slx s = { 0 };
	struct fault err = FAULT_INIT;
	size_t payload_len, index_len;

	payload = content(r->payload, &payload_len);
	index = content(r->index, &index_len);
	assert_int_equal(slx_parse(index, index_len, &s, &err), 0);
	assert_int_equal(s.image_size, size);
	assert_int_equal(s.payload_size, payload_len);
	assert_memory_equal(s.image_id, r->slx.image_id, SHA256_LEN);
	for (uint32_t i = 0; i < s.count; i++) {
		const uint8_t *at = image + (size_t)i * s.chunk_size;
		size_t len = slx_chunk_len(&s, i);
		uint8_t digest[SHA256_LEN];
		bool is_zero = at[0] == 0 && !memcmp(at, at + 1, len - 1);

		sha256(at, len, digest);
		assert_memory_equal(digest, s.entries[i].hash, SHA256_LEN);
		assert_int_equal(s.entries[i].flags, is_zero ? SLX_ENTRY_ZERO : 0);
		assert_int_equal(ZSTD_decompress(chunk, SLX_CHUNK_MAX,
						 payload + s.entries[i].offset,
						 s.entries[i].length),
				 len);
		assert_memory_equal(chunk, at, len);
	}
}

static void test_raw(void **state)
{
	static const uint32_t sectors[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		AUTO(freep) uint8_t *image = rig_image(MIB, sectors[i], 7);
		AUTO(result_done) struct result r;

		assert_int_equal(convert(image, SIZE, NULL, &r), 0);
		check_result(&r, image, SIZE);
		assert_int_equal(r.slx.sector_size, sectors[i]);
		assert_int_equal(r.slx.created, 1700000000);
		assert_string_equal(r.slx.label, "Test");
		assert_int_equal(r.slx.count, MIB);
	}
}

/* Any zstd reader gets the image out of the payload. */
static void test_payload_is_plain_zstd(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(freep) uint8_t *plain = malloc(SIZE);
	AUTO(freep) char *payload = NULL;
	AUTO(result_done) struct result r;
	size_t len;

	assert_int_equal(convert(image, SIZE, NULL, &r), 0);
	payload = content(r.payload, &len);
	assert_int_equal(ZSTD_decompress(plain, SIZE, payload, len), SIZE);
	assert_memory_equal(plain, image, SIZE);
}

static void test_same_bytes_with_any_number_of_threads(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(result_done) struct result a, b;
	AUTO(freep) char *x = NULL, *y = NULL;
	size_t x_len, y_len;

	assert_int_equal(convert(image, SIZE, &(struct os_image_spec){ .threads = 1 }, &a), 0);
	assert_int_equal(convert(image, SIZE, &(struct os_image_spec){ .threads = 7 }, &b), 0);
	x = content(a.payload, &x_len);
	y = content(b.payload, &y_len);
	assert_int_equal(x_len, y_len);
	assert_memory_equal(x, y, x_len);
	assert_memory_equal(a.slx.image_id, b.slx.image_id, SHA256_LEN);
}

static void test_chunk_sizes(void **state)
{
	static const uint32_t good[] = { 1u << 20, 4u << 20, 16u << 20 },
			      bad[] = { 1, 512u << 10, 3u << 20, 32u << 20 };
	AUTO(freep) uint8_t *image = rig_image(MIB + 1, 512, 7);
	size_t size = SIZE + RIG_MIB;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(result_done) struct result r;

		assert_int_equal(
			convert(image, size, &(struct os_image_spec){ .chunk_size = good[i] }, &r),
			0);
		check_result(&r, image, size);
		assert_int_equal(r.slx.chunk_size, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(result_done) struct result r;

		assert_int_equal(
			convert(image, size, &(struct os_image_spec){ .chunk_size = bad[i] }, &r),
			-EINVAL);
	}
}

/* etcher's #3475: the last partial block must not be lost. */
static void test_odd_length_is_filled_up(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(freep) uint8_t *longer = calloc(1, SIZE + 512);
	AUTO(result_done) struct result r;

	memcpy(longer, image, SIZE);
	memcpy(longer + SIZE, "tail", 4);
	assert_int_equal(convert(longer, SIZE + 4, NULL, &r), 0);
	check_result(&r, longer, SIZE + 512);
}

static const char *const filters[] = { "gzip", "xz", "zstd", "bzip2" };

static void test_compressed(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(result_done) struct result plain;

	assert_int_equal(convert(image, SIZE, NULL, &plain), 0);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		size_t len;
		AUTO(freep) uint8_t *packed = compress(filters[i], image, SIZE, &len);
		AUTO(result_done) struct result r;

		assert_int_equal(convert(packed, len, NULL, &r), 0);
		check_result(&r, image, SIZE);
		assert_memory_equal(r.slx.image_id, plain.slx.image_id, SHA256_LEN);
	}
}

static void test_from_a_pipe(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(result_done) struct result r;
	size_t len;
	AUTO(freep) uint8_t *packed = compress("gzip", image, SIZE, &len);
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(p[0]);
		_exit(fd_write(p[1], packed, len) < 0);
	}
	close(p[1]);
	assert_int_equal(convert_fd(p[0], NULL, &r), 0);
	close(p[0]);
	check_result(&r, image, SIZE);
}

/* Every kind of damage that a download can have, for each filter (install.md C.2). */
static void test_damaged_streams(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		size_t len;
		AUTO(freep) uint8_t *packed = compress(filters[i], image, SIZE, &len);

		for (int damage = 0; damage < 3; damage++) {
			AUTO(result_done) struct result r = { .payload = -1, .index = -1 };
			size_t cut = damage == 0 ? len / 2 : damage == 1 ? len - 1 : len;

			/*
			 * libarchive's zstd writer sets no content checksum: a flipped bit is the
			 * index's business there
			 */
			if (damage == 2 && !strcmp(filters[i], "zstd"))
				continue;
			if (damage == 2)
				packed[len / 2] ^= 0x10;
			int code = convert(packed, cut, NULL, &r);
			if (code != -EBADMSG && code != -EMEDIUMTYPE)
				fail_msg("%s, damage %d: %d %s", filters[i], damage, code,
					 fault_text(&r.err));
			assert_int_equal(lseek(r.index, 0, SEEK_END), 0);
		}
	}
}

/*
 * What libarchive itself accepts: gzip with garbage behind it, and any filter cut between two
 * members.
 */
static void test_what_libarchive_lets_pass(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	size_t len;
	AUTO(freep) uint8_t *packed = compress("gzip", image, SIZE, &len);
	AUTO(freep) uint8_t *garbage = calloc(1, len + 1000);
	AUTO(result_done) struct result a;

	memcpy(garbage, packed, len);
	memset(garbage + len, 'x', 1000);
	assert_int_equal(convert(garbage, len + 1000, NULL, &a), -EBADMSG);
	assert_non_null(strstr(a.err.text, "checksum"));

	/*
	 * The first of two members alone is a good stream; the partition table says that half of it
	 * is missing.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		AUTO(freep) uint8_t *half = compress(filters[i], image, SIZE / 2, &len);
		AUTO(result_done) struct result b;

		assert_int_equal(convert(half, len, NULL, &b), -EBADMSG);
		assert_non_null(strstr(b.err.text, "cut short"));
	}
}

static void test_gzip_wrong_crc(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	size_t len;
	AUTO(freep) uint8_t *packed = compress("gzip", image, SIZE, &len);
	AUTO(result_done) struct result r;

	packed[len - 8] ^= 1;
	assert_int_equal(convert(packed, len, NULL, &r), -EBADMSG);
}

static void test_cut_raw(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(result_done) struct result r;

	assert_int_equal(convert(image, SIZE - 512, NULL, &r), -EBADMSG);
	assert_non_null(strstr(r.err.text, "cut short"));
}

static void test_refused(void **state)
{
	static const struct {
		const char *magic;
		size_t len, offset;
		const char *word; /* in the sentence */
	} cases[] = {
		{ "QFI\xfb", 4, 0, "qemu-img" },
		{ "KDMV", 4, 0, "qemu-img" },
		{ "conectix", 8, 0, "qemu-img" },
		{ "vhdxfile", 8, 0, "qemu-img" },
		{ "\x7f\x10\xda\xbe", 4, 64, "VDI" },
		{ "CD001", 5, 32769, "ISO 9660" },
		{ "hsqs", 4, 0, "squashfs" },
		{ "PK\3\4", 4, 0, "unzip" },
		{ "ustar", 5, 257, "tar" },
		{ "\n <!DOCTYPE html>", 17, 0, "web page" },
		{ "{\"error\":1}", 11, 0, "web page" },
		{ "\x04\x22\x4d\x18", 4, 0, "lz4" },
		{ "conectix", 8, SIZE - 512, "vpc" },
		{ "# Disk DescriptorFile", 21, 0, "VMDK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
		AUTO(result_done) struct result r;

		memcpy(image + cases[i].offset, cases[i].magic, cases[i].len);
		assert_int_equal(convert(image, SIZE, NULL, &r), -EMEDIUMTYPE);
		if (!strstr(r.err.text, cases[i].word))
			fail_msg("no \"%s\" in: %s", cases[i].word, r.err.text);
	}
}

static void test_not_an_image(void **state)
{
	AUTO(freep) uint8_t *image = calloc(1, SIZE);
	AUTO(result_done) struct result zeros, small, empty, unbootable;
	static const struct rig_part data_only[] = { { gpt_type_linux, "data", 1, 8, 1 } };

	assert_int_equal(convert(image, SIZE, NULL, &zeros), -EMEDIUMTYPE);
	assert_int_equal(convert("short", 5, NULL, &small), -EMEDIUMTYPE);
	assert_int_equal(convert("", 0, NULL, &empty), -EMEDIUMTYPE);
	rig_table(image, SIZE, 512, data_only, 1);
	assert_int_equal(convert(image, SIZE, NULL, &unbootable), -EMEDIUMTYPE);
	assert_non_null(strstr(unbootable.err.text, "firmware"));
}

static void test_compressed_container_is_refused(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(result_done) struct result r;
	size_t len, twice_len;

	AUTO(freep) uint8_t *once = compress("gzip", image, SIZE, &len);
	AUTO(freep) uint8_t *twice = compress("xz", once, len, &twice_len);
	assert_int_equal(convert(twice, twice_len, NULL, &r), -EMEDIUMTYPE);
	assert_non_null(strstr(r.err.text, "compressed twice"));
}

static void test_mbr_image(void **state)
{
	AUTO(freep) uint8_t *image = calloc(1, SIZE);
	AUTO(result_done) struct result good, cut;

	image[446 + 4] = 0x83;
	image[446 + 9] = 8;
	image[446 + 13] = 0x60; /* ends at 2048 + 24576 sectors = 13 MiB */
	image[510] = 0x55;
	image[511] = 0xAA;
	assert_int_equal(convert(image, SIZE, NULL, &good), 0);
	check_result(&good, image, SIZE);
	assert_int_equal(convert(image, 12 * RIG_MIB, NULL, &cut), -EBADMSG);
}

static bool always(void *ctx)
{
	return true;
}

static void test_cancel(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(closep)
	int fd = memory_file(image, SIZE), payload = memfd_create("p", 0),
	    index = memfd_create("i", 0);
	const struct os_image_spec spec = { .in_fd = fd };
	struct progress p;

	progress_init(&p, NULL, NULL);
	p.cancelled = always;
	assert_int_equal(os_image_convert(&spec, payload, index, NULL, &p, NULL), -ECANCELED);
}

/* A device that is full. */
static void test_write_error(void **state)
{
	AUTO(freep) uint8_t *image = rig_image(MIB, 512, 7);
	AUTO(closep)
	int fd = memory_file(image, SIZE), full = open("/dev/full", O_WRONLY),
	    index = memfd_create("i", 0);
	const struct os_image_spec spec = { .in_fd = fd };

	assert_int_equal(os_image_convert(&spec, full, index, NULL, NULL, NULL), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_payload_is_plain_zstd),
		cmocka_unit_test(test_same_bytes_with_any_number_of_threads),
		cmocka_unit_test(test_chunk_sizes),
		cmocka_unit_test(test_odd_length_is_filled_up),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_from_a_pipe),
		cmocka_unit_test(test_damaged_streams),
		cmocka_unit_test(test_what_libarchive_lets_pass),
		cmocka_unit_test(test_gzip_wrong_crc),
		cmocka_unit_test(test_cut_raw),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_an_image),
		cmocka_unit_test(test_compressed_container_is_refused),
		cmocka_unit_test(test_mbr_image),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_write_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
