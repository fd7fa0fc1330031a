#pragma once
/*
 * The partition table of the installed disk, held back until everything else is on it, and the few
 * writes that make the disk bootable, LBA 0 last.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/disk.h"
#include "common/fault.h"
#include "common/gpt.h"

#define COMMIT_HEAD_BYTES (1u << 20) /* of the image, kept in memory until the end */

struct commit {
	uint8_t *head; /* COMMIT_HEAD_BYTES, page-aligned, owned: as it will be on the disk */
	bool has_gpt;
	struct gpt gpt; /* relocated to the end of the disk */
	void *backup;   /* page-aligned, owned */
	size_t backup_len;
	uint64_t backup_offset;
};

/*
 * @head: the first MiB of the image (copied). Checks the table, moves it to the size of the disk,
 * checks that this machine's firmware (@is_efi) can start it. -ENOSPC, -EBADMSG, -EMEDIUMTYPE.
 * Writes nothing.
 */
int commit_prepare(struct commit *c, const void *head, const struct disk_id *disk, bool is_efi,
		   struct fault *err);
void commit_done(struct commit *c);

/*
 * Backup table, flush, all of the first MiB but LBA 0, flush, read both back, LBA 0, flush, read it
 * back; then the kernel reads the table. Any failure leaves LBA 0 zero. *ret_committed tells
 * whether LBA 0 was written.
 */
int commit_run(const struct commit *c, struct disk *d, bool *ret_committed, struct fault *err);
