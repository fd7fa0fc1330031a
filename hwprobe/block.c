#include "hwprobe/block.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/mounts.h"
#include "hwprobe/record.h"
#include "hwprobe/udev_live.h"

bool block_is_memory_disk(const char *name)
{
	static const char *const prefixes[] = { "loop", "zram", "ram" };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

static bool device_number(char *text, unsigned *ret_major, unsigned *ret_minor)
{
	uint64_t major, minor;
	char *colon = strchr(text, ':');
	if (!colon)
		return false;
	*colon = '\0';
	if (str_to_u64(text, &major) < 0 || str_to_u64(colon + 1, &minor) < 0 ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return true;
}

static void read_number(struct survey *s, struct block_dev *d)
{
	char *text = attr_text(s, "%s/dev", d->dir);
	if (!text)
		return;
	d->has_number = device_number(text, &d->major, &d->minor);
	if (!d->has_number)
		survey_error(s, arena_printf(s->tmp, "%s/dev", d->dir), EBADMSG,
			     "no device number");
}

/* The database has a newer format than is known here. */
static void ask_libudev(struct survey *s, struct block_dev *d, const char *path)
{
	AUTO(freep) char *text = NULL;
	size_t len = 0;
	int priority = d->udev.link_priority; /* libudev does not tell it */
	if (udev_live_record(d->major, d->minor, &text, &len) < 0)
		return;
	char *copy = arena_printf(s->tmp, "%sL:%d\n", text, priority);
	if (!copy)
		return;
	record_file(s->root, path, copy, strlen(copy));
	udev_record_parse(&d->udev, s->tmp, copy, strlen(copy));
}

static void read_udev(struct survey *s, struct block_dev *d)
{
	char path[64], *text = NULL;
	size_t len = 0;
	if (!d->has_number || s->opt->flags & HWP_NO_UDEV)
		return;
	snprintf(path, sizeof(path), "run/udev/data/b%u:%u", d->major, d->minor);
	if (attr_file(s, path, UDEV_RECORD_MAX, &text, &len) == 0)
		survey_udev(s, &d->udev, path, text, len);
	if (s->root->is_live && d->udev.version > UDEV_VERSION_KNOWN)
		ask_libudev(s, d, path);
}

bool block_is_stable_link(const char *link)
{
	return str_starts(link, "disk/by-id/wwn-") || str_starts(link, "disk/by-id/nvme-eui");
}

/* Several devices may claim a link (multipath: all legs and the map); the highest priority has it, udev(7) link_priority. */
static void note_links(struct block_map *m, size_t index)
{
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&m->v[index].udev, &pos));) {
		if (!block_is_stable_link(l))
			continue;
		long first = strmap_get(&m->links, l);
		int lead = first == STRMAP_NONE ? 1
						: m->v[index].udev.link_priority -
							  m->v[first].udev.link_priority;
		if (lead > 0)
			strmap_set(&m->links, l, (long)index);
		if (lead >= 0 && (size_t)first != index)
			strmap_set(&m->tied, l, lead == 0);
	}
}

static struct block_dev *add(struct survey *s, struct block_map *m, const char *name,
			     const char *dir, long parent)
{
	if (!name || !dir || m->n == BLOCK_DEVICES_MAX)
		return NULL;
	struct block_dev *d = arena_append(s->tmp, &m->v, &m->n, sizeof(*d));
	if (!d)
		return NULL;
	*d = (struct block_dev){ .name = name, .dir = dir, .parent = parent };
	read_number(s, d);
	read_udev(s, d);
	m->has_udev |= d->udev.is_there;
	d->holders = attr_list(s, "%s/holders", dir);
	strmap_set(&m->names, name, (long)m->n - 1);
	note_links(m, m->n - 1);
	const char *id_path = parent < 0 ? udev_get(&d->udev, "ID_PATH") : NULL;
	if (id_path)
		strmap_set(&m->id_paths, id_path, MAX_OF(strmap_get(&m->id_paths, id_path), 0) + 1);
	return d;
}

static void add_partition(struct survey *s, struct block_map *m, size_t disk, char *name)
{
	const char *dir = m->v[disk].dir;
	if (attr_text(s, "%s/%s/partition", dir, name) &&
	    add(s, m, name, arena_printf(s->tmp, "%s/%s", dir, name), (long)disk))
		m->v[disk].parts++;
}

/* Partitions are the sub-folders that start with the disk's name ("sda1", "nvme0n1p1") and have a number. */
static void add_partitions(struct survey *s, struct block_map *m, size_t disk)
{
	const char *name = m->v[disk].name;
	if (m->has_parts) {
		for (long i = strmap_get(&m->parts, name); i != STRMAP_NONE;
		     i = m->part_names[i].next)
			add_partition(s, m, disk, m->part_names[i].name);
		return;
	}
	struct root_names names = attr_list(s, "%s", m->v[disk].dir);
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], name))
			add_partition(s, m, disk, names.v[i]);
}

/*
 * The disk whose name it starts with, by the rule of add_partition() in block/partitions/core.c: "sda1", but "nvme0n1p1". Names of arrays
 * are free: "md_5p1" may be of "md_5" or of "md_5p", then its folder tells.
 */
static char *disk_of(struct survey *s, const struct strmap *disks, const char *part)
{
	size_t n = strlen(part);
	while (n > 0 && isdigit((unsigned char)part[n - 1]))
		n--;
	char *disk = part[n] ? arena_copy(s->tmp, part, n) : NULL;
	if (!disk)
		return NULL;
	bool has_disk = strmap_get(disks, disk) != STRMAP_NONE;
	if (n < 2 || disk[n - 1] != 'p' || !isdigit((unsigned char)disk[n - 2]))
		return has_disk ? disk : NULL;
	const char *dir = has_disk ? arena_printf(s->tmp, "sys/block/%s/%s", disk, part) : NULL;
	if (dir && root_is_dir(s->root, dir))
		return disk;
	disk[n - 1] = '\0';
	return strmap_get(disks, disk) != STRMAP_NONE ? disk : NULL;
}

/*
 * One list of all block devices spares that of each disk's folder. Recorded trees have the folders in any case, so they are what
 * is recorded and replayed.
 */
static void find_partitions(struct survey *s, struct block_map *m, const struct root_names *disks)
{
	if (!s->root->is_live || s->root->record_fd >= 0 || s->only)
		return;
	struct strmap names = { .arena = s->tmp };
	for (size_t i = 0; i < disks->n; i++)
		strmap_set(&names, disks->v[i], 1);
	struct root_names all = attr_list(s, "sys/class/block");
	m->has_parts = all.n > 0;
	for (size_t i = all.n; i > 0; i--) { /* from the end: each becomes the first of its list */
		char *name = all.v[i - 1];
		char *disk = strmap_get(&names, name) == STRMAP_NONE ? disk_of(s, &names, name)
								     : NULL;
		struct block_part_name *p =
			disk ? arena_append(s->tmp, &m->part_names, &m->part_name_count, sizeof(*p))
			     : NULL;
		if (!p)
			continue;
		*p = (struct block_part_name){ .name = name, .next = strmap_get(&m->parts, disk) };
		strmap_set(&m->parts, disk, (long)m->part_name_count - 1);
	}
}

static void note_loop(struct survey *s, struct block_map *m, char *name)
{
	char **slot = str_starts(name, "loop")
			      ? arena_append(s->tmp, &m->loops.v, &m->loops.n, sizeof(*slot))
			      : NULL;
	if (slot)
		*slot = name;
}

void block_map_read(struct survey *s, struct block_map *ret)
{
	*ret = (struct block_map){ .names.arena = s->tmp,
				   .id_paths.arena = s->tmp,
				   .links.arena = s->tmp,
				   .tied.arena = s->tmp,
				   .ids.arena = s->tmp,
				   .parts.arena = s->tmp };
	struct root_names names = s->only ? *s->only : attr_list(s, "sys/block");
	find_partitions(s, ret, &names);
	ret->has_dev_links = root_is_dir(s->root, "dev/disk");
	for (size_t i = 0; i < names.n; i++) {
		if (block_is_memory_disk(names.v[i])) {
			note_loop(s, ret, names.v[i]);
			continue;
		}
		size_t disk = ret->n;
		struct block_dev *d = add(s, ret, names.v[i],
					  arena_printf(s->tmp, "sys/block/%s", names.v[i]), -1);
		if (!d)
			continue;
		d->real = attr_real(s, d->dir);
		if (str_starts(d->name, "dm-")) {
			d->dm_uuid = attr_text(s, "%s/dm/uuid", d->dir);
			d->dm_name = attr_text(s, "%s/dm/name", d->dir);
		}
		add_partitions(s, ret, disk);
	}
}

struct block_dev *block_by_name(const struct block_map *m, const char *name)
{
	long i = strmap_get(&m->names, name);
	return i == STRMAP_NONE ? NULL : &m->v[i];
}

static struct block_dev *by_dm_name(const struct block_map *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].dm_name, name))
			return &m->v[i];
	return NULL;
}

struct block_dev *block_by_node(struct survey *s, const struct block_map *m, const char *node)
{
	if (!str_starts(node, "/dev/"))
		return NULL;
	const char *rest = node + strlen("/dev/");
	if (str_starts(rest, "mapper/"))
		return by_dm_name(m, rest + strlen("mapper/"));

	char *name = arena_dup(s->tmp, rest);
	for (char *p = name; p && *p; p++)
		if (*p == '/')
			*p = '!'; /* sysfs has no slashes in names */
	struct block_dev *d = name ? block_by_name(m, name) : NULL;
	if (d)
		return d;
	char *target = attr_link_name(s, "dev/%s", rest);
	return target ? block_by_name(m, target) : NULL;
}

const char *block_property(const struct block_dev *dev, const char *key, const char **ret_source)
{
	const char *value = udev_get(&dev->udev, key);
	if (ret_source)
		*ret_source = value ? "udev" : "libblkid";
	return value ? value : udev_get(&dev->blkid, key);
}

bool block_put_property(struct survey *s, struct hwp_str *dst, const struct block_dev *dev,
			const char *key)
{
	const char *source, *value = block_property(dev, key, &source);
	return put_str(s, dst, value, arena_printf(s->tmp, "%s %s", source, key));
}

/* --- use ------------------------------------------------------------------------------------------------- */

static struct block_dev *by_number(const struct block_map *m, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].has_number && m->v[i].major == major && m->v[i].minor == minor)
			return &m->v[i];
	return NULL;
}

/* FNV-1a, 64 bits. */
static void note_use(struct block_map *m, const char *text)
{
	for (; *text; text++)
		m->use = (m->use ^ (unsigned char)*text) * 0x100000001b3;
	m->use *= 0x100000001b3; /* where it ends counts, too */
}

static void note_mount(struct survey *s, struct block_map *m, const struct mount *mount)
{
	char *device = arena_printf(s->tmp, "%u:%u", mount->major, mount->minor);
	note_use(m, device ? device : "");
	note_use(m, mount->point);
	note_use(m, mount->source);
}

static void add_mount(struct survey *s, struct block_dev *d, const struct mount *mount)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->mounts.n; i++)
		if (!strcmp(d->mounts.v[i], mount->point))
			return;
	char **slot = arena_append(s->tmp, &d->mounts.v, &d->mounts.n, sizeof(*slot));
	if (slot)
		*slot = (char *)mount->point;
	d->has_iso_mount |= str_ends(mount->point, "iso");
}

/*
 * btrfs has anonymous numbers and names one member as its source; bcachefs has the number of its first member and joins
 * all of them in the source: "/dev/sdc1:/dev/sdc2".
 */
static void add_mount_by_source(struct survey *s, struct block_map *m, const struct mount *mount)
{
	if (!str_starts(mount->source, "/dev/") ||
	    (mount->major && !strstr(mount->source, ":/dev/")))
		return;
	char *list = arena_dup(s->tmp, mount->source);
	while (list && *list) {
		char *next = strstr(list, ":/dev/");
		if (next)
			*next++ = '\0';
		add_mount(s, block_by_node(s, m, list), mount);
		list = next;
	}
}

static void read_swaps(struct survey *s, struct block_map *m)
{
	char *text = NULL;
	if (attr_file(s, "proc/swaps", ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	/* The head line is always there (swap_show() in mm/swapfile.c). */
	if (*text && !str_starts(text, "Filename"))
		survey_error(s, "proc/swaps", EBADMSG, "not a table of swap areas");
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " \t")] =
			'\0'; /* the first column; the head line names no device */
		note_use(m, line);
		struct block_dev *d = block_by_node(s, m, line);
		if (d)
			d->is_swap = true;
	}
}

/* A mounted btrfs lists all of its members; the mount table shows one. */
static void read_btrfs(struct survey *s, struct block_map *m)
{
	struct root_names systems = attr_list(s, "sys/fs/btrfs");
	for (size_t i = 0; i < systems.n; i++) {
		struct root_names members = attr_list(s, "sys/fs/btrfs/%s/devices", systems.v[i]);
		static const struct mount mounted = { .point = "(btrfs)" };
		for (size_t k = 0; k < members.n; k++) {
			note_use(m, members.v[k]);
			struct block_dev *d = block_by_name(m, members.v[k]);
			if (d && !d->mounts.n)
				add_mount(s, d, &mounted);
		}
	}
}

void block_map_read_use(struct survey *s, struct block_map *m)
{
	m->use = 0xcbf29ce484222325;
	const struct mount_table *t = survey_mounts(s);
	for (size_t i = 0; i < t->n; i++) {
		note_mount(s, m, &t->v[i]);
		if (t->v[i].major)
			add_mount(s, by_number(m, t->v[i].major, t->v[i].minor), &t->v[i]);
		add_mount_by_source(s, m, &t->v[i]);
	}
	read_btrfs(s, m);
	read_swaps(s, m);
	block_map_read_live(s, m);
}

bool block_is_used(const struct block_dev *dev)
{
	return dev->mounts.n || dev->is_swap;
}

/*
 * Looks at all that stands on @dev and its partitions, each device once; the first that matches. @dev itself is not asked,
 * nor are the partitions of the disk that the walk starts from.
 */
static const struct block_dev *find_above(struct block_map *m, const struct block_dev *dev,
					  bool (*match)(const struct block_dev *), int depth)
{
	if (depth > BLOCK_DEPTH_MAX)
		return NULL;
	for (size_t i = 0; i < dev->holders.n; i++) {
		struct block_dev *h = block_by_name(m, dev->holders.v[i]);
		if (!h || h->seen == m->walk)
			continue;
		h->seen = m->walk;
		const struct block_dev *found = match(h) ? h : find_above(m, h, match, depth + 1);
		if (found)
			return found;
	}
	for (size_t p = 1; p <= dev->parts; p++) {
		const struct block_dev *part = dev + p;
		const struct block_dev *found =
			depth && match(part) ? part : find_above(m, part, match, depth + 1);
		if (found)
			return found;
	}
	return NULL;
}

const struct block_dev *block_user(struct block_map *m, const struct block_dev *dev)
{
	m->walk++;
	return find_above(m, dev, block_is_used, 0);
}

static bool has_iso(const struct block_dev *dev)
{
	return dev->has_iso_mount;
}

bool block_has_iso_mount(struct block_map *m, const struct block_dev *dev)
{
	m->walk++;
	for (size_t p = 0; p <= dev->parts; p++)
		if (has_iso(dev + p))
			return true;
	return find_above(m, dev, has_iso, 0);
}
