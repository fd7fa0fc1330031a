#include "hwprobe/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/record.h"
#include "hwprobe/root_walk.h"

enum { DIRENTS_BYTES = 16 << 10 };

static int open_beneath(struct root *r, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		/* BENEATH refuses what leaves the tree; IN_ROOT would clamp it silently (openat2(2)). */
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	for (int tries = 0; r->has_openat2 && tries < 16; tries++) {
		long fd = syscall(SYS_openat2, r->fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS || errno == EPERM)
			r->has_openat2 = false; /* before Linux 5.6, or filtered */
		else if (errno == ENOTDIR)      /* perhaps a link that became a file */
			break;
		else if (errno != EAGAIN) /* EAGAIN: a rename somewhere while ".." was walked */
			return -errno;
	}
	return root_walk(r->fd, path, flags);
}

/* The folder to start from; *@path becomes relative to it. */
static int start_of(const struct root *r, const char **path)
{
	const struct root_base *b = &r->base;
	if (!b->len || strncmp(*path, b->path, b->len) || (*path)[b->len] != '/')
		return r->fd;
	*path += b->len + 1;
	return b->fd;
}

void root_enter(struct root *r, const char *dir)
{
	struct root_base *b = &r->base;
	if (!r->is_live || !str_copy(b->path, sizeof(b->path), dir))
		return;
	b->fd = openat(r->fd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	b->len = b->fd < 0 ? 0 : strlen(dir);
}

void root_leave(struct root *r)
{
	if (r->base.len)
		close(r->base.fd);
	r->base.len = 0;
}

static int open_any(struct root *r, const char *path, int flags)
{
	if (r->is_live) {
		int from = start_of(r, &path);
		int fd = openat(from, path, flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	int fd = open_beneath(r, path, flags);
	if (fd == -EXDEV && !r->escaped[0])
		snprintf(r->escaped, sizeof(r->escaped), "%s", path);
	return fd;
}

int root_fd(struct root *r, const char *path, int flags)
{
	AUTO(closep) int fd = open_any(r, path, flags | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fd;

	struct stat st;
	if (!r->is_live && (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))))
		return -ENOTSUP; /* a device node in a recorded tree is no record */
	return TAKE_FD(fd);
}

ssize_t root_attr(struct root *r, const char *path, char *data, size_t size)
{
	AUTO(closep) int fd = root_fd(r, path, O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t n;
	do {
		n = read(fd, data, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -EMSGSIZE;
	data[n] = '\0';
	record_file(r, path, data, (size_t)n);
	return n;
}

/* Reads to the end into a growing malloc()ed buffer. */
static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t size = 16384, len = 0;
	AUTO(freep) char *data = malloc(size);
	if (!data)
		return -ENOMEM;
	for (;;) {
		if (len == size) {
			char *more = realloc(data, size * 2);
			if (!more)
				return -ENOMEM;
			data = more;
			size *= 2;
		}
		ssize_t n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EMSGSIZE;
	}
	*ret = TAKE(data);
	*ret_len = len;
	return 0;
}

int root_read(struct root *r, struct arena *a, const char *path, size_t max, char **ret_data,
	      size_t *ret_len)
{
	AUTO(closep) int fd = root_fd(r, path, O_RDONLY);
	if (fd < 0)
		return fd;

	AUTO(freep) char *data = NULL;
	size_t len = 0;
	int rc = read_all(fd, max, &data, &len);
	if (rc < 0)
		return rc;

	char *copy = arena_copy(a, data, len);
	if (!copy)
		return -ENOMEM;
	record_file(r, path, copy, len);
	*ret_data = copy;
	if (ret_len)
		*ret_len = len;
	return 0;
}

/* A link of a recorded tree, also one that became a file. */
static ssize_t recorded_link(struct root *r, const char *path, char *target, size_t size)
{
	AUTO(closep) int fd = open_any(r, path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	ssize_t n = readlinkat(fd, "", target, size);
	if (n >= 0)
		return n;
	/* An empty path on something that is no link is ENOENT. */
	const char *slash = strrchr(path, '/');
	const char *parent = slash ? strndupa(path, (size_t)(slash - path)) : ".";
	AUTO(closep) int dir = open_any(r, parent, O_PATH | O_DIRECTORY);
	return dir < 0 ? dir : root_flat_link(dir, slash ? slash + 1 : path, target, size);
}

ssize_t root_link(struct root *r, const char *path, char *target, size_t size)
{
	const char *rest = path;
	int from = start_of(r, &rest);
	ssize_t n = r->is_live ? readlinkat(from, rest, target, size)
			       : recorded_link(r, path, target, size);
	if (n < 0)
		return r->is_live ? -errno : n;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	target[n] = '\0';
	record_link(r, path);
	return n;
}

bool root_exists(struct root *r, const char *path)
{
	if (r->is_live) {
		bool is_there = faccessat(r->fd, path, F_OK, 0) == 0;
		if (is_there)
			record_entry(r, path);
		return is_there;
	}
	AUTO(closep) int fd = open_any(r, path, O_PATH);
	return fd >= 0;
}

bool root_is_dir(struct root *r, const char *path)
{
	AUTO(closep) int fd = open_any(r, path, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		record_entry(r, path);
	return fd >= 0;
}

static void record_names(struct root *r, const char *path, const struct root_names *names)
{
	if (r->record_fd < 0)
		return;
	record_entry(r, path);
	for (size_t i = 0; i < names->n; i++) {
		char child[ROOT_PATH_MAX];
		if (snprintf(child, sizeof(child), "%s/%s", path, names->v[i]) < (int)sizeof(child))
			record_entry(r, child);
	}
}

static int by_natural_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct arena *a, const char *name, struct root_names *names)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (names->n == ROOT_LIST_MAX)
		return -EMSGSIZE;
	char **slot = arena_append(a, &names->v, &names->n, sizeof(*slot));
	return slot && (*slot = arena_dup(a, name)) ? 0 : -ENOMEM;
}

/* Without opendir(3), which costs three calls of the kernel more for each of the hundreds of folders. */
static int read_names(int fd, struct arena *a, struct root_names *names)
{
	_Alignas(struct dirent64) char data[DIRENTS_BYTES];
	ssize_t n;
	while ((n = getdents64(fd, data, sizeof(data))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(data + at);
			int rc = add_name(a, e->d_name, names);
			if (rc < 0)
				return rc;
			at += e->d_reclen;
		}
	}
	return n < 0 ? -errno : 0;
}

int root_list(struct root *r, struct arena *a, const char *path, struct root_names *ret)
{
	AUTO(closep) int fd = open_any(r, path, O_RDONLY | O_DIRECTORY);
	struct root_names names = { 0 };
	int rc = fd < 0 ? fd : read_names(fd, a, &names);
	if (rc < 0)
		return rc;
	record_names(r, path, &names);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_natural_name);
	*ret = names;
	return 0;
}

/* --- a recorded tree is checked before anything of it is shown -------------------------------------- */

static int check_links(struct root *r, const char *path, dev_t dev, int depth, struct fault *err);

static int check_entry(struct root *r, const char *path, unsigned char type, dev_t dev, int depth,
		       struct fault *err)
{
	if (type == DT_DIR)
		return check_links(r, path, dev, depth + 1, err);

	AUTO(closep) int fd = open_any(r, path, O_PATH);
	if (fd == -EXDEV)
		return fault_set(err, -EXDEV, "%s: the link leaves the recorded tree", path);
	return 0; /* dangling links are absent files */
}

/* NULL = not to be looked through. */
static DIR *open_dir(struct root *r, const char *path, dev_t dev)
{
	AUTO(closep) int fd = open_any(r, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct stat st;
	/* What is mounted there belongs to something else; reads in it are confined all the same. */
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != dev)
		return NULL;
	DIR *dir = fdopendir(fd);
	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

/* Not every file system tells it in the folder (readdir(3)). */
static unsigned char type_of(DIR *dir, const struct dirent *e)
{
	struct stat st;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN
									    : IFTODT(st.st_mode);
}

static bool is_checked(const struct dirent *e, unsigned char type)
{
	return (type == DT_DIR || type == DT_LNK) && strcmp(e->d_name, ".") &&
	       strcmp(e->d_name, "..");
}

static int check_links(struct root *r, const char *path, dev_t dev, int depth, struct fault *err)
{
	if (depth > ROOT_DEPTH_MAX)
		return fault_set(err, -ELOOP, "%s: nested too deeply", path);

	/* Unreadable folders fail again, with a reason, when something in them is needed. */
	AUTO(closedirp) DIR *dir = open_dir(r, *path ? path : ".", dev);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char child[ROOT_PATH_MAX];
		unsigned char type = type_of(dir, e);
		if (!is_checked(e, type))
			continue;
		if (snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", e->d_name) >=
		    (int)sizeof(child))
			return fault_set(err, -ENAMETOOLONG, "%s/%s: path too long", path,
					 e->d_name);
		int rc = check_entry(r, child, type, dev, depth, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int root_open(struct root *r, const char *sysroot, struct fault *err)
{
	*r = (struct root){ .fd = -1, .is_live = !sysroot, .has_openat2 = true, .record_fd = -1 };
	AUTO(closep) int fd = open(sysroot ? sysroot : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open %s: %s", sysroot ? sysroot : "/",
				 strerror(errno));

	r->fd = fd;
	if (sysroot) {
		struct stat st;
		if (fstat(fd, &st) < 0)
			return fault_set(err, -errno, "cannot look at %s: %s", sysroot,
					 strerror(errno));
		int rc = check_links(r, "", st.st_dev, 0, err);
		if (rc < 0) {
			r->fd = -1;
			return fault_prefix(err, rc, "%s", sysroot);
		}
	}
	(void)TAKE_FD(fd);
	return 0;
}

void root_done(struct root *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}
