/*
 * Who has a disk: for the sentence that says why it cannot be opened.
 */
#include "agent/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/graph.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define TEXT_MAX 4096

static const char *separator(const struct buf *out)
{
	return out->len ? ", " : "";
}

static void graph_holders(const struct graph *g, struct buf *out)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct graph_node *n = &g->nodes[i];

		for (size_t u = 0; n->is_above && u < n->uses_n; u++)
			(void)buf_printf(out, "%s%s is %s%s", separator(out), n->name,
					 str_eq(n->uses[u].where, "swap") ? "" : "mounted on ",
					 n->uses[u].where);
		for (size_t u = 0; n->is_above && u < n->uses_n && u < 1 && !n->uses[u].is_ours;
		     u++)
			(void)buf_printf(out, " (namespace of process %d)", (int)n->uses[u].pid);
		if (n->is_above && !n->is_target && n->lowers_n)
			(void)buf_printf(out, "%s%s (%s) stands on %s", separator(out), n->name,
					 graph_kind_name(n->kind), g->nodes[n->lowers[0]].name);
	}
}

static bool is_in(const struct graph *g, dev_t devno)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].is_target && g->nodes[i].devno == devno)
			return true;
	return false;
}

static bool process_has_open(int procfd, const char *pid, const struct graph *g)
{
	char path[NAME_MAX + 8];
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/fd", pid);
	int fd = openat(procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (e = readdir(dir))) {
		struct stat st;

		if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, 0) == 0 &&
		    S_ISBLK(st.st_mode) && is_in(g, st.st_rdev))
			return true;
	}
	return false;
}

static void process_holders(const struct graph *g, struct buf *out)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *proc = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		AUTO(freep) char *comm = NULL;
		char path[NAME_MAX + 8];

		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    strtol(e->d_name, NULL, 10) == getpid() || !process_has_open(fd, e->d_name, g))
			continue;
		snprintf(path, sizeof(path), "%s/comm", e->d_name);
		(void)file_read_line_at(fd, path, 64, &comm, NULL);
		(void)buf_printf(out, "%sprocess %s (%s) has it open", separator(out), e->d_name,
				 comm ? comm : "?");
	}
}

void disk_name_holders(dev_t devno, char *ret, size_t size)
{
	AUTO(closep) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(graph_done) struct graph g = { 0 };
	AUTO(buf_done) struct buf out;

	buf_init(&out, TEXT_MAX);
	*ret = '\0';
	if (root < 0 || graph_read(root, devno, &g, NULL) < 0)
		return;
	graph_holders(&g, &out);
	process_holders(&g, &out);
	if (out.data)
		(void)str_copy(ret, size, out.data);
}
