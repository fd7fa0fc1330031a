#pragma once
/* A copy of a recorded machine, to be changed. */
#include <ftw.h>
#include "tests/unit/hwprobe/tree.h"

enum { COPIED_FILE_MAX = 1 << 20 };

/* nftw() takes no argument for its callback. */
static struct {
	struct tree *to;
	size_t skip; /* length of the original's name and slash */
	void (*note)(const char *name, const char *data, size_t len);
} copying;

UNUSED static int copy_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + copying.skip;
	char target[1024], *data = NULL;
	size_t len = 0;
	if (type == FTW_D) {
		if (ftw->level > 0)
			tree_dir(copying.to, name);
		return 0;
	}
	if (type == FTW_SL || type == FTW_SLN) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		tree_link(copying.to, name, target);
		return 0;
	}
	if (file_read_at(AT_FDCWD, path, COPIED_FILE_MAX, &data, &len, NULL) < 0)
		return -1;
	tree_write(copying.to, name, data, len);
	if (copying.note)
		copying.note(name, data, len);
	free(data);
	return 0;
}

/* Makes @to of the folder "root" of @machine, and tells @note (may be NULL) of each file. */
UNUSED static void copy_tree(struct tree *to, const char *machine,
			     void (*note)(const char *name, const char *data, size_t len))
{
	char root[1024];
	snprintf(root, sizeof(root), "%s/root", machine);
	tree_init(to);
	copying.to = to;
	copying.skip = strlen(root) + 1;
	copying.note = note;
	if (nftw(root, copy_entry, 16, FTW_PHYS) != 0) {
		fprintf(stderr, "%s cannot be copied\n", root);
		abort();
	}
}
