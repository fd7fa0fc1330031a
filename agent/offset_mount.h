#pragma once
/*
 * A file system in a range of a disk that has no partition table: a loop device at the offset,
 * mounted without a mount point. Works while the whole disk is held O_EXCL; nothing of it is
 * visible to other processes and all of it goes away when this one dies.
 */
#include <stdbool.h>
#include <stdint.h>
#include "agent/disk.h"
#include "common/fault.h"

struct offset_mount {
	int loop_fd;  /* owned */
	int tree_fd;  /* owned: the mount itself, which ends with it */
	int mount_fd; /* owned: the root folder of the file system */
	char fstype[16];
	char loop_name[32];
};
#define OFFSET_MOUNT_INIT ((struct offset_mount){ .loop_fd = -1, .tree_fd = -1, .mount_fd = -1 })

/*
 * nosuid, nodev, noexec. -EMEDIUMTYPE: no file system of those known here (ext2-4, xfs, vfat);
 * -ENODEV: this kernel cannot mount it.
 */
int offset_mount_open(struct disk *d, uint64_t offset, uint64_t len, bool is_read_only,
		      struct offset_mount *ret, struct fault *err);
/*
 * Writes everything out, unmounts, detaches, and waits until the loop device is free: udev may have
 * it open for a moment, and until then the disk is claimed. -EBUSY after DISK_BUSY_WAIT_MS. The
 * descriptors are closed in any case.
 */
int offset_mount_close(struct offset_mount *m, struct fault *err);
