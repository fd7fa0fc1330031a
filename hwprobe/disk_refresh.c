#include "hwprobe/disk_refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"
#include "hwprobe/disk_facts.h"
#include "hwprobe/disk_merge.h"

/* What is looked at, and what is known of it. */
struct look {
	struct hwp_ctx *ctx;
	const struct hwp_inventory *last;
	struct arena tmp;
	struct root_names there; /* all that stands in sys/block */
	struct root_names named; /* whole disks to look at, there or gone */
	struct root_names only;  /* those of them that are there, and all memory disks */
};

static void inventory_freep(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

static void look_done(struct look *l)
{
	arena_done(&l->tmp);
}

static bool has_name(const struct root_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->v[i], name))
			return true;
	return false;
}

static void add_name(struct look *l, struct root_names *names, const char *name)
{
	char **slot = arena_append(&l->tmp, &names->v, &names->n, sizeof(*slot));
	if (slot)
		*slot = (char *)name;
}

/* --- before the look: can these disks be looked at by themselves? ------------------------------------------------ */

/* Devices that stand on others; by name, because what they stood on is forgotten when they are gone. */
static bool is_stacked_name(const char *name)
{
	static const char *const prefixes[] = { "dm-", "md", "bcache", "nvme-subsys" };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return disk_is_nvme_path(name);
}

/* Are there paths of namespaces? Then a namespace shows what those say. */
static bool has_paths(const struct look *l)
{
	for (size_t i = 0; i < l->there.n; i++)
		if (disk_is_nvme_path(l->there.v[i]))
			return true;
	return false;
}

static bool is_holder(const struct disk_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n; i++)
		for (size_t k = 0; k < facts->v[i].holder_count; k++)
			if (!strcmp(facts->v[i].holders[k], name))
				return true;
	return false;
}

static bool stands_on_others(struct look *l, const char *name)
{
	struct root_names slaves = { 0 };
	char *path = arena_printf(&l->tmp, "sys/block/%s/slaves", name);
	return path && root_list(&l->ctx->root, &l->tmp, path, &slaves) == 0 && slaves.n;
}

static bool is_alone(const struct hwp_inventory *inv, const struct disk_fact *f)
{
	return f->has_udev && !f->is_shared && !f->holder_count &&
	       (f->disk < 0 || !inv->disks[f->disk].id_conflict.source);
}

static bool may_look_at(struct look *l, const char *name)
{
	const struct disk_facts *facts = l->last->facts;
	const struct disk_fact *was = disk_facts_find(facts, name);
	if (is_stacked_name(name) || is_holder(facts, name) || (was && !is_alone(l->last, was)))
		return false;
	return !(str_starts(name, "nvme") && has_paths(l)) && !stands_on_others(l, name);
}

/* Those of @names that are disks, and those that came or went besides. */
static void find_named(struct look *l, const struct root_names *names)
{
	const struct disk_facts *facts = l->last->facts;
	for (size_t i = 0; i < names->n; i++)
		if (!block_is_memory_disk(names->v[i]) && !has_name(&l->named, names->v[i]))
			add_name(l, &l->named, names->v[i]);
	for (size_t i = 0; i < l->there.n; i++) {
		char *name = l->there.v[i];
		if (!block_is_memory_disk(name) && !disk_facts_find(facts, name) &&
		    !has_name(&l->named, name))
			add_name(l, &l->named, name);
	}
	for (size_t i = 0, k = 0; i < facts->n; i++) { /* both are in natural order */
		while (k < l->there.n && strverscmp(l->there.v[k], facts->v[i].name) < 0)
			k++;
		if ((k == l->there.n || strcmp(l->there.v[k], facts->v[i].name)) &&
		    !has_name(&l->named, facts->v[i].name))
			add_name(l, &l->named, facts->v[i].name);
	}
}

static int begin(struct look *l, const struct root_names *names)
{
	const struct hwp_inventory *last = l->last;
	if (!(last->parts & HWP_DISKS) || !last->facts || last->facts->ctx != l->ctx ||
	    last->degraded.n || !root_is_dir(&l->ctx->root, "run/udev/data"))
		return -EAGAIN;
	int rc = root_list(&l->ctx->root, &l->tmp, "sys/block", &l->there);
	if (rc < 0)
		return -EAGAIN; /* the whole look tells why */
	find_named(l, names);
	if (l->named.n > DISK_NAMES_MAX)
		return -EAGAIN;
	for (size_t i = 0; i < l->named.n; i++)
		if (!may_look_at(l, l->named.v[i]))
			return -EAGAIN;
	for (size_t i = 0; i < l->there.n; i++)
		if (block_is_memory_disk(l->there.v[i]) || has_name(&l->named, l->there.v[i]))
			add_name(l, &l->only, l->there.v[i]);
	return l->tmp.has_failed ? -ENOMEM : 0;
}

/* --- after it: are the others what they were? --------------------------------------------------------------------- */

static bool is_claimed(const struct disk_fact *f, const struct disk_fact *by)
{
	for (size_t i = 0; i < f->link_count; i++)
		for (size_t k = 0; k < by->link_count; k++)
			if (!strcmp(f->links[i], by->links[k]))
				return true;
	return f->id_path && str_eq(f->id_path, by->id_path);
}

static bool has_same_id(const struct hwp_disk *a, const struct hwp_disk *b)
{
	const struct hwp_str *const x[] = { &a->id, &a->by_id, &a->by_path, &a->path };
	const struct hwp_str *const y[] = { &b->id, &b->by_id, &b->by_path, &b->path };
	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		for (size_t k = 0; k < ARRAY_SIZE(y); k++)
			if (x[i]->s && str_eq(x[i]->s, y[k]->s))
				return true;
	return false;
}

/* Does a device that stays have a name in common with this one? */
static bool has_ties(const struct look *l, const struct hwp_inventory *inv,
		     const struct disk_fact *f)
{
	const struct hwp_inventory *last = l->last;
	for (size_t i = 0; i < last->facts->n; i++) {
		const struct disk_fact *other = &last->facts->v[i];
		if (has_name(&l->named, other->name))
			continue;
		if (is_claimed(f, other))
			return true;
		if (f->disk >= 0 && other->disk >= 0 &&
		    has_same_id(&inv->disks[f->disk], &last->disks[other->disk]))
			return true;
	}
	return false;
}

/* Without a record the names of a disk are the links that lead to it, and those another disk may take away (disk_link.c). */
static bool is_named_by_links(const struct hwp_inventory *inv, const struct disk_fact *f)
{
	return f->disk >= 0 && !f->has_udev &&
	       (inv->disks[f->disk].by_id.s || inv->disks[f->disk].by_path.s);
}

/* What the disks that stay say holds only as long as udev is known to run. */
static bool do_others_hold(const struct look *l)
{
	const struct disk_facts *facts = l->last->facts;
	bool has_udev = false, has_any = false;
	for (size_t i = 0; i < facts->n; i++) {
		const struct disk_fact *f = &facts->v[i];
		if (has_name(&l->named, f->name))
			continue;
		has_any = true;
		has_udev |= f->has_udev;
		if (is_named_by_links(l->last, f))
			return false;
	}
	return has_udev || !has_any;
}

static bool is_whole(const struct look *l, const struct hwp_inventory *now)
{
	const struct hwp_inventory *last = l->last;
	if (!now->facts || now->degraded.n || now->facts->use != last->facts->use)
		return false;
	if (!do_others_hold(l))
		return false;
	for (size_t i = 0; i < now->facts->n; i++) {
		const struct disk_fact *f = &now->facts->v[i];
		if (!is_alone(now, f) || has_ties(l, now, f))
			return false;
	}
	for (size_t i = 0; i < l->named.n; i++) {
		const struct disk_fact *was = disk_facts_find(last->facts, l->named.v[i]);
		if (was && has_ties(l, last, was))
			return false;
	}
	return true;
}

int disk_refresh(struct hwp_ctx *ctx, struct hwp_inventory *last, const struct root_names *names,
		 struct hwp_inventory **ret_inv)
{
	AUTO(look_done) struct look l = { .ctx = ctx, .last = last };
	AUTO(inventory_freep) struct hwp_inventory *now = NULL;
	int rc = begin(&l, names);
	if (!rc)
		rc = context_probe(ctx, HWP_DISKS, &l.only, &now);
	if (rc < 0)
		return rc;
	if (!is_whole(&l, now))
		return -EAGAIN;
	return disk_merge(last, now, &l.named, ret_inv);
}
