#pragma once
/*
 * Making the image this host's own before it can boot: seed files into the root file system; and a
 * look at the EFI system partition for what the firmware is to start. The table comes from the
 * image in memory, for there is none on the disk.
 */
#include <stddef.h>
#include <stdint.h>
#include "agent/disk.h"
#include "agent/install.h"
#include "common/fault.h"
#include "common/gpt.h"

/*
 * Writes @files into the root file system: the partition of a root type (Discoverable Partitions),
 * else one named "root", else the Linux partitions, largest first; it must be ext4 or xfs and have
 * a folder etc. Modes are exact; owner root; SELinux labels are those of the parent folder.
 * Everything is flushed, unmounted and detached at return. -ENOENT: there is no root file system.
 */
int configure_files(struct disk *d, const struct gpt *g, const struct install_file *files, size_t n,
		    struct fault *err);

/* The same into a folder that is open: paths are resolved without links and never leave it. */
int configure_put_files(int rootfd, const struct install_file *files, size_t n, struct fault *err);

#define CONFIGURE_LOADER_MAX 64
/*
 * Finds the loader of the EFI system partition: the removable path \EFI\BOOT\BOOT<arch>.EFI.
 * *ret_number: of the partition, from 1. -ENOENT: no ESP, or no loader on it. -ENODEV: this kernel
 * has no vfat, nothing is known.
 */
int configure_find_loader(struct disk *d, const struct gpt *g, char ret_path[CONFIGURE_LOADER_MAX],
			  uint32_t *ret_number, struct fault *err);
