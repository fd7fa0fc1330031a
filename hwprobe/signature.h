#pragma once
/*
 * What is on a disk, found by libblkid: its partition table, its file system, RAID or LVM signature. The bytes are read by the
 * worker of device_read.h, with its time limit, and laid into a sparse file in memory of the device's size: libblkid never
 * touches a device, so that it cannot hang, and a recorded tree goes the same way.
 *
 * The library is loaded when a disk needs it. Where udev runs, it has asked libblkid already and nothing is loaded: linking it
 * would cost each start of a program a quarter of a millisecond and 400 KiB.
 */
#include "hwprobe/block.h"

struct blkid_library;

enum { SIGNATURE_TEXT_MAX = 64 << 10 };

/*
 * Fills b->blkid and those of its partitions, which follow it in the map, under the names that udev gives: ID_FS_TYPE,
 * ID_PART_TABLE_TYPE, ID_PART_ENTRY_UUID, … . @sector_bytes: unit of the partition table. Without libblkid, or when the device
 * cannot be read, nothing is filled and the reason is recorded.
 */
void signature_find(struct survey *s, struct block_dev *b, const char *path, uint64_t size_bytes,
		    unsigned sector_bytes);
/* The file system of one partition (or of whatever else @b is), without a partition table. */
void signature_find_fs(struct survey *s, struct block_dev *b, const char *path,
		       uint64_t size_bytes);

/* Unloads the library of the context. */
void signature_close(struct blkid_library *library);
