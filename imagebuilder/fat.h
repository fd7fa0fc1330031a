#pragma once
/*
 * A FAT16 file system in memory for an EFI system partition: one path of folders with files in the last one, 8.3 names, a fixed date.
 * Source: Microsoft's FAT specification (fatgen103). FAT16 because EDK2 takes small "FAT32" volumes for FAT16, and some firmware dislikes FAT12.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

#define FAT_SIZE_MAX \
	(31u << 20) /* bytes; an El Torito entry counts sectors in 16 bits: below 32 MiB */

struct fat_file {
	const char *name; /* upper case, 8.3: "BOOTX64.EFI" */
	const void *data;
	size_t len;
};

/*
 * @folders: NULL-terminated, outermost first. The image is as small as FAT16 allows (about 2.1 MiB) plus some room.
 * @serial: volume id. *ret owned by the caller. -EINVAL for a name that is not 8.3, -EFBIG above FAT_SIZE_MAX.
 */
int fat_image(const char *const *folders, const struct fat_file *files, size_t n_files,
	      int64_t epoch, uint32_t serial, void **ret, size_t *ret_len, struct fault *err);
