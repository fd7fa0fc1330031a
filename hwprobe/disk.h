#pragma once
/* The disk probe in steps, one file each. A step fills its fields of @d from device @b of map @m. */
#include "hwprobe/block.h"
#include "hwprobe/device_heads.h"
#include "hwprobe/hwprobe.h"

/* disk_id.c: name, path, model, vendor, serial, wwn, hctl, by_id, by_path, id. */
void disk_find_identity(struct survey *s, struct block_map *m, const struct block_dev *b,
			struct hwp_disk *d);
/* disk_link.c: the persistent names. */
void disk_find_links(struct survey *s, struct block_map *m, const struct block_dev *b,
		     struct hwp_disk *d);
/* disk_type.c: drive_type, transport; needs the identity. */
void disk_find_type(struct survey *s, const struct block_dev *b, struct hwp_disk *d);
/* disk_boot.c: may LBA 0 be read: would it neither hang nor spin up? A device that would not answer is told. */
bool disk_may_read_head(struct survey *s, const struct block_dev *b, const struct hwp_disk *d);
/* Does LBA 0 carry the boot signature? */
void disk_find_bootable(struct survey *s, const struct device_head *head, struct hwp_disk *d);
/* disk_eligible.c: is_installation_media and the reasons; needs the type. */
void disk_find_eligibility(struct survey *s, struct block_map *m, const struct block_dev *b,
			   struct hwp_disk *d);
/* disk_signature.c: what libblkid finds where udev does not say; needs bootable. Fills @b, not @d. */
void disk_find_signatures(struct survey *s, struct block_dev *b, const struct device_head *head,
			  const struct hwp_disk *d);
/* Does the head have to be read with its descriptor? */
bool disk_wants_descriptor(struct survey *s, const struct block_dev *b, const struct hwp_disk *d);
/* What only the full format shows. disk_more.c: numbers and flags; disk_fabric.c: how it is reached; disk_users.c: who uses it. */
void disk_find_details(struct survey *s, const struct block_map *m, const struct block_dev *b,
		       struct hwp_disk *d);
void disk_find_fabric(struct survey *s, const struct block_map *m, const struct block_dev *b,
		      struct hwp_disk *d);
void disk_find_users(struct survey *s, struct block_map *m, const struct block_dev *b,
		     struct hwp_disk *d);
/* Needs all the others. */
void disk_find_warnings(struct survey *s, const struct block_dev *b, struct hwp_disk *d);
/* smart.c: asks the drive for its health (HWP_SMART). */
void disk_find_smart(struct survey *s, const struct block_dev *b, struct hwp_disk *d);
/* disk_partition.c: partitions, mounts, place on the bus. */
void disk_find_more(struct survey *s, const struct block_dev *b, struct hwp_disk *d);

/* Will reading the device neither hang nor move anything? */
bool disk_can_be_read(struct survey *s, const struct block_dev *b, const struct hwp_disk *d);
/* disk_medium.c: does the disk hold the ISO file system that this system was booted from, mounted or not? */
bool disk_is_boot_medium(struct survey *s, const struct block_dev *b);
/* Does the firmware's iSCSI boot table name the target? *@ret_has_ibft: is there one at all? */
bool disk_is_boot_target(struct survey *s, const char *target, bool *ret_has_ibft);
/*
 * Does a path of this asymmetric access take reads and writes? In the words of NVMe ("optimized", drivers/nvme/host/multipath.c) or of ALUA
 * ("active/optimized", drivers/scsi/scsi_sysfs.c); NULL = the paths are all alike.
 */
bool disk_is_ana_open(const char *state);
/* Is the name that of one path of a namespace, "nvme0c1n2"? */
bool disk_is_nvme_path(const char *name);
/* How the device is attached, by its place in sysfs; NULL = unknown. */
const char *disk_transport(const struct block_dev *b);

bool disk_is_multipath(const struct block_dev *b);
bool disk_is_lvm(const struct block_dev *b);
/* First component of the real path that is @prefix and digits ("host2"), in tmp; NULL = none. */
char *disk_ancestor(struct survey *s, const struct block_dev *b, const char *prefix);
