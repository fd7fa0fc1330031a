#include "imagebuilder/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define NAMES_MAX 1024u

int source_open(const char *root, struct source *ret, struct fault *err)
{
	struct source s = { .root = root };

	s.root_fd = open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (s.root_fd < 0)
		return fault_set(err, -errno, "cannot open the package root %s: %s", root,
				 strerror(errno));
	s.system_fd = open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (s.system_fd < 0) {
		int code = -errno;
		close(s.root_fd);
		return fault_set(err, code, "cannot open /: %s", strerror(-code));
	}
	*ret = s;
	return 0;
}

void source_done(struct source *s)
{
	closep(&s->root_fd);
	closep(&s->system_fd);
	*s = SOURCE_INIT;
}

static int open_in(int dir_fd, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* A tree of packages may have /lib and /usr/lib as two folders: the package decides which one it fills. */
static int open_either(int dir_fd, const char *path, int flags)
{
	char other[1024];

	int fd = open_in(dir_fd, path, flags);
	if (fd != -ENOENT)
		return fd;
	if (str_starts(path, "usr/"))
		return open_in(dir_fd, path + 4, flags);
	int n = snprintf(other, sizeof(other), "usr/%s", path);
	return n > 0 && n < (int)sizeof(other) ? open_in(dir_fd, other, flags) : -ENAMETOOLONG;
}

int source_openat(const struct source *s, const char *path, int flags, bool with_system,
		  struct fault *err)
{
	path += strspn(path, "/");
	int fd = open_either(s->root_fd, path, flags);
	if (fd == -ENOENT && with_system)
		fd = open_either(s->system_fd, path, flags);
	if (fd < 0 && fd != -ENOENT)
		return fault_set(err, fd, "cannot open %s in %s: %s", path, s->root, strerror(-fd));
	return fd;
}

int source_read(const struct source *s, const char *path, bool with_system, char **ret_data,
		size_t *ret_len, unsigned *ret_perm, struct fault *err)
{
	struct stat st;

	AUTO(closep) int fd = source_openat(s, path, O_RDONLY | O_NONBLOCK, with_system, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fault_set(err, -EINVAL, "%s in %s is not a regular file", path, s->root);
	if (st.st_size > (off_t)SOURCE_FILE_MAX)
		return fault_set(err, -EFBIG, "%s in %s is larger than %u MiB", path, s->root,
				 SOURCE_FILE_MAX >> 20);

	size_t len = (size_t)st.st_size;
	AUTO(freep) char *data = malloc(len + 1);
	if (!data)
		return fault_oom(err);
	ssize_t n = fd_read(fd, data, len);
	if (n != (ssize_t)len)
		return fault_set(err, n < 0 ? (int)n : -EIO, "cannot read %s in %s", path, s->root);

	data[len] = '\0';
	*ret_data = TAKE(data);
	*ret_len = len;
	if (ret_perm)
		*ret_perm = st.st_mode & 0111 ? 0755 : 0644;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect(DIR *dir, const char *suffix, char **names, size_t *ret_n)
{
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.' || !str_ends(e->d_name, suffix))
			continue;
		if (n == NAMES_MAX)
			return -E2BIG;
		names[n] = strdup(e->d_name);
		if (!names[n++])
			return -ENOMEM;
	}
	qsort(names, n, sizeof(*names), compare_names);
	*ret_n = n;
	return 0;
}

int source_names(const struct source *s, const char *path, const char *suffix, char ***ret,
		 struct fault *err)
{
	AUTO(source_names_free) char **names = calloc(NAMES_MAX + 1, sizeof(*names));
	size_t n;

	if (!names)
		return fault_oom(err);
	int fd = source_openat(s, path, O_RDONLY | O_DIRECTORY, false, err);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		AUTO(closedirp) DIR *dir = fdopendir(fd);
		if (!dir) {
			close(fd);
			return fault_oom(err);
		}
		int r = collect(dir, suffix, names, &n);
		if (r < 0)
			return fault_set(err, r, "cannot list %s in %s: %s", path, s->root,
					 strerror(-r));
	}
	*ret = TAKE(names);
	return 0;
}

void source_names_free(char ***names)
{
	if (!*names)
		return;
	for (char **p = *names; *p; p++)
		free(*p);
	free(*names);
	*names = NULL;
}
