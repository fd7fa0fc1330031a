#include "imagebuilder/area_read.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/cpio.h"

int area_read(int fd, const struct iso_area *area, uint8_t **ret, struct fault *err)
{
	AUTO(freep) uint8_t *data = malloc(area->length);
	if (!data)
		return fault_oom(err);
	ssize_t n = fd_pread(fd, data, area->length, area->offset);
	if (n < 0 || (uint64_t)n != area->length)
		return fault_set(err, n < 0 ? (int)n : -EBADMSG, "cannot read the area in %s",
				 area->path);
	*ret = TAKE(data);
	return 0;
}

bool area_is_empty(const uint8_t *data, uint64_t len)
{
	/* Equal to itself shifted by one, and the first is zero: then all are. */
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

int area_check_segment(const uint8_t *data, uint64_t len, uint64_t *ret_len, struct fault *err)
{
	struct cpio_reader reader;
	struct cpio_member m;
	int r;

	cpio_reader_init(&reader, data, len);
	while ((r = cpio_next(&reader, &m, err)) > 0)
		;
	if (r < 0)
		return r;
	if (!area_is_empty(data + reader.offset, len - reader.offset))
		return fault_set(err, -EBADMSG, "there is something behind the token segment");
	*ret_len = reader.offset;
	return 0;
}
