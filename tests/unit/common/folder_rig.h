#pragma once
/* Each case works in a folder of its own; folder(state) is its descriptor. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/fd.h"

struct folder_rig {
	char path[32];
	int fd;
};

static inline int folder_begin(void **state)
{
	struct folder_rig *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/slipway-XXXXXX");
	*state = f;
	f->fd = mkdtemp(f->path) ? open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return f->fd < 0 ? -1 : 0;
}

static inline int folder(void **state)
{
	return ((struct folder_rig *)*state)->fd;
}

static inline const char *folder_path(void **state)
{
	return ((struct folder_rig *)*state)->path;
}

static inline int folder_end(void **state)
{
	struct folder_rig *f = *state;

	close(f->fd);
	int r = dir_remove_at(AT_FDCWD, f->path, NULL);
	free(f);
	return r;
}
