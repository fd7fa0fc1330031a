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

/* What stands on a disk or one of its partitions, by its kind; the last for all others. */
static const struct {
	const char *kind, *code, *text;
} uses[] = {
	{ "md", "raid-member", "It belongs to a RAID array" },
	{ "raid", "raid-member", "It belongs to a RAID array" },
	{ "lvm", "pv-in-use", "Logical volumes stand on it" },
	{ "multipath", "multipath-member", "It is a path of a multipath device" },
	{ NULL, "in-use", "Another device stands on it" },
};

static bool has_warning(const struct hwp_disk *d, const char *code)
{
	for (size_t i = 0; i < d->warning_count; i++)
		if (!strcmp(d->warnings[i].code, code))
			return true;
	return false;
}

/* kpartx(8) makes maps of the partitions of a map: those are parts of it. */
static bool is_partition_map(const struct hwp_user *u)
{
	return str_eq(u->kind.s, "partition");
}

static bool is_of_disk(const char *name, const struct block_dev *b)
{
	for (size_t p = 0; p <= b->parts; p++)
		if (str_eq(name, b[p].name))
			return true;
	return false;
}

/* Right on the disk or its partitions, not on something that stands there. */
static bool is_right_on(const struct hwp_user *u, const struct block_dev *b,
			const struct hwp_disk *d)
{
	if (is_of_disk(u->on.s, b))
		return true;
	for (size_t i = 0; i < d->user_count; i++) {
		const struct hwp_user *part = &d->users[i];
		if (is_partition_map(part) && is_of_disk(part->on.s, b) &&
		    str_eq(u->on.s, part->name.s))
			return true;
	}
	return false;
}

static void warn_use(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	for (size_t i = 0; i < d->user_count; i++) {
		const struct hwp_user *u = &d->users[i];
		size_t k = 0;
		while (uses[k].kind && !str_eq(u->kind.s, uses[k].kind))
			k++;
		if (!is_partition_map(u) && is_right_on(u, b, d) && !has_warning(d, uses[k].code))
			warn(s, d, uses[k].code, u->name.source, uses[k].text);
	}
}

/* The signature on the disk itself or on one of its partitions, where nothing is seen to stand on it. */
static void warn_members(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	for (size_t p = 0; p <= b->parts; p++) {
		const char *from = NULL, *type = block_property(b + p, "ID_FS_TYPE", &from);
		char *source = arena_printf(s->tmp, "%s ID_FS_TYPE of %s", from, b[p].name);
		if (str_eq(type, "LVM2_member") && b[p].holders.n && !has_warning(d, "pv-in-use"))
			warn(s, d, "pv-in-use", source, "Logical volumes stand on it");
		if (is_raid_member(type) && !has_warning(d, "raid-member"))
			warn(s, d, "raid-member", source, "It belongs to a RAID array");
		if (str_eq(type, "mpath_member") && !has_warning(d, "multipath-member"))
			warn(s, d, "multipath-member", source,
			     "It is a path of a multipath device");
	}
	if (d->md.container.v)
		warn(s, d, "raid-container", d->md.container.source,
		     "It is a set of disks that firmware made, not a disk");
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
	warn_use(s, b, d);
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
