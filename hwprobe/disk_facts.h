#pragma once
/*
 * What a look at the disks keeps of every device, listed or not, so that a later look at a few of them can tell whether the others are
 * still what they were (disk_refresh.c).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hwprobe/block.h"

struct disk_fact {
	const char *name; /* in sysfs; whole disks only */
	long disk;        /* its place in the inventory; -1 = not listed */
	char **links; /* stable links (block_is_stable_link()) that it and its partitions claim */
	size_t link_count;
	char **holders; /* of it and its partitions */
	size_t holder_count;
	const char *id_path;
	bool has_udev; /* it has a record in the database */
	bool is_shared; /* other devices may lead to the same medium: fabrics, namespaces with several paths */
	struct hwp_inventory *
		from; /* which snapshot has the memory of this and of the disk; NULL = the one at hand */
};

struct disk_facts {
	const struct hwp_ctx *ctx;
	struct disk_fact *v; /* in natural order of the names */
	size_t n;
	uint64_t use; /* block_map.use */
};

/* Once all disks are in the inventory: keeps what is known of the devices of the map. */
void disk_facts_note(struct survey *s, const struct block_map *m);
/* NULL = unknown. */
struct disk_fact *disk_facts_find(const struct disk_facts *facts, const char *name);
