#pragma once
/*
 * Inside of the OS image importer: the input as one stream of plain bytes, and what is accepted as
 * a disk image.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/fault.h"

#define OS_IMAGE_MIN (1u << 20)  /* bytes: anything smaller is an error page or a stub */
#define OS_IMAGE_HEAD (1u << 20) /* bytes from the start in which every real partition table lies */

/* --- os_image_source.c --- */
struct os_source;
/*
 * Reads @fd (borrowed; from its current position, need not be seekable), undoing gzip, xz, zstd or
 * bzip2 when the first bytes say so. libarchive is no integrity check: os_source_finish() makes up
 * for what it lets pass.
 */
int os_source_open(int fd, struct os_source **ret, struct fault *err);
/* Fills @data; fewer bytes only at the end. -EBADMSG when the stream is damaged or cut. */
ssize_t os_source_read(struct os_source *s, void *data, size_t len, struct fault *err);
/*
 * After the end: everything was read, and the gzip trailer (CRC-32, length) matches, which
 * libarchive does not compare.
 */
int os_source_finish(struct os_source *s, struct fault *err);
/*
 * Bytes taken from the descriptor so far, and its size when it is a regular file (else 0): for
 * progress.
 */
uint64_t os_source_consumed(const struct os_source *s);
uint64_t os_source_size(const struct os_source *s);
void os_source_free(struct os_source *s);
void os_source_freep(struct os_source **s);

/* --- os_image_check.c --- */
/*
 * Container formats, archives, file systems and web pages are refused with the tool that makes a
 * disk image of them. -EMEDIUMTYPE.
 */
int os_image_refuse(const void *head, size_t len, struct fault *err);
struct os_image_layout {
	uint32_t sector_size;
	uint64_t end_bytes; /* the image must have at least this size, or it was cut */
};
/*
 * Checks that @head (OS_IMAGE_HEAD bytes) starts a disk image that some firmware can boot.
 * -EMEDIUMTYPE, -EBADMSG.
 */
int os_image_layout(const void *head, size_t len, struct os_image_layout *ret, struct fault *err);
