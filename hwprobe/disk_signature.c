/* What is on a disk where udev does not say: asked of libblkid. */
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/device_heads.h"
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
 * The wire format has to know a medium that udev says nothing of, and most disks are none: its descriptor tells whether libblkid
 * has to be asked.
 */
bool disk_wants_descriptor(struct survey *s, const struct block_dev *b, const struct hwp_disk *d)
{
	return !is_wanted(s, b) && !udev_get(&b->udev, "ID_FS_TYPE") &&
	       d->size_bytes.v > HEAD_DESCRIPTOR_AT;
}

static bool is_medium(const struct device_head *head)
{
	return head->descriptor_result == HEAD_DESCRIPTOR_BYTES &&
	       !memcmp(head->descriptor, "\1CD001", HEAD_DESCRIPTOR_BYTES);
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

/* Unit of the partition table. */
static unsigned sector_bytes(struct survey *s, const struct block_dev *b)
{
	int64_t bytes;
	return attr_num(s, &bytes, "%s/queue/logical_block_size", b->dir) == 0 ? (unsigned)bytes
									       : SECTOR_BYTES;
}

void disk_find_signatures(struct survey *s, struct block_dev *b, const struct device_head *head,
			  const struct hwp_disk *d)
{
	/* Whoever could not give LBA 0 is not asked again. */
	if (!d->bootable.source || !d->path.s)
		return;
	if (is_wanted(s, b) || is_medium(head))
		signature_find(s, b, d->path.s + 1, (uint64_t)d->size_bytes.v, sector_bytes(s, b));
	for (size_t p = 1; p <= b->parts && s->opt->flags & HWP_MORE; p++)
		if (is_wanted(s, b + p))
			find_partition(s, b + p);
}
