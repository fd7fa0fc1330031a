/*
 * A walk through ISO 9660 (ECMA-119), as much as finding a file's extent needs. The input is untrusted: every length is checked
 * against the directory, the volume and the file.
 */
#include "imagebuilder/imagebuilder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"

#define BLOCK 2048u
#define PVD_LBA 16u
#define DESCRIPTORS_MAX 16u     /* volume descriptors looked at */
#define DIR_SIZE_MAX (4u << 20) /* bytes of one directory */
#define DEPTH_MAX 16u           /* folders in a path */
#define RECORD_MIN 34u          /* ECMA-119 9.1, with a one-byte name */
#define FLAG_DIRECTORY 0x02u
#define FLAG_MORE_EXTENTS 0x80u

struct extent {
	uint64_t offset, size; /* bytes */
	uint8_t flags;
};

struct iso {
	int fd;
	uint64_t size; /* of the volume, bytes; not beyond the file */
	struct extent root;
	char volume_id[33];
};

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int read_exactly(int fd, void *data, size_t len, uint64_t offset)
{
	ssize_t n = fd_pread(fd, data, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

/* The extent of a directory record whose length byte was checked. */
static int record_extent(const struct iso *iso, const uint8_t *rec, struct extent *ret)
{
	uint64_t offset = (uint64_t)le32(rec + 2) * BLOCK +
			  (uint64_t)rec[1] * BLOCK; /* the data follows the attribute record */
	uint64_t size = le32(rec + 10);

	if (offset > iso->size || size > iso->size - offset)
		return -EBADMSG;

	*ret = (struct extent){ .offset = offset, .size = size, .flags = rec[25] };
	return 0;
}

static int find_pvd(int fd, uint8_t block[BLOCK], struct fault *err)
{
	for (unsigned i = 0; i < DESCRIPTORS_MAX; i++) {
		int r = read_exactly(fd, block, BLOCK, (uint64_t)(PVD_LBA + i) * BLOCK);
		if (r < 0 && r != -EBADMSG)
			return fault_set(err, r, "cannot read the volume descriptor: %s",
					 strerror(-r));
		if (r < 0 || memcmp(block + 1, "CD001", 5) != 0 || block[0] == 255)
			break;
		if (block[0] == 1)
			return 0;
	}
	return fault_set(err, -EBADMSG, "not an ISO 9660 image");
}

static void copy_trimmed(const uint8_t *p, size_t len, char *ret)
{
	while (len && (p[len - 1] == ' ' || p[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++)
		ret[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	ret[len] = '\0';
}

static int iso_open(int fd, struct iso *ret, struct fault *err)
{
	struct iso iso = { .fd = fd };
	uint8_t block[BLOCK];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot stat the ISO: %s", strerror(errno));
	int r = find_pvd(fd, block, err);
	if (r < 0)
		return r;

	iso.size = (uint64_t)le32(block + 80) * BLOCK;
	if (S_ISREG(st.st_mode) && iso.size > (uint64_t)st.st_size)
		return fault_set(err, -EBADMSG, "the ISO is incomplete: %llu of %llu bytes",
				 (unsigned long long)st.st_size, (unsigned long long)iso.size);
	r = record_extent(&iso, block + 156, &iso.root);
	if (r < 0 || !(iso.root.flags & FLAG_DIRECTORY))
		return fault_set(err, -EBADMSG, "the ISO has no sound root directory");

	copy_trimmed(block + 40, 32, iso.volume_id);
	*ret = iso;
	return 0;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Look-ups ignore case, ";1" and a "." at the end, as other readers of boot images do. */
static bool name_matches(const uint8_t *rec, const char *name, size_t len)
{
	const char *have = (const char *)rec + 33;
	size_t have_len = rec[32];
	const char *version = memchr(have, ';', have_len);

	if (version)
		have_len = (size_t)(version - have);
	if (have_len && have[have_len - 1] == '.')
		have_len--;
	if (have_len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (upper(have[i]) != upper(name[i]))
			return false;
	return true;
}

/* 1 = found. A record never crosses a block; a zero length byte means "go on in the next block". */
static int find_in_block(const struct iso *iso, const uint8_t *block, size_t len, const char *name,
			 size_t name_len, struct extent *ret)
{
	for (size_t at = 0; at < len && block[at]; at += block[at]) {
		const uint8_t *rec = block + at;
		if (rec[0] < RECORD_MIN || rec[0] > len - at || 33u + rec[32] > rec[0])
			return -EBADMSG;
		if (name_matches(rec, name, name_len)) {
			int r = record_extent(iso, rec, ret);
			return r < 0 ? r : 1;
		}
	}
	return 0;
}

static int find_in_dir(const struct iso *iso, const struct extent *dir, const char *name,
		       size_t name_len, struct extent *ret)
{
	uint8_t block[BLOCK];

	if (dir->size > DIR_SIZE_MAX)
		return -EBADMSG;
	for (uint64_t at = 0; at < dir->size; at += BLOCK) {
		size_t len = (size_t)MIN_OF(dir->size - at, (uint64_t)BLOCK);
		int r = read_exactly(iso->fd, block, len, dir->offset + at);
		if (r == 0)
			r = find_in_block(iso, block, len, name, name_len, ret);
		if (r != 0)
			return r;
	}
	return 0;
}

static int walk(const struct iso *iso, const char *path, struct extent *ret)
{
	struct extent at = iso->root;
	unsigned depth = 0;

	for (const char *p = path; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (!len)
			break;
		if (!(at.flags & FLAG_DIRECTORY))
			return -ENOENT;
		if (++depth > DEPTH_MAX)
			return -ELOOP;
		int r = find_in_dir(iso, &at, p, len, &at);
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
		p += len;
	}
	*ret = at;
	return 0;
}

int iso_file_find(int fd, const char *path, uint64_t *ret_offset, uint64_t *ret_size,
		  struct fault *err)
{
	struct extent e;
	struct iso iso;

	int r = iso_open(fd, &iso, err);
	if (r < 0)
		return r;
	r = walk(&iso, path, &e);
	if (r == -EBADMSG)
		return fault_set(err, r, "the ISO has a broken directory on the way to %s", path);
	if (r == -ENOENT || (r == 0 && (e.flags & FLAG_DIRECTORY)))
		return fault_set(err, -ENOENT, "the ISO has no file %s", path);
	if (r < 0)
		return fault_set(err, r, "cannot find %s in the ISO: %s", path, strerror(-r));
	if (e.flags & FLAG_MORE_EXTENTS)
		return fault_set(err, -ENOTSUP, "%s lies in several pieces of the ISO", path);

	*ret_offset = e.offset;
	*ret_size = e.size;
	return 0;
}

int iso_volume_id(int fd, char ret[33], struct fault *err)
{
	struct iso iso;

	int r = iso_open(fd, &iso, err);
	if (r < 0)
		return r;
	memcpy(ret, iso.volume_id, sizeof(iso.volume_id));
	return 0;
}
