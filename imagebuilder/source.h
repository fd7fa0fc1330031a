#pragma once
/*
 * Where the files of a base image come from: a tree of unpacked packages, and for libraries the running system behind it. Links are
 * followed inside the tree (openat2(2) RESOLVE_IN_ROOT), so an absolute link of a package never leads to the host's file.
 */
#include <stdbool.h>
#include <stddef.h>
#include "common/fault.h"

#define SOURCE_FILE_MAX (512u << 20) /* bytes */

struct source {
	const char *root; /* borrowed: as given */
	int root_fd, system_fd;
};

#define SOURCE_INIT ((struct source){ .root_fd = -1, .system_fd = -1 })

int source_open(const char *root, struct source *ret, struct fault *err);
void source_done(struct source *s);
/*
 * Opens "lib/x" or "usr/lib/x", whichever the tree has; with @with_system also those of the running system. @flags as for open(2).
 * The descriptor, or -ENOENT without a sentence, or another -errno with one.
 */
int source_openat(const struct source *s, const char *path, int flags, bool with_system,
		  struct fault *err);
/* The whole file and its permission bits. -ENOENT has no sentence. */
int source_read(const struct source *s, const char *path, bool with_system, char **ret_data,
		size_t *ret_len, unsigned *ret_perm, struct fault *err);
/* The names in the folder @path that end in @suffix, sorted; NULL-terminated, freed by source_names_free(). Absent = empty. */
int source_names(const struct source *s, const char *path, const char *suffix, char ***ret,
		 struct fault *err);
void source_names_free(char ***names);
