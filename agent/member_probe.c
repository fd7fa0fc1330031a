/*
 * What libblkid sees in a range of a device, one superblock after the other: one may hide the next.
 */
#include <blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/member.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define SUPERBLOCKS_MAX 64 /* in one range */
#define CONTENTS_MAX 65536

static const char *const kind_names[MEMBER_KIND_COUNT] = {
	[MEMBER_MD] = "software RAID",     [MEMBER_FIRMWARE] = "firmware RAID",
	[MEMBER_LVM] = "LVM volume group", [MEMBER_BTRFS] = "btrfs file system",
	[MEMBER_ZFS] = "ZFS pool",         [MEMBER_BCACHE] = "bcache set",
	[MEMBER_OTHER] = "set of devices",
};

const char *member_kind_name(enum member_kind k)
{
	return kind_names[k];
}

/* By libblkid's TYPE. Without a decoder nothing is known but that it is a member. */
static const struct {
	const char *type;
	enum member_kind kind;
	member_decode *decode;
} types[] = {
	{ "linux_raid_member", MEMBER_MD, member_md },
	{ "isw_raid_member", MEMBER_FIRMWARE, member_imsm },
	{ "ddf_raid_member", MEMBER_FIRMWARE, member_ddf },
	{ "lsi_mega_raid_member", MEMBER_FIRMWARE, NULL },
	{ "via_raid_member", MEMBER_FIRMWARE, NULL },
	{ "silicon_medley_raid_member", MEMBER_FIRMWARE, NULL },
	{ "nvidia_raid_member", MEMBER_FIRMWARE, NULL },
	{ "promise_fasttrack_raid_member", MEMBER_FIRMWARE, NULL },
	{ "hpt45x_raid_member", MEMBER_FIRMWARE, NULL },
	{ "hpt37x_raid_member", MEMBER_FIRMWARE, NULL },
	{ "adaptec_raid_member", MEMBER_FIRMWARE, NULL },
	{ "jmicron_raid_member", MEMBER_FIRMWARE, NULL },
	{ "LVM2_member", MEMBER_LVM, member_lvm },
	{ "LVM1_member", MEMBER_LVM, NULL },
	{ "btrfs", MEMBER_BTRFS, member_btrfs },
	{ "zfs_member", MEMBER_ZFS, member_zfs },
	{ "bcache", MEMBER_BCACHE, member_bcache },
	{ "stratis", MEMBER_OTHER, NULL },
	{ "drbd", MEMBER_OTHER, NULL }, /* the same data on another machine */
	{ "jbd", MEMBER_OTHER, NULL },  /* journals of file systems elsewhere */
	{ "xfs_external_log", MEMBER_OTHER, NULL },
};

void member_done(struct member *m)
{
	free(m->peers);
	free(m->inside);
	*m = (struct member){ 0 };
}

void members_done(struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		member_done(&m->v[i]);
	free(m->v);
	free(m->contents);
	*m = (struct members){ 0 };
}

int member_read(const struct member_range *r, void *data, size_t len, uint64_t offset)
{
	uint64_t at;

	if (offset > r->size_bytes || len > r->size_bytes - offset ||
	    __builtin_add_overflow(r->start_bytes, offset, &at) || at > INT64_MAX)
		return -EIO;
	return fd_pread(r->fd, data, len, at) == (ssize_t)len ? 0 : -EIO;
}

static void probep(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

/* Where things are found, and what for. */
struct place {
	struct members *m;
	const char *where; /* "sda2", "LVM volume vg/root on sda2" */
	const char *node;
	dev_t disk;
	bool is_target;
	unsigned depth;
	struct fault *err;
};

static int range_probe(const struct place *p, const struct member_range *r);
static int table_probe(const struct place *p, const struct member_range *r);

static int content_add(const struct place *p, const char *type)
{
	struct members *m = p->m;
	struct member_content *more;

	if (m->contents_n == CONTENTS_MAX)
		return fault_set(p->err, -EOVERFLOW, "more than %d things are on %s", CONTENTS_MAX,
				 p->node);
	more = realloc(m->contents, (m->contents_n + 1) * sizeof(*more));
	if (!more)
		return fault_oom(p->err);
	m->contents = more;
	more = &m->contents[m->contents_n++];
	*more = (struct member_content){ 0 };
	(void)str_copy(more->fstype, sizeof(more->fstype), type);
	snprintf(more->where, sizeof(more->where), "%s", p->where);
	return 0;
}

static int inside_probe(const struct place *p, const struct member_range *r, const struct member *m)
{
	int e = 0;

	if (p->depth + 1 == MEMBER_DEPTH_MAX)
		return 0;
	for (size_t i = 0; e == 0 && i < m->inside_n; i++) {
		const struct member_inside *in = &m->inside[i];
		struct member_range inner = { .fd = r->fd };
		struct place place = *p;
		char where[MEMBER_NAME_MAX + DISK_NAME_MAX];

		if (in->start_bytes >= r->size_bytes || !in->size_bytes)
			continue;
		inner.start_bytes = r->start_bytes + in->start_bytes;
		inner.size_bytes = MIN_OF(in->size_bytes, r->size_bytes - in->start_bytes);
		snprintf(where, sizeof(where), "%s on %s",
			 *in->name ? in->name : member_kind_name(m->kind), p->node);
		place.where = where;
		place.depth++;
		e = range_probe(&place, &inner);
		if (e == 0)
			e = table_probe(&place, &inner);
	}
	return e;
}

/* Takes *one, whatever happens. */
static int member_put(struct members *all, struct member *one, struct fault *err)
{
	struct member *more = realloc(all->v, (all->n + 1) * sizeof(*more));

	if (!more) {
		member_done(one);
		return fault_oom(err);
	}
	all->v = more;
	all->v[all->n++] = *one;
	return 0;
}

/* What cannot be read is a member all the same: of what, nobody can tell. */
static int member_add(const struct place *p, const struct member_range *r, size_t type,
		      const char *uuid, uint64_t magic)
{
	struct members *all = p->m;
	struct member m = { .kind = types[type].kind, .disk = p->disk };
	int e = types[type].decode ? types[type].decode(r, magic, &m) : -EBADMSG;

	if (e == 0 || e == -ENOMEM || e == -EOVERFLOW || all->n == MEMBERS_MAX) {
		member_done(&m);
		return e == 0 ? 0
			      : fault_set(p->err, e < 0 && e != -EBADMSG ? e : -EOVERFLOW,
					  "%s (%s) is too large to be judged", p->where,
					  types[type].type);
	}
	if (e < 0) {
		member_done(&m);
		m = (struct member){ .kind = types[type].kind, .disk = p->disk };
		(void)str_copy(m.name, sizeof(m.name), types[type].type);
		(void)str_copy(m.set, sizeof(m.set), uuid ? uuid : "");
	}
	(void)str_copy(m.where, sizeof(m.where), p->node);
	e = member_put(all, &m, p->err);
	return e == 0 && p->is_target ? inside_probe(p, r, &m) : e;
}

static int found(const struct place *p, const struct member_range *r, blkid_probe pr)
{
	const char *type, *magic = "0", *uuid = NULL;
	int e = 0;

	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) != 0)
		return 0;
	(void)blkid_probe_lookup_value(pr, "SBMAGIC_OFFSET", &magic, NULL);
	(void)blkid_probe_lookup_value(pr, "UUID", &uuid, NULL);
	if (p->is_target)
		e = content_add(p, type);
	/* Some of firmware's magics are two bytes that any sector may begin with: the sum decides. */
	bool is_bad = blkid_probe_has_value(pr, "SBBADCSUM");
	for (size_t i = 0; e == 0 && i < ARRAY_SIZE(types); i++)
		if (str_eq(types[i].type, type) && (types[i].decode || !is_bad))
			return member_add(p, r, i, uuid, strtoull(magic, NULL, 10));
	return e;
}

static int range_probe(const struct place *p, const struct member_range *r)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();
	int e = 0;

	if (!pr)
		return fault_oom(p->err);
	if (blkid_probe_set_device(pr, r->fd, (blkid_loff_t)r->start_bytes,
				   (blkid_loff_t)r->size_bytes) != 0)
		return 0; /* nothing that small holds anything */
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
						      BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
	for (int i = 0; e == 0 && i < SUPERBLOCKS_MAX && blkid_do_probe(pr) == 0; i++)
		e = found(p, r, pr);
	return e;
}

/* Of what is not put together the kernel does not show the partitions. */
static int table_probe(const struct place *p, const struct member_range *r)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();
	int e = 0;

	if (!pr)
		return fault_oom(p->err);
	if (p->depth + 1 == MEMBER_DEPTH_MAX ||
	    blkid_probe_set_device(pr, r->fd, (blkid_loff_t)r->start_bytes,
				   (blkid_loff_t)r->size_bytes) != 0)
		return 0;
	blkid_partlist list = blkid_probe_get_partitions(pr);
	for (int i = 0; list && e == 0 && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);
		uint64_t start = (uint64_t)blkid_partition_get_start(part) * 512,
			 size = (uint64_t)blkid_partition_get_size(part) * 512;
		char where[MEMBER_NAME_MAX + DISK_NAME_MAX];
		struct place place = *p;

		if (start >= r->size_bytes || !size)
			continue;
		const struct member_range inner = { r->fd, r->start_bytes + start,
						    MIN_OF(size, r->size_bytes - start) };
		snprintf(where, sizeof(where), "partition %d in %.150s",
			 blkid_partition_get_partno(part), p->where);
		place.where = where;
		place.depth++;
		e = range_probe(&place, &inner);
	}
	return e;
}

int members_probe(struct members *m, const struct member_range *r, const char *where, dev_t disk,
		  bool is_target, struct fault *err)
{
	const struct place p = { .m = m,
				 .where = where,
				 .node = where,
				 .disk = disk,
				 .is_target = is_target,
				 .err = err };

	return range_probe(&p, r);
}

int members_probe_table(struct members *m, const struct member_range *r, const char *where,
			dev_t disk, struct fault *err)
{
	const struct place p = {
		.m = m, .where = where, .node = where, .disk = disk, .is_target = true, .err = err
	};

	return table_probe(&p, r);
}

int members_add(struct members *m, const struct member *one, struct fault *err)
{
	struct member copy = *one;

	if (m->n == MEMBERS_MAX)
		return fault_set(err, -EOVERFLOW, "more than %d members are in this machine",
				 MEMBERS_MAX);
	copy.inside = NULL;
	copy.inside_n = 0;
	copy.peers = calloc(one->peers_n + 1, sizeof(*copy.peers));
	if (!copy.peers)
		return fault_oom(err);
	if (one->peers_n)
		memcpy(copy.peers, one->peers, one->peers_n * sizeof(*copy.peers));
	return member_put(m, &copy, err);
}
