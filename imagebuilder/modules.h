#pragma once
/*
 * Kernel modules for an initramfs: the closure of a profile's roots over dependencies and soft dependencies, firmware, and the index files
 * that modprobe (and through it the kernel's request_module()) reads.
 */
#include "common/json_map.h"
#include "imagebuilder/file_set.h"
#include "imagebuilder/profile.h"
#include "imagebuilder/source.h"

#define MODULES_MAX 4096u

struct modules {
	struct json_strs names;            /* in the image, sorted */
	struct json_strs missing_firmware; /* "FILE (MODULE)", sorted */
};

void modules_done(struct modules *m);
/*
 * Adds modules, firmware and indexes of kernel @version to @set. @firmware_dir: NULL = lib/firmware of the source.
 * Runs depmod(8) on a temporary copy of the chosen modules.
 */
int modules_add(struct file_set *set, const struct source *src, const char *version,
		const struct profile *profile, const char *firmware_dir, struct modules *ret,
		struct fault *err);
/* The newest version below lib/modules of the source that has a boot/vmlinuz-VERSION; owned by the caller. */
int modules_newest_version(const struct source *src, char **ret, struct fault *err);
/* Compares versions as people read them: runs of digits as numbers. As strcmp(). */
int modules_version_compare(const char *a, const char *b);
