/*
 * The input of an import: plain, or through one libarchive filter. What libarchive 3.6 lets pass is
 * caught here or by the caller: gzip's CRC and length (compared below), bytes behind the end (the
 * gzip trailer would not match; xz and zstd refuse them; behind bzip2 they are ignored, as by its own tools), a cut between members (the caller knows
 * from the partition table how long the image is).
 */
#include "imagebuilder/os_image.h"

#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/crc32.h"
#include "common/fd.h"

#define READ_BLOCK (256u << 10)
#define GZIP_TRAILER 8

struct filter {
	const char *magic;
	uint8_t len;
	const char *name;
	int (*enable)(struct archive *a);
};

static const struct filter filters[] = {
	{ "\x1f\x8b", 2, "gzip", archive_read_support_filter_gzip },
	{ "\xfd"
	  "7zXZ",
	  6, "xz", archive_read_support_filter_xz },
	{ "\x28\xb5\x2f\xfd", 4, "zstd", archive_read_support_filter_zstd },
	{ "BZh", 3, "bzip2", archive_read_support_filter_bzip2 },
};

struct os_source {
	int fd;
	uint64_t consumed, size;
	const struct filter *filter; /* NULL = plain */
	struct archive *archive;
	char *block;    /* READ_BLOCK bytes; its first bytes_in are what the sniffing has read */
	size_t sniffed; /* bytes in block not yet given away */
	uint64_t produced;
	uint32_t crc;
	uint8_t tail[GZIP_TRAILER]; /* the last bytes of the input */
	bool is_read_error;
	int read_code;
};

void os_source_free(struct os_source *s)
{
	if (!s)
		return;
	archive_read_free(s->archive);
	free(s->block);
	free(s);
}

void os_source_freep(struct os_source **s)
{
	os_source_free(*s);
}

uint64_t os_source_consumed(const struct os_source *s)
{
	return s->consumed;
}

uint64_t os_source_size(const struct os_source *s)
{
	return s->size;
}

static void tail_keep(struct os_source *s, const char *data, size_t len)
{
	size_t keep = MIN_OF(len, GZIP_TRAILER);

	memmove(s->tail, s->tail + keep, GZIP_TRAILER - keep);
	memcpy(s->tail + GZIP_TRAILER - keep, data + len - keep, keep);
}

static ssize_t read_cb(struct archive *a, void *ctx, const void **ret)
{
	struct os_source *s = ctx;
	ssize_t n = (ssize_t)s->sniffed;

	s->sniffed = 0;
	if (!n)
		n = fd_read(s->fd, s->block, READ_BLOCK);
	if (n < 0) {
		s->read_code = (int)n;
		archive_set_error(a, (int)-n, "%s", strerror((int)-n));
		return ARCHIVE_FATAL;
	}
	tail_keep(s, s->block, (size_t)n);
	s->consumed += (uint64_t)n;
	*ret = s->block;
	return n;
}

/* archive_error_string() can be NULL (seen with a stream that is one byte short). */
static int archive_fault(struct os_source *s, struct fault *err)
{
	const char *text = archive_error_string(s->archive);

	if (s->read_code < 0)
		return fault_set(err, s->read_code, "cannot read the image: %s",
				 strerror(-s->read_code));
	return fault_set(err, -EBADMSG, "the %s stream is damaged or cut short: %s",
			 s->filter->name, text ? text : "unexpected end");
}

static int archive_begin(struct os_source *s, struct fault *err)
{
	struct archive_entry *entry;

	s->archive = archive_read_new();
	if (!s->archive)
		return fault_oom(err);
	if (s->filter->enable(s->archive) < ARCHIVE_WARN ||
	    archive_read_support_format_raw(s->archive) != ARCHIVE_OK)
		return fault_set(err, -EOPNOTSUPP, "this libarchive cannot read %s",
				 s->filter->name);
	if (archive_read_open(s->archive, s, NULL, read_cb, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(s->archive, &entry) != ARCHIVE_OK)
		return archive_fault(s, err);
	/* what is too damaged for the filter's taste would come through as plain bytes; the last one counted is the reader itself */
	return archive_filter_count(s->archive) < 2 ? archive_fault(s, err) : 0;
}

int os_source_open(int fd, struct os_source **ret, struct fault *err)
{
	AUTO(os_source_freep) struct os_source *s = calloc(1, sizeof(*s));
	struct stat st;

	if (!s || !(s->block = malloc(READ_BLOCK)))
		return fault_oom(err);
	s->fd = fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;

	ssize_t n = fd_read(fd, s->block, READ_BLOCK);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the image: %s", strerror((int)-n));
	s->sniffed = (size_t)n;
	for (size_t i = 0; i < ARRAY_SIZE(filters) && !s->filter; i++)
		if (s->sniffed >= filters[i].len &&
		    !memcmp(s->block, filters[i].magic, filters[i].len))
			s->filter = &filters[i];
	int r = s->filter ? archive_begin(s, err) : 0;
	if (r == 0)
		*ret = TAKE(s);
	return r;
}

static ssize_t plain_read(struct os_source *s, char *data, size_t len, struct fault *err)
{
	size_t have = MIN_OF(len, s->sniffed);

	memcpy(data, s->block, have);
	memmove(s->block, s->block + have, s->sniffed - have);
	s->sniffed -= have;
	ssize_t n = len > have ? fd_read(s->fd, data + have, len - have) : 0;
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the image: %s", strerror((int)-n));
	s->consumed += have + (size_t)n;
	return (ssize_t)have + n;
}

static ssize_t archive_read_full(struct os_source *s, char *data, size_t len, struct fault *err)
{
	size_t have = 0;

	while (have < len) {
		la_ssize_t n = archive_read_data(s->archive, data + have, len - have);

		if (n < 0)
			return archive_fault(s, err);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (s->filter->enable == archive_read_support_filter_gzip)
		s->crc = crc32_update(s->crc, data, have);
	return (ssize_t)have;
}

ssize_t os_source_read(struct os_source *s, void *data, size_t len, struct fault *err)
{
	ssize_t n = s->filter ? archive_read_full(s, data, len, err)
			      : plain_read(s, data, len, err);

	if (n > 0)
		s->produced += (uint64_t)n;
	return n;
}

/*
 * RFC 1952 2.3.1: CRC32 and ISIZE (length modulo 2^32), little endian. Several members have several
 * trailers: such files are refused.
 */
static int gzip_check(const struct os_source *s, struct fault *err)
{
	uint32_t crc, size;

	memcpy(&crc, s->tail, 4);
	memcpy(&size, s->tail + 4, 4);
	if (le32toh(crc) == s->crc && le32toh(size) == (uint32_t)s->produced)
		return 0;
	return fault_set(
		err, -EBADMSG,
		"the gzip file is damaged, or has several members or bytes behind its end: its checksum does not match; "
		"check it with gzip -t, or unpack it first");
}

int os_source_finish(struct os_source *s, struct fault *err)
{
	char byte;

	if (s->filter && s->filter->enable == archive_read_support_filter_gzip) {
		int r = gzip_check(s, err);

		if (r < 0)
			return r;
	}
	ssize_t n = fd_read(s->fd, &byte, 1);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read the image: %s", strerror((int)-n));
	return n == 0 ? 0
		      : fault_set(err, -EBADMSG, "the file goes on behind the end of the image");
}
