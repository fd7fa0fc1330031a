#include "agent/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "agent/sysfs.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define RETRY_MS 100
#define ATTR_MAX 4096

/* --- identity ---------------------------------------------------------------------------- */

static void udevp(struct udev **u)
{
	udev_unref(*u);
}

static void udev_devicep(struct udev_device **d)
{
	udev_device_unref(*d);
}

/* First of the udev properties that is set. */
static void from_udev(dev_t devno, const char *const *keys, char ret[DISK_ID_MAX])
{
	AUTO(udevp) struct udev *u = udev_new();
	AUTO(udev_devicep)
	struct udev_device *d = u ? udev_device_new_from_devnum(u, 'b', devno) : NULL;

	for (; d && !*ret && *keys; keys++) {
		const char *v = udev_device_get_property_value(d, *keys);

		if (v)
			(void)str_copy(ret, DISK_ID_MAX, v);
	}
}

static void from_sysfs(int dirfd, const char *const *paths, char ret[DISK_ID_MAX])
{
	for (; !*ret && *paths; paths++) {
		AUTO(freep) char *text = NULL;

		if (file_read_line_at(dirfd, *paths, ATTR_MAX, &text, NULL) == 0)
			(void)str_copy(ret, DISK_ID_MAX, str_trim(text));
	}
}

static void strings_read(int dirfd, struct disk_id *id)
{
	static const char *const wwn_keys[] = { "ID_WWN_WITH_EXTENSION", "ID_WWN", NULL };
	static const char *const wwn_paths[] = { "wwid", "device/wwid", NULL };
	static const char *const serial_keys[] = { "ID_SERIAL_SHORT", NULL };
	static const char *const serial_paths[] = { "serial", "device/serial", NULL };

	from_udev(id->devno, wwn_keys, id->wwn);
	from_sysfs(dirfd, wwn_paths, id->wwn);
	from_udev(id->devno, serial_keys, id->serial);
	from_sysfs(dirfd, serial_paths, id->serial);
}

static int id_read(dev_t devno, struct disk_id *ret, struct fault *err)
{
	struct disk_id id = { .devno = devno };
	char path[64], link[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(devno), minor(devno));
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	AUTO(closep) int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n < 0 || dirfd < 0)
		return fault_set(err, -ENOENT, "block device %u:%u is not in sysfs", major(devno),
				 minor(devno));
	link[n] = '\0';
	(void)str_copy(id.name, sizeof(id.name),
		       strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
	if (faccessat(dirfd, "partition", F_OK, 0) == 0)
		return fault_set(err, -ENOTBLK, "%s is a partition, not a whole disk", id.name);
	id.size_bytes = sysfs_number_at(dirfd, "size") * 512;
	if (!id.size_bytes)
		return fault_set(err, -ENOMEDIUM, "%s has no medium", id.name);
	id.sector_size = (uint32_t)sysfs_number_at(dirfd, "queue/logical_block_size");
	id.diskseq = sysfs_number_at(dirfd, "diskseq");
	id.is_read_only = sysfs_number_at(dirfd, "ro");
	id.is_removable = sysfs_number_at(dirfd, "removable");
	id.is_rotational = sysfs_number_at(dirfd, "queue/rotational");
	id.is_hidden = sysfs_number_at(dirfd, "hidden");
	strings_read(dirfd, &id);
	*ret = id;
	return 0;
}

int disk_id_read(const char *device, struct disk_id *ret, struct fault *err)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return fault_set(err, -errno, "%s: %s", device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return fault_set(err, -ENOTBLK, "%s is not a block device", device);
	return id_read(st.st_rdev, ret, err);
}

static int text_differs(const char *what, const char *then, const char *now, const char *name,
			struct fault *err)
{
	if (!*then || str_eq(then, now))
		return 0;
	return fault_set(err, -ESTALE,
			 "%s is not the disk that was inventoried: its %s was %s and is %s", name,
			 what, then, *now ? now : "missing");
}

static int number_differs(const char *what, uint64_t then, uint64_t now, const char *name,
			  struct fault *err)
{
	if (!then || then == now)
		return 0;
	return fault_set(err, -ESTALE,
			 "%s is not the disk that was inventoried: its %s was %llu and is %llu",
			 name, what, (unsigned long long)then, (unsigned long long)now);
}

int disk_id_check(const struct disk_id *then, const struct disk_id *now, struct fault *err)
{
	int r = text_differs("WWN", then->wwn, now->wwn, now->name, err);

	if (r == 0)
		r = text_differs("serial number", then->serial, now->serial, now->name, err);
	if (r == 0)
		r = number_differs("size", then->size_bytes, now->size_bytes, now->name, err);
	if (r == 0)
		r = number_differs("sector size", then->sector_size, now->sector_size, now->name,
				   err);
	if (r == 0)
		r = number_differs("device sequence number", then->diskseq, now->diskseq, now->name,
				   err);
	return r;
}

/* --- calls ------------------------------------------------------------------------------- */

static int real_read(struct disk *d, void *data, size_t len, uint64_t offset)
{
	ssize_t n = fd_pread(d->direct_fd, data, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

static int real_write(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	return fd_pwrite(d->direct_fd, data, len, offset);
}

/*
 * On block devices PUNCH_HOLE is "zero, but never by writing": EOPNOTSUPP when
 * queue/write_zeroes_max_bytes is 0 (block/fops.c).
 */
static int real_zero(struct disk *d, uint64_t offset, uint64_t len)
{
	if (d->no_punch)
		return -EOPNOTSUPP;
	if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)len) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)
		d->no_punch = true;
	return d->no_punch ? -EOPNOTSUPP : -errno;
}

static int real_flush(struct disk *d)
{
	return fsync(d->fd) < 0 ? -errno : 0;
}

static int real_reread_table(struct disk *d)
{
	struct stat st;

	if (fstat(d->fd, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return 0;
	for (int64_t end = time_mono_ms() + DISK_BUSY_WAIT_MS;;) {
		if (ioctl(d->fd, BLKRRPART) == 0)
			return 0;
		/*
		 * EINVAL: a loop device that was set up without partitions (block/ioctl.c,
		 * GENHD_FL_NO_PART)
		 */
		if (errno == EINVAL)
			return 0;
		if (errno != EBUSY || time_mono_ms() > end)
			return -errno;
		usleep(RETRY_MS * 1000);
	}
}

const struct disk_ops disk_ops_real = {
	.read = real_read,
	.write = real_write,
	.zero = real_zero,
	.flush = real_flush,
	.reread_table = real_reread_table,
};

/* --- opening ----------------------------------------------------------------------------- */

static int open_exclusive(const char *device, struct fault *err)
{
	for (int64_t end = time_mono_ms() + DISK_BUSY_WAIT_MS;;) {
		int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno == EROFS || errno == EACCES || errno == EPERM)
			return fault_set(err, -errno, "%s cannot be written: %s", device,
					 strerror(errno));
		if (errno != EBUSY)
			return fault_set(err, -errno, "cannot open %s: %s", device,
					 strerror(errno));
		if (time_mono_ms() > end)
			return fault_set(err, -EBUSY, "%s is in use", device);
		usleep(RETRY_MS * 1000);
	}
}

static int lock(int fd, const char *device, struct fault *err)
{
	for (int64_t end = time_mono_ms() + DISK_BUSY_WAIT_MS;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fault_set(err, -errno, "cannot lock %s: %s", device,
					 strerror(errno));
		if (time_mono_ms() > end)
			return fault_set(err, -EBUSY, "%s is locked by another program", device);
		usleep(RETRY_MS * 1000);
	}
}

static int holders_fault(const char *device, struct fault *err)
{
	char holders[512] = "";
	struct stat st;

	if (stat(device, &st) == 0)
		disk_name_holders(st.st_rdev, holders, sizeof(holders));
	if (*holders)
		return fault_set(err, -EBUSY, "%s is in use: %s", device, holders);
	return -EBUSY;
}

/* The same inode again, not the same name: what is behind the name may have changed. */
static int open_direct(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

static int identity_of_fd(int fd, struct disk_id *ret, struct fault *err)
{
	uint64_t size = 0, seq = 0;
	int sector = 0;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return fault_set(err, -ENOTBLK, "not a block device");
	int r = id_read(st.st_rdev, ret, err);
	if (r < 0)
		return r;
	if (ioctl(fd, BLKGETSIZE64, &size) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
		return fault_set(err, -errno, "%s: %s", ret->name, strerror(errno));
	ret->size_bytes = size;
	ret->sector_size = (uint32_t)sector;
#ifdef BLKGETDISKSEQ
	if (ioctl(fd, BLKGETDISKSEQ, &seq) == 0)
		ret->diskseq = seq;
#endif
	return 0;
}

int disk_open(const char *device, const struct disk_id *expect, struct disk *ret, struct fault *err)
{
	struct disk d = { .ops = &disk_ops_real, .direct_fd = -1 };
	AUTO(closep) int fd = open_exclusive(device, err);

	if (fd == -EBUSY)
		return holders_fault(device, err);
	if (fd < 0)
		return fd;
	int r = lock(fd, device, err);
	if (r == -EBUSY)
		return holders_fault(device, err);
	if (r == 0)
		r = identity_of_fd(fd, &d.id, err);
	if (r == 0 && expect)
		r = disk_id_check(expect, &d.id, err);
	if (r < 0)
		return r;
	d.direct_fd = open_direct(fd);
	if (d.direct_fd < 0)
		return fault_set(err, -errno, "%s does not take direct I/O: %s", device,
				 strerror(errno));
	d.fd = TAKE_FD(fd);
	*ret = d;
	return 0;
}

int disk_open_file(const char *path, uint32_t sector_size, struct disk *ret, struct fault *err)
{
	struct disk d = { .ops = &disk_ops_real };
	AUTO(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(err, -EINVAL, "%s is not a regular file", path);
	d.id.size_bytes = (uint64_t)st.st_size;
	d.id.sector_size = sector_size;
	(void)str_copy(d.id.name, sizeof(d.id.name),
		       strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	d.fd = TAKE_FD(fd);
	d.direct_fd = d.fd;
	*ret = d;
	return 0;
}

void disk_close(struct disk *d)
{
	if (d->direct_fd >= 0 && d->direct_fd != d->fd)
		close(d->direct_fd);
	closep(&d->fd);
	d->fd = d->direct_fd = -1;
}
