/*
 * A file system that is mounted only in another mount namespace keeps the disk claimed and is not
 * in our own mountinfo: every namespace that some process lives in is read once.
 */
#include "agent/graph.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define MOUNTINFO_MAX (4u << 20)
#define NAMESPACES_MAX 4096

struct seen {
	char (*links)[64];
	size_t n;
};

static void use_add(struct graph_node *n, const char *where, pid_t pid, bool is_ours)
{
	for (size_t i = 0; i < n->uses_n; i++)
		if (str_eq(n->uses[i].where, where))
			return;
	if (n->uses_n == GRAPH_USES_MAX) /* one is enough to refuse */
		return;
	struct graph_use *u = &n->uses[n->uses_n++];
	(void)str_copy(u->where, sizeof(u->where), where);
	u->pid = pid;
	u->is_ours = is_ours;
}

bool graph_node_is(const struct graph_node *n, int rootfd, const char *path)
{
	struct stat st;

	if (path[0] == '/' && fstatat(rootfd, path + 1, &st, AT_NO_AUTOMOUNT) == 0 &&
	    S_ISBLK(st.st_mode))
		return st.st_rdev == n->devno;
	return str_starts(path, "/dev/") && str_eq(path + 5, n->name);
}

/* A mount's source is only a word, which may name what does not answer. */
static bool is_node(const struct graph_node *n, int rootfd, const char *source)
{
	return str_starts(source, "/dev/") && graph_node_is(n, rootfd, source);
}

/*
 * mountinfo (proc_pid_mountinfo(5)): id parent MAJ:MIN root mountpoint options [optional…] - type
 * source options
 */
static void line_take(struct graph *g, int rootfd, char *line, pid_t pid, bool is_ours)
{
	char where[4096], source[4096] = "";
	unsigned maj, min;

	if (sscanf(line, "%*u %*u %u:%u %*s %4095s", &maj, &min, where) != 3)
		return;
	const char *dash = strstr(line, " - ");
	if (dash)
		(void)sscanf(dash + 3, "%*s %4095s", source);
	for (size_t i = 0; i < g->n; i++)
		if (g->nodes[i].devno == makedev(maj, min) || is_node(&g->nodes[i], rootfd, source))
			use_add(&g->nodes[i], where, pid, is_ours);
}

static void mountinfo_take(struct graph *g, int rootfd, int procfd, const char *pid, bool is_ours)
{
	AUTO(freep) char *text = NULL;
	char path[64], *save = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/mountinfo", pid);
	if (file_read_at(procfd, path, MOUNTINFO_MAX, &text, &len, NULL) < 0)
		return; /* the process has ended */
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		line_take(g, rootfd, line, (pid_t)strtol(pid, NULL, 10), is_ours);
}

/* true = this process's mount namespace has not been read yet. */
static bool is_new_namespace(struct seen *s, int procfd, const char *pid)
{
	char path[64], link[64];

	snprintf(path, sizeof(path), "%s/ns/mnt", pid);
	ssize_t n = readlinkat(procfd, path, link, sizeof(link) - 1);
	if (n < 0)
		return errno != ESRCH;
	link[n] = '\0';
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->links[i], link))
			return false;
	if (s->n < NAMESPACES_MAX)
		memcpy(s->links[s->n++], link, (size_t)n + 1);
	return true;
}

static void swaps_take(struct graph *g, int rootfd)
{
	AUTO(freep) char *text = NULL;
	char *save = NULL;
	size_t len;

	if (file_read_at(rootfd, "proc/swaps", MOUNTINFO_MAX, &text, &len, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char source[4096];

		if (sscanf(line, "%4095s", source) != 1)
			continue;
		for (size_t i = 0; i < g->n; i++)
			if (is_node(&g->nodes[i], rootfd, source))
				use_add(&g->nodes[i], "swap", 0, true);
	}
}

int graph_add_mounts(struct graph *g, int rootfd, struct fault *err)
{
	int fd = openat(rootfd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *proc = fd < 0 ? NULL : fdopendir(fd);
	struct seen seen = { .links = calloc(NAMESPACES_MAX, sizeof(*seen.links)) };
	AUTO(freep) void *links = seen.links;
	struct dirent *e;

	if (!proc || !links) {
		if (!proc)
			closep(&fd);
		return fault_set(err, -EIO, "cannot read /proc: mounts are unknown");
	}
	if (is_new_namespace(&seen, fd, "self"))
		mountinfo_take(g, rootfd, fd, "self", true);
	while ((e = readdir(proc)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		    is_new_namespace(&seen, fd, e->d_name))
			mountinfo_take(g, rootfd, fd, e->d_name, false);
	swaps_take(g, rootfd);
	return 0;
}
