#include "hwprobe/disk_merge.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk_facts.h"
#include "hwprobe/disk_refresh.h"

static void inventory_freep(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

/* --- disks ------------------------------------------------------------------------------------------------------- */

static int keep_source(struct hwp_inventory *inv, struct hwp_inventory *source)
{
	for (size_t i = 0; i < inv->source_count; i++)
		if (inv->sources[i] == source)
			return 0;
	if (inv->source_count == DISK_SOURCES_MAX)
		return -EAGAIN;
	struct hwp_inventory **slot =
		arena_append(&inv->mem, &inv->sources, &inv->source_count, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = hwp_ref(source);
	return 0;
}

/* @from: the snapshot that the fact was found in; never one that was put together itself, which would make a chain. */
static int take(struct hwp_inventory *inv, struct disk_facts *facts, struct hwp_inventory *from,
		const struct disk_fact *f)
{
	struct hwp_inventory *source = f->from ? f->from : inventory_origin(from, HWP_DISKS);
	struct disk_fact *copy = arena_append(&inv->mem, &facts->v, &facts->n, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *f;
	copy->from = source;
	if (f->disk >= 0) {
		struct hwp_disk *d =
			arena_append(&inv->mem, &inv->disks, &inv->disk_count, sizeof(*d));
		if (!d)
			return -ENOMEM;
		*d = from->disks[f->disk];
		copy->disk = (long)inv->disk_count - 1;
	}
	return keep_source(inv, source);
}

static bool is_named(const struct root_names *named, const char *name)
{
	for (size_t i = 0; i < named->n; i++)
		if (!strcmp(named->v[i], name))
			return true;
	return false;
}

/* Both lists are in natural order of the names, and so is what comes of them. */
static int take_disks(struct hwp_inventory *inv, struct hwp_inventory *last,
		      struct hwp_inventory *now, const struct root_names *named)
{
	const struct disk_facts *a = last->facts, *b = now->facts;
	struct disk_facts *facts = arena_alloc(&inv->mem, sizeof(*facts));
	size_t k = 0;
	int rc = 0;
	if (!facts)
		return -ENOMEM;
	*facts = (struct disk_facts){ .ctx = b->ctx, .use = b->use };
	for (size_t i = 0; i < a->n && !rc; i++) {
		while (k < b->n && !rc && strverscmp(b->v[k].name, a->v[i].name) < 0)
			rc = take(inv, facts, now, &b->v[k++]);
		if (!rc && !is_named(named, a->v[i].name))
			rc = take(inv, facts, last, &a->v[i]);
	}
	while (k < b->n && !rc)
		rc = take(inv, facts, now, &b->v[k++]);
	inv->facts = facts;
	return rc;
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

/* "sda1" of "sda", "nvme0n1p1" of "nvme0n1": as the kernel makes names of partitions (block/genhd.c, disk_name()). */
static bool is_partition_of(const char *name, size_t len, const char *disk)
{
	size_t n = strlen(disk);
	if (len <= n || strncmp(name, disk, n))
		return false;
	if (n && isdigit((unsigned char)disk[n - 1]) && name[n++] != 'p')
		return false;
	return n < len && strspn(name + n, "0123456789") == len - n;
}

/* Does the file belong to this disk alone? Nodes may stand in folders, for which sysfs has "!". */
static bool is_file_of(const char *source, const char *disk)
{
	char name[256];
	bool is_node = str_starts(source, "dev/");
	if (!is_node && !str_starts(source, "sys/block/"))
		return false;
	source += is_node ? strlen("dev/") : strlen("sys/block/");
	size_t len = is_node ? strlen(source) : strcspn(source, "/");
	if (len >= sizeof(name))
		return false;
	memcpy(name, source, len);
	name[len] = '\0';
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '!';
	return !strcmp(name, disk) || (is_node && is_partition_of(name, len, disk));
}

enum owner { OWNER_NONE, OWNER_NAMED, OWNER_OTHER };

static enum owner owner_of(const struct hwp_error *e, const struct disk_facts *last,
			   const struct root_names *named)
{
	for (size_t i = 0; i < named->n; i++)
		if (is_file_of(e->source, named->v[i]))
			return OWNER_NAMED;
	for (size_t i = 0; i < last->n; i++)
		if (is_file_of(e->source, last->v[i].name))
			return OWNER_OTHER;
	return OWNER_NONE;
}

static bool is_of_disks(const struct hwp_error *e)
{
	return !strcmp(e->part, "disks");
}

static bool has_error(const struct hwp_inventory *inv, const struct hwp_error *e)
{
	for (size_t i = 0; i < inv->error_count; i++)
		if (inv->errors[i].err == e->err && is_of_disks(&inv->errors[i]) &&
		    str_eq(inv->errors[i].source, e->source))
			return true;
	return false;
}

static int take_errors(struct hwp_inventory *inv, const struct hwp_inventory *last,
		       const struct hwp_inventory *now, const struct root_names *named)
{
	for (size_t i = 0; i < last->error_count; i++) {
		const struct hwp_error *e = &last->errors[i];
		enum owner owner = is_of_disks(e) ? owner_of(e, last->facts, named) : OWNER_NAMED;
		if (owner == OWNER_NONE && !has_error(now, e))
			return -EAGAIN;
		if (owner == OWNER_OTHER)
			inventory_add_error(inv, e);
	}
	for (size_t i = 0; i < now->error_count; i++) {
		const struct hwp_error *e = &now->errors[i];
		if (is_of_disks(e) && owner_of(e, last->facts, named) == OWNER_NONE &&
		    !has_error(last, e))
			return -EAGAIN;
		inventory_add_error(inv, e);
	}
	return 0;
}

int disk_merge(struct hwp_inventory *last, struct hwp_inventory *now,
	       const struct root_names *named, struct hwp_inventory **ret_inv)
{
	AUTO(inventory_freep) struct hwp_inventory *inv = inventory_new(HWP_DISKS);
	if (!inv)
		return -ENOMEM;
	int rc = take_disks(inv, last, now, named);
	if (!rc)
		rc = take_errors(inv, last, now, named);
	if (!rc && inv->mem.has_failed)
		rc = -ENOMEM;
	if (rc < 0)
		return rc;
	*ret_inv = TAKE(inv);
	return 0;
}
