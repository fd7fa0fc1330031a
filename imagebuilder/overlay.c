/*
 * A base ISO with one area replaced, as bytes: what is served to one infra-env. Only the segment is held in memory.
 */
#include "imagebuilder/imagebuilder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"

struct overlay {
	int fd;        /* owned */
	uint64_t size; /* of the base */
	uint64_t area_offset, area_length;
	size_t segment_len;
	uint8_t segment[]; /* zeros follow up to area_length */
};

static int check(int fd, const struct iso_area *a, size_t len, uint64_t *ret_size,
		 struct fault *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot stat the base image: %s", strerror(errno));
	uint64_t size = (uint64_t)st.st_size;
	if (a->offset > size || a->length > size - a->offset)
		return fault_set(err, -EBADMSG,
				 "the area in %s lies behind the end of the base image", a->path);
	if (len > a->length)
		return fault_set(
			err, -EFBIG,
			"the token segment of %zu bytes does not fit into the area of %" PRIu64
			" bytes",
			len, a->length);
	*ret_size = size;
	return 0;
}

int overlay_open(int base_fd, const struct iso_area *a, const void *segment, size_t len,
		 struct overlay **ret, struct fault *err)
{
	uint64_t size = 0;

	int r = check(base_fd, a, len, &size, err);
	if (r < 0)
		return r;

	AUTO(freep) struct overlay *o = calloc(1, sizeof(*o) + len);
	if (!o)
		return fault_oom(err);
	o->fd = fcntl(base_fd, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0)
		return fault_set(err, -errno, "cannot duplicate the base image's descriptor: %s",
				 strerror(errno));

	o->size = size;
	o->area_offset = a->offset;
	o->area_length = a->length;
	o->segment_len = len;
	if (len)
		memcpy(o->segment, segment, len);
	*ret = TAKE(o);
	return 0;
}

uint64_t overlay_size(const struct overlay *o)
{
	return o->size;
}

/* At most up to the next border: before the area, in the segment, in the zeros, behind the area. */
static long pread_piece(const struct overlay *o, void *data, size_t len, uint64_t offset)
{
	if (offset < o->area_offset || offset >= o->area_offset + o->area_length) {
		uint64_t border = offset < o->area_offset ? o->area_offset : o->size;
		ssize_t n = fd_pread(o->fd, data, (size_t)MIN_OF((uint64_t)len, border - offset),
				     offset);
		return n == 0 ? -EIO : n; /* the base shrank under us */
	}

	uint64_t at = offset - o->area_offset;
	if (at < o->segment_len) {
		size_t n = (size_t)MIN_OF((uint64_t)len, o->segment_len - at);
		memcpy(data, o->segment + at, n);
		return (long)n;
	}
	size_t n = (size_t)MIN_OF((uint64_t)len, o->area_length - at);
	memset(data, 0, n);
	return (long)n;
}

long overlay_pread(void *overlay, void *data, size_t len, uint64_t offset)
{
	const struct overlay *o = overlay;
	size_t done = 0;

	if (offset >= o->size)
		return 0;
	len = (size_t)MIN_OF((uint64_t)len, o->size - offset);
	while (done < len) {
		long n = pread_piece(o, (char *)data + done, len - done, offset + done);
		if (n < 0)
			return done ? (long)done : n;
		done += (size_t)n;
	}
	return (long)done;
}

void overlay_free(void *overlay)
{
	struct overlay *o = overlay;

	if (!o)
		return;
	close(o->fd);
	free(o);
}
