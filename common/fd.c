#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/str.h"

#define COPY_STEP (1u << 20)
#define TEMP_TRIES 16

/* --- whole reads and writes ---------------------------------------------------------------- */

ssize_t fd_read(int fd, void *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = read(fd, (char *)data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t fd_pread(int fd, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write(int fd, const void *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int fd_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n =
			pwrite(fd, (const char *)data + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int fd_sync(int fd, const char *name, struct fault *err)
{
	if (fsync(fd) < 0)
		return fault_set(err, -errno, "cannot flush %s: %s", name, strerror(errno));
	return 0;
}

int fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* Returns the bytes copied by the kernel; 0 = it cannot for these two files (or there is nothing more). */
static int64_t copy_in_kernel(int in, int out, uint64_t len)
{
	uint64_t done = 0;
	while (done < len) {
		ssize_t n = copy_file_range(in, NULL, out, NULL,
					    MIN_OF(len - done, (uint64_t)1 << 30), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EIO || errno == EDQUOT || errno == EFBIG))
			return -errno;
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	return (int64_t)done;
}

static int64_t copy_by_buffer(int in, int out, uint64_t len)
{
	AUTO(freep) char *data = malloc(COPY_STEP);
	if (!data)
		return -ENOMEM;
	uint64_t done = 0;
	while (done < len) {
		ssize_t n = fd_read(in, data, MIN_OF(len - done, (uint64_t)COPY_STEP));
		if (n <= 0)
			return n < 0 ? n : (int64_t)done;
		int r = fd_write(out, data, (size_t)n);
		if (r < 0)
			return r;
		done += (uint64_t)n;
	}
	return (int64_t)done;
}

int fd_copy(int in, int out, uint64_t len, struct fault *err)
{
	int64_t first = copy_in_kernel(in, out, len);
	/* also after a short kernel copy: procfs and some network file systems answer 0 before their end */
	int64_t rest = first < 0 ? first : copy_by_buffer(in, out, len - (uint64_t)first);
	if (rest < 0)
		return fault_set(err, (int)rest, "cannot copy: %s", strerror((int)-rest));
	if (len != UINT64_MAX && (uint64_t)first + (uint64_t)rest < len)
		return fault_set(err, -ENODATA,
				 "cannot copy: the source ends after %llu of %llu bytes",
				 (unsigned long long)(first + rest), (unsigned long long)len);
	return 0;
}

/* --- files --------------------------------------------------------------------------------- */

/* Reads @fd to its end into @b: a sysfs or procfs file does not tell its size beforehand. */
static int read_all(int fd, struct buf *b)
{
	for (;;) {
		char probe;
		size_t room = MIN_OF(b->max - b->len, MAX_OF(b->len, (size_t)4096));
		if (room == 0) {
			ssize_t n = fd_read(fd, &probe, 1);
			return n > 0 ? -EMSGSIZE : (int)n;
		}
		int r = buf_reserve(b, room);
		if (r < 0)
			return r;
		ssize_t n = fd_read(fd, b->data + b->len, room);
		if (n < 0)
			return (int)n;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if ((size_t)n < room)
			return 0;
	}
}

int file_read_at(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len,
		 struct fault *err)
{
	AUTO(closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open %s: %s", path, strerror(errno));

	AUTO(buf_done) struct buf b;
	buf_init(&b, max);
	int r = read_all(fd, &b);
	if (r == -EMSGSIZE)
		return fault_set(err, r, "%s is larger than %zu bytes", path, max);
	if (r < 0)
		return fault_set(err, r, "cannot read %s: %s", path, strerror(-r));
	size_t len = b.len;
	char *data = buf_take(&b);
	if (!data)
		return fault_oom(err);
	*ret_data = data;
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read_line_at(int dirfd, const char *path, size_t max, char **ret, struct fault *err)
{
	char *data;
	size_t len;
	int r = file_read_at(dirfd, path, max, &data, &len, err);
	if (r < 0)
		return r;
	if (len > 0 && data[len - 1] == '\n')
		data[len - 1] = '\0';
	*ret = data;
	return 0;
}

static int write_and_sync(int fd, const char *path, const void *data, size_t len, mode_t mode,
			  struct fault *err)
{
	if (fchmod(fd, mode) < 0)
		return fault_set(err, -errno, "cannot set the mode of %s: %s", path,
				 strerror(errno));
	int r = fd_write(fd, data, len);
	if (r < 0)
		return fault_set(err, r, "cannot write %s: %s", path, strerror(-r));
	return fd_sync(fd, path, err);
}

static int sync_folder_of(int dirfd, const char *path, struct fault *err)
{
	AUTO(freep) char *folder = strdup(path);
	if (!folder)
		return fault_oom(err);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	const char *name = slash ? folder : ".";
	AUTO(closep) int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(err, -errno, "cannot open %s: %s", name, strerror(errno));
	return fd_sync(fd, name, err);
}

/* A new file beside @path; *ret_name is owned by the caller. */
static int open_temporary(int dirfd, const char *path, char **ret_name, struct fault *err)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		char id[UUID_LEN + 1];
		uuid_random(id);
		AUTO(freep) char *name = str_printf("%s.%.8s.tmp", path, id);
		if (!name)
			return fault_oom(err);
		int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600);
		if (fd >= 0) {
			*ret_name = TAKE(name);
			return fd;
		}
		if (errno != EEXIST)
			return fault_set(err, -errno, "cannot create %s: %s", name,
					 strerror(errno));
	}
	return fault_set(err, -EEXIST, "cannot find a free temporary name beside %s", path);
}

int file_replace_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		    struct fault *err)
{
	AUTO(freep) char *name = NULL;
	AUTO(closep) int fd = open_temporary(dirfd, path, &name, err);
	if (fd < 0)
		return fd;
	int r = write_and_sync(fd, path, data, len, mode, err);
	if (r == 0 && renameat(dirfd, name, dirfd, path) < 0)
		r = fault_set(err, -errno, "cannot replace %s: %s", path, strerror(errno));
	if (r < 0) {
		(void)unlinkat(dirfd, name, 0);
		return r;
	}
	return sync_folder_of(dirfd, path, err);
}

int file_create_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		   struct fault *err)
{
	AUTO(closep)
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_set(err, -errno, "cannot create %s: %s", path, strerror(errno));
	int r = write_and_sync(fd, path, data, len, mode, err);
	if (r < 0) {
		(void)unlinkat(dirfd, path, 0);
		return r;
	}
	return sync_folder_of(dirfd, path, err);
}
