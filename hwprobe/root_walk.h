#pragma once
/* openat2(RESOLVE_BENEATH) by hand, one component at a time, for kernels before 5.6. */
/* Opens @path below @top; -EXDEV when a link or ".." would leave @top, -ELOOP after 40 links (as the kernel). */
int root_walk(int top, const char *path, int flags);
