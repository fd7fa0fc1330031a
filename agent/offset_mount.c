#include "agent/offset_mount.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"

#define LOOP_TRIES 16
#define RETRY_US 20000

/* What libblkid calls it, and with which driver it is mounted. */
static const struct {
	const char *type, *driver;
} drivers[] = {
	{ "ext4", "ext4" }, { "ext3", "ext4" }, { "ext2", "ext4" },
	{ "xfs", "xfs" },   { "vfat", "vfat" },
};

static void probep(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static const char *driver_find(int fd)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();
	const char *type;

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0) != 0)
		return NULL;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	if (blkid_do_safeprobe(pr) != 0 || blkid_probe_lookup_value(pr, "TYPE", &type, NULL) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (str_eq(drivers[i].type, type))
			return drivers[i].driver;
	return NULL;
}

/*
 * Direct I/O: no second page cache between file system and disk that could miss what O_DIRECT has
 * written.
 */
static int loop_attach(struct disk *d, uint64_t offset, uint64_t len, bool is_read_only,
		       char *ret_name, size_t size, struct fault *err)
{
	struct loop_config config = {
		.fd = (uint32_t)d->fd,
		.block_size = d->id.sector_size,
		.info = {
			.lo_offset = offset,
			.lo_sizelimit = len,
			.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (is_read_only ? LO_FLAGS_READ_ONLY : 0),
		},
	};
	AUTO(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return fault_set(err, -errno, "/dev/loop-control: %s", strerror(errno));
	for (int i = 0; i < LOOP_TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return fault_set(err, -errno, "no free loop device: %s", strerror(errno));
		snprintf(ret_name, size, "/dev/loop%d", number);
		AUTO(closep)
		int fd = open(ret_name, (is_read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (fd < 0)
			return fault_set(err, -errno, "%s: %s", ret_name, strerror(errno));
		if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
			return TAKE_FD(fd);
		if (errno != EBUSY) /* another process took it meanwhile */
			return fault_set(err, -errno, "cannot set up %s on %s: %s", ret_name,
					 d->id.name, strerror(errno));
	}
	return fault_set(err, -EBUSY, "no loop device could be had in %d tries", LOOP_TRIES);
}

/* The kernel explains failures of the new mount calls in the context's own log ("e message"). */
static int context_fault(int fs, const char *driver, const char *name, int code, struct fault *err)
{
	char text[256] = "";
	ssize_t n = read(fs, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	str_make_utf8(text);
	return fault_set(err, code, "cannot mount %s as %s: %s%s%s", name, driver, strerror(-code),
			 *text ? ": " : "", *text ? str_trim(text) : "");
}

static int mount_detached(const char *driver, const char *name, bool is_read_only,
			  struct fault *err)
{
	AUTO(closep) int fs = fsopen(driver, FSOPEN_CLOEXEC);
	unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (fs < 0)
		return fault_set(err, errno == ENODEV ? -ENODEV : -errno,
				 "this kernel cannot mount %s: %s", driver, strerror(errno));
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", name, 0) < 0 ||
	    (is_read_only && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_fault(fs, driver, name, -errno, err);
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes | (is_read_only ? MOUNT_ATTR_RDONLY : 0));
	return fd < 0 ? fault_set(err, -errno, "cannot mount %s: %s", name, strerror(errno)) : fd;
}

/* The descriptor of a mount is O_PATH: syncfs() wants a real one. */
static int root_open(struct offset_mount *m, struct fault *err)
{
	m->mount_fd = openat(m->tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->mount_fd < 0 ? fault_set(err, -errno, "cannot open what is mounted from %s: %s",
					   m->loop_name, strerror(errno))
			       : 0;
}

static int loop_wait_free(int loop_fd, const char *name, struct fault *err)
{
	struct loop_info64 info;

	for (int64_t end = time_mono_ms() + DISK_BUSY_WAIT_MS; time_mono_ms() < end;
	     usleep(RETRY_US))
		if (ioctl(loop_fd, LOOP_GET_STATUS64, &info) < 0 && errno == ENXIO)
			return 0;
	return fault_set(err, -EBUSY, "%s is still attached to the disk", name);
}

int offset_mount_open(struct disk *d, uint64_t offset, uint64_t len, bool is_read_only,
		      struct offset_mount *ret, struct fault *err)
{
	struct offset_mount m = OFFSET_MOUNT_INIT;

	m.loop_fd =
		loop_attach(d, offset, len, is_read_only, m.loop_name, sizeof(m.loop_name), err);
	if (m.loop_fd < 0)
		return m.loop_fd;
	const char *driver = driver_find(m.loop_fd);
	int r = driver ? 0
		       : fault_set(err, -EMEDIUMTYPE, "no known file system at offset %llu",
				   (unsigned long long)offset);
	if (r == 0) {
		(void)str_copy(m.fstype, sizeof(m.fstype), driver);
		m.tree_fd = mount_detached(driver, m.loop_name, is_read_only, err);
		r = m.tree_fd < 0 ? m.tree_fd : root_open(&m, err);
	}
	if (r < 0) {
		(void)offset_mount_close(&m, NULL);
		return r;
	}
	*ret = m;
	return 0;
}

int offset_mount_close(struct offset_mount *m, struct fault *err)
{
	int r = 0;

	if (m->mount_fd >= 0 && syncfs(m->mount_fd) < 0)
		r = fault_set(err, -errno, "cannot write out the file system: %s", strerror(errno));
	closep(&m->mount_fd);
	closep(&m->tree_fd); /* the last reference: this unmounts */
	if (r == 0 && m->loop_fd >= 0 && fsync(m->loop_fd) < 0)
		r = fault_set(err, -errno, "cannot write out %s: %s", m->loop_name,
			      strerror(errno));
	if (m->loop_fd >= 0) {
		(void)ioctl(m->loop_fd, LOOP_CLR_FD); /* may be deferred: the wait tells */
		int waited = loop_wait_free(m->loop_fd, m->loop_name, r < 0 ? NULL : err);

		r = r < 0 ? r : waited;
	}
	closep(&m->loop_fd);
	*m = OFFSET_MOUNT_INIT;
	return r;
}
