#include "hwprobe/disk_facts.h"

#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"

/* In the way to such a device there is something that other devices hang on, too, and whose state no event of a disk announces. */
static bool is_shared(const struct block_dev *b)
{
	static const char *const parts[] = { "/rport-", "/session", "/nvme-subsys", "/nvme-fabrics",
					     "/nvme-subsystem" };
	for (size_t i = 0; b->real && i < ARRAY_SIZE(parts); i++)
		if (strstr(b->real, parts[i]))
			return true;
	return false;
}

static void add_text(struct survey *s, char ***texts, size_t *n, const char *text)
{
	char **slot = arena_append(s->mem, texts, n, sizeof(*slot));
	if (slot)
		*slot = arena_dup(s->mem, text);
}

static void add_claims(struct survey *s, struct disk_fact *f, const struct block_dev *b)
{
	size_t pos = 0;
	for (const char *l; (l = udev_next_link(&b->udev, &pos));)
		if (block_is_stable_link(l))
			add_text(s, &f->links, &f->link_count, l);
	for (size_t i = 0; i < b->holders.n; i++)
		add_text(s, &f->holders, &f->holder_count, b->holders.v[i]);
}

/* Names of sysfs have "!" where those of nodes have "/". */
static bool is_name_of(const struct hwp_disk *d, const char *name)
{
	const char *p = d->name.s;
	for (; p && *p && *name; p++, name++)
		if (*p != (*name == '!' ? '/' : *name))
			return false;
	return p && !*p && !*name;
}

static void add_fact(struct survey *s, struct disk_facts *facts, const struct block_dev *b,
		     size_t *next)
{
	struct disk_fact *f = arena_append(s->mem, &facts->v, &facts->n, sizeof(*f));
	if (!f)
		return;
	*f = (struct disk_fact){ .name = arena_dup(s->mem, b->name),
				 .disk = -1,
				 .id_path = arena_dup(s->mem, udev_get(&b->udev, "ID_PATH")),
				 .has_udev = b->udev.is_there,
				 .is_shared = is_shared(b) };
	for (size_t p = 0; p <= b->parts; p++)
		add_claims(s, f, b + p);
	/* The inventory has its disks in the order of the map. */
	if (*next < s->inv->disk_count && is_name_of(&s->inv->disks[*next], b->name))
		f->disk = (long)(*next)++;
}

void disk_facts_note(struct survey *s, const struct block_map *m)
{
	struct disk_facts *facts = arena_alloc(s->mem, sizeof(*facts));
	size_t next = 0;
	if (!facts)
		return;
	facts->ctx = s->ctx;
	facts->use = m->use;
	for (size_t i = 0; i < m->n; i += m->v[i].parts + 1)
		add_fact(s, facts, &m->v[i], &next);
	if (next == s->inv->disk_count)
		s->inv->facts = facts;
}

static int by_name(const void *key, const void *item)
{
	return strverscmp(key, ((const struct disk_fact *)item)->name);
}

struct disk_fact *disk_facts_find(const struct disk_facts *facts, const char *name)
{
	return facts->n ? bsearch(name, facts->v, facts->n, sizeof(*facts->v), by_name) : NULL;
}
