#pragma once
/*
 * tar files (POSIX.1-1988 "ustar", as in pax(1)) that are made while they are sent: of texts in memory and of files that stay where they
 * are.
 */
#include <stdint.h>
#include "common/buf.h"
#include "common/fault.h"
#include "common/http_server.h"

#define TAR_BLOCK 512
#define TAR_NAME_MAX 99
#define TAR_SIZE_MAX ((uint64_t)8 << 30) /* eleven octal digits: less than this */

/* A whole small member, header and padding, behind what is in @out. Mode 0600. -EINVAL: @name is too long. */
int tar_append(struct buf *out, const char *name, const void *data, size_t len);
/* The two empty blocks at the end. */
int tar_append_end(struct buf *out);

struct tar;
/* @dirfd: where the files are; kept as a duplicate. NULL = no memory or descriptors. */
struct tar *tar_new(int dirfd);
void tar_free(void *t); /* of a struct tar; NULL is fine */
/* @name: in the archive; cut when it is too long. @data is taken. */
int tar_add_text(struct tar *t, const char *name, char *data, size_t len, int64_t mtime_s);
/* @file: below the folder; it must keep its size until it was sent, else the reader is cut off. */
int tar_add_file(struct tar *t, const char *name, const char *file, uint64_t size, int64_t mtime_s);
/* Takes @t. */
struct http_source tar_source(struct tar *t);
