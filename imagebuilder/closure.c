#include "imagebuilder/closure.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "imagebuilder/elf_deps.h"

#define PATH_LEN_MAX 1024
#define DEPTH_MAX 32u /* of libraries needing libraries */

/* Where ld.so of Debian and of Fedora look without configuration; for the machine this program runs on. */
static const char *const library_dirs[] = {
#if defined(__x86_64__)
	"usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"usr/lib/aarch64-linux-gnu",
#endif
	"usr/lib64",
	"usr/lib",
};

struct adding {
	struct file_set *set;
	const struct source *src;
	unsigned depth;
};

static int add_elf(struct adding *a, const char *dest, const char *name, char *data, size_t len,
		   struct fault *err);

/* 1 = added or there already, 0 = not in this folder. */
static int add_from(struct adding *a, const char *dir, const char *soname, struct fault *err)
{
	char path[PATH_LEN_MAX];
	char *data;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", dir + strspn(dir, "/"), soname) >=
	    (int)sizeof(path))
		return fault_set(err, -ENAMETOOLONG, "the library path %s/%s is too long", dir,
				 soname);
	if (file_set_has(a->set, path))
		return 1;

	int r = source_read(a->src, path, true, &data, &len, NULL, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = add_elf(a, path, path, data, len, err);
	return r < 0 ? r : 1;
}

/* RUNPATH: colon-separated, "$ORIGIN" is the folder of the file that has it. */
static int add_from_runpath(struct adding *a, const char *runpath, const char *of,
			    const char *soname, struct fault *err)
{
	const char *slash = strrchr(of, '/');
	int origin_len = slash ? (int)(slash - of) : 0;
	char dir[PATH_LEN_MAX];

	for (const char *p = runpath; p && *p; p += strspn(p, ":")) {
		size_t len = strcspn(p, ":");
		size_t skip = strncmp(p, "$ORIGIN", 7) == 0     ? 7
			      : strncmp(p, "${ORIGIN}", 9) == 0 ? 9
								: 0;
		int n = snprintf(dir, sizeof(dir), "%.*s%.*s", skip ? origin_len : 0, of,
				 (int)(len - skip), p + skip);
		p += len;
		if (n <= 0 || n >= (int)sizeof(dir))
			continue;
		int r = add_from(a, dir, soname, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int add_library(struct adding *a, const char *soname, const char *runpath, const char *of,
		       struct fault *err)
{
	if (strchr(soname, '/'))
		return fault_set(err, -EBADMSG, "%s needs a library by path: %s", of, soname);
	int r = add_from_runpath(a, runpath, of, soname, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(library_dirs); i++)
		r = add_from(a, library_dirs[i], soname, err);
	return r;
}

static int add_interp(struct adding *a, const char *interp, const char *of, struct fault *err)
{
	char *data;
	size_t len;

	if (file_set_has(a->set, interp))
		return 0;
	int r = source_read(a->src, interp, true, &data, &len, NULL, err);
	if (r == -ENOENT)
		return fault_set(
			err, r,
			"%s needs the program loader %s, which is neither in %s nor in this system",
			of, interp, a->src->root);
	return r < 0 ? r : add_elf(a, interp, interp, data, len, err);
}

static int add_deps(struct adding *a, const struct elf_deps *deps, const char *dest,
		    const char *name, struct fault *err)
{
	if (deps->interp) {
		int r = add_interp(a, deps->interp, name, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < deps->n_needed; i++) {
		int r = add_library(a, deps->needed[i], deps->runpath, dest, err);
		if (r == 0)
			return fault_set(
				err, -ENOENT,
				"%s needs the library %s, which is neither in %s nor in this system",
				name, deps->needed[i], a->src->root);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Takes @data. The file goes into the set first, so that libraries that need each other end the recursion. */
static int add_elf(struct adding *a, const char *dest, const char *name, char *data, size_t len,
		   struct fault *err)
{
	struct elf_deps deps = { 0 };

	int r = elf_deps_parse(data, len, &deps, err);
	if (r < 0 && r != -ENOEXEC) {
		free(data);
		return fault_prefix(err, r, "%s", name);
	}
	if (a->depth == DEPTH_MAX) {
		free(data);
		return fault_set(err, -ELOOP, "%s: libraries need libraries too deeply", name);
	}
	/* The set keeps @data as it is, and the strings of deps point into it. */
	int added = file_set_add(a->set, dest, 0755, data, len);
	if (added < 0)
		return fault_set(err, added, "cannot add %s: %s", name, strerror(-added));
	if (r == -ENOEXEC)
		return 0;

	a->depth++;
	r = add_deps(a, &deps, dest, name, err);
	a->depth--;
	return r;
}

int closure_add_data(struct file_set *set, const struct source *src, const char *dest,
		     const char *name, char *data, size_t len, struct fault *err)
{
	struct adding a = { .set = set, .src = src };

	if (file_set_has(set, dest)) {
		free(data);
		return 0;
	}
	return add_elf(&a, dest, name, data, len, err);
}

int closure_add(struct file_set *set, const struct source *src, const char *path, const char *dest,
		const char *package, struct fault *err)
{
	char *data;
	size_t len;

	int r = source_read(src, path, false, &data, &len, NULL, err);
	if (r == -ENOENT)
		return fault_set(err, r, "%s has no %s: unpack the package %s there", src->root,
				 path, package);
	return r < 0 ? r : closure_add_data(set, src, dest ? dest : path, path, data, len, err);
}

int closure_add_library(struct file_set *set, const struct source *src, const char *soname,
			struct fault *err)
{
	struct adding a = { .set = set, .src = src };

	int r = add_library(&a, soname, NULL, "", err);
	return r < 0 ? r : 0;
}
