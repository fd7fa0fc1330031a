#pragma once
/*
 * A temporary tree of files for tests.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/fd.h"

struct fake_root {
	char path[64];
	int fd;
};

static inline void fake_root_make(struct fake_root *r)
{
	snprintf(r->path, sizeof(r->path), "/tmp/slipway-test-XXXXXX");
	if (!mkdtemp(r->path))
		abort();
	r->fd = open(r->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		abort();
}

static inline void fake_root_parents(struct fake_root *r, const char *path)
{
	char dir[256];
	const char *slash = strrchr(path, '/');

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 0, path);
	if (*dir && dir_make_at(r->fd, dir, 0755, NULL) < 0)
		abort();
}

static inline void fake_root_file(struct fake_root *r, const char *path, const void *data,
				  size_t len, mode_t mode)
{
	fake_root_parents(r, path);
	if (file_create_at(r->fd, path, data, len, mode, NULL) < 0)
		abort();
}

static inline void fake_root_text(struct fake_root *r, const char *path, const char *text)
{
	fake_root_file(r, path, text, strlen(text), 0644);
}

static inline void fake_root_link(struct fake_root *r, const char *path, const char *target)
{
	fake_root_parents(r, path);
	if (symlinkat(target, r->fd, path) < 0)
		abort();
}

static inline void fake_root_done(struct fake_root *r)
{
	close(r->fd);
	(void)dir_remove_at(AT_FDCWD, r->path, NULL);
}
