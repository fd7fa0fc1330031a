#include "agent/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "agent/offset_mount.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define LABEL_XATTR "security.selinux"
#define LABEL_MAX 512
#define SECRET_DIR_MODE 0700
#define DIR_MODE 0755

#if defined(__aarch64__)
#define ROOT_TYPE gpt_type_linux_root_arm64
#define LOADER_FILE "EFI/BOOT/BOOTAA64.EFI"
#define LOADER_PATH "\\EFI\\BOOT\\BOOTAA64.EFI"
#else
#define ROOT_TYPE gpt_type_linux_root_x86_64
#define LOADER_FILE "EFI/BOOT/BOOTX64.EFI"
#define LOADER_PATH "\\EFI\\BOOT\\BOOTX64.EFI"
#endif

/* --- files ------------------------------------------------------------------------------- */

/*
 * Without a policy loaded nobody labels new files: they get what a policy would mostly give them,
 * the folder's label.
 */
static void label_inherit(int dirfd, int fd)
{
	char label[LABEL_MAX];
	ssize_t n = fgetxattr(dirfd, LABEL_XATTR, label, sizeof(label));

	if (n > 0)
		(void)fsetxattr(fd, LABEL_XATTR, label, (size_t)n, 0);
}

static int fault_of(const char *what, const char *path, struct fault *err)
{
	return fault_set(err, -errno, "cannot %s /%s of the new system: %s", what, path,
			 strerror(errno));
}

/* The folder @name in @dirfd, made with @mode when it is missing. Links are not followed. */
static int dir_enter(int dirfd, const char *name, mode_t mode, const char *path, struct fault *err)
{
	bool is_new = mkdirat(dirfd, name, mode) == 0;

	if (!is_new && errno != EEXIST)
		return fault_of("make", path, err);
	AUTO(closep) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_of("open", path, err);
	if (is_new) {
		label_inherit(dirfd, fd);
		if (fchmod(fd, mode) < 0 || fsync(dirfd) < 0)
			return fault_of("write", path, err);
	}
	return TAKE_FD(fd);
}

static int leaf_put(int dirfd, const char *name, const struct install_file *f, struct fault *err)
{
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return fault_of("replace", f->path, err);
	AUTO(closep)
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_of("make", f->path, err);
	label_inherit(dirfd, fd);
	int r = fd_write(fd, f->data, f->len);
	if (r < 0)
		return fault_set(err, r, "cannot write /%s of the new system: %s", f->path,
				 strerror(-r));
	if (fchmod(fd, f->mode) < 0 || fsync(fd) < 0 || fsync(dirfd) < 0)
		return fault_of("write", f->path, err);
	return 0;
}

static bool path_is_good(const char *path)
{
	size_t len = strlen(path);

	if (!len || len >= PATH_MAX || path[0] == '/' || path[len - 1] == '/' || strstr(path, "//"))
		return false;
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
		size_t part = strcspn(p, "/");

		if (part > NAME_MAX || (part == 1 && p[0] == '.') ||
		    (part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return true;
}

static int file_put(int rootfd, const struct install_file *f, struct fault *err)
{
	if (!path_is_good(f->path) || f->len > INSTALL_FILE_MAX)
		return fault_set(err, -EINVAL, "seed file \"%s\" (%zu bytes) is not allowed",
				 f->path, f->len);

	AUTO(freep) char *path = str_dup(f->path);
	AUTO(closep) int dirfd = fcntl(rootfd, F_DUPFD_CLOEXEC, 3);
	if (!path || dirfd < 0)
		return fault_oom(err);
	char *name = path;
	for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
		*slash = '\0';
		/*
		 * The folder next to a file that others must not read is nobody else's business
		 * either.
		 */
		bool is_secret = !strchr(slash + 1, '/') && !(f->mode & 0077);
		int fd = dir_enter(dirfd, name, is_secret ? SECRET_DIR_MODE : DIR_MODE, f->path,
				   err);

		if (fd < 0)
			return fd;
		close(dirfd);
		dirfd = fd;
	}
	return leaf_put(dirfd, name, f, err);
}

int configure_put_files(int rootfd, const struct install_file *files, size_t n, struct fault *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = file_put(rootfd, &files[i], err);
	return r;
}

/* --- the root file system ---------------------------------------------------------------- */

static bool is_candidate(const struct gpt_entry *e)
{
	return !memcmp(e->type, ROOT_TYPE, 16) || !memcmp(e->type, gpt_type_linux, 16);
}

static unsigned rank(const struct gpt_entry *e)
{
	char name[GPT_NAME_LEN + 1];

	gpt_entry_name(e, name);
	if (!memcmp(e->type, ROOT_TYPE, 16))
		return 0;
	return str_eq(name, "root") ? 1 : 2;
}

static int candidate_cmp(const void *a, const void *b)
{
	const struct gpt_entry *x = *(const struct gpt_entry *const *)a,
			       *y = *(const struct gpt_entry *const *)b;
	uint64_t x_len = x->last_lba - x->first_lba, y_len = y->last_lba - y->first_lba;

	if (rank(x) != rank(y))
		return rank(x) < rank(y) ? -1 : 1;
	return x_len == y_len ? 0 : x_len > y_len ? -1 : 1;
}

static int entry_mount(struct disk *d, const struct gpt *g, const struct gpt_entry *e,
		       bool is_read_only, struct offset_mount *ret, struct fault *err)
{
	return offset_mount_open(d, e->first_lba * g->sector_size,
				 (e->last_lba - e->first_lba + 1) * g->sector_size, is_read_only,
				 ret, err);
}

static bool has_dir(int rootfd, const char *name)
{
	struct stat st;

	return fstatat(rootfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* 1 = written, 0 = not a root file system. */
static int entry_try(struct disk *d, const struct gpt *g, const struct gpt_entry *e,
		     const struct install_file *files, size_t n, struct fault *err)
{
	struct offset_mount m;
	int r = entry_mount(d, g, e, false, &m, err);

	if (r == -EMEDIUMTYPE)
		return 0;
	if (r < 0)
		return r;
	bool is_root = !str_eq(m.fstype, "vfat") && has_dir(m.mount_fd, "etc");
	if (is_root)
		r = configure_put_files(m.mount_fd, files, n, err);
	int closed = offset_mount_close(&m, r < 0 ? NULL : err);
	if (r < 0 || closed < 0)
		return r < 0 ? r : closed;
	return is_root;
}

int configure_files(struct disk *d, const struct gpt *g, const struct install_file *files, size_t n,
		    struct fault *err)
{
	const struct gpt_entry *candidates[GPT_ENTRIES_MAX];
	size_t found = 0;
	int r = 0;

	if (n > INSTALL_FILES_MAX)
		return fault_set(err, -E2BIG, "%zu seed files", n);
	for (uint32_t i = 0; i < g->count; i++)
		if (is_candidate(&g->entries[i]))
			candidates[found++] = &g->entries[i];
	qsort(candidates, found, sizeof(*candidates), candidate_cmp);
	for (size_t i = 0; r == 0 && i < found; i++)
		r = entry_try(d, g, candidates[i], files, n, err);
	if (r == 0)
		return fault_set(
			err, -ENOENT,
			"no partition of the image is a root file system (ext4 or xfs with a folder etc)");
	if (r > 0)
		r = d->ops->flush(d);
	return r;
}

/* --- the EFI system partition ------------------------------------------------------------ */

int configure_find_loader(struct disk *d, const struct gpt *g, char ret_path[CONFIGURE_LOADER_MAX],
			  uint32_t *ret_number, struct fault *err)
{
	const struct gpt_entry *esp = gpt_find_type(g, gpt_type_esp);
	struct offset_mount m;
	struct stat st;

	if (!esp)
		return fault_set(err, -ENOENT, "the image has no EFI system partition");
	int r = entry_mount(d, g, esp, true, &m, err);
	if (r < 0)
		return r;
	bool has_loader = fstatat(m.mount_fd, LOADER_FILE, &st, 0) == 0 && S_ISREG(st.st_mode) &&
			  st.st_size > 0;
	r = offset_mount_close(&m, err);
	if (r < 0)
		return r;
	if (!has_loader)
		return fault_set(err, -ENOENT,
				 "the image's EFI system partition has no " LOADER_PATH);
	(void)str_copy(ret_path, CONFIGURE_LOADER_MAX, LOADER_PATH);
	*ret_number = (uint32_t)(esp - g->entries) + 1;
	return 0;
}
