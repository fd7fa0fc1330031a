/* Who uses a disk: all that stands on it and its partitions, and what of that speaks against an installation. */
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"
#include "hwprobe/explain.h"

/* What a dm device is, by the prefix that its maker gives to its UUID. */
static const struct {
	const char *prefix, *kind;
} dm_kinds[] = {
	{ "LVM-", "lvm" },       { "CRYPT-", "crypt" }, { "mpath-", "multipath" },
	{ "part", "partition" }, { "DMRAID-", "raid" }, { "stratis-", "stratis" },
	{ "VDO-", "vdo" },
};

static const char *kind_of(struct survey *s, const struct block_dev *b)
{
	for (size_t i = 0; b->dm_uuid && i < ARRAY_SIZE(dm_kinds); i++)
		if (str_starts(b->dm_uuid, dm_kinds[i].prefix))
			return dm_kinds[i].kind;
	/* "md127", "bcache0", "dm-3": the driver's name */
	return arena_copy(s->tmp, b->name, strcspn(b->name, "-0123456789"));
}

static void add_user(struct survey *s, struct hwp_disk *d, const struct block_dev *b,
		     const struct block_dev *on)
{
	struct hwp_user *users = (struct hwp_user *)d->users;
	struct hwp_user *u = arena_append(s->mem, &users, &d->user_count, sizeof(*u));
	d->users = users;
	if (!u)
		return;
	put_str(s, &u->name, b->name, "holders");
	put_str(s, &u->label, b->dm_name, "dm/name");
	put_str(s, &u->on, on->name, "holders");
	put_str(s, &u->kind, kind_of(s, b), b->dm_uuid ? "dm/uuid" : "sys/block");
	for (size_t i = 0; i < b->mounts.n; i++)
		put_strs(s, &u->mounts, b->mounts.v[i], "proc/self/mountinfo");
	if (b->is_swap)
		put_bool(s, &u->swap, true, "proc/swaps");
}

static void add_users(struct survey *s, struct block_map *m, struct hwp_disk *d,
		      const struct block_dev *on, int depth)
{
	for (size_t i = 0; depth <= BLOCK_DEPTH_MAX && i < on->holders.n; i++) {
		struct block_dev *h = block_by_name(m, on->holders.v[i]);
		if (!h || h->seen == m->walk)
			continue;
		h->seen = m->walk;
		add_user(s, d, h, on);
		add_users(s, m, d, h, depth + 1);
	}
	for (size_t p = 1; depth <= BLOCK_DEPTH_MAX && p <= on->parts; p++) {
		if (depth && block_is_used(on + p))
			add_user(s, d, on + p, on);
		add_users(s, m, d, on + p, depth + 1);
	}
}

void disk_find_users(struct survey *s, struct block_map *m, const struct block_dev *b,
		     struct hwp_disk *d)
{
	m->walk++;
	add_users(s, m, d, b, 0);
}

/* --- warnings -------------------------------------------------------------------------------------------------- */

/* @source: the value or the file that says so. */
static void warn(struct survey *s, struct hwp_disk *d, const char *code, const char *source,
		 const char *text)
{
	struct hwp_reason *list = (struct hwp_reason *)d->warnings;
	struct hwp_reason *r = arena_append(s->mem, &list, &d->warning_count, sizeof(*r));
	d->warnings = list;
	if (!r)
		return;
	*r = (struct hwp_reason){ .code = code,
				  .text = arena_dup(s->mem, text),
				  .source = arena_dup(s->mem, source) };
	explain_try(s, r, source, true);
}

static bool is_raid_member(const char *type)
{
	static const char *const types[] = { "linux_raid_member", "isw_raid_member",
					     "ddf_raid_member" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(type, types[i]))
			return true;
	return false;
}

/* The disk itself or one of its partitions. */
static void warn_members(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	const char *raid = NULL, *pv = NULL;
	for (size_t p = 0; p <= b->parts; p++) {
		const char *source = NULL, *type = block_property(b + p, "ID_FS_TYPE", &source);
		if (is_raid_member(type))
			raid = arena_printf(s->tmp, "%s ID_FS_TYPE of %s", source, b[p].name);
		if (str_eq(type, "LVM2_member") && b[p].holders.n)
			pv = arena_printf(s->tmp, "%s ID_FS_TYPE of %s, its holders", source,
					  b[p].name);
	}
	if (raid)
		warn(s, d, "raid-member", raid, "It belongs to a RAID array");
	if (pv)
		warn(s, d, "pv-in-use", pv, "Logical volumes stand on it");
}

static bool is_path_up(const struct hwp_path *p)
{
	return !p->state.s || !strcmp(p->state.s, "running") || !strcmp(p->state.s, "live");
}

/* Only a disk none of whose paths is of use. */
static void warn_paths(struct survey *s, struct hwp_disk *d)
{
	size_t up = 0;
	for (size_t i = 0; i < d->path_count; i++) {
		const struct hwp_path *p = &d->paths[i];
		if (is_path_up(p) && disk_is_ana_open(p->ana_state.s))
			return;
		up += is_path_up(p);
	}
	if (up)
		warn(s, d, "ana-inaccessible", "paths", "No path gives access to it");
	else if (d->path_count)
		warn(s, d, "no-path", "paths", "None of its paths is up");
}

void disk_find_warnings(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	warn_members(s, b, d);
	if (d->read_only.v)
		warn(s, d, "read-only", d->read_only.source, "It cannot be written to");
	if (str_eq(d->zoned.s, "host-managed"))
		warn(s, d, "zoned-host-managed", d->zoned.source,
		     "Its zones can only be written in sequence");
	warn_paths(s, d);
	if (d->id_conflict.v)
		warn(s, d, "duplicate-id", d->id_conflict.source,
		     "Another disk has the same persistent name");
	if (b->backs_live_root)
		warn(s, d, "backs-live-root", "loop/backing_file",
		     "The running system's root file system lies on it");
}
