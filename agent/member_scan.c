/*
 * The target's own superblocks, and, if there is a member of something among them, those of every
 * other disk of the machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "agent/member.h"
#include "agent/sysfs.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

/* Opening these takes seconds, or they never hold a member. */
static const char *const skipped[] = { "ram", "zram", "sr", "fd" };

struct scan {
	int rootfd;
	const struct graph *graph; /* NULL = there is no target */
	bool with_loops;
	struct members *m;
	struct fault *err;
};

static bool is_skipped(const struct scan *s, const char *name)
{
	if (name[0] == '.' || (!s->with_loops && str_starts(name, "loop")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++) {
		size_t len = strlen(skipped[i]);

		if (str_starts(name, skipped[i]) &&
		    strspn(name + len, "0123456789") == strlen(name + len))
			return true;
	}
	return false;
}

/* The target, and what the kernel has stacked on it: that is seen from below. */
static bool is_in_graph(const struct graph *g, dev_t devno)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].is_above && g->nodes[i].devno == devno)
			return true;
	return false;
}

/* The node of whole disk @name; a made-up tree has plain files in its place. */
static int disk_fd(const struct scan *s, const char *name, dev_t devno)
{
	char path[NAME_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "dev/%s", name);
	AUTO(closep) int fd = openat(s->rootfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || (S_ISBLK(st.st_mode) && st.st_rdev == devno)))
		return -1;
	return TAKE_FD(fd);
}

/* Each read of a broken disk may take a minute, and libblkid tries dozens: one is enough. */
static bool is_readable(int fd)
{
	uint8_t sector[512];

	return fd_pread(fd, sector, sizeof(sector), 0) == sizeof(sector);
}

static bool has_partitions(const struct graph *g, size_t index)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].kind == GRAPH_PARTITION && g->nodes[i].lowers_n &&
		    g->nodes[i].lowers[0] == index)
			return true;
	return false;
}

/*
 * A table that the kernel has not read (a multipath disk without maps of its partitions) is read
 * here.
 */
static int node_probe(const struct scan *s, size_t index, const struct member_range *r)
{
	const struct graph_node *n = &s->graph->nodes[index];
	dev_t target = s->graph->nodes[0].devno;
	int e = members_probe(s->m, r, n->name, target, true, s->err);

	if (e == 0 && n->kind != GRAPH_PARTITION && !has_partitions(s->graph, index))
		e = members_probe_table(s->m, r, n->name, target, s->err);
	return e;
}

/* What stands on the target may in turn be a member: of a group that is not active, say. */
static int upper_probe(const struct scan *s, size_t index)
{
	const struct graph_node *n = &s->graph->nodes[index];
	AUTO(closep) int fd = disk_fd(s, n->name, n->devno);
	const struct member_range range = { fd, 0, n->size_bytes };

	return fd < 0 || !is_readable(fd) ? 0 : node_probe(s, index, &range);
}

static int target_probe(const struct scan *s, int fd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->graph->n; i++) {
		const struct graph_node *n = &s->graph->nodes[i];
		const struct member_range range = { fd, n->start_bytes, n->size_bytes };

		if (n->is_target && n->size_bytes)
			r = node_probe(s, i, &range);
		else if (n->is_above && n->size_bytes)
			r = upper_probe(s, i);
	}
	return r;
}

static int partitions_probe(const struct scan *s, int dirfd, int fd, dev_t disk)
{
	int listed = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *e;
	int r = 0;

	while (r == 0 && dir && (e = readdir(dir))) {
		AUTO(closep)
		int sub = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (e->d_name[0] == '.' || sub < 0 || faccessat(sub, "partition", F_OK, 0) < 0)
			continue;
		/* always in units of 512 (block/partitions/core.c) */
		const struct member_range range = { fd, sysfs_number_at(sub, "start") * 512,
						    sysfs_number_at(sub, "size") * 512 };
		r = members_probe(s->m, &range, e->d_name, disk, false, s->err);
	}
	return r;
}

static int disk_probe(const struct scan *s, int blockfd, const char *name)
{
	AUTO(closep) int dirfd = openat(blockfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dev_t devno;

	if (dirfd < 0 || sysfs_devno_at(dirfd, "dev", &devno) < 0 ||
	    (s->graph && is_in_graph(s->graph, devno)))
		return 0;
	const uint64_t size = sysfs_number_at(dirfd, "size") * 512;
	/* A read of a suspended device would wait for ever. */
	if (!size || sysfs_number_at(dirfd, "hidden") || sysfs_number_at(dirfd, "dm/suspended"))
		return 0;
	AUTO(closep) int fd = disk_fd(s, name, devno);
	if (fd < 0 || !is_readable(fd))
		return 0;
	const struct member_range range = { fd, 0, size };
	int r = members_probe(s->m, &range, name, devno, false, s->err);
	return r < 0 ? r : partitions_probe(s, dirfd, fd, devno);
}

static int others_probe(const struct scan *s)
{
	int fd = openat(s->rootfd, "sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		closep(&fd);
		return fault_set(s->err, -EIO,
				 "cannot list sys/block: the other disks are unknown");
	}
	while (r == 0 && (e = readdir(dir)))
		if (!is_skipped(s, e->d_name))
			r = disk_probe(s, fd, e->d_name);
	return r;
}

/* A physical volume without a description of its group is described by the others. */
static void groups_resolve(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct member *one = &m->v[i];

		for (size_t k = 0; k < m->n && one->kind == MEMBER_LVM && !*one->set; k++)
			for (size_t p = 0; p < m->v[k].peers_n; p++) {
				if (!str_eq(m->v[k].peers[p], one->self))
					continue;
				memcpy(one->set, m->v[k].set, sizeof(one->set));
				memcpy(one->name, m->v[k].name, sizeof(one->name));
				one->devices = m->v[k].devices;
				one->is_shared = m->v[k].is_shared;
			}
	}
}

/* Those of other disks, from a look at all of them. */
static int others_copy(const struct scan *s, const struct members *all)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < all->n; i++)
		if (!is_in_graph(s->graph, all->v[i].disk))
			r = members_add(s->m, &all->v[i], s->err);
	return r;
}

int members_scan_all(int rootfd, bool with_loops, struct members *ret, struct fault *err)
{
	AUTO(members_done) struct members m = { 0 };
	const struct scan s = { rootfd, NULL, with_loops, &m, err };
	int r = others_probe(&s);

	if (r < 0)
		return r;
	*ret = m;
	m = (struct members){ 0 };
	return 0;
}

int members_scan(int rootfd, const struct graph *g, int fd, bool with_loops,
		 const struct members *all, struct members *ret, struct fault *err)
{
	AUTO(members_done) struct members m = { 0 };
	const struct scan s = { rootfd, g, with_loops, &m, err };
	int r = target_probe(&s, fd);

	if (r == 0 && m.n > 0)
		r = all ? others_copy(&s, all) : others_probe(&s);
	if (r < 0)
		return r;
	groups_resolve(&m);
	*ret = m;
	m = (struct members){ 0 };
	return 0;
}
