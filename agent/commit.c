#include "agent/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/chunk_pool.h"
#include "common/cleanup.h"

#define MBR_CODE_BYTES 440

static int firmware_check(const struct commit *c, bool is_efi, struct fault *err)
{
	if (is_efi && c->has_gpt && !gpt_find_type(&c->gpt, gpt_type_esp))
		return fault_set(
			err, -EMEDIUMTYPE,
			"this machine boots by UEFI, but the image has no EFI system partition");
#if defined(__x86_64__) || defined(__i386__)
	if (!is_efi && chunk_is_zero(c->head, MBR_CODE_BYTES))
		return fault_set(
			err, -EMEDIUMTYPE,
			"this machine boots by BIOS, but the image has no boot code in its first sector");
#endif
	return 0;
}

static int backup_make(struct commit *c, struct fault *err)
{
	AUTO(freep) void *data = NULL;
	int r = gpt_make_backup(&c->gpt, &data, &c->backup_len, &c->backup_offset, err);

	if (r < 0)
		return r;
	c->backup = chunk_alloc(c->backup_len);
	if (!c->backup)
		return fault_oom(err);
	memcpy(c->backup, data, c->backup_len);
	return 0;
}

static int gpt_prepare(struct commit *c, const struct disk_id *disk, struct fault *err)
{
	int r = gpt_parse(c->head, COMMIT_HEAD_BYTES, disk->sector_size, &c->gpt, err);

	if (r < 0)
		return r;
	c->has_gpt = true;
	r = gpt_relocate(&c->gpt, disk->size_bytes, err);
	if (r == 0)
		r = gpt_put_primary(&c->gpt, c->head, COMMIT_HEAD_BYTES, err);
	return r < 0 ? r : backup_make(c, err);
}

int commit_prepare(struct commit *c, const void *head, const struct disk_id *disk, bool is_efi,
		   struct fault *err)
{
	uint32_t sector = gpt_sector_size(head, COMMIT_HEAD_BYTES);
	uint64_t end;
	int r;

	*c = (struct commit){ .head = chunk_alloc(COMMIT_HEAD_BYTES) };
	if (!c->head)
		return fault_oom(err);
	memcpy(c->head, head, COMMIT_HEAD_BYTES);
	if (sector && sector != disk->sector_size)
		return fault_set(
			err, -EMEDIUMTYPE,
			"the image's partition table counts sectors of %u bytes, %s has %u", sector,
			disk->name, disk->sector_size);
	r = sector ? gpt_prepare(c, disk, err) : mbr_check(head, COMMIT_HEAD_BYTES, &end, err);
	if (r == 0 && !sector && end > disk->size_bytes)
		return fault_set(err, -ENOSPC,
				 "the image's last partition ends behind the end of %s",
				 disk->name);
	return r < 0 ? r : firmware_check(c, is_efi, err);
}

void commit_done(struct commit *c)
{
	free(c->head);
	free(c->backup);
	gpt_done(&c->gpt);
	*c = (struct commit){ 0 };
}

/* Writes, flushes, reads back past the cache. */
static int put(struct disk *d, const void *data, size_t len, uint64_t offset, const char *what,
	       struct fault *err)
{
	AUTO(freep) void *copy = chunk_alloc(len), *back = chunk_alloc(len);

	if (!copy || !back)
		return fault_oom(err);
	memcpy(copy, data, len); /* @data may not be aligned as direct I/O wants it */
	int r = d->ops->write(d, copy, len, offset);
	if (r == 0)
		r = d->ops->flush(d);
	if (r == 0)
		r = d->ops->read(d, back, len, offset);
	if (r < 0)
		return fault_set(err, r, "commit: cannot write %s of %s (%s): %s", what, d->id.name,
				 d->id.serial, strerror(-r));
	if (memcmp(copy, back, len))
		return fault_set(
			err, -EIO,
			"commit: %s of %s (%s) reads back with other bytes; replace the disk", what,
			d->id.name, d->id.serial);
	return 0;
}

/* LBA 0 zero again, as well as that still works. */
static void undo(struct disk *d)
{
	AUTO(freep) void *zeros = chunk_alloc(d->id.sector_size);

	if (zeros && d->ops->write(d, zeros, d->id.sector_size, 0) == 0)
		(void)d->ops->flush(d);
}

int commit_run(const struct commit *c, struct disk *d, bool *ret_committed, struct fault *err)
{
	size_t sector = d->id.sector_size;
	int r = 0;

	*ret_committed = false;
	if (c->has_gpt)
		r = put(d, c->backup, c->backup_len, c->backup_offset, "the backup partition table",
			err);
	if (r == 0)
		r = put(d, c->head + sector, COMMIT_HEAD_BYTES - sector, sector,
			"the partition table", err);
	if (r < 0)
		return r;
	r = put(d, c->head, sector, 0, "the first sector", err);
	if (r < 0) {
		undo(d);
		return r;
	}
	*ret_committed = true;
	(void)d->ops->reread_table(
		d); /* so that udev sees the partitions; the next boot reads the table anyway */
	return 0;
}
