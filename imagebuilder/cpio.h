#pragma once
/*
 * newc cpio archives as the kernel's initramfs unpacker reads them (Documentation/driver-api/early-userspace/buffer-format.rst).
 * The writer is deterministic: inode numbers count from 1, owner 0:0, one date for all; the caller decides the order.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"
#include "common/fault.h"

#define CPIO_HEADER_SIZE 110
#define CPIO_NAME_MAX 4096 /* PATH_MAX of the kernel, with NUL: longer names are skipped there */
#define CPIO_FILE_MAX UINT32_MAX /* eight hex digits */

/* --- writing --- */
struct cpio_writer {
	int (*write)(void *ctx, const void *data, size_t len); /* 0 or -errno */
	void *ctx;
	uint32_t mtime;  /* seconds, of every member */
	uint32_t ino;    /* private: of the last member */
	uint64_t offset; /* private: bytes written */
};

/* A writer that appends to @out. @out must outlive it. */
void cpio_writer_init_buf(struct cpio_writer *w, struct buf *out, uint32_t mtime);
/* All return 0, -ENAMETOOLONG, -EFBIG, or what write() returned. @perm: permission bits only. @name: relative, no leading "/". */
int cpio_dir(struct cpio_writer *w, const char *name, unsigned perm);
int cpio_file(struct cpio_writer *w, const char *name, unsigned perm, const void *data, size_t len);
int cpio_symlink(struct cpio_writer *w, const char *name, const char *target);
int cpio_char_device(struct cpio_writer *w, const char *name, unsigned perm, unsigned major,
		     unsigned minor);
/* The trailer; the archive's length is a multiple of 4, so that another one may follow. */
int cpio_end(struct cpio_writer *w);

/* --- reading (untrusted input) --- */
struct cpio_member {
	const char *name; /* in the input, NUL-terminated */
	uint32_t mode, mtime, ino;
	const uint8_t *data; /* in the input */
	size_t len;
};

struct cpio_reader {
	const uint8_t *data;
	size_t len, offset;
};

void cpio_reader_init(struct cpio_reader *r, const void *data, size_t len);
/* 1 = *ret holds the next member, 0 = the trailer was read, -EBADMSG with a sentence for anything that is no sound archive. */
int cpio_next(struct cpio_reader *r, struct cpio_member *ret, struct fault *err);
