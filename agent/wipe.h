#pragma once
/*
 * Removing what was on a disk before the image comes, and making sure that it does not boot until
 * the image is complete.
 */
#include <stdint.h>
#include "agent/disk.h"
#include "agent/plan.h"
#include "common/fault.h"

/* Zeroed at both ends: covers GPT, md 0.90/1.0/1.2, zfs, LVM, IMSM, DDF. */
#define WIPE_END_BYTES (1u << 20)

/*
 * Every signature libblkid knows in each PLAN_WIPE range, and the range's first MiB. Partitions
 * come before the disk (the plan's order).
 */
int wipe_signatures(struct disk *d, const struct plan *p, struct fault *err);
/* First and last MiB of the disk, flushed: no partition table, no backup of one. */
int wipe_ends(struct disk *d, struct fault *err);
