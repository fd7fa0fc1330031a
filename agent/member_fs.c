/*
 * File systems that span devices: btrfs and ZFS.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/member.h"
#include "common/byteorder.h"
#include "common/cleanup.h"
#include "common/str.h"

/* --- btrfs: include/uapi/linux/btrfs_tree.h, struct btrfs_super_block ------------------------ */

enum {
	BTRFS_MAGIC = 64, /* of the superblock's fields, all counted from its start */
	BTRFS_FSID = 32,
	BTRFS_NUM_DEVICES = 136,
	BTRFS_DEV_UUID = 267,
	BTRFS_LABEL = 299,
	BTRFS_LABEL_LEN = 256,
	BTRFS_BYTES = 1024,
	BTRFS_DEVICES_MAX = 65536,
};

int member_btrfs(const struct member_range *r, uint64_t magic, struct member *ret)
{
	uint8_t sb[BTRFS_BYTES];
	char label[MEMBER_NAME_MAX] = "";
	uint64_t n;
	int e = magic < BTRFS_MAGIC ? -EBADMSG
				    : member_read(r, sb, sizeof(sb), magic - BTRFS_MAGIC);

	if (e < 0)
		return e;
	n = le64_at(sb + BTRFS_NUM_DEVICES);
	if (n == 0 || n > BTRFS_DEVICES_MAX)
		return -EBADMSG;
	uuid_format(sb + BTRFS_FSID, ret->set);
	uuid_format(sb + BTRFS_DEV_UUID, ret->self);
	memcpy(label, sb + BTRFS_LABEL, sizeof(label) - 1);
	if (str_is_text(label))
		(void)str_copy(ret->name, sizeof(ret->name), label);
	ret->devices = (unsigned)n;
	return 1;
}

/* --- ZFS: on-disk format, chapter 1 (labels); name-value pairs in XDR ------------------------ */

#define ZFS_LABEL_BYTES (256u << 10)
#define ZFS_PAIRS_OFFSET (16u << 10)
#define ZFS_PAIRS_BYTES (112u << 10)
#define ZFS_LEAVES_MAX 65536
#define ZFS_DEPTH_MAX 8

enum { XDR_UINT64 = 8, XDR_STRING = 9, XDR_NVLIST = 19, XDR_NVLIST_ARRAY = 20 };
enum { POOL_DESTROYED = 2, POOL_SPARE = 3, POOL_L2CACHE = 4 };

struct xdr {
	const uint8_t *at, *end;
};

static uint32_t xdr_u32(struct xdr *x, bool *ok)
{
	if (x->end - x->at < 4) {
		*ok = false;
		return 0;
	}
	x->at += 4;
	return be32_at(x->at - 4);
}

struct label {
	uint64_t pool, guid, state, tops;
	unsigned leaves; /* of the top-level device that this one belongs to */
	char name[MEMBER_NAME_MAX];
};

/* One pair: name, type, number of elements; @value is what follows them. */
struct pair {
	char name[64];
	uint32_t type, n;
	struct xdr value;
};

/* 1 = a pair, 0 = end of the list, -EBADMSG. */
static int pair_next(struct xdr *x, struct pair *ret)
{
	const uint8_t *start = x->at;
	bool ok = true;
	uint32_t size = xdr_u32(x, &ok), decoded = xdr_u32(x, &ok);

	if (ok && !size && !decoded)
		return 0;
	if (!ok || size < 20 || size > (size_t)(x->end - start))
		return -EBADMSG;
	struct xdr p = { x->at, start + size };
	uint32_t len = xdr_u32(&p, &ok), padded = (len + 3) & ~3u;
	if (!ok || len >= sizeof(ret->name) || padded > (size_t)(p.end - p.at))
		return -EBADMSG;
	memcpy(ret->name, p.at, len);
	ret->name[len] = '\0';
	p.at += padded;
	ret->type = xdr_u32(&p, &ok);
	ret->n = xdr_u32(&p, &ok);
	ret->value = p;
	x->at = start + size;
	return ok ? 1 : -EBADMSG;
}

static void take_u64(const struct pair *p, const char *name, uint64_t *ret)
{
	struct xdr x = p->value;
	bool ok = true;

	if (p->type != XDR_UINT64 || !str_eq(p->name, name))
		return;
	uint64_t high = xdr_u32(&x, &ok), low = xdr_u32(&x, &ok);
	if (ok)
		*ret = high << 32 | low;
}

static void take_name(const struct pair *p, char *ret, size_t size)
{
	struct xdr x = p->value;
	bool ok = true;
	char text[MEMBER_NAME_MAX];

	if (p->type != XDR_STRING || !str_eq(p->name, "name"))
		return;
	uint32_t len = xdr_u32(&x, &ok);
	if (!ok || len >= sizeof(text) || len > (size_t)(x.end - x.at))
		return;
	memcpy(text, x.at, len);
	text[len] = '\0';
	if (str_is_text(text))
		(void)str_copy(ret, size, text);
}

/* The lists in an array follow each other; each has version and flags, and ends with an empty pair. */
static int leaves_count(struct xdr *x, unsigned depth, unsigned *ret)
{
	unsigned below = 0;
	struct pair p;
	bool ok = true;
	int r;

	(void)xdr_u32(x, &ok);
	(void)xdr_u32(x, &ok);
	if (!ok || depth > ZFS_DEPTH_MAX)
		return -EBADMSG;
	while ((r = pair_next(x, &p)) > 0) {
		if (p.type != XDR_NVLIST_ARRAY || !str_eq(p.name, "children"))
			continue;
		if (p.n > ZFS_LEAVES_MAX)
			return -EBADMSG;
		for (uint32_t i = 0; r > 0 && i < p.n; i++)
			r = leaves_count(&p.value, depth + 1, &below) < 0 ? -EBADMSG : 1;
		if (r < 0)
			return r;
	}
	*ret += below ? below : 1;
	return *ret > ZFS_LEAVES_MAX ? -EBADMSG : r;
}

static int label_decode(const uint8_t *data, size_t len, struct label *ret)
{
	struct xdr x = { data, data + len };
	struct pair p;
	bool ok = true;
	int r;

	if (len < 12 || data[0] != 1) /* NV_ENCODE_XDR */
		return -EBADMSG;
	x.at += 4;
	(void)xdr_u32(&x, &ok);
	(void)xdr_u32(&x, &ok);
	while ((r = pair_next(&x, &p)) > 0) {
		take_u64(&p, "pool_guid", &ret->pool);
		take_u64(&p, "guid", &ret->guid);
		take_u64(&p, "state", &ret->state);
		take_u64(&p, "vdev_children", &ret->tops);
		take_name(&p, ret->name, sizeof(ret->name));
		if (p.type == XDR_NVLIST && str_eq(p.name, "vdev_tree"))
			r = leaves_count(&p.value, 0, &ret->leaves);
		if (r < 0)
			return r;
	}
	return r;
}

int member_zfs(const struct member_range *r, uint64_t magic, struct member *ret)
{
	/* two labels at either end, aligned to their size */
	uint64_t end = r->size_bytes & ~(uint64_t)(ZFS_LABEL_BYTES - 1);
	const uint64_t labels[] = { 0, ZFS_LABEL_BYTES, end - 2 * ZFS_LABEL_BYTES,
				    end - ZFS_LABEL_BYTES };
	AUTO(freep) uint8_t *data = malloc(ZFS_PAIRS_BYTES);
	struct label l = { 0 };
	int e = -EBADMSG;

	if (!data)
		return -ENOMEM;
	for (size_t i = 0; e < 0 && i < ARRAY_SIZE(labels); i++) {
		l = (struct label){ 0 };
		e = member_read(r, data, ZFS_PAIRS_BYTES, labels[i] + ZFS_PAIRS_OFFSET);
		e = e < 0 ? e : label_decode(data, ZFS_PAIRS_BYTES, &l);
	}
	if (e < 0)
		return e;
	if (l.state == POOL_DESTROYED || l.state == POOL_SPARE || l.state == POOL_L2CACHE)
		return 0;
	snprintf(ret->set, sizeof(ret->set), "%llu", (unsigned long long)l.pool);
	snprintf(ret->self, sizeof(ret->self), "%llu", (unsigned long long)l.guid);
	(void)str_copy(ret->name, sizeof(ret->name), l.name);
	/* Of the other top-level devices a label says only how many there are: each has one device at least. */
	if (l.leaves && l.tops <= ZFS_LEAVES_MAX)
		ret->devices = l.leaves + (l.tops > 1 ? (unsigned)l.tops - 1 : 0);
	return 1;
}
