#include "hwprobe/scrub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "hwprobe/root.h"

/* What a walk does with each entry of a folder: a file, a link, a folder after all that is in it. */
struct visitor {
	int (*file)(struct scrub *s, int dir, const char *name, const char *path);
	int (*entry)(struct scrub *s, int dir, const char *name, const char *path,
		     unsigned char type);
};

static int walk(struct scrub *s, const struct visitor *v, int dir, const char *path, int depth);

static int visit(struct scrub *s, const struct visitor *v, int dir, const char *name,
		 const char *path, int depth)
{
	char child[ROOT_PATH_MAX];
	struct stat st;
	if (snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", name) >=
	    (int)sizeof(child))
		return -ENAMETOOLONG;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	int rc = 0;
	if (S_ISDIR(st.st_mode)) {
		AUTO(closep)
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		rc = fd < 0 ? -errno : walk(s, v, fd, child, depth + 1);
	} else if (S_ISREG(st.st_mode) && v->file) {
		rc = v->file(s, dir, name, child);
	}
	if (rc < 0 || !v->entry)
		return rc;
	return v->entry(s, dir, name, child, S_ISLNK(st.st_mode) ? DT_LNK : DT_REG);
}

/* The names first: renaming while reading a folder may show an entry twice. */
static int read_names(struct arena *a, int dir, struct root_names *ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	AUTO(closedirp) DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		char **slot = arena_append(a, &ret->v, &ret->n, sizeof(*slot));
		if (!slot || !(*slot = arena_dup(a, e->d_name)))
			return -ENOMEM;
	}
	return 0;
}

static int walk(struct scrub *s, const struct visitor *v, int dir, const char *path, int depth)
{
	AUTO(arena_done) struct arena tmp = { 0 };
	struct root_names names = { 0 };
	if (depth > SCRUB_DEPTH_MAX)
		return -ELOOP;
	int rc = read_names(&tmp, dir, &names);
	for (size_t i = 0; i < names.n && rc == 0; i++)
		rc = visit(s, v, dir, names.v[i], path, depth);
	return rc;
}

static int learn_file(struct scrub *s, int dir, const char *name, const char *path)
{
	AUTO(freep) char *data = NULL;
	size_t len = 0;
	int rc = file_read_at(dir, name, SCRUB_FILE_MAX, &data, &len, NULL);
	if (rc == 0)
		scrub_learn(s, path, data, len);
	return rc;
}

static int rewrite_file(struct scrub *s, int dir, const char *name, const char *path)
{
	AUTO(freep) char *data = NULL;
	size_t len = 0;
	int rc = file_read_at(dir, name, SCRUB_FILE_MAX, &data, &len, NULL);
	if (rc < 0)
		return rc;
	char *room = realloc(data, len + SCRUB_ROOM + 1);
	if (!room)
		return -ENOMEM;
	data = room;
	len = scrub_file(s, path, data, len);
	AUTO(closep) int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write(fd, data, len);
}

static int rename_entry(struct scrub *s, int dir, const char *name, const char *path,
			unsigned char type)
{
	char to[ROOT_PATH_MAX], target[ROOT_PATH_MAX];
	if (!str_copy(to, sizeof(to), name))
		return -ENAMETOOLONG;
	bool is_named = str_starts(path, "dev/") && scrub_link_name((char *)path + strlen("dev/"));
	bool is_renamed = is_named ? scrub_apply_in_place(s, to, strlen(to))
				   : scrub_apply(s, to, strlen(to));
	if (type != DT_LNK)
		return is_renamed && renameat(dir, name, dir, to) < 0 ? -errno : 0;

	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (!scrub_apply(s, target, (size_t)n) && !is_renamed)
		return 0;
	if (unlinkat(dir, name, 0) < 0 || symlinkat(target, dir, to) < 0)
		return -errno;
	return 0;
}

int scrub_tree(int dirfd)
{
	static const struct visitor learn = { .file = learn_file },
				    rewrite = { .file = rewrite_file, .entry = rename_entry };
	struct scrub s = { 0 };
	if (getrandom(s.key, sizeof(s.key), 0) != sizeof(s.key))
		return -EIO;
	int rc = walk(&s, &learn, dirfd, "", 0);
	scrub_ready(&s);
	if (rc == 0)
		rc = walk(&s, &rewrite, dirfd, "", 0);
	if (rc == 0 && s.mem.has_failed)
		rc = -ENOMEM;
	arena_done(&s.mem);
	explicit_bzero(&s, sizeof(s));
	return rc;
}
