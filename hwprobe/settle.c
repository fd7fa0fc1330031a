#include "hwprobe/settle.h"

#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/hwprobe.h"

static void udev_freep(struct udev **u)
{
	udev_unref(*u);
}

static void monitor_freep(struct udev_monitor **m)
{
	udev_monitor_unref(*m);
}

static void enumerate_freep(struct udev_enumerate **e)
{
	udev_enumerate_unref(*e);
}

static const struct {
	unsigned part;
	const char *subsystem;
} subsystems[] = { { HWP_DISKS, "block" }, { HWP_NICS, "net" } };

/* What udev keeps nothing of: hidden disks have no node. */
static bool is_known_to_udev(struct udev_device *d)
{
	return udev_device_get_devnode(d) || str_eq(udev_device_get_subsystem(d), "net");
}

/* Is there a device that udev still works on? */
static bool has_uninitialized(struct udev *udev, unsigned parts)
{
	AUTO(enumerate_freep) struct udev_enumerate *e = udev_enumerate_new(udev);
	struct udev_list_entry *entry;
	bool is_found = false;
	for (size_t i = 0; e && i < ARRAY_SIZE(subsystems); i++)
		if (parts & subsystems[i].part &&
		    udev_enumerate_add_match_subsystem(e, subsystems[i].subsystem) < 0)
			return false;
	if (!e || udev_enumerate_scan_devices(e) < 0)
		return false;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(e))
	{
		struct udev_device *d =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		is_found |= d && is_known_to_udev(d) && !udev_device_get_is_initialized(d);
		udev_device_unref(d);
	}
	return is_found;
}

static int wait_event(struct udev_monitor *m, int64_t end_ms)
{
	struct pollfd p = { .fd = udev_monitor_get_fd(m), .events = POLLIN };
	int64_t left = end_ms - time_mono_ms();
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : errno == EINTR ? 0 : -errno;
	udev_device_unref(udev_monitor_receive_device(m));
	return 0;
}

int settle_wait(unsigned timeout_ms, unsigned parts)
{
	int64_t end_ms = time_mono_ms() + (timeout_ms < INT32_MAX ? timeout_ms : INT32_MAX);
	if (access("/run/udev/control", F_OK) < 0)
		return 0;
	AUTO(udev_freep) struct udev *udev = udev_new();
	AUTO(monitor_freep)
	struct udev_monitor *m = udev ? udev_monitor_new_from_netlink(udev, "udev") : NULL;
	if (!m)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (parts & subsystems[i].part)
			udev_monitor_filter_add_match_subsystem_devtype(m, subsystems[i].subsystem,
									NULL);
	int rc = udev_monitor_enable_receiving(m);
	while (rc >= 0 && has_uninitialized(udev, parts))
		rc = wait_event(m, end_ms);
	return rc < 0 ? rc : 0;
}
