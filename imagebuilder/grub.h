#pragma once
/*
 * GRUB images for both firmwares, made by grub-mkimage(1) from unpacked GRUB packages.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

struct grub_images {
	char *efi; /* a PE program */
	size_t efi_len;
	char *eltorito; /* cdboot.img and core: the BIOS El Torito image */
	size_t eltorito_len;
	char *mbr; /* boot_hybrid.img: the first sector for USB sticks */
	size_t mbr_len;
};

void grub_images_done(struct grub_images *g);
/*
 * @grub_dir: has x86_64-efi/ and i386-pc/. The images look for the file @marker on all devices and read /boot/grub/grub.cfg beside it.
 */
int grub_images_make(const char *grub_dir, const char *marker, struct grub_images *ret,
		     struct fault *err);
/* The main configuration; @args: appended to the kernel's command line, NULL = none. Owned by the caller. */
int grub_config(const char *args, char **ret, struct fault *err);
