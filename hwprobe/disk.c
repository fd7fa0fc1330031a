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
	if (attr_is_one(s, "%s/hidden", b->dir)) /* NVMe path devices */
		return false;
	if (str_starts(b->name, "dm-"))
		return disk_is_multipath(b) || disk_is_lvm(b);
	if (bytes || str_starts(b->name, "sr"))
		return true;
	/* Empty floppy drives and card readers, virtual media without an image. */
	return !str_starts(b->name, "fd") && !attr_is_one(s, "%s/removable", b->dir);
}

/* Beyond the wire format. */
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
	const char *encoded = udev_get(&b->udev, "ID_MODEL_ENC");
	char *model = encoded ? arena_dup(s->tmp, encoded) : NULL;
	if (!model || !put_str(s, &d->model_full, udev_decode(model), "udev ID_MODEL_ENC"))
		put_attr(s, &d->model_full, NULL, "%s/device/model", b->dir);
	if (!put_attr(s, &d->firmware, NULL, "%s/device/firmware_rev", b->dir))
		put_attr(s, &d->firmware, NULL, "%s/device/rev", b->dir);
}

/* The disks of the pass beside those of the inventory: what they are made from. */
struct disk_list {
	struct disk_item {
		struct block_dev *dev; /* of the map */
		long head;             /* place in @heads; -1 = the device is not read */
	} * v;
	size_t n;
	size_t max; /* whole disks of the map */
	struct device_head *heads;
	size_t head_count;
};

static void plan_head(struct survey *s, const struct block_dev *b, const struct hwp_disk *d,
		      struct disk_list *list)
{
	if (!disk_may_read_head(s, b, d))
		return;
	list->v[list->n - 1].head = (long)list->head_count;
	struct device_head *h = &list->heads[list->head_count++];
	h->path = d->path.s + 1; /* below the root */
	h->wants_descriptor = disk_wants_descriptor(s, b, d);
}

/* What can be told without the device itself. */
static void add_disk(struct survey *s, struct block_map *m, struct block_dev *b, int64_t bytes,
		     struct disk_list *list)
{
	struct hwp_disk *d = &s->inv->disks[s->inv->disk_count++];
	list->v[list->n++] = (struct disk_item){ .dev = b, .head = -1 };
	put_num(s, &d->size_bytes, bytes, "size");
	put_bool(s, &d->removable, attr_is_one(s, "%s/removable", b->dir), "removable");
	disk_find_identity(s, m, b, d);
	disk_find_type(s, b, d);
	if (s->opt->flags & HWP_MORE)
		find_more(s, b, d);
	plan_head(s, b, d, list);
}

/* What needs the first bytes of the device, and what needs that. */
static void finish_disk(struct survey *s, struct block_map *m, struct block_dev *b,
			const struct device_head *head, struct hwp_disk *d)
{
	if (head->path)
		disk_find_bootable(s, head, d);
	disk_find_signatures(s, b, head, d);
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

static void finish_disks(struct survey *s, struct block_map *m, const struct disk_list *list)
{
	static const struct device_head unread = { .path = NULL };
	device_read_heads(s, list->heads, list->head_count);
	for (size_t i = 0; i < list->n; i++) {
		const struct disk_item *item = &list->v[i];
		finish_disk(s, m, item->dev, item->head < 0 ? &unread : &list->heads[item->head],
			    &s->inv->disks[i]);
	}
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

/* Room for all at once: a disk has many values, and arrays that grow would cost more than the reads. */
static bool make_room(struct survey *s, const struct block_map *m, struct disk_list *list)
{
	*list = (struct disk_list){ 0 };
	for (size_t i = 0; i < m->n; i += m->v[i].parts + 1)
		list->max++;
	s->inv->disks = arena_alloc(s->mem, list->max * sizeof(*s->inv->disks));
	list->v = arena_alloc(s->tmp, list->max * sizeof(*list->v));
	list->heads = arena_alloc(s->tmp, list->max * sizeof(*list->heads));
	return s->inv->disks && list->v && list->heads;
}

static void look_at_disk(struct survey *s, struct block_map *m, struct block_dev *b,
			 struct disk_list *list)
{
	root_enter(s->root, b->dir);
	int64_t bytes = size_bytes(s, b);
	if (is_listed(s, b, bytes) && (uint64_t)bytes >= s->opt->disk_min_bytes)
		add_disk(s, m, b, bytes, list);
	root_leave(s->root);
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
	struct disk_list list;
	if (!make_room(s, &m, &list))
		return;
	for (size_t i = 0; i < m.n; i += m.v[i].parts + 1)
		look_at_disk(s, &m, &m.v[i], &list);
	finish_disks(s, &m, &list);
	if (s->opt->flags & HWP_MORE)
		find_warnings(s, &m);
	disk_facts_note(s, &m);
}

const struct probe probe_disks = { .name = "disks", .part = HWP_DISKS, .run = run };
