/* A whole image: volume, directories, area. What is found must lie inside. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "imagebuilder/imagebuilder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault err = FAULT_INIT;
	struct iso_area area;
	uint64_t offset, length;
	char id[33];

	AUTO(closep) int fd = memfd_create("iso", MFD_CLOEXEC);
	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	(void)iso_volume_id(fd, id, &err);
	if (iso_file_find(fd, "/boot/grub/grub.cfg", &offset, &length, &err) == 0 &&
	    (offset > size || length > size - offset))
		abort();
	if (iso_area_find(fd, &area, &err) == 0 &&
	    (area.length == 0 || area.offset > size || area.length > size - area.offset))
		abort();
	return 0;
}
