#pragma once
/*
 * A hybrid boot image through libisofs: El Torito for BIOS and UEFI, the EFI system partition appended and named by MBR and GPT, so that the same
 * bytes boot from CD and from a USB stick. All dates and ids come from the caller: the same input gives the same image.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

struct iso_entry {
	const char *path; /* absolute in the image; folders are made as needed */
	const void *data; /* borrowed */
	size_t len;
};

struct iso_spec {
	const char *volume_id; /* at most 32 characters */
	int64_t epoch;         /* every date */
	const struct iso_entry *files;
	size_t n_files;
	const char *bios_image; /* path in the image of the GRUB El Torito image */
	const void *mbr;        /* first sectors for disks: boot_hybrid.img, at most 32 KiB */
	size_t mbr_len;
	const char *esp_file; /* absolute path of the FAT image on this machine */
};

/* Writes the image to the empty file @out_fd. */
int iso_write(const struct iso_spec *spec, int out_fd, struct fault *err);
