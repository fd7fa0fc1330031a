#pragma once
/*
 * A set of files as a zstd-compressed initramfs.
 */
#include "common/buf.h"
#include "common/progress.h"
#include "imagebuilder/file_set.h"

#define INITRAMFS_MAX (512u << 20) /* bytes, compressed */

/*
 * Appends one newc archive, compressed by one thread (so that the bytes depend on level and library only), to @out.
 * @level: 1–22, 0 = 9. @mtime: of every member, seconds.
 */
int initramfs_pack(const struct file_set *set, uint32_t mtime, int level, struct buf *out,
		   struct progress *p, struct fault *err);
