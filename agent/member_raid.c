/*
 * Superblocks of RAID arrays and of bcache.
 */
#include <endian.h>
#include <errno.h>
#include <linux/raid/md_p.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/member.h"
#include "common/byteorder.h"
#include "common/cleanup.h"
#include "common/str.h"

#define SECTOR 512u

/* Names on disks are padded with NUL or blanks and may hold anything. */
static void name_take(char *ret, size_t size, const void *from, size_t len)
{
	char text[MEMBER_NAME_MAX] = "";

	memcpy(text, from, MIN_OF(len, sizeof(text) - 1));
	if (str_is_text(str_trim(text)))
		(void)str_copy(ret, size, str_trim(text));
}

/* The data of the array begin @sectors behind the start of the range; outside of it: none are looked at. */
static int inside_set(struct member *m, const struct member_range *r, uint64_t sectors)
{
	if (sectors >= r->size_bytes / SECTOR)
		return 1;
	m->inside = calloc(1, sizeof(*m->inside));
	if (!m->inside)
		return -ENOMEM;
	m->inside[m->inside_n++] =
		(struct member_inside){ .start_bytes = sectors * SECTOR,
					.size_bytes = r->size_bytes - sectors * SECTOR };
	return 1;
}

/* --- md: include/uapi/linux/raid/md_p.h ------------------------------------------------------ */

/*
 * Those that had a place when the superblock was last written: an array that was made (or went on)
 * without some of its members misses nothing.
 */
static unsigned roles_count(const struct mdp_superblock_1 *sb, const uint8_t *roles, uint32_t n)
{
	unsigned used = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint16_t role = (uint16_t)(roles[2 * i] | roles[2 * i + 1] << 8);

		used += role < MD_DISK_ROLE_MAX || role == MD_DISK_ROLE_JOURNAL;
	}
	return used ? used : le32toh(sb->raid_disks);
}

static int md_1(const struct member_range *r, uint64_t magic, struct member *ret)
{
	struct mdp_superblock_1 sb;
	uint8_t roles[2 * MD_SB_BYTES / 4];
	int e = member_read(r, &sb, sizeof(sb), magic);

	if (e < 0)
		return e;
	uint32_t n = le32toh(sb.max_dev);
	if (le32toh(sb.major_version) != 1 || n > sizeof(roles) / 2 || le32toh(sb.raid_disks) == 0)
		return -EBADMSG;
	e = member_read(r, roles, 2 * (size_t)n, magic + sizeof(sb));
	if (e < 0)
		return e;
	uuid_format(sb.set_uuid, ret->set);
	uuid_format(sb.device_uuid, ret->self);
	name_take(ret->name, sizeof(ret->name), sb.set_name, sizeof(sb.set_name));
	ret->devices = roles_count(&sb, roles, n);
	return inside_set(ret, r, le64toh(sb.data_offset));
}

/* Version 0.90: words in the byte order of the machine that wrote it. */
static int md_0(const struct member_range *r, uint64_t magic, struct member *ret)
{
	mdp_super_t sb;
	int e = member_read(r, &sb, sizeof(sb), magic);

	if (e < 0)
		return e;
	bool is_le = le32toh(sb.md_magic) == MD_SB_MAGIC;
	if (!is_le && be32toh(sb.md_magic) != MD_SB_MAGIC)
		return -EBADMSG;
	uint32_t working = is_le ? le32toh(sb.working_disks) : be32toh(sb.working_disks);
	uint32_t self = is_le ? le32toh(sb.this_disk.number) : be32toh(sb.this_disk.number);
	if (working == 0 || working > MD_SB_DISKS)
		return -EBADMSG;
	snprintf(ret->set, sizeof(ret->set), "%08x:%08x:%08x:%08x", sb.set_uuid0, sb.set_uuid1,
		 sb.set_uuid2, sb.set_uuid3);
	snprintf(ret->self, sizeof(ret->self), "%u", self);
	ret->devices = working;
	return 1; /* its data begin where the device does: they are seen anyway */
}

int member_md(const struct member_range *r, uint64_t magic, struct member *ret)
{
	uint8_t head[8];
	int e = member_read(r, head, sizeof(head), magic);

	if (e < 0)
		return e;
	if (le32_at(head) == MD_SB_MAGIC && le32_at(head + 4) == 1)
		return md_1(r, magic, ret);
	return md_0(r, magic, ret);
}

/* --- Intel Matrix Storage: mdadm, super-intel.c, struct imsm_super --------------------------- */

enum {
	IMSM_FAMILY = 36,
	IMSM_DISKS = 56,
	IMSM_FAMILY_FIRST = 64, /* what it was when the array was made */
	IMSM_DISK_TABLE = 216,
	IMSM_DISK_SIZE = 48,
	IMSM_DISK_STATUS = 24,
	IMSM_CONFIGURED = 2,
};

int member_imsm(const struct member_range *r, uint64_t magic, struct member *ret)
{
	uint8_t sb[SECTOR];
	int e = member_read(r, sb, sizeof(sb), magic);

	if (e < 0)
		return e;
	unsigned fit = (SECTOR - IMSM_DISK_TABLE) / IMSM_DISK_SIZE, known = sb[IMSM_DISKS];
	uint32_t family = le32_at(sb + IMSM_FAMILY_FIRST);
	if (known == 0)
		return -EBADMSG;
	if (!family)
		family = le32_at(sb + IMSM_FAMILY);
	for (unsigned i = 0; i < MIN_OF(known, fit); i++)
		ret->devices +=
			(le32_at(sb + IMSM_DISK_TABLE + i * IMSM_DISK_SIZE + IMSM_DISK_STATUS) &
			 IMSM_CONFIGURED) != 0;
	if (known > fit) /* the rest of the table lies before this sector: all of them count */
		ret->devices = known;
	snprintf(ret->set, sizeof(ret->set), "imsm-%08x", family);
	(void)str_copy(ret->name, sizeof(ret->name), "Intel Matrix Storage");
	return ret->devices > 0; /* a spare alone */
}

/* --- SNIA DDF 2.0: header (5.5) and physical disk records (5.7), big-endian ------------------ */

enum {
	DDF_GUID = 8,
	DDF_GUID_LEN = 24,
	DDF_PRIMARY_LBA = 96,
	DDF_PHYSICAL = 200, /* sectors from the primary header */
	DDF_PD_MAGIC = 0x22222222,
	DDF_PD_USED = 8,
	DDF_PD_TABLE = 64,
	DDF_PD_SIZE = 64,
	DDF_PD_TYPE = 28,
	DDF_PD_ACTIVE = 2, /* in a virtual disk */
	DDF_PDS_MAX = 4096,
};

static int ddf_count(const struct member_range *r, uint64_t at, unsigned *ret)
{
	uint8_t head[DDF_PD_TABLE], pd[DDF_PD_SIZE];
	int e = member_read(r, head, sizeof(head), at);
	unsigned n = (unsigned)(head[DDF_PD_USED] << 8 | head[DDF_PD_USED + 1]);

	if (e < 0)
		return e;
	if (be32_at(head) != DDF_PD_MAGIC || n == 0 || n > DDF_PDS_MAX)
		return -EBADMSG;
	*ret = 0;
	for (unsigned i = 0; e == 0 && i < n; i++) {
		e = member_read(r, pd, sizeof(pd), at + DDF_PD_TABLE + (uint64_t)i * DDF_PD_SIZE);
		*ret += e == 0 && (pd[DDF_PD_TYPE + 1] & DDF_PD_ACTIVE);
	}
	return e;
}

int member_ddf(const struct member_range *r, uint64_t magic, struct member *ret)
{
	uint8_t sb[SECTOR];
	int e = member_read(r, sb, sizeof(sb), magic);

	if (e < 0)
		return e;
	hex_encode(sb + DDF_GUID, DDF_GUID_LEN, ret->set);
	(void)str_copy(ret->name, sizeof(ret->name), "DDF");
	uint64_t lba = be64_at(sb + DDF_PRIMARY_LBA) + be32_at(sb + DDF_PHYSICAL);
	if (lba > r->size_bytes / SECTOR)
		return -EBADMSG;
	e = ddf_count(r, lba * SECTOR, &ret->devices);
	return e < 0 ? e : ret->devices > 0;
}

/* --- bcache: include/uapi/linux/bcache.h, struct cache_sb_disk ------------------------------- */

enum {
	BCACHE_MAGIC = 24, /* of the superblock's fields, all counted from its start */
	BCACHE_VERSION = 16,
	BCACHE_UUID = 40,
	BCACHE_SET = 56,
	BCACHE_LABEL = 72,
	BCACHE_LABEL_LEN = 32,
	BCACHE_FLAGS = 104,
	BCACHE_DATA_OFFSET = 184, /* sectors */
	BCACHE_DATA_DEFAULT = 16,
	BCACHE_STATE_SHIFT = 61,
};
enum { BCACHE_CDEV, BCACHE_BDEV, BCACHE_CDEV_UUID = 3, BCACHE_BDEV_OFFSET = 4, BCACHE_DIRTY = 2 };

int member_bcache(const struct member_range *r, uint64_t magic, struct member *ret)
{
	uint8_t sb[256];
	int e = magic < BCACHE_MAGIC ? -EBADMSG
				     : member_read(r, sb, sizeof(sb), magic - BCACHE_MAGIC);

	if (e < 0)
		return e;
	uint64_t version = le64_at(sb + BCACHE_VERSION);
	uint64_t state = le64_at(sb + BCACHE_FLAGS) >> BCACHE_STATE_SHIFT & 3;
	bool is_backing = version == BCACHE_BDEV || version == BCACHE_BDEV_OFFSET;
	uuid_format(sb + BCACHE_UUID, ret->self);
	name_take(ret->name, sizeof(ret->name), sb + BCACHE_LABEL, BCACHE_LABEL_LEN);
	/*
	 * What is only in a cache belongs to the disks behind it, and how many those are it does not
	 * tell. A disk whose cache is clean stands alone.
	 */
	bool is_alone = is_backing && state != BCACHE_DIRTY;
	uuid_format(sb + (is_alone ? BCACHE_UUID : BCACHE_SET), ret->set);
	ret->devices = is_alone ? 1 : is_backing ? 2 : 0;
	if (!is_backing)
		return 1;
	return inside_set(ret, r,
			  version == BCACHE_BDEV_OFFSET ? le64_at(sb + BCACHE_DATA_OFFSET)
							: BCACHE_DATA_DEFAULT);
}
