#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

#define BY_ID "disk/by-id/"
#define BY_PATH "disk/by-path/"

/* The kinds of by-id link that stay with the medium; the others carry model names, or move between namespaces. */
static bool is_stable(const char *link)
{
	return str_starts(link, BY_ID "wwn-") || str_starts(link, BY_ID "nvme-eui");
}

static bool claims(const struct block_dev *b, const char *link)
{
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&b->udev, &pos));)
		if (!strcmp(l, link))
			return true;
	return false;
}

/* Several devices may claim a link (multipath: all legs and the map); the highest priority has it, udev(7) link_priority. */
static bool owns(const struct block_map *m, const struct block_dev *b, const char *link)
{
	for (size_t i = 0; i < m->n && b->udev.link_priority < m->priority_max; i++) {
		const struct block_dev *other = &m->v[i];
		if (other->udev.link_priority > b->udev.link_priority && claims(other, link))
			return false;
	}
	return true;
}

static const char *best_udev_link(const struct block_map *m, const struct block_dev *b)
{
	const char *best = NULL;
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&b->udev, &pos));)
		if (is_stable(l) && (!best || strcmp(l, best) > 0) && owns(m, b, l))
			best = l;
	return best;
}

/* Without a database: the links in /dev themselves. @is_wanted filters; the byte-wise last wins. */
static const char *best_dev_link(struct survey *s, const struct block_dev *b, const char *dir,
				 bool (*is_wanted)(const char *))
{
	const char *best = NULL;
	struct root_names names = attr_list(s, "dev/%s", dir);
	for (size_t i = 0; i < names.n; i++) {
		char *link = arena_printf(s->tmp, "%s%s", dir, names.v[i]);
		if (!link || !is_wanted(link) || (best && strcmp(link, best) < 0))
			continue;
		if (str_eq(attr_link_name(s, "dev/%s", link), b->name))
			best = link;
	}
	return best;
}

static bool is_any(const char *link)
{
	return true;
}

static const char *udev_by_path(struct survey *s, const struct block_map *m,
				const struct block_dev *b)
{
	const char *id_path = udev_get(&b->udev, "ID_PATH");
	char *link = id_path ? arena_printf(s->tmp, BY_PATH "%s", id_path) : NULL;
	if (!link || strmap_get(&m->id_paths, id_path) != 1)
		return NULL;
	if (claims(b, link) || str_eq(attr_link_name(s, "dev/%s", link), b->name))
		return link;
	return NULL;
}

/* The name that this disk should have belongs to another one already: both are told. */
static void note_conflict(struct survey *s, struct block_map *m, struct hwp_disk *d)
{
	struct hwp_inventory *inv = s->inv;
	if (!d->by_id.s || strmap_get(&m->ids, d->by_id.s) == STRMAP_NONE)
		return;
	put_bool(s, &d->id_conflict, true, "by_id");
	for (size_t i = 0; i < inv->disk_count; i++)
		if (str_eq(inv->disks[i].by_id.s, d->by_id.s))
			put_bool(s, &inv->disks[i].id_conflict, true, "by_id");
}

void disk_find_links(struct survey *s, struct block_map *m, const struct block_dev *b,
		     struct hwp_disk *d)
{
	bool has_udev = b->udev.is_there;
	const char *id = has_udev ? best_udev_link(m, b) : best_dev_link(s, b, BY_ID, is_stable);
	const char *path = has_udev ? udev_by_path(s, m, b) : best_dev_link(s, b, BY_PATH, is_any);
	const char *source = has_udev ? "udev link" : "dev/disk";
	if (id)
		put_str(s, &d->by_id, arena_printf(s->tmp, "/dev/%s", id), source);
	if (path)
		put_str(s, &d->by_path, arena_printf(s->tmp, "/dev/%s", path), source);

	/* Cloned LUNs and some USB bridges share one id: only the first disk may be known by it. */
	note_conflict(s, m, d);
	const struct hwp_str *const choices[] = { &d->by_id, &d->by_path, &d->path };
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (choices[i]->s && strmap_get(&m->ids, choices[i]->s) == STRMAP_NONE) {
			d->id = *choices[i];
			strmap_set(&m->ids, d->id.s, 1);
			return;
		}
	}
}
