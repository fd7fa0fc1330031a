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
	int fds[ROOT_DEPTH_MAX];  /* folders passed, the top first */
	int depth;                /* index of the current folder */
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

static int follow(struct walk *w, const char *target)
{
	char joined[sizeof(w->rest)];
	if (target[0] == '/')
		return -EXDEV;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)snprintf(joined, sizeof(joined), "%s/%s", target, w->rest) >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(w->rest, joined, sizeof(joined));
	return 0;
}

ssize_t root_flat_link(int dir, const char *name, char *target, size_t size)
{
	AUTO(closep) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 4 || (size_t)st.st_size >= size)
		return -EINVAL;
	ssize_t n = read(fd, target, size - 1);
	if (n < 4 || strncmp(target, "../", 3) || memchr(target, '\n', (size_t)n) ||
	    memchr(target, '\0', (size_t)n))
		return -EINVAL;
	target[n] = '\0';
	return n;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static int step_up(struct walk *w)
{
	if (w->depth == 0)
		return -EXDEV;
	close(w->fds[w->depth--]);
	return 0;
}

/* The target when the component is to be followed: its length; 0 = it is not. */
static ssize_t link_target(const struct walk *w, const char *part, int fd, int flags,
			   char target[ROOT_PATH_MAX])
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && !(is_last(w) && (flags & O_NOFOLLOW))) {
		ssize_t n = readlinkat(fd, "", target, ROOT_PATH_MAX - 1);
		target[n > 0 ? n : 0] = '\0';
		return n < 0 ? -errno : n;
	}
	if (!S_ISREG(st.st_mode) || (is_last(w) && !(flags & O_DIRECTORY)))
		return 0;
	ssize_t n = root_flat_link(w->fds[w->depth], part, target, ROOT_PATH_MAX);
	return n < 0 ? 0 : n;
}

/* Goes down into the folder open as @fd (taken). */
static int step_down(struct walk *w, int fd)
{
	AUTO(closep) int dir = fd;
	struct stat st;
	if (fstat(dir, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (w->depth + 1 == ROOT_DEPTH_MAX)
		return -ELOOP;
	w->fds[++w->depth] = TAKE_FD(dir);
	return 0;
}

/* One component. Returns 0 to go on, 1 when *ret_fd is the result. */
static int step(struct walk *w, const char *part, int flags, int *ret_fd)
{
	char target[ROOT_PATH_MAX];
	if (!strcmp(part, "."))
		return 0;
	if (!strcmp(part, ".."))
		return step_up(w);
	AUTO(closep) int fd = openat(w->fds[w->depth], part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = link_target(w, part, fd, flags, target);
	if (n)
		return n < 0 ? (int)n : follow(w, target);
	if (!is_last(w))
		return step_down(w, TAKE_FD(fd));
	int last = openat(w->fds[w->depth], part, flags | O_NOFOLLOW | O_CLOEXEC);
	if (last < 0)
		return -errno;
	*ret_fd = last;
	return 1;
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
