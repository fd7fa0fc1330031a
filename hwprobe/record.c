#include "hwprobe/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

enum { LINKS_MAX = 40 };

/* Different in every process, so it is kept as a folder. */
#define PROC_SELF "proc/self"

static bool is_recording(const struct root *r)
{
	return r->is_live && r->record_fd >= 0;
}

static void failed(struct root *r, int err)
{
	if (!r->record_error)
		r->record_error = err;
}

static int make_parents(int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return 0;
	char parent[ROOT_PATH_MAX];
	str_copy(parent, sizeof(parent), path);
	parent[slash - path] = '\0';
	return dir_make_at(dir, parent, 0755, NULL);
}

/* Makes the link in the record; 1 = @path is a link and @target its text, 0 = it is none. */
static int copy_link(struct root *r, const char *path, char target[ROOT_PATH_MAX])
{
	ssize_t n = strcmp(path, PROC_SELF) ? readlinkat(r->fd, path, target, ROOT_PATH_MAX - 1)
					    : -1;
	if (n < 0)
		return 0;
	target[n] = '\0';
	if (target[0] == '/')
		return -EXDEV; /* a replay would refuse it */
	int rc = symlinkat(target, r->record_fd, path) < 0 ? -errno : 0;
	/* Mostly the folder is there already, by what was recorded before. */
	if (rc == -ENOENT)
		rc = make_parents(r->record_fd, path);
	else if (rc == -EEXIST || !rc)
		return 1;
	if (rc < 0)
		return rc;
	return symlinkat(target, r->record_fd, path) < 0 ? -errno : 1;
}

/* Takes "a/b/../c" apart and puts it together without "..". */
static int normalise(char path[ROOT_PATH_MAX])
{
	char out[ROOT_PATH_MAX] = "", *save = NULL;
	for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		size_t n = strlen(out);
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			char *slash = strrchr(out, '/');
			if (!n)
				return -EXDEV;
			*(slash ? slash : out) = '\0';
			continue;
		}
		if ((size_t)snprintf(out + n, sizeof(out) - n, "%s%s", n ? "/" : "", part) >=
		    sizeof(out) - n)
			return -ENAMETOOLONG;
	}
	memcpy(path, out, sizeof(out));
	return 0;
}

/* Replaces the first link on the way in @path by its target, making it in the record. 1 = done, 0 = there is none. */
static int resolve_one(struct root *r, char path[ROOT_PATH_MAX], bool is_last_followed)
{
	char prefix[ROOT_PATH_MAX], target[ROOT_PATH_MAX], joined[ROOT_PATH_MAX];
	for (const char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
		if (!slash && !is_last_followed)
			return 0;
		size_t n = slash ? (size_t)(slash - path) : strlen(path);
		memcpy(prefix, path, n);
		prefix[n] = '\0';
		int rc = copy_link(r, prefix, target);
		if (rc < 0)
			return rc;
		if (rc) {
			char *base = strrchr(prefix, '/');
			*(base ? base : prefix) = '\0';
			if ((size_t)snprintf(joined, sizeof(joined), "%s/%s%s", prefix, target,
					     slash ? slash : "") >= sizeof(joined))
				return -ENAMETOOLONG;
			memcpy(path, joined, sizeof(joined));
			rc = normalise(path);
			return rc < 0 ? rc : 1;
		}
		if (!slash)
			return 0;
	}
}

/* @path without links on the way; every link that was met is in the record. */
static int resolve_all(struct root *r, const char *path, bool is_last_followed,
		       char ret[ROOT_PATH_MAX])
{
	if (!str_copy(ret, ROOT_PATH_MAX, path))
		return -ENAMETOOLONG;
	for (int i = 0; i < LINKS_MAX; i++) {
		int rc = resolve_one(r, ret, is_last_followed);
		if (rc <= 0)
			return rc;
	}
	return -ELOOP;
}

/* resolve_all(), with a memory: attributes of one folder are read one after the other. */
static int resolve(struct root *r, const char *path, bool is_last_followed, char ret[ROOT_PATH_MAX])
{
	char dir[ROOT_PATH_MAX], target[ROOT_PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (!slash || !str_copy(dir, sizeof(dir), path))
		return resolve_all(r, path, is_last_followed, ret);
	dir[slash - path] = '\0';
	if (strcmp(dir, r->record_dir)) {
		r->record_dir[0] = '\0';
		int rc = resolve_all(r, dir, true, r->record_real);
		if (rc < 0)
			return rc;
		str_copy(r->record_dir, sizeof(r->record_dir), dir);
	}
	const char *name = r->record_real[0] ? slash : slash + 1;
	if (snprintf(ret, ROOT_PATH_MAX, "%s%s", r->record_real, name) >= ROOT_PATH_MAX)
		return -ENAMETOOLONG;
	int rc = is_last_followed ? copy_link(r, ret, target) : 0;
	return rc <= 0 ? rc : resolve_all(r, path, true, ret);
}

static int open_copy(struct root *r, const char *path, int flags)
{
	char real[ROOT_PATH_MAX];
	int rc = resolve(r, path, true, real);
	if (rc < 0)
		return rc;
	flags |= O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(r->record_fd, real, flags, 0644);
	if (fd < 0 && errno == ENOENT) {
		rc = make_parents(r->record_fd, real);
		fd = rc < 0 ? -1 : openat(r->record_fd, real, flags, 0644);
	}
	return fd >= 0 ? fd : rc < 0 ? rc : -errno;
}

void record_file(struct root *r, const char *path, const void *data, size_t len)
{
	if (!is_recording(r))
		return;
	AUTO(closep) int fd = open_copy(r, path, O_TRUNC);
	int rc = fd < 0 ? fd : fd_write(fd, data, len);
	if (rc < 0)
		failed(r, rc);
}

void record_device(struct root *r, const char *path, uint64_t offset, const void *data, size_t len)
{
	if (!is_recording(r))
		return;
	AUTO(closep) int fd = open_copy(r, path, 0);
	int rc = fd < 0 ? fd : fd_pwrite(fd, data, len, offset);
	if (rc < 0)
		failed(r, rc);
}

void record_link(struct root *r, const char *path)
{
	char real[ROOT_PATH_MAX], target[ROOT_PATH_MAX];
	if (!is_recording(r))
		return;
	int rc = resolve(r, path, false, real);
	if (!rc)
		rc = copy_link(r, real, target);
	if (rc < 0)
		failed(r, rc);
}

void record_entry(struct root *r, const char *path)
{
	char real[ROOT_PATH_MAX], target[ROOT_PATH_MAX];
	struct stat st;
	if (!is_recording(r))
		return;
	int rc = resolve(r, path, false, real);
	if (!rc)
		rc = copy_link(r, real, target);
	if (rc < 0) {
		failed(r, rc);
		return;
	}
	if (rc || fstatat(r->fd, real, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		rc = faccessat(r->record_fd, real, F_OK, 0) < 0
			     ? dir_make_at(r->record_fd, real, 0755, NULL)
			     : 0;
	} else {
		AUTO(closep) int fd = open_copy(r, real, 0);
		rc = fd < 0 ? fd : 0;
	}
	if (rc < 0)
		failed(r, rc);
}

void record_line(struct root *r, const char *name, const char *fmt, ...)
{
	if (!is_recording(r))
		return;
	AUTO(buf_done) struct buf line;
	char text[2048];
	buf_init(&line, sizeof(text) + 2);
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	AUTO(closep)
	int fd = openat(r->record_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
			0644);
	int rc = n < 0 || (size_t)n >= sizeof(text) ? -EMSGSIZE
		 : fd < 0                           ? -errno
						    : buf_printf(&line, "%s\n", text);
	if (!rc)
		rc = fd_write(fd, line.data, line.len);
	if (rc < 0)
		failed(r, rc);
}
