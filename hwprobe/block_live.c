/* The live system: its root file system is an image, in a file, on a disk. */
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/block.h"
#include "hwprobe/mounts.h"

/* Where live systems mount their image: dracut, live-boot, casper, CoreOS. Below the first three, or exactly there. */
static bool is_live_point(const char *point)
{
	return str_starts(point, "/run/") || str_starts(point, "/rofs") ||
	       !strcmp(point, "/sysroot") || !strcmp(point, "/");
}

static bool has_loop_mount(const struct mount_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_starts(t->v[i].source, "/dev/loop"))
			return true;
	return false;
}

static bool has_live_mount(const struct mount_table *t, struct survey *s, const char *loop)
{
	char *number = attr_text(s, "sys/block/%s/dev", loop), *node;
	unsigned major = 0, minor = 0;
	node = arena_printf(s->tmp, "/dev/%s", loop);
	if (!number || !node || sscanf(number, "%u:%u", &major, &minor) != 2)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (((t->v[i].major == major && t->v[i].minor == minor) ||
		     !strcmp(t->v[i].source, node)) &&
		    is_live_point(t->v[i].point))
			return true;
	return false;
}

static bool is_below(const char *path, const char *point)
{
	size_t n = strlen(point);
	return !strncmp(path, point, n) && (path[n] == '/' || n == 1);
}

/* The mount that a file lies in: the longest point; of equal ones the last, which covers the others. */
static const struct mount *mount_of(const struct mount_table *t, const char *file)
{
	const struct mount *best = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (is_below(file, t->v[i].point) &&
		    (!best || strlen(t->v[i].point) >= strlen(best->point)))
			best = &t->v[i];
	return best;
}

static void mark(struct block_map *m, const struct mount *mount)
{
	for (size_t i = 0; mount && i < m->n; i++) {
		struct block_dev *d = &m->v[i];
		if (!d->has_number || d->major != mount->major || d->minor != mount->minor)
			continue;
		struct block_dev *disk = d->parent >= 0 ? &m->v[d->parent] : d;
		disk->backs_live_root = true;
	}
}

void block_map_read_live(struct survey *s, struct block_map *m)
{
	const struct mount_table *t = survey_mounts(s);
	for (size_t i = 0; i < m->loops.n && has_loop_mount(t); i++) {
		const char *loop = m->loops.v[i];
		char *file = attr_text(s, "sys/block/%s/loop/backing_file", loop);
		if (!file || !has_live_mount(t, s, loop))
			continue;
		const struct mount *mount = mount_of(t, file);
		/* An image in the running system's own root is no medium that it was started from. */
		if (mount && strcmp(mount->point, "/"))
			mark(m, mount);
	}
}
