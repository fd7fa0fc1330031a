#pragma once
/* All block devices of the pass: disks, their partitions, what stands on them and where they are mounted. */
#include "hwprobe/probe.h"
#include "hwprobe/strmap.h"
#include "hwprobe/udev_db.h"

enum { BLOCK_DEVICES_MAX = 1 << 17, BLOCK_DEPTH_MAX = 16 };

struct block_dev {
	const char *name; /* as in sysfs: "sda", "cciss!c0d0" */
	const char *dir;  /* "sys/block/sda" or "sys/block/sda/sda1" */
	const char *real; /* "sys/devices/…/block/sda"; whole disks only */
	unsigned major, minor;
	bool has_number;
	long parent;  /* index of the whole disk of a partition; -1 */
	size_t parts; /* partitions follow their disk in the map: how many */
	const char *dm_uuid, *dm_name;
	struct root_names holders;
	struct udev_record udev;
	struct udev_record blkid; /* what libblkid says, in the same words; signature.h */
	const char *blkid_text;   /* the same before it was taken apart */
	struct root_names mounts; /* mount points */
	bool is_swap;
	bool backs_live_root; /* a loop device with the live system's root file system lies on it */
	bool has_iso_mount;   /* mounted at a point that ends in "iso" */
	unsigned long seen;   /* the last walk that came by */
};

/* Those of one disk form a list. */
struct block_part_name {
	char *name;
	long next; /* STRMAP_NONE = the last */
};

struct block_map {
	struct block_dev *v;
	size_t n;
	struct strmap names;     /* name to place */
	struct strmap id_paths;  /* ID_PATH of whole disks to how many have it */
	struct strmap ids;       /* ids given to disks of the inventory */
	struct root_names loops; /* names of loop devices, which are no disks */
	bool has_udev;           /* there is a record of any device */
	bool has_dev_links;      /* there is a folder dev/disk */
	bool has_parts;          /* partitions are known by @parts */
	struct strmap parts;     /* name of a disk to the first of its partitions in @part_names */
	struct block_part_name *part_names;
	size_t part_name_count;
	struct strmap
		links; /* stable by-id link (block_is_stable_link()) to the first of those that claim it with the highest priority */
	struct strmap tied; /* stable links that more than one claims with that priority */
	unsigned long walk; /* number of the current walk through holders */
	uint64_t use; /* hash of what tells of mounts and swaps, of these and of other devices */
};

/* Loop, RAM and compressed-RAM disks, by name. */
bool block_is_memory_disk(const char *name);
/* Reads the map. Memory disks are not in it. */
void block_map_read(struct survey *s, struct block_map *ret);
/* Is "disk/by-id/…" a kind of link that stays with the medium? The others carry model names, or move between namespaces. */
bool block_is_stable_link(const char *link);
struct block_dev *block_by_name(const struct block_map *m, const char *name);
/* "/dev/sda1", "/dev/mapper/vg-root", "/dev/disk/by-…": the device that is meant; NULL = none of the map. */
struct block_dev *block_by_node(struct survey *s, const struct block_map *m, const char *node);
/* A property as udev says, else as libblkid; NULL = neither. *@ret_source: "udev" or "libblkid", may be NULL. */
const char *block_property(const struct block_dev *dev, const char *key, const char **ret_source);
/* block_property() into the inventory. */
bool block_put_property(struct survey *s, struct hwp_str *dst, const struct block_dev *dev,
			const char *key);
/* Mounts and swaps into the map. */
void block_map_read_use(struct survey *s, struct block_map *m);

/* block_live.c: marks the disk that holds the image of a live system. */
void block_map_read_live(struct survey *s, struct block_map *m);

/*
 * Something above @dev (through holders, at any depth, with the partitions of what is found) that is mounted or swapped on;
 * @dev itself does not count. NULL = nothing.
 */
const struct block_dev *block_user(struct block_map *m, const struct block_dev *dev);
bool block_is_used(const struct block_dev *dev);
/* Does any of @dev, its partitions and what stands on them have a mount that ends in "iso"? */
bool block_has_iso_mount(struct block_map *m, const struct block_dev *dev);
