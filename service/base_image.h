#pragma once
/*
 * A base image: the discovery medium of one architecture as slipway-image made it (base.iso, vmlinuz, initrd.img, base.json).
 */
#include <stdint.h>
#include "common/fault.h"
#include "common/progress.h"
#include "imagebuilder/imagebuilder.h"

#define BASE_ARCH_LEN 16

enum base_file { BASE_ISO, BASE_KERNEL, BASE_INITRD, BASE_FILE_COUNT };
const char *base_file_name(enum base_file f);

struct base_image {
	char id[65];                   /* SHA-256 of base.iso, hex */
	char arch[BASE_ARCH_LEN];      /* as the API writes it: x86_64, arm64, … */
	char kernel[128], version[64]; /* of the kernel, of the builder; for people */
	int64_t created;               /* seconds */
	struct {
		uint64_t size;
		char sha256[65];
	} files[BASE_FILE_COUNT];
	struct iso_area area;
	int iso_fd; /* open, owned; -1 = not loaded */
};

/* Reads and checks base.json of the folder @dirfd: format, names, sizes, area. -EBADMSG with a sentence. */
int base_image_describe(int dirfd, struct base_image *ret, struct fault *err);
/* base_image_describe(), then opens base.iso and compares sizes and area. */
int base_image_load(int dirfd, struct base_image *ret, struct fault *err);
void base_image_done(struct base_image *b);
/*
 * Copies the folder @from to the empty folder @to (reflinks where the file system can), comparing every digest on the way. Long.
 */
int base_image_copy(int from, int to, struct progress *p, struct fault *err);
/* "aarch64" is "arm64" in the API; other names stay. */
const char *arch_api_name(const char *arch);
