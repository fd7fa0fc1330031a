/* The folder functions of fd.h. */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Depth of a tree that dir_remove_at() takes away: one descriptor is held per level. */
#define DIR_DEPTH_MAX 128

static int make_one(int dirfd, const char *path, mode_t mode, struct fault *err)
{
	struct stat st;
	if (mkdirat(dirfd, path, mode) == 0) {
		if (fchmodat(dirfd, path, mode, 0) < 0)
			return fault_set(err, -errno, "cannot set the mode of %s: %s", path,
					 strerror(errno));
		return 0;
	}
	if (errno != EEXIST)
		return fault_set(err, -errno, "cannot make the folder %s: %s", path,
				 strerror(errno));
	if (fstatat(dirfd, path, &st, 0) < 0 || !S_ISDIR(st.st_mode))
		return fault_set(err, -ENOTDIR, "%s is there but no folder", path);
	return 0;
}

int dir_make_at(int dirfd, const char *path, mode_t mode, struct fault *err)
{
	AUTO(freep) char *copy = strdup(path);
	if (!copy)
		return fault_oom(err);
	for (char *p = copy; *p; p++) {
		if (*p != '/' || p == copy || p[-1] == '/')
			continue;
		*p = '\0';
		int r = make_one(dirfd, copy, mode, err);
		if (r < 0)
			return r;
		*p = '/';
	}
	size_t len = strlen(copy);
	if (len > 0 && copy[len - 1] == '/')
		return 0; /* "a/b/": made above */
	return make_one(dirfd, copy, mode, err);
}

static int remove_entry(int dirfd, const char *name, dev_t dev, unsigned depth, struct fault *err);

static int remove_content(int fd, const char *name, dev_t dev, unsigned depth, struct fault *err)
{
	AUTO(closep) int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	AUTO(closedirp) DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d)
		return fault_set(err, -errno, "cannot read the folder %s: %s", name,
				 strerror(errno));
	own = -1; /* belongs to d now */
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return fault_set(err, -errno, "cannot read the folder %s: %s", name,
					 strerror(errno));
		if (!e)
			return 0;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int r = remove_entry(fd, e->d_name, dev, depth + 1, err);
		if (r < 0)
			return r;
	}
}

static int remove_folder(int dirfd, const char *name, dev_t dev, unsigned depth, struct fault *err)
{
	struct stat st;
	if (depth > DIR_DEPTH_MAX)
		return fault_set(err, -ELOOP, "%s is nested too deep to be removed", name);
	AUTO(closep) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_set(err, -errno, "cannot open the folder %s: %s", name,
				 strerror(errno));
	if (st.st_dev != dev)
		return fault_set(err, -EXDEV, "%s is a mount point: not removed", name);
	int r = remove_content(fd, name, dev, depth, err);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return fault_set(err, -errno, "cannot remove the folder %s: %s", name,
				 strerror(errno));
	return 0;
}

static int remove_entry(int dirfd, const char *name, dev_t dev, unsigned depth, struct fault *err)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : fault_set(err, -errno, "cannot see %s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return remove_folder(dirfd, name, dev, depth, err);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return fault_set(err, -errno, "cannot remove %s: %s", name, strerror(errno));
	return 0;
}

int dir_remove_at(int dirfd, const char *path, struct fault *err)
{
	struct stat st;
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : fault_set(err, -errno, "cannot see %s: %s", path, strerror(errno));
	return remove_entry(dirfd, path, st.st_dev, 0, err);
}
