/* What only the full format shows of a disk: its partitions, what is on it, where it is attached. */
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk.h"

enum { SECTOR_BYTES = 512 }; /* unit of sysfs "size" and "start" */

static void put_sectors(struct survey *s, struct hwp_num *dst, const struct block_dev *b,
			const char *file)
{
	int64_t sectors, bytes;
	if (attr_num(s, &sectors, "%s/%s", b->dir, file) == 0 && sectors >= 0 &&
	    !__builtin_mul_overflow(sectors, (int64_t)SECTOR_BYTES, &bytes))
		put_num(s, dst, bytes, file);
}

static void put_mounts(struct survey *s, struct hwp_strs *dst, const struct block_dev *b)
{
	for (size_t i = 0; i < b->mounts.n; i++)
		put_strs(s, dst, b->mounts.v[i], "proc/self/mountinfo");
}

static void put_holders(struct survey *s, struct hwp_str *dst, const struct block_dev *b)
{
	char *list = NULL;
	for (size_t i = 0; i < b->holders.n; i++)
		list = arena_printf(s->tmp, "%s%s%s", list ? list : "", list ? "," : "",
				    b->holders.v[i]);
	put_str(s, dst, list, "holders");
}

static void fill(struct survey *s, const struct block_dev *b, struct hwp_partition *p)
{
	put_str(s, &p->name, b->name, "sys/block");
	put_attr_num(s, &p->number, "%s/partition", b->dir);
	put_sectors(s, &p->start_bytes, b, "start");
	put_sectors(s, &p->size_bytes, b, "size");
	block_put_property(s, &p->type, b, "ID_PART_ENTRY_TYPE");
	block_put_property(s, &p->uuid, b, "ID_PART_ENTRY_UUID");
	const char *source, *name = block_property(b, "ID_PART_ENTRY_NAME", &source);
	char *label = arena_dup(s->tmp, name);
	put_str(s, &p->label, label ? udev_decode(label) : NULL,
		arena_printf(s->tmp, "%s ID_PART_ENTRY_NAME", source));
	block_put_property(s, &p->fs_type, b, "ID_FS_TYPE");
	block_put_property(s, &p->fs_uuid, b, "ID_FS_UUID");
	block_put_property(s, &p->fs_label, b, "ID_FS_LABEL");
	put_mounts(s, &p->mounts, b);
	put_holders(s, &p->holders, b);
}

/* "0000:03:00.0": the last PCI function on the way to the disk. */
static bool is_pci_address(const char *text, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t domain = strspn(text, digits);
	const char *p = text + domain;
	return domain >= 4 && n == domain + strlen(":bb:dd.f") && p[0] == ':' &&
	       strspn(p + 1, digits) == 2 && p[3] == ':' && strspn(p + 4, digits) == 2 &&
	       p[6] == '.' && strspn(p + 7, digits) >= 1;
}

char *pci_address_in(struct arena *a, const char *path)
{
	char *found = NULL;
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		size_t n = strcspn(p, "/");
		if (is_pci_address(p, n))
			found = arena_copy(a, p, n);
	}
	return found;
}

/* The nearest folder on the way up that knows its node; -1 = no node. */
static void put_numa_node(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	char *dir = arena_dup(s->tmp, b->real);
	int64_t node;
	for (char *slash; dir && (slash = strrchr(dir, '/'));) {
		if (attr_num(s, &node, "%s/numa_node", dir) == 0) {
			if (node >= 0)
				put_num(s, &d->numa_node, node,
					arena_printf(s->tmp, "%s/numa_node", dir));
			return;
		}
		*slash = '\0';
	}
}

void disk_find_more(struct survey *s, const struct block_dev *b, struct hwp_disk *d)
{
	struct hwp_partition *parts = NULL;
	for (size_t i = 1; i <= b->parts; i++) { /* they follow their disk */
		struct hwp_partition *p =
			arena_append(s->mem, &parts, &d->partition_count, sizeof(*p));
		if (!p)
			return;
		d->partitions = parts;
		fill(s, b + i, p);
	}
	block_put_property(s, &d->fs_type, b, "ID_FS_TYPE");
	block_put_property(s, &d->fs_uuid, b, "ID_FS_UUID");
	block_put_property(s, &d->fs_label, b, "ID_FS_LABEL");
	block_put_property(s, &d->partition_table, b, "ID_PART_TABLE_TYPE");
	block_put_property(s, &d->partition_table_uuid, b, "ID_PART_TABLE_UUID");
	put_mounts(s, &d->mounts, b);
	put_str(s, &d->pci_address, pci_address_in(s->tmp, b->real), "sysfs path");
	put_numa_node(s, b, d);
}
