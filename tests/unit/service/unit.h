#pragma once
/* What every unit test includes; cmocka 1.1.5 wants these four first. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/fd.h"

/* A new folder below TMPDIR, opened. */
static inline int unit_tmp_open(char path[64])
{
	snprintf(path, 64, "/tmp/slipway-unit.XXXXXX");
	assert_non_null(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline void unit_tmp_close(int fd, const char *path)
{
	close(fd);
	assert_int_equal(dir_remove_at(AT_FDCWD, path, NULL), 0);
}
