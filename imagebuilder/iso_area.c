/*
 * Reserved areas: zero-padded files of a boot image that are filled without touching anything else.
 */
#include "imagebuilder/imagebuilder.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define AREA_MAX (64u << 20)    /* bytes; larger ones are no area */
#define IGNINFO_MAX (64u << 10) /* bytes of igninfo.json */
#define WRITE_BLOCK 4096u
#define IGNINFO_PATH "/coreos/igninfo.json"
#define IGNITION_PATH "/images/ignition.img"
/* The historical header: the last 24 bytes of the system area. */
#define COREISO_OFFSET 32744u
#define COREISO_MAGIC "coreiso+"

static int check_area(struct iso_area *a, struct fault *err)
{
	if (a->length == 0 || a->length > AREA_MAX)
		return fault_set(err, -EBADMSG,
				 "the area in %s has an impossible length of %" PRIu64 " bytes",
				 a->path, a->length);
	return 0;
}

static int find_file_area(int fd, const char *path, struct iso_area *ret, struct fault *err)
{
	struct iso_area a = { 0 };

	int r = iso_file_find(fd, path, &a.offset, &a.length, err);
	if (r < 0)
		return r;
	str_copy(a.path, sizeof(a.path), path);
	r = check_area(&a, err);
	if (r == 0)
		*ret = a;
	return r;
}

/* {"file": PATH[, "offset": N, "length": N]}: N are relative to the file, which the area must not leave. */
static int area_of_igninfo(int fd, json_t *info, struct iso_area *ret, struct fault *err)
{
	struct iso_area a = { .ignition = true };
	uint64_t file_offset, file_size;
	const char *file = json_str(info, "file");
	int64_t offset = json_i64(info, "offset");
	json_t *length = json_child(info, "length");

	if (str_empty(file) || !str_copy(a.path, sizeof(a.path), file))
		return fault_set(err, -EBADMSG, IGNINFO_PATH " names no file");
	int r = iso_file_find(fd, file, &file_offset, &file_size, err);
	if (r < 0)
		return r;
	if (offset < 0 || (uint64_t)offset > file_size)
		return fault_set(err, -EBADMSG, IGNINFO_PATH " points behind the end of %s", file);

	uint64_t rest = file_size - (uint64_t)offset;
	a.length = length ? (uint64_t)json_integer_value(length) : rest;
	if (a.length > rest)
		return fault_set(err, -EBADMSG, IGNINFO_PATH " points behind the end of %s", file);
	a.offset = file_offset + (uint64_t)offset;
	r = check_area(&a, err);
	if (r == 0)
		*ret = a;
	return r;
}

static int find_igninfo(int fd, struct iso_area *ret, struct fault *err)
{
	uint64_t offset, size;

	int r = iso_file_find(fd, IGNINFO_PATH, &offset, &size, err);
	if (r < 0)
		return r;
	if (size > IGNINFO_MAX)
		return fault_set(err, -EBADMSG, IGNINFO_PATH " is too long");

	AUTO(freep) char *text = malloc(size + 1);
	if (!text)
		return fault_oom(err);
	ssize_t n = fd_pread(fd, text, size, offset);
	if (n != (ssize_t)size)
		return fault_set(err, n < 0 ? (int)n : -EBADMSG, "cannot read " IGNINFO_PATH);

	AUTO(json_decrefp) json_t *info = json_parse(text, size, IGNINFO_MAX, true, err);
	if (!info)
		return fault_prefix(err, -EBADMSG, IGNINFO_PATH);
	return area_of_igninfo(fd, info, ret, err);
}

static int find_ignition_file(int fd, struct iso_area *ret, struct fault *err)
{
	int r = find_file_area(fd, IGNITION_PATH, ret, err);

	if (r == 0)
		ret->ignition = true;
	return r;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static int find_coreiso_header(int fd, struct iso_area *ret, struct fault *err)
{
	struct iso_area a = { .ignition = true, .path = "(system area)" };
	uint8_t header[24];

	ssize_t n = fd_pread(fd, header, sizeof(header), COREISO_OFFSET);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the ISO: %s", strerror((int)-n));
	if (n != (ssize_t)sizeof(header) || memcmp(header, COREISO_MAGIC, 8) != 0)
		return -ENOENT;

	off_t size = lseek(fd, 0, SEEK_END);
	a.offset = le64(header + 8);
	a.length = le64(header + 16);
	if (size < 0 || a.offset > (uint64_t)size || a.length > (uint64_t)size - a.offset)
		return fault_set(err, -EBADMSG, "the ISO's embed header points behind its end");
	int r = check_area(&a, err);
	if (r == 0)
		*ret = a;
	return r;
}

static int find_token_file(int fd, struct iso_area *ret, struct fault *err)
{
	return find_file_area(fd, TOKEN_AREA_PATH, ret, err);
}

int iso_area_find(int fd, struct iso_area *ret, struct fault *err)
{
	/* Newest mechanism first. */
	static int (*const finders[])(int, struct iso_area *, struct fault *) = {
		find_token_file,
		find_igninfo,
		find_ignition_file,
		find_coreiso_header,
	};

	for (size_t i = 0; i < ARRAY_SIZE(finders); i++) {
		int r = finders[i](fd, ret, err);
		if (r != -ENOENT)
			return r;
	}
	return fault_set(err, -ENOENT,
			 "the ISO has no area for a token: neither " TOKEN_AREA_PATH
			 " nor a CoreOS embed area");
}

/* Writes @want where it differs from what is there: a fresh area is zero already, so only the segment's blocks are written. */
static int write_differing(int fd, const uint8_t *have, const uint8_t *want, size_t len,
			   uint64_t offset)
{
	for (size_t at = 0; at < len;) {
		size_t end = at;
		while (end < len) {
			size_t n = MIN_OF(len - end, (size_t)WRITE_BLOCK);
			if (memcmp(have + end, want + end, n) == 0)
				break;
			end += n;
		}
		if (end > at) {
			int r = fd_pwrite(fd, want + at, end - at, offset + at);
			if (r < 0)
				return r;
		}
		at = end + WRITE_BLOCK;
	}
	return 0;
}

int iso_area_write(int fd, const struct iso_area *a, const void *segment, size_t len,
		   struct fault *err)
{
	if (len > a->length)
		return fault_set(
			err, -EFBIG,
			"the token segment of %zu bytes does not fit into the area of %" PRIu64
			" bytes",
			len, a->length);
	if (a->length > AREA_MAX)
		return fault_set(err, -EBADMSG, "the area in %s is too long", a->path);

	AUTO(freep) uint8_t *have = malloc(a->length);
	AUTO(freep) uint8_t *want = calloc(1, a->length);
	if (!have || !want)
		return fault_oom(err);
	if (len)
		memcpy(want, segment, len);
	ssize_t n = fd_pread(fd, have, a->length, a->offset);
	if (n != (ssize_t)a->length)
		return fault_set(err, n < 0 ? (int)n : -EBADMSG, "cannot read the area in %s",
				 a->path);

	int r = write_differing(fd, have, want, a->length, a->offset);
	return r < 0 ? fault_set(err, r, "cannot write the area in %s: %s", a->path, strerror(-r))
		     : 0;
}
