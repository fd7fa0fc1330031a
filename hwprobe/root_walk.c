#include "hwprobe/root_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "hwprobe/root.h"

enum { LINKS_MAX = 40 };

struct walk {
	int fds[ROOT_DEPTH_MAX]; /* folders passed, the top first */
	int depth;		 /* index of the current folder */
	char rest[ROOT_PATH_MAX]; /* what is still to be walked */
	int links;
};

static void walk_done(struct walk *w)
{
	for (int i = 1; i <= w->depth; i++)
		close(w->fds[i]);
}

/* Takes the first component off w->rest. Returns false at the end. */
static bool next_part(struct walk *w, char *part, size_t size)
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");
	if (!len)
		return false;
	snprintf(part, size, "%.*s", (int)len, p);
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return true;
}

static int follow(struct walk *w, int link)
{
	char target[ROOT_PATH_MAX], joined[sizeof(w->rest)];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (target[0] == '/')
		return -EXDEV;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)snprintf(joined, sizeof(joined), "%s/%s", target, w->rest) >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(w->rest, joined, sizeof(joined));
	return 0;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* One component. Returns 0 to go on, 1 when *ret_fd is the result. */
static int step(struct walk *w, const char *part, int flags, int *ret_fd)
{
	if (!strcmp(part, "."))
		return 0;
	if (!strcmp(part, "..")) {
		if (w->depth == 0)
			return -EXDEV;
		close(w->fds[w->depth--]);
		return 0;
	}
	AUTO(closep) int fd = openat(w->fds[w->depth], part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && !(is_last(w) && (flags & O_NOFOLLOW)))
		return follow(w, fd);
	if (is_last(w)) {
		int last = openat(w->fds[w->depth], part, flags | O_NOFOLLOW | O_CLOEXEC);
		if (last < 0)
			return -errno;
		*ret_fd = last;
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (w->depth + 1 == ROOT_DEPTH_MAX)
		return -ELOOP;
	w->fds[++w->depth] = TAKE_FD(fd);
	return 0;
}

int root_walk(int top, const char *path, int flags)
{
	if (path[0] == '/')
		return -EXDEV;
	AUTO(walk_done) struct walk w = { .fds = { top } };
	if ((size_t)snprintf(w.rest, sizeof(w.rest), "%s", path) >= sizeof(w.rest))
		return -ENAMETOOLONG;

	char part[ROOT_PATH_MAX];
	while (next_part(&w, part, sizeof(part))) {
		int fd = -1;
		int rc = step(&w, part, flags, &fd);
		if (rc)
			return rc < 0 ? rc : fd;
	}
	/* The path ended in "." or "..": the current folder itself. */
	int fd = openat(w.fds[w.depth], ".", flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
