#include "hwprobe/udev_live.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/udev_db.h"

static void udev_freep(struct udev **u)
{
	udev_unref(*u);
}

static void device_freep(struct udev_device **d)
{
	udev_device_unref(*d);
}

/* What the kernel says in the device's uevent file is no property of the database. */
static bool is_from_kernel(const char *key)
{
	static const char *const keys[] = { "DEVPATH",  "DEVNAME",      "DEVTYPE",
					    "MAJOR",    "MINOR",        "SUBSYSTEM",
					    "DISKSEQ",  "PARTN",        "DEVLINKS",
					    "TAGS",     "CURRENT_TAGS", "USEC_INITIALIZED",
					    "PARTNAME", "PARTUUID" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static int add_properties(struct buf *out, struct udev_device *d)
{
	struct udev_list_entry *e;
	int rc = 0;
	udev_list_entry_foreach(e, udev_device_get_properties_list_entry(d))
	{
		const char *key = udev_list_entry_get_name(e);
		if (rc == 0 && !is_from_kernel(key))
			rc = buf_printf(out, "E:%s=%s\n", key, udev_list_entry_get_value(e));
	}
	return rc;
}

static int add_links(struct buf *out, struct udev_device *d)
{
	struct udev_list_entry *e;
	int rc = 0;
	udev_list_entry_foreach(e, udev_device_get_devlinks_list_entry(d))
	{
		const char *link = udev_list_entry_get_name(e);
		if (rc == 0 && str_starts(link, "/dev/"))
			rc = buf_printf(out, "S:%s\n", link + strlen("/dev/"));
	}
	return rc;
}

int udev_live_record(unsigned major, unsigned minor, char **ret, size_t *ret_len)
{
	AUTO(udev_freep) struct udev *udev = udev_new();
	if (!udev)
		return -ENOMEM;
	AUTO(device_freep)
	struct udev_device *d = udev_device_new_from_devnum(udev, 'b', makedev(major, minor));
	if (!d)
		return -ENOENT;
	AUTO(buf_done) struct buf out;
	buf_init(&out, UDEV_RECORD_MAX);
	/* For udev_device_get_is_initialized() any record will do; an I: line is what counts. */
	int rc = udev_device_get_usec_since_initialized(d) ? buf_append_str(&out, "I:1\n") : 0;
	if (!rc)
		rc = add_properties(&out, d);
	if (!rc)
		rc = add_links(&out, d);
	if (rc < 0)
		return rc;
	*ret_len = out.len;
	*ret = buf_take(&out);
	return *ret ? 0 : -ENOMEM;
}
