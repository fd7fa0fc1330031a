/* What is on a disk where udev does not say: asked of libblkid. */
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/device_read.h"
#include "hwprobe/disk.h"
#include "hwprobe/signature.h"

enum { SECTOR_BYTES = 512 }; /* unit of sysfs "size" */

/* udev runs libblkid on each disk and each partition; not on those that belong to something else. */
static bool is_wanted(struct survey *s, const struct block_dev *b)
{
	static const char *const known[] = { "ID_FS_TYPE", "ID_PART_TABLE_TYPE",
					     "ID_PART_ENTRY_TYPE", "DM_MULTIPATH_DEVICE_PATH" };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (udev_get(&b->udev, known[i]))
			return false;
	return s->opt->flags & HWP_MORE || !b->udev.is_initialized;
}

/*
 * ISO 9660 (ECMA-119 8.4: sector 16 of 2048 bytes): the wire format has to know a medium that udev says nothing of, and most disks
 * are none. One read tells.
 */
static bool may_be_medium(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	enum { DESCRIPTOR_AT = 32768, MAGIC_BYTES = 6 };
	char magic[MAGIC_BYTES];
	return !udev_get(&b->udev, "ID_FS_TYPE") && d->size_bytes.v > DESCRIPTOR_AT &&
	       device_read(s, d->path.s + 1, DESCRIPTOR_AT, magic, sizeof(magic)) == MAGIC_BYTES &&
	       !memcmp(magic, "\1CD001", sizeof(magic));
}

static void find_partition(struct survey *s, struct block_dev *p)
{
	int64_t sectors;
	char *path = arena_printf(s->tmp, "dev/%s", p->name);
	for (char *c = path; c && *c; c++)
		if (*c == '!')
			*c = '/';
	if (path && attr_num(s, &sectors, "%s/size", p->dir) == 0 && sectors > 0 &&
	    sectors <= INT64_MAX / SECTOR_BYTES)
		signature_find_fs(s, p, path, (uint64_t)sectors * SECTOR_BYTES);
}

void disk_find_signatures(struct survey *s, struct block_dev *b, const struct hwp_disk *d)
{
	/* Whoever could not give LBA 0 is not asked again. */
	if (!d->bootable.source || !d->path.s)
		return;
	if (is_wanted(s, b) || may_be_medium(s, b, d))
		signature_find(s, b, d->path.s + 1, (uint64_t)d->size_bytes.v,
			       (unsigned)d->logical_block_size.v);
	for (size_t p = 1; p <= b->parts && s->opt->flags & HWP_MORE; p++)
		if (is_wanted(s, b + p))
			find_partition(s, b + p);
}
