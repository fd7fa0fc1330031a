/*
 * Taking apart what the kernel has stacked on the disk. Only what the plan has found to stand on
 * this disk alone.
 */
#include "agent/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "common/cleanup.h"
#include "common/str.h"

#define RETRIES 50
#define RETRY_US 100000

/* The kernel's own node in devtmpfs, if it is the right device. */
static int node_open(const struct plan_action *a, int flags)
{
	char path[DISK_NAME_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", a->name);
	AUTO(closep) int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != a->devno)
		return -ENODEV;
	return TAKE_FD(fd);
}

/* include/linux/kdev_t.h: new_encode_dev() */
static uint64_t dm_encode(dev_t d)
{
	return (minor(d) & 0xFF) | (uint64_t)major(d) << 8 | (uint64_t)(minor(d) & ~0xFFu) << 12;
}

static int dm_remove(const struct plan_action *a)
{
	struct dm_ioctl io = {
		.version = { 4, 0, 0 },
		.data_size = sizeof(io),
		.data_start = sizeof(io),
		.dev = dm_encode(a->devno),
	};
	AUTO(closep) int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return ioctl(fd, DM_DEV_REMOVE, &io) < 0 ? -errno : 0;
}

/* A check or rebuild that runs holds the array: Documentation/admin-guide/md.rst. */
static void md_settle(const struct plan_action *a)
{
	static const char *const words[] = { "idle", "frozen" };
	char path[DISK_NAME_MAX + 40];

	snprintf(path, sizeof(path), "/sys/block/%s/md/sync_action", a->name);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		AUTO(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)!write(fd, words[i], strlen(words[i]));
	}
}

static int md_stop(const struct plan_action *a)
{
	AUTO(closep) int fd = node_open(a, O_RDWR | O_EXCL);

	if (fd < 0)
		return fd;
	md_settle(a);
	return ioctl(fd, STOP_ARRAY, NULL) < 0 ? -errno : 0;
}

static int loop_clear(const struct plan_action *a)
{
	AUTO(closep) int fd = node_open(a, O_RDWR);

	if (fd < 0)
		return fd;
	return ioctl(fd, LOOP_CLR_FD) < 0 ? -errno : 0;
}

static int (*const actions[PLAN_ACTION_COUNT])(const struct plan_action *a) = {
	[PLAN_DM_REMOVE] = dm_remove,
	[PLAN_MD_STOP] = md_stop,
	[PLAN_LOOP_CLEAR] = loop_clear,
};

int plan_teardown(const struct plan *p, struct fault *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_action *a = &p->actions[i];
		int r = 0;

		for (int try = 0; actions[a->kind] && try < RETRIES; try++) {
			r = actions[a->kind](a);
			if (r != -EBUSY)
				break;
			usleep(RETRY_US);
		}
		if (r < 0 && r != -ENXIO && r != -ENODEV)
			return fault_set(err, r, "cannot %s %s (%s): %s", plan_action_name(a->kind),
					 a->name, a->reason, strerror(-r));
	}
	return 0;
}
