#pragma once
/*
 * One whole disk: who it is, whether it is the one that was meant, and exclusive access to it.
 * Names (sda, nvme0n1) are not identities; the relation of disks and partitions comes from sysfs
 * only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/fault.h"

#define DISK_NAME_MAX 64
#define DISK_ID_MAX 160
/* How long an open waits for a claim or lock to go away (udev probes, late closes). */
#define DISK_BUSY_WAIT_MS 5000

struct disk_id {
	char name[DISK_NAME_MAX]; /* kernel name, "sda"; for messages, never compared */
	dev_t devno;
	/* udev ID_WWN_WITH_EXTENSION, else ID_WWN, else sysfs wwid; "" = none */
	char wwn[DISK_ID_MAX];
	char serial[DISK_ID_MAX]; /* udev ID_SERIAL_SHORT, else sysfs serial; "" = none */
	uint64_t size_bytes;
	uint32_t sector_size; /* logical, BLKSSZGET */
	/* /sys/block/X/diskseq: one number per device instance (Linux 5.15); 0 = unknown */
	uint64_t diskseq;
	bool is_read_only, is_removable, is_rotational, is_hidden;
};

/*
 * Reads the identity of the whole disk @device (any path to its node; a partition is -ENOTBLK)
 * without touching its data.
 * -ENOENT, -ENOTBLK, -ENOMEDIUM (size 0).
 */
int disk_id_read(const char *device, struct disk_id *ret, struct fault *err);

/*
 * Is @now the disk that @then describes? Empty or zero fields of @then are not compared, names and
 * numbers of nodes never. 0, or -ESTALE with a sentence that names the field and both values.
 */
int disk_id_check(const struct disk_id *then, const struct disk_id *now, struct fault *err);

/*
 * The calls through which an installation touches a disk. One table for real disks, others for
 * tests (logging, failing, plain files). All return 0 or -errno; offsets and lengths are multiples
 * of the sector size, memory is page-aligned.
 */
struct disk;
struct disk_ops {
	int (*read)(struct disk *d, void *data, size_t len, uint64_t offset);
	int (*write)(struct disk *d, const void *data, size_t len, uint64_t offset);
	/*
	 * Makes the range read as zeros, without writing when the device can; -EOPNOTSUPP is an
	 * answer: the caller writes zeros.
	 */
	int (*zero)(struct disk *d, uint64_t offset, uint64_t len);
	int (*flush)(struct disk *d);
	int (*reread_table)(struct disk *d);
};

struct disk {
	const struct disk_ops *ops;
	struct disk_id id;
	int fd;        /* O_EXCL, flock()ed; buffered: wiping, loop devices */
	int direct_fd; /* the same device with O_DIRECT; == fd where that is not possible */
	bool no_punch; /* PUNCH_HOLE has answered EOPNOTSUPP */
	void *ctx;     /* of a test's ops */
};

extern const struct disk_ops disk_ops_real;

/*
 * Opens @device O_RDWR|O_EXCL and locks it (flock LOCK_EX on the whole-disk node keeps udev from
 * probing). Waits DISK_BUSY_WAIT_MS for each; then -EBUSY with a sentence that names who holds it.
 * Compares the identity of the open descriptor with @expect (NULL = none).
 */
int disk_open(const char *device, const struct disk_id *expect, struct disk *ret,
	      struct fault *err);
/* A regular file as a disk with @sector_size: for tests and rigs. */
int disk_open_file(const char *path, uint32_t sector_size, struct disk *ret, struct fault *err);
void disk_close(struct disk *d);

/*
 * Who uses @devno: mounts in any namespace, kernel holders, open descriptors. One line for people,
 * "" when nobody is found.
 */
void disk_name_holders(dev_t devno, char *ret, size_t size);
