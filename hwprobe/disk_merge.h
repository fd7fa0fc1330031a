#pragma once
/* A list of disks made of two: those that were looked at again, and the others of the last snapshot. */
#include "hwprobe/inventory.h"
#include "hwprobe/root.h"

/*
 * @named: the disks of which @now speaks, there or gone. The snapshot keeps references to those that have the memory.
 * 0; -EAGAIN: an error of either tells of no disk, so that it is unknown whether it still holds, or too many snapshots are involved; -ENOMEM.
 */
int disk_merge(struct hwp_inventory *last, struct hwp_inventory *now,
	       const struct root_names *named, struct hwp_inventory **ret_inv);
