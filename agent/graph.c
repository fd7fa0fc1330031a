#include "agent/graph.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "agent/sysfs.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define ATTR_MAX 4096

static const char *const kind_names[GRAPH_KIND_COUNT] = {
	[GRAPH_DISK] = "disk",
	[GRAPH_PARTITION] = "partition",
	[GRAPH_CRYPT] = "encrypted volume",
	[GRAPH_LVM] = "LVM volume",
	[GRAPH_MULTIPATH] = "multipath",
	[GRAPH_DM] = "device-mapper device",
	[GRAPH_MD] = "software RAID",
	[GRAPH_BCACHE] = "bcache",
	[GRAPH_LOOP] = "loop device",
	[GRAPH_OTHER] = "block device",
};

const char *graph_kind_name(enum graph_kind k)
{
	return kind_names[k];
}

/* Prefixes of dm/uuid as lvm2, cryptsetup, multipath-tools and kpartx write them. */
static const struct {
	const char *prefix;
	enum graph_kind kind;
} dm_kinds[] = {
	{ "LVM-", GRAPH_LVM },
	{ "CRYPT-", GRAPH_CRYPT },
	{ "mpath-", GRAPH_MULTIPATH },
};

const char *graph_node_title(const struct graph_node *n)
{
	return *n->title ? n->title : graph_kind_name(n->kind);
}

static bool exists_at(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, 0) == 0;
}

static enum graph_kind dm_kind(int dirfd)
{
	AUTO(freep) char *uuid = NULL;

	if (file_read_line_at(dirfd, "dm/uuid", ATTR_MAX, &uuid, NULL) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(dm_kinds); i++)
			if (str_starts(uuid, dm_kinds[i].prefix))
				return dm_kinds[i].kind;
	return GRAPH_DM;
}

/* lvm2, lib/misc/lvm-string.c: GROUP-VOLUME[-LAYER], in which "--" stands for a hyphen of the name. */
static const char *lvm_part(const char *from, char *ret, size_t size)
{
	size_t n = 0;

	for (; *from && (from[0] != '-' || from[1] == '-'); from++) {
		from += *from == '-';
		if (n < size - 1)
			ret[n++] = *from;
	}
	ret[n] = '\0';
	return *from ? from + 1 : from;
}

static void title_set(struct graph_node *n, int dirfd)
{
	AUTO(freep) char *name = NULL;
	char group[64], volume[64];

	if (file_read_line_at(dirfd, "dm/name", ATTR_MAX, &name, NULL) < 0 || !*name ||
	    !str_is_text(name))
		return;
	if (n->kind != GRAPH_LVM) {
		snprintf(n->title, sizeof(n->title), "%s %.100s", graph_kind_name(n->kind), name);
		return;
	}
	(void)lvm_part(lvm_part(name, group, sizeof(group)), volume, sizeof(volume));
	snprintf(n->title, sizeof(n->title), "%s %s of the volume group %s",
		 graph_kind_name(n->kind), volume, group);
}

static enum graph_kind kind_of(int dirfd, const char *name)
{
	if (exists_at(dirfd, "partition"))
		return GRAPH_PARTITION;
	if (exists_at(dirfd, "dm"))
		return dm_kind(dirfd);
	if (exists_at(dirfd, "md"))
		return GRAPH_MD;
	if (exists_at(dirfd, "bcache") && str_starts(name, "bcache"))
		return GRAPH_BCACHE;
	if (str_starts(name, "loop"))
		return GRAPH_LOOP;
	if (str_starts(name, "drbd") || str_starts(name, "zd"))
		return GRAPH_OTHER;
	return GRAPH_DISK;
}

static int find(const struct graph *g, dev_t devno)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].devno == devno)
			return (int)i;
	return -1;
}

/* The node's folder, and its kernel name from where the link leads. */
static int node_open(int rootfd, dev_t devno, char ret_name[DISK_NAME_MAX])
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major(devno), minor(devno));
	ssize_t n = readlinkat(rootfd, path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	if (!str_copy(ret_name, DISK_NAME_MAX, slash ? slash + 1 : target))
		return -ENAMETOOLONG;
	int fd = openat(rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A partition's folder lies in that of its disk. */
static dev_t disk_of(int dirfd, const struct graph_node *n)
{
	dev_t disk;

	if (n->kind != GRAPH_PARTITION || sysfs_devno_at(dirfd, "../dev", &disk) < 0)
		return n->devno;
	return disk;
}

/* Index of the node, added when it is new. */
static int node_add(struct graph *g, int rootfd, dev_t devno, struct fault *err)
{
	struct graph_node node = { .devno = devno };
	int known = find(g, devno);

	if (known >= 0)
		return known;
	if (g->n == GRAPH_NODES_MAX)
		return fault_set(err, -EOVERFLOW,
				 "more than %d block devices are stacked on the disk",
				 GRAPH_NODES_MAX);
	AUTO(closep) int dirfd = node_open(rootfd, devno, node.name);
	if (dirfd < 0)
		return fault_set(err, dirfd, "block device %u:%u: %s", major(devno), minor(devno),
				 strerror(-dirfd));
	node.kind = kind_of(dirfd, node.name);
	title_set(&node, dirfd);
	node.disk = disk_of(dirfd, &node);
	node.start_bytes = sysfs_number_at(dirfd, "start") *
			   512; /* always in units of 512 (block/partitions/core.c) */
	node.size_bytes = sysfs_number_at(dirfd, "size") * 512;
	struct graph_node *more = realloc(g->nodes, (g->n + 1) * sizeof(*more));
	if (!more)
		return fault_oom(err);
	g->nodes = more;
	g->nodes[g->n] = node;
	return (int)g->n++;
}

static int lower_add(struct graph *g, size_t upper, size_t lower, struct fault *err)
{
	struct graph_node *u = &g->nodes[upper];

	for (size_t i = 0; i < u->lowers_n; i++)
		if (u->lowers[i] == lower)
			return 0;
	if (u->lowers_n == GRAPH_LOWERS_MAX)
		return fault_set(err, -EOVERFLOW, "%s stands on more than %d devices", u->name,
				 GRAPH_LOWERS_MAX);
	u->lowers[u->lowers_n++] = (uint16_t)lower;
	return 0;
}

/* What is at @sub, seen from node @index, becomes a node on top of it (or below it). */
static int neighbour_add(struct graph *g, int rootfd, size_t index, int dirfd, const char *sub,
			 bool is_upper, struct fault *err)
{
	AUTO(freep) char *text = NULL;
	char path[NAME_MAX * 2 + 8];
	dev_t devno;

	snprintf(path, sizeof(path), "%s/dev", sub);
	if (file_read_line_at(dirfd, path, ATTR_MAX, &text, NULL) < 0 ||
	    sysfs_devno_parse(text, &devno) < 0)
		return fault_set(err, -EIO, "cannot tell the device number of %s/%s",
				 g->nodes[index].name, sub);

	int other = node_add(g, rootfd, devno, err);
	if (other < 0)
		return other;
	if (!is_upper)
		return lower_add(g, index, (size_t)other, err);
	g->nodes[other].is_above = true;
	return lower_add(g, (size_t)other, index, err);
}

static int children_add(struct graph *g, int rootfd, size_t index, int dirfd, const char *folder,
			bool is_upper, struct fault *err)
{
	int fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		closep(&fd);
		return errno == ENOENT ? 0
				       : fault_set(err, -errno, "cannot list %s: %s", folder,
						   strerror(errno));
	}
	while (r == 0 && (e = readdir(dir))) {
		char path[NAME_MAX * 2 + 2], attr[NAME_MAX + 16];
		bool is_self = str_eq(folder, ".");

		snprintf(attr, sizeof(attr), "%s/partition", e->d_name);
		if (e->d_name[0] == '.' || (is_self && !exists_at(dirfd, attr)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		r = neighbour_add(g, rootfd, index, dirfd, is_self ? e->d_name : path, is_upper,
				  err);
	}
	return r;
}

static int node_expand(struct graph *g, int rootfd, size_t index, struct fault *err)
{
	char name[DISK_NAME_MAX];
	AUTO(closep) int dirfd = node_open(rootfd, g->nodes[index].devno, name);

	if (dirfd < 0)
		return fault_set(err, dirfd, "%s: %s", g->nodes[index].name, strerror(-dirfd));
	int r = children_add(g, rootfd, index, dirfd, ".", true, err);
	if (r == 0)
		r = children_add(g, rootfd, index, dirfd, "holders", true, err);
	if (r == 0 && index > 0)
		r = children_add(g, rootfd, index, dirfd, "slaves", false, err);
	return r;
}

static int loop_add(struct graph *g, int rootfd, dev_t devno, const char *file, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		/* The device may have been opened by a node of another name. */
		if (!g->nodes[i].is_above || !graph_node_is(&g->nodes[i], rootfd, file))
			continue;
		int loop = node_add(g, rootfd, devno, err);
		if (loop < 0)
			return loop;
		g->nodes[loop].is_above = true;
		r = lower_add(g, (size_t)loop, i, err);
	}
	return r;
}

/* Loop devices hold their backing device by an open file, not by a link in holders/. */
static int loops_add(struct graph *g, int rootfd, struct fault *err)
{
	int fd = openat(rootfd, "sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		closep(&fd);
		return 0;
	}
	while (r == 0 && (e = readdir(dir))) {
		AUTO(freep) char *file = NULL, *number = NULL;
		char path[NAME_MAX + 32];
		dev_t devno;

		snprintf(path, sizeof(path), "%s/loop/backing_file", e->d_name);
		if (!str_starts(e->d_name, "loop") ||
		    file_read_line_at(fd, path, ATTR_MAX, &file, NULL) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/dev", e->d_name);
		if (file_read_line_at(fd, path, ATTR_MAX, &number, NULL) < 0 ||
		    sysfs_devno_parse(number, &devno) < 0)
			continue;
		r = loop_add(g, rootfd, devno, file, err);
	}
	return r;
}

/*
 * Arrays of firmware RAID stand on the same disks as the container that describes them (mdadm(8)), and
 * must be stopped before it: "external:/md127/0" ("-" in the place of the "/": read-only).
 */
static int containers_link(struct graph *g, int rootfd, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		AUTO(freep) char *text = NULL;
		char name[DISK_NAME_MAX];
		AUTO(closep)
		int dirfd = g->nodes[i].kind == GRAPH_MD
				    ? node_open(rootfd, g->nodes[i].devno, name)
				    : -1;

		if (dirfd < 0 ||
		    file_read_line_at(dirfd, "md/metadata_version", ATTR_MAX, &text, NULL) < 0 ||
		    sscanf(text, "external:%*[/-]%63[^/]", name) != 1)
			continue;
		for (size_t c = 0; r == 0 && c < g->n; c++)
			if (c != i && str_eq(g->nodes[c].name, name))
				r = lower_add(g, i, c, err);
	}
	return r;
}

static bool is_part_of(const struct graph_node *n)
{
	return n->kind == GRAPH_PARTITION && n->lowers_n == 1 && n->lowers[0] == 0;
}

/*
 * Depth = longest way down; nodes are few, so a fixed point is cheap. The kernel allows no cycles.
 */
static void depths_set(struct graph *g)
{
	for (size_t round = 0; round < g->n; round++) {
		bool has_changed = false;

		for (size_t i = 0; i < g->n; i++)
			for (size_t l = 0; l < g->nodes[i].lowers_n; l++) {
				unsigned d = g->nodes[g->nodes[i].lowers[l]].depth + 1;

				has_changed |= d > g->nodes[i].depth;
				g->nodes[i].depth = MAX_OF(d, g->nodes[i].depth);
			}
		if (!has_changed)
			return;
	}
}

/* Everything above the target, however it was found. */
static int expand_all(struct graph *g, int rootfd, struct fault *err)
{
	bool done[GRAPH_NODES_MAX] = { false };
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		if (done[i] || !g->nodes[i].is_above)
			continue;
		done[i] = true;
		r = node_expand(g, rootfd, i, err);
		i = (size_t)-1; /* an earlier one may have turned out to stand on the target */
	}
	return r;
}

int graph_read(int rootfd, dev_t target, struct graph *ret, struct fault *err)
{
	AUTO(graph_done) struct graph g = { 0 };
	int r = node_add(&g, rootfd, target, err);

	if (r < 0)
		return r;
	g.nodes[0].is_above = true;
	r = expand_all(&g, rootfd, err);
	if (r == 0)
		r = loops_add(&g, rootfd, err);
	if (r == 0)
		r = expand_all(&g, rootfd, err);
	if (r == 0)
		r = containers_link(&g, rootfd, err);
	if (r == 0)
		r = graph_add_mounts(&g, rootfd, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < g.n; i++)
		g.nodes[i].is_target = i == 0 || is_part_of(&g.nodes[i]);
	depths_set(&g);
	*ret = g;
	g = (struct graph){ 0 };
	return 0;
}

void graph_done(struct graph *g)
{
	free(g->nodes);
	*g = (struct graph){ 0 };
}
