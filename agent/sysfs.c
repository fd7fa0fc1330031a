#include "agent/sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define ATTR_MAX 4096

uint64_t sysfs_number_at(int dirfd, const char *path)
{
	AUTO(freep) char *text = NULL;
	uint64_t v = 0;

	if (file_read_line_at(dirfd, path, ATTR_MAX, &text, NULL) == 0)
		(void)str_to_u64(text, &v);
	return v;
}

int sysfs_devno_parse(const char *text, dev_t *ret)
{
	unsigned maj, min;
	char end;

	if (sscanf(text, "%u:%u%c", &maj, &min, &end) != 2)
		return -EINVAL;
	*ret = makedev(maj, min);
	return 0;
}

int sysfs_devno_at(int dirfd, const char *path, dev_t *ret)
{
	AUTO(freep) char *text = NULL;

	int r = file_read_line_at(dirfd, path, ATTR_MAX, &text, NULL);
	return r < 0 ? r : sysfs_devno_parse(text, ret);
}
