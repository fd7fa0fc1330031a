#pragma once
/*
 * GUID partition tables (UEFI specification 2.10, chapter 5): parse and check the primary table of
 * a disk or image, move it to a disk of another size, write it back with its backup and the
 * protective MBR. Pure: works on memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

#define GPT_ENTRIES_MAX 1024
#define GPT_ENTRY_SIZE 128
#define GPT_NAME_LEN 36
#define GPT_GUID_TEXT 37 /* with NUL */

struct gpt_entry {
	uint8_t type[16], guid[16];   /* as on disk: mixed endian; type all zero = unused */
	uint64_t first_lba, last_lba; /* inclusive */
	uint64_t attributes;
	uint16_t name[GPT_NAME_LEN]; /* UTF-16LE, as on disk */
};

struct gpt {
	uint32_t sector_size;
	uint8_t disk_guid[16];
	uint64_t alternate_lba, first_usable, last_usable, entries_lba;
	uint32_t count;            /* entries in the array, used or not */
	struct gpt_entry *entries; /* owned */
};

extern const uint8_t gpt_type_esp[16], gpt_type_bios_boot[16], gpt_type_prep[16],
	gpt_type_linux[16], gpt_type_linux_root_x86_64[16], gpt_type_linux_root_arm64[16],
	gpt_type_gpfs[16], gpt_type_vmfs[16];

/* The sector size (512 or 4096) at which @head has a GPT signature; 0 = none. */
uint32_t gpt_sector_size(const void *head, size_t len);
/*
 * @head: the first @len bytes of the disk (at least LBA 0 up to the end of the entry array; 1 MiB
 * is enough for every real table). Checks signature, sizes, both CRCs, that partitions lie in the
 * usable range and do not overlap, that the MBR is protective. -ENOENT: no GPT here; -EBADMSG with
 * a sentence.
 */
int gpt_parse(const void *head, size_t len, uint32_t sector_size, struct gpt *ret,
	      struct fault *err);
void gpt_done(struct gpt *g);

/* The last used LBA of any partition; 0 = no partition. */
uint64_t gpt_last_used(const struct gpt *g);
/* First entry of this type, NULL = none. */
const struct gpt_entry *gpt_find_type(const struct gpt *g, const uint8_t type[16]);
bool gpt_entry_is_used(const struct gpt_entry *e);
/* Name as UTF-8 with '?' for what is not ASCII. */
void gpt_entry_name(const struct gpt_entry *e, char ret[GPT_NAME_LEN + 1]);
void gpt_guid_format(const uint8_t guid[16], char ret[GPT_GUID_TEXT]); /* lower case */

/* Moves the backup to the end of a disk of @disk_bytes. -ENOSPC when a partition would not fit. */
int gpt_relocate(struct gpt *g, uint64_t disk_bytes, struct fault *err);
/*
 * Writes LBA 1, the entry array, and the size of the protective entry of the MBR into @head; boot
 * code, other MBR entries and all other bytes stay.
 * -ENOSPC when @len is too short.
 */
int gpt_put_primary(const struct gpt *g, void *head, size_t len, struct fault *err);
/*
 * Backup entry array and header: write *ret_len bytes at *ret_offset. *ret_data is owned by the
 * caller.
 */
int gpt_make_backup(const struct gpt *g, void **ret_data, size_t *ret_len, uint64_t *ret_offset,
		    struct fault *err);

/*
 * An MBR with at least one partition and no protective entry: the highest byte that a partition
 * uses goes to *ret_end_bytes. -ENOENT, -EBADMSG.
 */
int mbr_check(const void *sector, size_t len, uint64_t *ret_end_bytes, struct fault *err);
