#pragma once
/*
 * A look at some disks that is as good as one at all of them: the others are taken over from the last snapshot. A disk whose members
 * hang on other devices is left to a look at all: what holds or is held (dm, md, bcache), what shares a persistent name or a place with
 * another one, fabrics, namespaces with several paths. So is everything when mounts or swaps have changed, where no udev runs, and where
 * an error cannot be laid at the door of one disk.
 */
#include "hwprobe/context.h"
#include "hwprobe/inventory.h"

enum {
	DISK_NAMES_MAX = 16,   /* more are looked at all together */
	DISK_SOURCES_MAX = 64, /* snapshots that one list is made of */
};

/*
 * @names: whole disks as in sysfs, in any order, there or gone, each once; disks that came or went without a name here are noticed.
 * Returns 0 with a snapshot of HWP_DISKS; -EAGAIN: look at all; another -errno: as hwp_probe().
 */
int disk_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, const struct root_names *names,
		 struct hwp_inventory **ret_inv);
