#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

/* Types by the driver's name, the longest prefix first where one starts another. */
static const struct {
	const char *prefix, *type;
} name_types[] = {
	{ "nvme", "SSD" }, { "mmc", "SSD" }, { "xvd", "HDD" }, { "fd", "FDD" },
	{ "sr", "ODD" },   { "sd", "HDD" },  { "hd", "HDD" },  { "vd", "HDD" },
};

/*
 * How the disk is attached, by a part of its place in sysfs. The first that matches. Devices of Hyper-V's bus are called "vmbus_0_1" by old
 * kernels and by their GUID since 4.17 (drivers/hv/vmbus_drv.c vmbus_device_register()): the ACPI device of the bus tells them.
 */
static const struct {
	const char *part, *transport;
} transports[] = {
	{ "/rport-", "fc" },       { "/session", "iscsi" }, { "/usb", "usb" },
	{ "/end_device-", "sas" }, { "/ata", "ata" },       { "/nvme", "nvme" },
	{ "/vmbus_", "vmbus" },    { "/VMBUS:", "vmbus" },  { "/MSFT1000:", "vmbus" },
	{ "/virtio", "virtio" },   { "/mmc", "mmc" },
};

const char *disk_transport(const struct block_dev *b)
{
	for (size_t i = 0; b->real && i < ARRAY_SIZE(transports); i++)
		if (strstr(b->real, transports[i].part))
			return transports[i].transport;
	return NULL;
}

static const char *dasd_type(struct survey *s, const struct block_dev *b)
{
	char *discipline = attr_text(s, "%s/device/discipline", b->dir);
	if (str_eq(discipline, "ECKD"))
		return attr_is_one(s, "%s/device/ese", b->dir) ? "ECKD (ESE)" : "ECKD";
	return str_eq(discipline, "FBA") ? "FBA" : "Unknown";
}

static const char *name_type(const struct block_dev *b, const struct hwp_disk *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_types); i++) {
		if (!str_starts(b->name, name_types[i].prefix))
			continue;
		/* Newer kernels call optical drives non-rotational, too: only hard disks are asked. */
		bool is_solid = d->rotational.source && !d->rotational.v &&
				!strcmp(name_types[i].type, "HDD");
		return is_solid ? "SSD" : name_types[i].type;
	}
	return "Unknown";
}

static const char *type_of(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	const char *id_path = udev_get(&b->udev, "ID_PATH");
	if (str_starts(b->name, "dasd"))
		return dasd_type(s, b);
	if (id_path ? strstr(id_path, "-iscsi-") != NULL : str_eq(d->transport.s, "iscsi"))
		return "iSCSI";
	if (id_path ? strstr(id_path, "-fc-") || str_starts(id_path, "fc-")
		    : str_eq(d->transport.s, "fc"))
		return "FC";
	if (disk_is_multipath(b))
		return "Multipath";
	if (disk_is_lvm(b))
		return "LVM";
	if (str_starts(b->name, "md"))
		return "RAID";
	return name_type(b, d);
}

void disk_find_type(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	int64_t rotational;
	if (attr_num(s, &rotational, "%s/queue/rotational", b->dir) == 0)
		put_bool(s, &d->rotational, rotational != 0, "queue/rotational");
	put_str(s, &d->transport, disk_transport(b), "sysfs path");
	put_str(s, &d->drive_type, type_of(s, b, d), "name, udev, dm");
}
