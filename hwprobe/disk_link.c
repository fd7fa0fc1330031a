#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

#define BY_ID "disk/by-id/"
#define BY_PATH "disk/by-path/"

static bool claims(const struct block_dev *b, const char *link)
{
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&b->udev, &pos));)
		if (!strcmp(l, link))
			return true;
	return false;
}

/*
 * Does the link lead to this disk? Of several that claim it with the same priority udev takes one, which only the link itself tells: it is
 * *ret_is_tied then. Where /dev is not known all of them have it.
 */
static bool owns(struct survey *s, const struct block_map *m, const struct block_dev *b,
		 const char *link, bool *ret_is_tied)
{
	long first = strmap_get(&m->links, link);
	if (first == STRMAP_NONE || b->udev.link_priority < m->v[first].udev.link_priority)
		return false;
	if (strmap_get(&m->tied, link) != 1)
		return true;
	*ret_is_tied = true;
	const char *node = attr_link_name(s, "dev/%s", link);
	const struct block_dev *owner = node ? block_by_name(m, node) : NULL;
	return !owner || owner == b || !claims(owner, link);
}

static const char *best_udev_link(struct survey *s, const struct block_map *m,
				  const struct block_dev *b, bool *ret_is_tied)
{
	const char *best = NULL;
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&b->udev, &pos));)
		if (block_is_stable_link(l) && (!best || strcmp(l, best) > 0) &&
		    owns(s, m, b, l, ret_is_tied))
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

/* Beside the link of ID_PATH udev makes others: the old one of virtio disks, and one that tells the generation of USB. */
static bool is_id_path(const char *link)
{
	const char *name = link + strlen(BY_PATH);
	return !str_starts(name, "virtio-") && !strstr(name, "-usbv");
}

static const char *dev_by_path(struct survey *s, const struct block_dev *b)
{
	const char *link = best_dev_link(s, b, BY_PATH, is_id_path);
	return link ? link : best_dev_link(s, b, BY_PATH, is_any);
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
	bool is_tied = false;
	const char *id = has_udev ? best_udev_link(s, m, b, &is_tied)
				  : best_dev_link(s, b, BY_ID, block_is_stable_link);
	const char *path = has_udev ? udev_by_path(s, m, b) : dev_by_path(s, b);
	const char *source = has_udev ? "udev link" : "dev/disk";
	if (id)
		put_str(s, &d->by_id, arena_printf(s->tmp, "/dev/%s", id), source);
	if (path)
		put_str(s, &d->by_path, arena_printf(s->tmp, "/dev/%s", path), source);

	/* Cloned LUNs and some USB bridges share one id: only one disk may be known by it. */
	if (is_tied)
		put_bool(s, &d->id_conflict, true, "by_id");
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
