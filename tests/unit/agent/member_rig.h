#pragma once
/*
 * Superblocks of members as their formats describe them, written into sparse files, and a machine
 * made of such files: a tree with sys/ and dev/.
 */
#include <endian.h>
#include <fcntl.h>
#include <linux/raid/md_p.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "agent/member.h"
#include "common/cleanup.h"
#include "common/crc32.h"
#include "common/fd.h"
#include "common/str.h"

#define MEMBER_DISK_BYTES (64ull << 20)

static inline int member_file(void)
{
	char path[] = "/tmp/slipway-member-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	return fd >= 0 && ftruncate(fd, MEMBER_DISK_BYTES) == 0 ? fd : -1;
}

static inline void put(int fd, uint64_t at, const void *data, size_t len)
{
	if (fd_pwrite(fd, data, len, at) < 0)
		abort();
}

static inline void put_le32(int fd, uint64_t at, uint32_t v)
{
	v = htole32(v);
	put(fd, at, &v, sizeof(v));
}

static inline void put_be32(int fd, uint64_t at, uint32_t v)
{
	v = htobe32(v);
	put(fd, at, &v, sizeof(v));
}

static inline void put_le64(int fd, uint64_t at, uint64_t v)
{
	v = htole64(v);
	put(fd, at, &v, sizeof(v));
}

static inline void put_be64(int fd, uint64_t at, uint64_t v)
{
	v = htobe64(v);
	put(fd, at, &v, sizeof(v));
}

/* 16 bytes that differ by @n. */
static inline void put_id(int fd, uint64_t at, uint8_t n)
{
	uint8_t id[16];

	memset(id, n, sizeof(id));
	put(fd, at, id, sizeof(id));
}

/* --- md --------------------------------------------------------------------------------------- */

/* Version 1.2 at 4 KiB of @base; @roles: of each device, the array is @set. */
static inline void put_md1(int fd, uint64_t base, uint8_t set, uint8_t self, const uint16_t *roles,
			   size_t roles_n)
{
	uint64_t at = base + 4096;
	struct mdp_superblock_1 sb = {
		.magic = htole32(MD_SB_MAGIC),
		.major_version = htole32(1),
		.set_name = "rack:boot",
		.level = htole32(1),
		.raid_disks = htole32((uint32_t)roles_n),
		.data_offset = htole64(2048),
		.super_offset = htole64(8),
		.max_dev = htole32((uint32_t)roles_n),
	};

	memset(sb.set_uuid, set, 16);
	memset(sb.device_uuid, self, 16);
	put(fd, at, &sb, sizeof(sb));
	for (size_t i = 0; i < roles_n; i++) {
		uint16_t role = htole16(roles[i]);

		put(fd, at + sizeof(sb) + 2 * i, &role, 2);
	}
}

/* Version 0.90 in the last 64 KiB that are aligned so. */
static inline void put_md0(int fd, uint64_t size, uint32_t set, uint32_t self, uint32_t working,
			   bool is_big_endian)
{
	uint64_t at = (size & ~(uint64_t)(MD_RESERVED_BYTES - 1)) - MD_RESERVED_BYTES;
	void (*word)(int fd, uint64_t at, uint32_t v) = is_big_endian ? put_be32 : put_le32;

	word(fd, at, MD_SB_MAGIC);
	word(fd, at + 8, 90);
	word(fd, at + offsetof(mdp_super_t, set_uuid0), set);
	word(fd, at + offsetof(mdp_super_t, set_uuid3), set);
	word(fd, at + offsetof(mdp_super_t, raid_disks), 2);
	word(fd, at + offsetof(mdp_super_t, working_disks), working);
	word(fd, at + offsetof(mdp_super_t, this_disk), self);
}

/* --- firmware ----------------------------------------------------------------------------------- */

/* @status: of each disk of the container (bit 1: configured). */
static inline void put_imsm(int fd, uint64_t size, uint32_t family, const uint32_t *status,
			    uint8_t n)
{
	uint64_t at = (size / 512 - 2) * 512;

	put(fd, at, "Intel Raid ISM Cfg Sig. 1.3.00", 30);
	put_le32(fd, at + 36, family + 1); /* it changes, the first one does not */
	put(fd, at + 56, &n, 1);
	put_le32(fd, at + 64, family);
	for (unsigned i = 0; i < n && i < 6; i++)
		put_le32(fd, at + 216 + i * 48 + 24, status[i]);
}

/* @types: of each physical disk (bit 1: in a virtual disk). */
static inline void put_ddf(int fd, uint64_t size, char set, const uint16_t *types, uint16_t n)
{
	uint64_t anchor = size - 512, primary = size - (1 << 20), pd = primary + 8 * 512;
	const uint64_t headers[] = { anchor, primary };
	char guid[24];

	memset(guid, set, sizeof(guid));
	for (size_t i = 0; i < 2; i++) {
		put_be32(fd, headers[i], 0xDE11DE11);
		put(fd, headers[i] + 8, guid, sizeof(guid));
		put(fd, headers[i] + 32, "01.02.00", 8);
		put_be64(fd, headers[i] + 96, primary / 512);
		put_be64(fd, headers[i] + 104, UINT64_MAX);
		put_be32(fd, headers[i] + 200, 8);
	}
	put_be32(fd, pd, 0x22222222);
	for (uint16_t i = 0; i < n; i++)
		put_be32(fd, pd + 64 + i * 64u + 26, types[i]);
	put_be32(fd, pd + 6, n); /* 16 bits at 8 */
}

/* --- bcache ------------------------------------------------------------------------------------- */

static inline void put_bcache(int fd, uint64_t version, uint8_t self, uint8_t set, uint64_t state)
{
	static const uint8_t magic[16] = { 0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca,
					   0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81 };

	put_le64(fd, 4096 + 8, 8);
	put_le64(fd, 4096 + 16, version);
	put(fd, 4096 + 24, magic, 16);
	put_id(fd, 4096 + 40, self);
	put_id(fd, 4096 + 56, set);
	put_le64(fd, 4096 + 104, state << 61);
	put_le64(fd, 4096 + 184, version == 4 ? 32 : 0);
}

/* --- LVM2 --------------------------------------------------------------------------------------- */

/* lvm2, lib/misc/crc.c: CRC-32 from 0xf597a6cf without the final complement. */
static inline uint32_t lvm_crc(const void *data, size_t len)
{
	return ~crc32_update(~0xf597a6cfu, data, len);
}

/*
 * A label in sector 1; the metadata area at 4 KiB with @text (NULL = an empty area) at @at in it,
 * wrapping around at its end of 64 KiB; @has_area: otherwise there is none.
 */
static inline void put_lvm(int fd, uint64_t base, const char *id, const char *text, uint64_t at,
			   bool has_area)
{
	uint8_t s[512] = "LABELONE";
	const uint64_t area = 65536, sector = htole64(1), size = htole64(MEMBER_DISK_BYTES);
	const uint64_t list[] = { htole64(1 << 20), 0, 0, 0, htole64(4096), htole64(area), 0, 0 };
	const uint32_t offset = htole32(32);

	memcpy(s + 8, &sector, 8);
	memcpy(s + 20, &offset, 4);
	memcpy(s + 24, "LVM2 001", 8);
	memcpy(s + 32, id, 32);
	memcpy(s + 64, &size, 8);
	memcpy(s + 72, list, has_area ? sizeof(list) : 32);
	uint32_t crc = htole32(lvm_crc(s + 20, sizeof(s) - 20));
	memcpy(s + 16, &crc, 4);
	put(fd, base + 512, s, sizeof(s));
	if (!has_area)
		return;
	put(fd, base + 4096 + 4, " LVM2 x[5A%r0N*>", 16);
	put_le32(fd, base + 4096 + 20, 1);
	put_le64(fd, base + 4096 + 24, 4096);
	put_le64(fd, base + 4096 + 32, area);
	if (!text)
		return;
	size_t len = strlen(text) + 1, first = MIN_OF(len, area - at);
	put_le64(fd, base + 4096 + 40, at);
	put_le64(fd, base + 4096 + 48, len);
	put(fd, base + 4096 + at, text, first);
	put(fd, base + 4096 + 512, text + first, len - first);
}

#define LVM_ID_A "AAAAAA-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
#define LVM_ID_B "BBBBBB-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
#define LVM_SELF_A "AAAAAAaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LVM_SELF_B "BBBBBBbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LVM_VG_ID "GGGGGG-gggg-gggg-gggg-gggg-gggg-gggggg"
#define LVM_PV(name, id)                                                   \
	name " {\nid = \"" id "\"\ndevice = \"/dev/sda\"\t# Hint only\n\n" \
	     "status = [\"ALLOCATABLE\"]\nflags = []\npe_start = 2048\npe_count = 15\n}\n"
#define LVM_LV(name, segment, pv, extent)                                                                 \
	name " {\nid = \"x\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nsegment_count = 1\n\n" segment \
	     " {\nstart_extent = 0\nextent_count = 20\n\ntype = \"striped\"\n"                            \
	     "stripe_count = 1\n\nstripes = [\n\"" pv "\", " extent "\n]\n}\n}\n"
/* An extent is 1 MiB. */
#define LVM_VG(more, pvs, lvs)                                                          \
	"vg0 {\nid = \"" LVM_VG_ID "\"\nseqno = 3\nformat = \"lvm2\"\n"                 \
	"status = [\"RESIZEABLE\", \"READ\", \"WRITE\"" more "\nextent_size = 2048\n\n" \
	"physical_volumes {\n\n" pvs "}\n\nlogical_volumes {\n" lvs "}\n}\n"            \
	"# Generated by LVM2\n\ncontents = \"Text Format Volume Group\"\nversion = 1\n" \
	"description = \"by \\\"hand\\\"\"\ncreation_time = 1700000000\n"

/* --- file systems --------------------------------------------------------------------------------- */

static inline void put_btrfs(int fd, uint64_t base, uint8_t set, uint8_t self, uint64_t devices)
{
	uint64_t at = base + 65536;

	put_id(fd, at + 32, set);
	put_le64(fd, at + 48, 65536);
	put(fd, at + 64, "_BHRfS_M", 8);
	put_le64(fd, at + 112, MEMBER_DISK_BYTES);
	put_le64(fd, at + 136, devices);
	put_le32(fd, at + 144, 4096);
	put_id(fd, at + 267, self);
	put(fd, at + 299, "data", 5);
}

static inline void put_ocfs2(int fd, uint64_t base)
{
	put(fd, base + 1024, "OCFSV2", 6);
}

struct xdr_out {
	uint8_t data[8192];
	size_t n;
};

static inline void xdr_put(struct xdr_out *x, uint32_t v)
{
	v = htobe32(v);
	memcpy(x->data + x->n, &v, 4);
	x->n += 4;
}

static inline void xdr_text(struct xdr_out *x, const char *s)
{
	size_t len = strlen(s);

	xdr_put(x, (uint32_t)len);
	memset(x->data + x->n, 0, 8);
	memcpy(x->data + x->n, s, len);
	x->n += (len + 3) & ~3u;
}

/* Begins a pair; the returned place is where its size goes. */
static inline size_t xdr_pair(struct xdr_out *x, const char *name, uint32_t type, uint32_t n)
{
	size_t at = x->n;

	xdr_put(x, 0);
	xdr_put(x, 64); /* decoded size: nobody looks at it */
	xdr_text(x, name);
	xdr_put(x, type);
	xdr_put(x, n);
	return at;
}

static inline void xdr_end(struct xdr_out *x, size_t at)
{
	uint32_t size = htobe32((uint32_t)(x->n - at));

	memcpy(x->data + at, &size, 4);
}

static inline void xdr_number(struct xdr_out *x, const char *name, uint64_t v)
{
	size_t at = xdr_pair(x, name, 8, 1);

	xdr_put(x, (uint32_t)(v >> 32));
	xdr_put(x, (uint32_t)v);
	xdr_end(x, at);
}

/* The end of a list. */
static inline void xdr_close(struct xdr_out *x)
{
	xdr_put(x, 0);
	xdr_put(x, 0);
}

static inline void xdr_open(struct xdr_out *x)
{
	xdr_put(x, 0); /* version */
	xdr_put(x, 1); /* names are unique */
}

/* A label of a pool of @tops top-level devices; this one's has @leaves disks (1 = it is one). */
static inline void zfs_pairs(struct xdr_out *x, uint64_t pool, uint64_t guid, uint64_t state,
			     uint64_t tops, unsigned leaves)
{
	x->n = 0;
	xdr_put(x, 0x01010000); /* XDR, written on a little-endian machine */
	xdr_open(x);
	size_t at = xdr_pair(x, "name", 9, 1);
	xdr_text(x, "tank");
	xdr_end(x, at);
	xdr_number(x, "state", state);
	xdr_number(x, "pool_guid", pool);
	xdr_number(x, "guid", guid);
	xdr_number(x, "vdev_children", tops);
	at = xdr_pair(x, "vdev_tree", 19, 1);
	xdr_open(x);
	if (leaves > 1) {
		size_t children = xdr_pair(x, "children", 20, leaves);

		for (unsigned i = 0; i < leaves; i++) {
			xdr_open(x);
			xdr_number(x, "id", i);
			xdr_close(x);
		}
		xdr_end(x, children);
	}
	xdr_close(x);
	xdr_end(x, at);
	xdr_close(x);
}

static inline void put_zfs(int fd, uint64_t pool, uint64_t guid, uint64_t state, uint64_t tops,
			   unsigned leaves)
{
	struct xdr_out x;

	zfs_pairs(&x, pool, guid, state, tops, leaves);
	put(fd, 16384, x.data, x.n);
	for (unsigned i = 0; i < 4; i++) { /* uberblocks */
		put_le64(fd, 131072 + i * 1024, 0x00bab10c);
		put_le64(fd, 131072 + i * 1024 + 8, 5000);
		put_le64(fd, 131072 + i * 1024 + 16, i + 1);
	}
}

/* --- a machine ------------------------------------------------------------------------------------ */

struct machine {
	char path[64];
	int root;
	unsigned disks;
};

static inline void machine_text(struct machine *m, const char *path, const char *text)
{
	char dir[256];

	str_copy(dir, sizeof(dir), path);
	*strrchr(dir, '/') = '\0';
	if (dir_make_at(m->root, dir, 0755, NULL) < 0 ||
	    file_create_at(m->root, path, text, strlen(text), 0644, NULL) < 0)
		abort();
}

static inline void machine_make(struct machine *m)
{
	*m = (struct machine){ .path = "/tmp/slipway-machine-XXXXXX" };
	if (!mkdtemp(m->path))
		abort();
	m->root = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_make_at(m->root, "proc", 0755, NULL) < 0 ||
	    dir_make_at(m->root, "dev", 0755, NULL) < 0 ||
	    dir_make_at(m->root, "sys/dev/block", 0755, NULL) < 0)
		abort();
}

static inline void machine_done(struct machine *m)
{
	closep(&m->root);
	(void)dir_remove_at(AT_FDCWD, m->path, NULL);
}

static inline void machine_link(struct machine *m, const char *at, dev_t devno)
{
	char link[160], target[160];

	snprintf(link, sizeof(link), "sys/dev/block/%u:%u", major(devno), minor(devno));
	snprintf(target, sizeof(target), "../../block/%.100s", at);
	if (symlinkat(target, m->root, link) < 0)
		abort();
}

static inline dev_t machine_devno(unsigned disk, unsigned part)
{
	return makedev(8, disk * 16 + part);
}

/* A disk of MEMBER_DISK_BYTES, numbered as it was made; its file, open. */
static inline int machine_disk(struct machine *m, const char *name)
{
	char path[128], text[64];
	dev_t devno = machine_devno(m->disks++, 0);

	snprintf(path, sizeof(path), "sys/block/%.60s/dev", name);
	snprintf(text, sizeof(text), "%u:%u\n", major(devno), minor(devno));
	machine_text(m, path, text);
	snprintf(path, sizeof(path), "sys/block/%.60s/size", name);
	snprintf(text, sizeof(text), "%llu\n", MEMBER_DISK_BYTES / 512);
	machine_text(m, path, text);
	machine_link(m, name, devno);
	snprintf(path, sizeof(path), "dev/%.60s", name);
	int fd = openat(m->root, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, MEMBER_DISK_BYTES) < 0)
		abort();
	return fd;
}

/* Partition @n of the disk made last. */
static inline void machine_part(struct machine *m, const char *disk, unsigned n, uint64_t start,
				uint64_t size)
{
	const char *const attrs[] = { "dev", "start", "size", "partition" };
	dev_t devno = machine_devno(m->disks - 1, n);
	char path[192], texts[4][64], at[128];

	snprintf(texts[0], 64, "%u:%u\n", major(devno), minor(devno));
	snprintf(texts[1], 64, "%llu\n", (unsigned long long)start / 512);
	snprintf(texts[2], 64, "%llu\n", (unsigned long long)size / 512);
	snprintf(texts[3], 64, "%u\n", n);
	snprintf(at, sizeof(at), "%.50s/%.50s%u", disk, disk, n);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "sys/block/%.120s/%s", at, attrs[i]);
		machine_text(m, path, texts[i]);
	}
	machine_link(m, at, devno);
}
