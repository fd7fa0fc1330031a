#pragma once
/* /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#include <stddef.h>
#include "hwprobe/arena.h"

enum { MOUNTS_MAX = 100000 };

struct mount {
	unsigned major, minor;                    /* of the file system; major 0 = anonymous */
	const char *root, *point, *type, *source; /* octal escapes decoded */
};

struct mount_table {
	struct mount *v;
	size_t n;
	size_t broken; /* lines that could not be parsed */
};

/* Decodes "\040" and the like in place; returns @text. */
char *mountinfo_unescape(char *text);
/* @text: NUL-terminated, changed in place, must outlive the table. */
void mountinfo_parse(struct mount_table *t, struct arena *a, char *text);
