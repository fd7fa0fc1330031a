/* Numbers and flags of a disk that only the full format shows. */
#include <string.h>
#include <strings.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/device_read.h"
#include "hwprobe/disk.h"
#include "hwprobe/pci_ids.h"

/* Types of partitions that firmware or a boot loader starts from: GPT and MBR (UEFI 2.10, 5.2.2 and 5.3.3; GRUB). */
#define TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define TYPE_ESP_MBR "0xef"
#define TYPE_BIOS_BOOT "21686148-6449-6e6f-744e-656564454649"

/* El Torito 1.0: the boot record volume descriptor is sector 17 of 2048 bytes. */
enum { BOOT_RECORD_AT = 17 * 2048, BOOT_RECORD_BYTES = 39 };
#define BOOT_RECORD "\0CD001\1EL TORITO SPECIFICATION"

static void find_numbers(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	int64_t rpm;
	const char *text = udev_get(&b->udev, "ID_ATA_ROTATION_RATE_RPM");
	if (text && str_to_i64(text, &rpm) == 0 && rpm > 0)
		put_num(s, &d->rpm, rpm, "udev ID_ATA_ROTATION_RATE_RPM");
	put_attr(s, &d->zoned, NULL, "%s/queue/zoned", b->dir);
	put_attr_num(s, &d->discard_max_bytes, "%s/queue/discard_max_bytes", b->dir);
	put_attr_bool(s, &d->dax, "%s/queue/dax", b->dir);
}

/* The kernel marks what may be pulled out on the device, or on the port above it (Documentation/ABI: removable). */
static bool is_hotplug(struct survey *s, const struct block_dev *b, const char **ret_source)
{
	*ret_source = "sysfs path";
	if (b->real && (strstr(b->real, "/usb") || strstr(b->real, "/domain")))
		return true; /* Thunderbolt has domains */
	char *dir = arena_dup(s->tmp, b->real);
	for (char *slash; dir && (slash = strrchr(dir, '/'));) {
		*slash = '\0';
		if (!str_eq(attr_text(s, "%s/removable", dir), "removable"))
			continue;
		*ret_source = arena_printf(s->mem, "%s/removable", dir);
		return true;
	}
	return false;
}

static void find_hotplug(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	const char *source;
	bool is_yes = is_hotplug(s, b, &source);
	put_bool(s, &d->hotplug, is_yes, source ? source : "sysfs path");
}

static void find_wwn_parts(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	block_put_property(s, &d->wwn_no_extension, b, "ID_WWN");
	block_put_property(s, &d->wwn_vendor_extension, b, "ID_WWN_VENDOR_EXTENSION");
}

/* An NVMe drive does not say who made it; its PCI function does. */
static bool put_pci_vendor(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	AUTO(pci_ids_done) struct pci_ids ids = { 0 };
	char *vendor = attr_text(s, "%s/device/device/vendor", b->dir), *name = NULL, *device;
	if (!vendor || !str_starts(vendor, "0x") || strlen(vendor) != strlen("0x1234"))
		return false;
	survey_pci_ids(s, &ids);
	pci_ids_find(&ids, s->tmp, vendor + 2, NULL, &name, &device);
	return put_str(s, &d->vendor_full, name, "pci.ids");
}

static void find_vendor(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	const char *encoded = udev_get(&b->udev, "ID_VENDOR_ENC");
	char *text = arena_dup(s->tmp, encoded);
	/* libata answers INQUIRY for the drive: "ATA" is nobody. */
	if (text && !str_eq(udev_decode(text), "ATA") &&
	    put_str(s, &d->vendor_full, udev_decode(text), "udev ID_VENDOR_ENC"))
		return;
	if (str_starts(b->name, "nvme")) {
		put_pci_vendor(s, b, d);
		return;
	}
	if (d->vendor.s && strcmp(d->vendor.s, "ATA") && !str_starts(d->vendor.s, "0x"))
		put_str(s, &d->vendor_full, d->vendor.s, d->vendor.source);
}

static void find_md(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	struct hwp_md *m = &d->md;
	if (!str_starts(b->name, "md"))
		return;
	put_attr(s, &m->level, NULL, "%s/md/level", b->dir);
	put_attr(s, &m->metadata, NULL, "%s/md/metadata_version", b->dir);
	put_attr(s, &m->state, NULL, "%s/md/array_state", b->dir);
	put_attr_num(s, &m->members, "%s/md/raid_disks", b->dir);
	put_attr_num(s, &m->degraded, "%s/md/degraded", b->dir);
	/* "external:imsm" holds arrays ("external:/md127/0") and is none (Documentation/admin-guide/md.rst). */
	if (m->metadata.s)
		put_bool(s, &m->container,
			 str_starts(m->metadata.s, "external:") && !strchr(m->metadata.s, '/'),
			 m->metadata.source);
}

/* Documentation/admin-guide/bcache.rst: only a backing device has a state, only a cache its priorities. */
static void find_bcache(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	static const struct {
		const char *file, *role;
	} roles[] = { { "state", "backing" }, { "priority_stats", "cache" } };
	if (str_starts(b->name, "bcache")) /* its folder is a link to that of its backing device */
		return;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		char *path = arena_printf(s->tmp, "%s/bcache/%s", b->dir, roles[i].file);
		if (path && root_exists(s->root, path))
			put_str(s, &d->bcache, roles[i].role, path);
	}
}

/* The wire's names know no stick and no container. */
static void find_type(struct survey *s, struct hwp_disk *d)
{
	if (d->md.container.v)
		put_str(s, &d->drive_type_full, "container", "md/metadata_version");
	else if (str_eq(d->transport.s, "usb") && str_eq(d->drive_type.s, "HDD") && !d->rpm.source)
		put_str(s, &d->drive_type_full, "USB", "sysfs path, no rotation rate");
}

static void find_names(struct survey *s, const struct block_map *m, const struct block_dev *b,
		       struct hwp_disk *d)
{
	/* Nothing but the order of discovery tells it from others. */
	if (d->id.s && d->path.s && !strcmp(d->id.s, d->path.s))
		put_str(s, &d->id_stability, "name", "id");
	if (m->has_udev && b->has_number && !b->udev.is_initialized)
		put_bool(s, &d->uninitialized, true, "udev I:");
}

/* --- what it is started from ----------------------------------------------------------------------------------------- */

/* *@ret_source: where types come from; NULL = no type is known. */
static bool has_partition_type(const struct block_dev *b, const char *type, const char **ret_source)
{
	for (size_t p = 1; p <= b->parts; p++) {
		const char *source, *t = block_property(b + p, "ID_PART_ENTRY_TYPE", &source);
		if (!t)
			continue;
		*ret_source = str_eq(source, "udev") ? "udev ID_PART_ENTRY_TYPE"
						     : "libblkid ID_PART_ENTRY_TYPE";
		if (!strcasecmp(t, type))
			return true;
	}
	return false;
}

static bool has_boot_record(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	char record[BOOT_RECORD_BYTES];
	if (!str_eq(block_property(b, "ID_FS_TYPE", NULL), "iso9660") || !d->bootable.source)
		return false;
	return device_read(s, d->path.s + 1, BOOT_RECORD_AT, record, sizeof(record)) ==
		       BOOT_RECORD_BYTES &&
	       !memcmp(record, BOOT_RECORD, sizeof(BOOT_RECORD) - 1);
}

static void find_boot(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	const char *source = NULL;
	bool is_esp = has_partition_type(b, TYPE_ESP, &source) ||
		      has_partition_type(b, TYPE_ESP_MBR, &source);
	if (source)
		put_bool(s, &d->boot.esp, is_esp, source);
	bool is_bios_boot = has_partition_type(b, TYPE_BIOS_BOOT, &source);
	if (source)
		put_bool(s, &d->boot.bios_boot, is_bios_boot, source);
	if (has_boot_record(s, b, d))
		put_bool(s, &d->boot.eltorito, true, "sector 17");
}

void disk_find_details(struct survey *s, const struct block_map *m, const struct block_dev *b,
		       struct hwp_disk *d)
{
	find_numbers(s, b, d);
	find_hotplug(s, b, d);
	find_wwn_parts(s, b, d);
	find_vendor(s, b, d);
	find_md(s, b, d);
	find_bcache(s, b, d);
	find_type(s, d);
	find_names(s, m, b, d);
	find_boot(s, b, d);
}
