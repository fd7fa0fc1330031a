#include "agent/tar_gz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"

#define BLOCK 512

/* The header block (POSIX.1-1988 ustar): numbers are octal text. */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is one block");

int tar_gz_open(struct tar_gz *t, int fd)
{
	AUTO(closep) int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	t->out = gzdopen(copy, "wb6");
	if (!t->out)
		return -ENOMEM;
	TAKE_FD(copy);
	return 0;
}

static int put(struct tar_gz *t, const void *data, size_t len)
{
	return !len || gzwrite(t->out, data, (unsigned)len) == (int)len ? 0 : -EIO;
}

int tar_gz_add(struct tar_gz *t, const char *name, const void *data, size_t len, time_t mtime)
{
	static const char zeros[BLOCK];
	struct ustar h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
	unsigned sum = 0;

	if (strlen(name) > TAR_NAME_MAX)
		return -ENAMETOOLONG;
	if (len > TAR_MEMBER_MAX || len > INT32_MAX)
		return -EFBIG;
	memcpy(h.name, name, strlen(name));
	snprintf(h.mode, sizeof(h.mode), "%07o", 0600);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)len);
	snprintf(h.mtime, sizeof(h.mtime), "%011llo", (unsigned long long)mtime & TAR_MEMBER_MAX);
	/* The sum is taken with its own field full of blanks. */
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	snprintf(h.checksum, sizeof(h.checksum), "%06o", sum & 0777777);

	int r = put(t, &h, sizeof(h));
	if (!r)
		r = put(t, data, len);
	return r ? r : put(t, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

int tar_gz_close(struct tar_gz *t)
{
	static const char zeros[2 * BLOCK];
	int r = put(t, zeros, sizeof(zeros));

	if (gzclose(TAKE(t->out)) != Z_OK)
		r = -EIO;
	return r;
}

void tar_gz_abort(struct tar_gz *t)
{
	if (t->out)
		gzclose(TAKE(t->out));
}
