#pragma once
/* The disk probe in steps, one file each. A step fills its fields of @d from device @b of map @m. */
#include "hwprobe/block.h"
#include "hwprobe/hwprobe.h"

/* disk_id.c: name, path, model, vendor, serial, wwn, hctl, by_id, by_path, id. */
void disk_find_identity(struct survey *s, struct block_map *m, const struct block_dev *b,
			struct hwp_disk *d);
/* disk_link.c: the persistent names. */
void disk_find_links(struct survey *s, struct block_map *m, const struct block_dev *b,
		     struct hwp_disk *d);
/* disk_type.c: drive_type, transport; needs the identity. */
void disk_find_type(struct survey *s, const struct block_dev *b, struct hwp_disk *d);
/* disk_boot.c: does LBA 0 carry the boot signature? Opens the device only when it cannot hang or spin up. */
void disk_find_bootable(struct survey *s, const struct block_dev *b, struct hwp_disk *d);
/* disk_eligible.c: is_installation_media and the reasons; needs the type. */
void disk_find_eligibility(struct survey *s, struct block_map *m, const struct block_dev *b,
			   struct hwp_disk *d);
/* disk_partition.c: partitions, mounts, place on the bus: what only the full format shows. */
void disk_find_more(struct survey *s, const struct block_dev *b, struct hwp_disk *d);

/* Will reading the device neither hang nor move anything? */
bool disk_can_be_read(struct survey *s, const struct block_dev *b, const struct hwp_disk *d);
/* disk_medium.c: does the disk hold the ISO file system that this system was booted from, mounted or not? */
bool disk_is_boot_medium(struct survey *s, const struct block_dev *b, const struct hwp_disk *d);

bool disk_is_multipath(const struct block_dev *b);
bool disk_is_lvm(const struct block_dev *b);
/* First component of the real path that is @prefix and digits ("host2"), in tmp; NULL = none. */
char *disk_ancestor(struct survey *s, const struct block_dev *b, const char *prefix);
