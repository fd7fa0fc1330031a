#pragma once
/*
 * Whole reads and writes, files relative to a directory descriptor, atomic replacement.
 * Every descriptor made here is close-on-exec.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/buf.h"
#include "common/fault.h"

/* Read until @len bytes or end of file; returns the bytes read (short = end of file) or -errno. EINTR is retried. */
ssize_t fd_read(int fd, void *data, size_t len);
ssize_t fd_pread(int fd, void *data, size_t len, uint64_t offset);
/* Write everything; 0 or -errno (-EIO when the device takes nothing). */
int fd_write(int fd, const void *data, size_t len);
int fd_pwrite(int fd, const void *data, size_t len, uint64_t offset);

/*
 * The whole file below @dirfd (AT_FDCWD allowed), at most @max bytes, NUL behind them.
 * -EMSGSIZE when longer. Works on sysfs and procfs (one growing read).
 */
int file_read_at(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len,
		 struct fault *err);
/* The same without the last newline, as a string; for one-line attributes. */
int file_read_line_at(int dirfd, const char *path, size_t max, char **ret, struct fault *err);
/* Writes @path beside itself under a temporary name, fsync, rename, fsync of the directory. @mode is exact (no umask). */
int file_replace_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		    struct fault *err);
/* Creates with O_EXCL; -EEXIST when there. */
int file_create_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		   struct fault *err);
/* mkdir -p; existing folders keep their mode. */
int dir_make_at(int dirfd, const char *path, mode_t mode, struct fault *err);
/* Removes a tree; 0 when it was not there. Does not follow links, does not leave the file system. */
int dir_remove_at(int dirfd, const char *path, struct fault *err);
int fd_sync(int fd, const char *name, struct fault *err);
/* Copies @len bytes (UINT64_MAX = to the end): reflink or copy_file_range where the kernel can. */
int fd_copy(int in, int out, uint64_t len, struct fault *err);
int fd_set_nonblock(int fd);
