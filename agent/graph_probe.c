/*
 * What libblkid and the partition table say about a disk, read through one descriptor of the whole
 * disk: no partition node is opened. Volumes on top of it are read through their own.
 */
#include "agent/graph.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/chunk_pool.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/gpt.h"
#include "common/str.h"

#define HEAD_BYTES (1u << 20)

static void probep(blkid_probe *pr)
{
	blkid_free_probe(*pr);
}

static void node_probe(struct graph_node *n, int fd, uint64_t start)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();
	const char *value;

	if (!pr ||
	    blkid_probe_set_device(pr, fd, (blkid_loff_t)start, (blkid_loff_t)n->size_bytes) != 0)
		return;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	if (blkid_do_safeprobe(pr) != 0)
		return;
	if (blkid_probe_lookup_value(pr, "TYPE", &value, NULL) == 0)
		(void)str_copy(n->fstype, sizeof(n->fstype), value);
	if (blkid_probe_lookup_value(pr, "LABEL", &value, NULL) == 0 && str_is_text(value))
		(void)str_copy(n->label, sizeof(n->label), value);
}

static void gpt_match(struct graph *g, const struct gpt *table, uint32_t sector_size)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const struct gpt_entry *e = &table->entries[i];

		for (size_t k = 1; gpt_entry_is_used(e) && k < g->n; k++) {
			struct graph_node *n = &g->nodes[k];

			if (!n->is_target || n->start_bytes != e->first_lba * sector_size)
				continue;
			memcpy(n->part_type, e->type, 16);
			memcpy(n->part_guid, e->guid, 16);
		}
	}
}

/* A GUID in text, as it stands on disk: the first three groups little-endian (UEFI, appendix A). */
static void guid_take(const char *text, uint8_t ret[16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	uint8_t bytes[16];
	char digits[33] = "";
	size_t n = 0;

	for (; text && *text && n < 32; text++)
		if (*text != '-')
			digits[n++] = *text;
	if (hex_decode(digits, bytes, sizeof(bytes)) < 0)
		return;
	for (size_t i = 0; i < 16; i++)
		ret[i] = bytes[order[i]];
}

/* The primary table is damaged: the kernel goes by the backup, and so does libblkid. */
static void backup_match(struct graph *g, int fd)
{
	AUTO(probep) blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, fd, 0, (blkid_loff_t)g->nodes[0].size_bytes) != 0)
		return;
	blkid_partlist list = blkid_probe_get_partitions(pr);
	for (int i = 0; list && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);
		uint64_t start = (uint64_t)blkid_partition_get_start(part) * 512;

		for (size_t k = 1; k < g->n; k++) {
			struct graph_node *n = &g->nodes[k];

			if (!n->is_target || n->start_bytes != start)
				continue;
			guid_take(blkid_partition_get_type_string(part), n->part_type);
			guid_take(blkid_partition_get_uuid(part), n->part_guid);
		}
	}
}

/*
 * A volume that is active: a file system of other machines may be on it. The node must be that of
 * the device; a made-up tree has plain files in their place.
 */
static int upper_probe(struct graph_node *n, int rootfd, struct fault *err)
{
	AUTO(freep) char *suspended = NULL;
	char path[DISK_NAME_MAX + 40];
	struct stat st;

	snprintf(path, sizeof(path), "sys/block/%s/dm/suspended", n->name);
	if (file_read_line_at(rootfd, path, 64, &suspended, NULL) == 0 && str_eq(suspended, "1"))
		return fault_set(err, -EBUSY,
				 "%s is suspended: what is on it cannot be read, and not be judged",
				 n->name);
	snprintf(path, sizeof(path), "dev/%s", n->name);
	AUTO(closep) int fd = openat(rootfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || (S_ISBLK(st.st_mode) && st.st_rdev == n->devno)))
		return 0;
	node_probe(n, fd, 0);
	return 0;
}

int graph_probe(struct graph *g, int rootfd, int fd, uint32_t sector_size, struct fault *err)
{
	AUTO(freep) uint8_t *head = chunk_alloc(HEAD_BYTES);
	AUTO(gpt_done) struct gpt table = { 0 };

	if (!head)
		return fault_oom(err);
	ssize_t n = fd_pread(fd, head, HEAD_BYTES, 0);
	if (n < 0)
		return fault_set(err, (int)n, "cannot read %s: %s", g->nodes[0].name,
				 strerror((int)-n));
	if (gpt_parse(head, (size_t)n, sector_size, &table, NULL) == 0)
		gpt_match(g, &table, sector_size);
	else
		backup_match(g, fd);
	int r = 0;
	for (size_t i = 0; r == 0 && i < g->n; i++) {
		if (g->nodes[i].is_target)
			node_probe(&g->nodes[i], fd, g->nodes[i].start_bytes);
		else if (g->nodes[i].is_above)
			r = upper_probe(&g->nodes[i], rootfd, err);
	}
	return r;
}
