#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

enum { VPD_HEADER = 4 };

/* First udev property of the list that is there. */
static bool put_property(struct survey *s, struct hwp_str *dst, const struct block_dev *b,
			 const char *const *keys)
{
	for (; *keys; keys++) {
		const char *value = udev_get(&b->udev, *keys);
		if (!value && !(s->opt->flags & HWP_EXPLAIN))
			continue; /* its name would be for nobody */
		if (put_str(s, dst, value, arena_printf(s->tmp, "udev %s", *keys)))
			return true;
	}
	return false;
}

static void find_path(struct survey *s, const struct block_map *m, const struct block_dev *b,
		      struct hwp_disk *d)
{
	char *name = arena_dup(s->tmp, b->name);
	for (char *p = name; p && *p; p++)
		if (*p == '!')
			*p = '/';
	put_str(s, &d->name, name, "sys/block");
	put_str(s, &d->path, arena_printf(s->tmp, "/dev/%s", name), "sys/block");

	/* A node under another name (no devtmpfs): what udev's by-path link leads to. */
	const char *id_path = udev_get(&b->udev, "ID_PATH");
	char *node = arena_printf(s->tmp, "dev/%s", name);
	if (!id_path || !node || !m->has_dev_links || root_exists(s->root, node))
		return;
	char *target = attr_link_name(s, "dev/disk/by-path/%s", id_path);
	if (target)
		put_str(s, &d->path, arena_printf(s->tmp, "/dev/%s", target), "dev/disk/by-path");
}

static void find_model(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	if (!put_str(s, &d->model, udev_get(&b->udev, "ID_MODEL"), "udev ID_MODEL"))
		put_attr(s, &d->model, NULL, "%s/device/model", b->dir);
	put_attr(s, &d->vendor, NULL, "%s/device/vendor", b->dir);
}

/* Unit serial number page (SPC-4 7.8.13), which the kernel keeps: no ioctl, no open of the device. */
static char *vpd_serial(struct survey *s, const struct block_dev *b)
{
	char path[ROOT_PATH_MAX];
	unsigned char page[ROOT_ATTR_MAX];
	snprintf(path, sizeof(path), "%s/device/vpd_pg80", b->dir);
	ssize_t n = root_attr(s->root, path, (char *)page, sizeof(page));
	if (n <= VPD_HEADER || page[1] != 0x80)
		return NULL;
	size_t len = (size_t)(page[2] << 8 | page[3]);
	len = MIN_OF(len, (size_t)n - VPD_HEADER);
	char *text = arena_copy(s->tmp, page + VPD_HEADER, len);
	return text ? str_trim(text) : NULL;
}

static void find_serial(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	/* sg3_utils' name first: the serial as the unit itself reports it. */
	static const char *const keys[] = { "SCSI_IDENT_SERIAL", "ID_SCSI_SERIAL",
					    "ID_SERIAL_SHORT", "ID_SERIAL", NULL };
	static const char *const multipath_keys[] = { "DM_SERIAL", NULL };
	if (disk_is_multipath(b))
		put_property(s, &d->serial, b, multipath_keys);
	if (str_starts(b->name, "dm-") || str_starts(b->name, "md"))
		return;
	if (put_property(s, &d->serial, b, keys))
		return;
	if (put_attr(s, &d->serial, NULL, "%s/serial", b->dir)) /* virtio */
		return;
	if (put_attr(s, &d->serial, NULL, "%s/device/serial", b->dir)) /* NVMe, MMC */
		return;
	put_str(s, &d->serial, vpd_serial(s, b), "device/vpd_pg80");
}

static void find_wwn(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	static const char *const keys[] = { "ID_WWN_WITH_EXTENSION", "ID_WWN", "DM_WWN", NULL };
	if (put_property(s, &d->wwn, b, keys))
		return;
	if (d->by_id.s && str_starts(d->by_id.s, "/dev/disk/by-id/wwn-")) {
		put_str(s, &d->wwn, d->by_id.s + strlen("/dev/disk/by-id/wwn-"), "by-id link");
		return;
	}
	if (b->udev.is_there)
		return;
	if (str_starts(b->name, "nvme")) {
		put_attr(s, &d->wwn, NULL, "%s/wwid", b->dir);
		return;
	}
	char *wwid = attr_text(s, "%s/device/wwid", b->dir);
	if (wwid && str_starts(wwid, "naa."))
		put_str(s, &d->wwn, arena_printf(s->tmp, "0x%s", wwid + strlen("naa.")),
			"device/wwid");
}

/* "4:0:0:0": digits and three colons. */
static bool is_hctl(const char *name)
{
	size_t colons = 0;
	for (const char *p = name; *p; p++)
		colons += *p == ':';
	return colons == 3 && strspn(name, "0123456789:") == strlen(name);
}

/* The SCSI device that the disk belongs to has it for a name (scsi_sysfs_device_initialize() in drivers/scsi/scsi_sysfs.c). */
static char *hctl_in(struct survey *s, const char *real)
{
	char *dir = arena_dup(s->tmp, real), *block = dir ? strstr(dir, "/block/") : NULL;
	if (!block)
		return NULL;
	*block = '\0';
	char *name = strrchr(dir, '/');
	return name && is_hctl(name + 1) ? name + 1 : NULL;
}

static void find_hctl(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	if (put_str(s, &d->hctl, hctl_in(s, b->real), "sysfs path"))
		return;
	struct root_names names = attr_list(s, "%s/device/scsi_device", b->dir);
	if (names.n)
		put_str(s, &d->hctl, names.v[0], "device/scsi_device");
}

static bool has_vpd_ids(struct survey *s, const struct block_dev *b)
{
	char path[ROOT_PATH_MAX], page[ROOT_ATTR_MAX];
	snprintf(path, sizeof(path), "%s/device/vpd_pg83", b->dir);
	return root_attr(s->root, path, page, sizeof(page)) > 0;
}

void disk_find_identity(struct survey *s, struct block_map *m, const struct block_dev *b,
			struct hwp_disk *d)
{
	find_path(s, m, b, d);
	find_model(s, b, d);
	find_serial(s, b, d);
	disk_find_links(s, m, b, d);
	find_wwn(s, b, d);
	find_hctl(s, b, d);
	if (str_starts(b->name, "nvme"))
		put_bool(s, &d->has_uuid, attr_text(s, "%s/wwid", b->dir) != NULL, "wwid");
	else
		put_bool(s, &d->has_uuid, has_vpd_ids(s, b), "device/vpd_pg83");

	char *list = NULL;
	for (size_t i = 0; i < b->holders.n; i++)
		list = arena_printf(s->tmp, "%s%s%s", list ? list : "", list ? "," : "",
				    b->holders.v[i]);
	put_str(s, &d->holders, list, "holders");
}
