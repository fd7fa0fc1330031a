#pragma once
/*
 * A path below a folder, one component at a time. For kernels before 5.6, and for trees whose links became plain files
 * holding the target (git with core.symlinks=false, zip): such a file is followed where a folder is needed.
 */
#include <sys/types.h>

/* Opens @path below @top; -EXDEV when a link or ".." would leave @top, -ELOOP after 40 links (as the kernel). */
int root_walk(int top, const char *path, int flags);
/* The target when @name is a plain file that holds one ("../…", no newline): its length; -EINVAL otherwise. */
ssize_t root_flat_link(int dir, const char *name, char *target, size_t size);
