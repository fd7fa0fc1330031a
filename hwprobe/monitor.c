#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/disk_refresh.h"

/* Events of one hwp_monitor_dispatch(); more wait for the next call. */
enum { EVENTS_MAX = 1000, RECEIVE_BUFFER = 1 << 20, DISK_NAME_BYTES = 64 };

struct hwp_monitor {
	struct hwp_ctx *ctx;
	unsigned parts;
	/* What was told since the last hwp_monitor_refresh(): */
	unsigned pending;
	bool is_any_disk; /* not only those that are named */
	char disks[DISK_NAMES_MAX][DISK_NAME_BYTES];
	size_t disk_count;
	int epoll;
	struct udev *udev;
	struct udev_monitor *devices;
	struct nl_sock *net;
	int hostname_fd; /* -1 = not watched */
	struct utsname last;
};

/* What a device of a subsystem belongs to. */
static const struct {
	const char *subsystem;
	unsigned parts;
} subsystem_parts[] = {
	{ "block", HWP_DISKS }, { "net", HWP_NICS | HWP_ROUTES | HWP_HOSTNAME },
	{ "pci", HWP_GPUS },    { "tpm", HWP_TPM },
	{ "cpu", HWP_CPU },     { "memory", HWP_MEMORY },
	{ "ipmi", HWP_BMC },
};

/* The first message type of each kind; new, delete, get and set follow each other. */
static const struct {
	int first;
	unsigned parts;
} message_parts[] = {
	{ RTM_NEWLINK, HWP_NICS | HWP_ROUTES | HWP_HOSTNAME },
	{ RTM_NEWADDR, HWP_NICS | HWP_HOSTNAME },
	{ RTM_NEWROUTE, HWP_ROUTES | HWP_NICS },
};

void hwp_monitor_close(struct hwp_monitor *m)
{
	if (!m)
		return;
	if (m->devices)
		udev_monitor_unref(m->devices);
	if (m->udev)
		udev_unref(m->udev);
	if (m->net)
		nl_socket_free(m->net);
	if (m->hostname_fd >= 0)
		close(m->hostname_fd);
	if (m->epoll >= 0)
		close(m->epoll);
	free(m);
}

static void hwp_monitor_closep(struct hwp_monitor **m)
{
	hwp_monitor_close(*m);
}

static int watch_fd(struct hwp_monitor *m, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };
	return epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* Events as udev passes them on, when it has worked on them; without udev those of the kernel. */
static int open_devices(struct hwp_monitor *m)
{
	bool has_udev = access("/run/udev/control", F_OK) == 0;
	m->udev = udev_new();
	m->devices = m->udev ? udev_monitor_new_from_netlink(m->udev, has_udev ? "udev" : "kernel")
			     : NULL;
	if (!m->devices)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(subsystem_parts); i++)
		if (m->parts & subsystem_parts[i].parts)
			udev_monitor_filter_add_match_subsystem_devtype(
				m->devices, subsystem_parts[i].subsystem, NULL);
	int rc = udev_monitor_enable_receiving(m->devices);
	return rc < 0 ? rc : watch_fd(m, udev_monitor_get_fd(m->devices), EPOLLIN);
}

static int open_net(struct hwp_monitor *m)
{
	m->net = nl_socket_alloc();
	if (!m->net)
		return -ENOMEM;
	if (nl_connect(m->net, NETLINK_ROUTE) < 0 || nl_socket_set_nonblocking(m->net) < 0)
		return -EIO;
	(void)nl_socket_set_buffer_size(
		m->net, RECEIVE_BUFFER,
		0); /* a smaller one loses events sooner, which is noticed */
	if (nl_socket_add_memberships(m->net, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      0) < 0)
		return -EIO;
	return watch_fd(m, nl_socket_get_fd(m->net), EPOLLIN);
}

/* Names often come late, by DHCP. The kernel tells that of the file by POLLPRI (proc_sys_poll() in fs/proc/proc_sysctl.c). */
static int open_hostname(struct hwp_monitor *m)
{
	m->hostname_fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
	if (m->hostname_fd < 0)
		return 0; /* no procfs: nobody tells */
	(void)uname(&m->last);
	return watch_fd(m, m->hostname_fd, EPOLLPRI);
}

/* Whoever polls first takes the kernel's word for it, so the name itself is looked at. */
static unsigned hostname_parts(struct hwp_monitor *m)
{
	struct utsname now;
	if (m->hostname_fd < 0 || uname(&now) < 0 || !strcmp(now.nodename, m->last.nodename))
		return 0;
	m->last = now;
	return HWP_HOSTNAME;
}

int hwp_monitor_open(struct hwp_ctx *ctx, unsigned parts, struct hwp_monitor **ret_monitor)
{
	if (!ctx || !ret_monitor || !ctx->root.is_live)
		return -EINVAL;
	AUTO(hwp_monitor_closep) struct hwp_monitor *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->ctx = ctx;
	m->hostname_fd = -1;
	m->parts = parts ? parts : ctx->opt.parts;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll < 0)
		return -errno;
	int rc = open_devices(m);
	if (!rc && m->parts & (HWP_NICS | HWP_ROUTES | HWP_HOSTNAME))
		rc = open_net(m);
	if (!rc && m->parts & HWP_HOSTNAME)
		rc = open_hostname(m);
	if (rc < 0)
		return rc;
	*ret_monitor = TAKE(m);
	return 0;
}

int hwp_monitor_fd(const struct hwp_monitor *m)
{
	return m ? m->epoll : -EINVAL;
}

/* Each disk and each interface that is plugged in is a PCI function, too (drivers/pci/pci-driver.c, pci_uevent()). When in doubt it counts. */
static bool may_be_gpu(const struct gpu_rules *rules, const char *class, const char *ids)
{
	unsigned c, vendor, device;
	char rest;
	if (!class || !ids || sscanf(class, "%x%c", &c, &rest) != 1 || c > 0xffffff ||
	    sscanf(ids, "%x:%x%c", &vendor, &device, &rest) != 2 || vendor > UINT16_MAX ||
	    device > UINT16_MAX)
		return true;
	return gpu_rules_match(rules, (uint16_t)(c >> 8), (uint16_t)vendor, (uint16_t)device);
}

static unsigned device_parts(const struct hwp_monitor *m, struct udev_device *d)
{
	const char *subsystem = udev_device_get_subsystem(d);
	unsigned parts = 0;
	for (size_t i = 0; i < ARRAY_SIZE(subsystem_parts); i++)
		if (str_eq(subsystem, subsystem_parts[i].subsystem))
			parts = subsystem_parts[i].parts;
	if (parts == HWP_GPUS &&
	    !may_be_gpu(&m->ctx->gpu_rules, udev_device_get_property_value(d, "PCI_CLASS"),
			udev_device_get_property_value(d, "PCI_ID")))
		return 0;
	return parts;
}

static bool has_disk(const struct hwp_monitor *m, const char *name, size_t len)
{
	for (size_t i = 0; i < m->disk_count; i++)
		if (strlen(m->disks[i]) == len && !memcmp(m->disks[i], name, len))
			return true;
	return false;
}

/* "/devices/…/block/sda/sda1" is a partition of sda. The names are those of sysfs, and the device may be gone. */
static void note_disk(struct hwp_monitor *m, const char *path, bool is_partition)
{
	const char *end = path ? path + strlen(path) : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;
	if (slash && is_partition) {
		end = slash;
		slash = memrchr(path, '/', (size_t)(slash - path));
	}
	size_t len = slash ? (size_t)(end - slash - 1) : 0;
	if (slash && has_disk(m, slash + 1, len))
		return;
	if (!len || len >= DISK_NAME_BYTES || m->disk_count == DISK_NAMES_MAX) {
		m->is_any_disk = true;
		return;
	}
	memcpy(m->disks[m->disk_count], slash + 1, len);
	m->disks[m->disk_count++][len] = '\0';
}

/* Events were lost, so anything may have changed. */
static unsigned all_devices(struct hwp_monitor *m)
{
	unsigned parts = 0;
	m->is_any_disk = true;
	for (size_t i = 0; i < ARRAY_SIZE(subsystem_parts); i++)
		parts |= subsystem_parts[i].parts;
	return parts;
}

static unsigned drain_devices(struct hwp_monitor *m)
{
	unsigned parts = 0;
	for (int i = 0; i < EVENTS_MAX; i++) {
		errno = 0;
		struct udev_device *d = udev_monitor_receive_device(m->devices);
		if (!d && errno == ENOBUFS) {
			parts |= all_devices(m);
			continue;
		}
		if (!d)
			break;
		unsigned concerned = device_parts(m, d);
		if (concerned & HWP_DISKS)
			note_disk(m, udev_device_get_devpath(d),
				  str_eq(udev_device_get_devtype(d), "partition"));
		parts |= concerned;
		udev_device_unref(d);
	}
	return parts;
}

static unsigned messages_parts(const void *data, int len)
{
	unsigned parts = 0;
	for (struct nlmsghdr *h = (struct nlmsghdr *)data; nlmsg_ok(h, len);
	     h = nlmsg_next(h, &len))
		for (size_t i = 0; i < ARRAY_SIZE(message_parts); i++)
			if (h->nlmsg_type >= message_parts[i].first &&
			    h->nlmsg_type < message_parts[i].first + 4)
				parts |= message_parts[i].parts;
	return parts;
}

static unsigned drain_net(struct hwp_monitor *m)
{
	unsigned parts = 0;
	for (int i = 0; m->net && i < EVENTS_MAX; i++) {
		struct sockaddr_nl from;
		AUTO(freep) unsigned char *data = NULL;
		int n = nl_recv(m->net, &from, &data, NULL);
		if (n == -NLE_NOMEM) { /* ENOBUFS: events were lost, so anything may have changed */
			parts |= HWP_NICS | HWP_ROUTES | HWP_HOSTNAME;
			continue;
		}
		if (n <= 0)
			break;
		parts |= messages_parts(data, n);
	}
	return parts;
}

int hwp_monitor_dispatch(struct hwp_monitor *m, unsigned *ret_changed_parts)
{
	if (!m || !ret_changed_parts)
		return -EINVAL;
	*ret_changed_parts = (drain_devices(m) | drain_net(m) | hostname_parts(m)) & m->parts;
	m->pending |= *ret_changed_parts;
	return *ret_changed_parts != 0;
}

int hwp_monitor_refresh(struct hwp_monitor *m, struct hwp_inventory *last, unsigned more,
			struct hwp_inventory **ret_inv)
{
	char *names[DISK_NAMES_MAX];
	if (!m || !last || !ret_inv)
		return -EINVAL;
	const struct root_names disks = { .v = names, .n = m->disk_count };
	bool is_any_disk = m->is_any_disk || more & HWP_DISKS;
	for (size_t i = 0; i < m->disk_count; i++)
		names[i] = m->disks[i];
	int rc = inventory_refresh(m->ctx, last, m->pending | more, is_any_disk ? NULL : &disks,
				   ret_inv);
	if (rc < 0)
		return rc; /* it is still to be looked at */
	m->pending = 0;
	m->is_any_disk = false;
	m->disk_count = 0;
	return 0;
}
