#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"
#include "hwprobe/disk_facts.h"

enum { SECTOR_BYTES = 512 }; /* unit of sysfs "size", whatever the device's blocks are */

/* openshift-appliance: a dm device of this name stands for all disks. */
#define APPLIANCE_PREFIX "agent"
#define APPLIANCE_BYTES (100LL << 30)

bool disk_is_multipath(const struct block_dev *b)
{
	return b->dm_uuid && str_starts(b->dm_uuid, "mpath-");
}

bool disk_is_lvm(const struct block_dev *b)
{
	return b->dm_uuid && str_starts(b->dm_uuid, "LVM-");
}

char *disk_ancestor(struct survey *s, const struct block_dev *b, const char *prefix)
{
	size_t len = strlen(prefix);
	for (const char *p = b->real; p; p = strchr(p, '/')) {
		p += *p == '/';
		size_t n = strcspn(p, "/");
		if (n > len && !strncmp(p, prefix, len) && strspn(p + len, "0123456789") == n - len)
			return arena_copy(s->tmp, p, n);
	}
	return NULL;
}

static int64_t size_bytes(struct survey *s, const struct block_dev *b)
{
	int64_t sectors, bytes;
	if (attr_num(s, &sectors, "%s/size", b->dir) < 0)
		return 0; /* absent, or told already */
	if (sectors >= 0 && !__builtin_mul_overflow(sectors, (int64_t)SECTOR_BYTES, &bytes))
		return bytes;
	survey_error(s, arena_printf(s->tmp, "%s/size", b->dir), ERANGE,
		     "%" PRId64 " sectors are not the size of a disk", sectors);
	return 0;
}

/* Is it a disk that people would call one? */
static bool is_listed(struct survey *s, const struct block_dev *b, int64_t bytes)
{
	if (b->parent >= 0 || attr_is_one(s, "%s/hidden", b->dir)) /* hidden: NVMe path devices */
		return false;
	if (str_starts(b->name, "dm-"))
		return disk_is_multipath(b) || disk_is_lvm(b);
	if (bytes || str_starts(b->name, "sr"))
		return true;
	/* Empty floppy drives and card readers, virtual media without an image. */
	return !str_starts(b->name, "fd") && !attr_is_one(s, "%s/removable", b->dir);
}

static void find_more(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	static const struct {
		const char *file;
		size_t offset;
	} numbers[] = {
		{ "queue/logical_block_size", offsetof(struct hwp_disk, logical_block_size) },
		{ "queue/physical_block_size", offsetof(struct hwp_disk, physical_block_size) },
		{ "diskseq", offsetof(struct hwp_disk, diskseq) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		put_attr_num(s, (struct hwp_num *)((char *)d + numbers[i].offset), "%s/%s", b->dir,
			     numbers[i].file);
	put_bool(s, &d->read_only, attr_is_one(s, "%s/ro", b->dir), "ro");
}

static void add_disk(struct survey *s, struct block_map *m, struct block_dev *b, int64_t bytes)
{
	struct hwp_inventory *inv = s->inv;
	struct hwp_disk *d = arena_append(s->mem, &inv->disks, &inv->disk_count, sizeof(*d));
	if (!d)
		return;
	put_num(s, &d->size_bytes, bytes, "size");
	put_bool(s, &d->removable, attr_is_one(s, "%s/removable", b->dir), "removable");
	disk_find_identity(s, m, b, d);
	disk_find_type(s, b, d);
	find_more(s, b, d);
	disk_find_bootable(s, b, d);
	disk_find_signatures(s, b, d);
	disk_find_eligibility(s, m, b, d);
	if (s->opt->flags & HWP_SMART)
		disk_find_smart(s, b, d);
	if (!(s->opt->flags & HWP_MORE))
		return;
	disk_find_more(s, b, d);
	disk_find_details(s, m, b, d);
	disk_find_fabric(s, m, b, d);
	disk_find_users(s, m, b, d);
}

/* The only disk of an appliance; true = found. */
static bool add_appliance(struct survey *s, struct block_map *m)
{
	for (size_t i = 0; i < m->n && !(s->opt->flags & HWP_NO_APPLIANCE); i++) {
		const struct block_dev *b = &m->v[i];
		if (!b->dm_name || !str_starts(b->dm_name, APPLIANCE_PREFIX))
			continue;
		struct hwp_disk *d =
			arena_append(s->mem, &s->inv->disks, &s->inv->disk_count, sizeof(*d));
		if (!d)
			return true;
		disk_find_identity(s, m, b, d);
		put_num(s, &d->size_bytes, APPLIANCE_BYTES, "appliance");
		put_str(s, &d->drive_type, "SSD", "appliance");
		return true;
	}
	return false;
}

/* Once all disks are known: two with one name are told from each other only then. */
static void find_warnings(struct survey *s, const struct block_map *m)
{
	for (size_t i = 0; i < s->inv->disk_count; i++) {
		struct hwp_disk *d = &s->inv->disks[i];
		const struct block_dev *b = block_by_node(s, m, d->path.s);
		if (b)
			disk_find_warnings(s, b, d);
	}
}

static void run(struct survey *s)
{
	struct block_map m;
	block_map_read(s, &m);
	if (m.n && !m.has_udev)
		put_strs(s, &s->inv->degraded, "udev", "run/udev/data");
	if (add_appliance(s, &m))
		return;
	block_map_read_use(s, &m);
	for (size_t i = 0; i < m.n; i++) {
		struct block_dev *b = &m.v[i];
		int64_t bytes = b->parent < 0 ? size_bytes(s, b) : 0;
		if (!is_listed(s, b, bytes) || (uint64_t)bytes < s->opt->disk_min_bytes)
			continue;
		add_disk(s, &m, b, bytes);
	}
	if (s->opt->flags & HWP_MORE)
		find_warnings(s, &m);
	disk_facts_note(s, &m);
}

const struct probe probe_disks = { .name = "disks", .part = HWP_DISKS, .run = run };
