#pragma once
/*
 * A gzip'd ustar archive (POSIX.1-1988), written file by file: all that log uploads need. zlib comes with libcurl anyway; a full archive
 * library would bring 37 MB of its own libraries into every discovery system.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <zlib.h>

#define TAR_NAME_MAX 99                /* bytes of a member's name */
#define TAR_MEMBER_MAX 077777777777ULL /* bytes: eleven octal digits */

struct tar_gz {
	gzFile out;
};

/* Writes to a duplicate of @fd. 0 or -errno. */
int tar_gz_open(struct tar_gz *t, int fd);
/* A plain file, mode 0600, owner 0. -ENAMETOOLONG, -EFBIG, -EIO. */
int tar_gz_add(struct tar_gz *t, const char *name, const void *data, size_t len, time_t mtime);
/* The end blocks, and whether everything arrived: 0 or -EIO. The archive is closed in any case. */
int tar_gz_close(struct tar_gz *t);
/* Gives up; for AUTO(). */
void tar_gz_abort(struct tar_gz *t);
