#include "imagebuilder/depmod.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/proc.h"
#include "common/str.h"
#include "imagebuilder/scratch.h"

#define PATH_LEN_MAX 1024
#define INDEX_MAX (64u << 20) /* bytes of one index file */
#define DEPMOD_MS 60000u

/* What depmod reads beside the modules; copied as they are. */
static const char *const inputs[] = { "modules.order", "modules.builtin",
				      "modules.builtin.modinfo" };
/* What libkmod reads in the image. */
static const char *const outputs[] = {
	"modules.alias.bin",       "modules.builtin.alias.bin", "modules.builtin.bin",
	"modules.builtin.modinfo", "modules.dep.bin",           "modules.devname",
	"modules.order",           "modules.softdep",           "modules.symbols.bin",
};

static int stage(const struct scratch *tmp, const char *path, const void *data, size_t len,
		 struct fault *err)
{
	char dir[PATH_LEN_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 0, path);
	int r = *dir ? dir_make_at(tmp->fd, dir, 0755, err) : 0;
	return r < 0 ? r : file_create_at(tmp->fd, path, data, len, 0644, err);
}

static int stage_modules(const struct scratch *tmp, const struct file_set *set, const char *dest,
			 struct fault *err)
{
	size_t len = strlen(dest);

	for (size_t i = 0; i < set->n; i++) {
		const struct set_file *f = &set->v[i];
		if (strncmp(f->path, dest, len) != 0 || f->path[len] != '/' ||
		    (f->mode & 0170000) != 0100000)
			continue;
		int r = stage(tmp, f->path + strlen("usr/"), f->data, f->len,
			      err); /* depmod -b looks in lib/modules */
		if (r < 0)
			return r;
	}
	return 0;
}

static int stage_inputs(const struct scratch *tmp, const char *dir, const char *staged,
			struct fault *err)
{
	char from[PATH_LEN_MAX], to[PATH_LEN_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		AUTO(freep) char *data = NULL;
		size_t len;
		snprintf(from, sizeof(from), "%s/%s", dir, inputs[i]);
		snprintf(to, sizeof(to), "%s/%s", staged, inputs[i]);
		int r = file_read_at(AT_FDCWD, from, INDEX_MAX, &data, &len, NULL);
		if (r == -ENOENT)
			continue; /* older kernels have no modinfo file */
		if (r == 0)
			r = stage(tmp, to, data, len, err);
		if (r < 0)
			return fault_prefix(err, r, "cannot copy %s", from);
	}
	return 0;
}

static int collect_outputs(const struct scratch *tmp, struct file_set *set, const char *staged,
			   const char *dest, struct fault *err)
{
	char from[PATH_LEN_MAX], to[PATH_LEN_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		char *data;
		size_t len;
		snprintf(from, sizeof(from), "%s/%s", staged, outputs[i]);
		snprintf(to, sizeof(to), "%s/%s", dest, outputs[i]);
		int r = file_read_at(tmp->fd, from, INDEX_MAX, &data, &len, NULL);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = file_set_add(set, to, 0644, data, len);
		if (r < 0)
			return fault_set(err, r, "cannot take over %s: %s", outputs[i],
					 strerror(-r));
	}
	snprintf(to, sizeof(to), "%s/modules.dep.bin", dest);
	return file_set_has(set, to) ? 0
				     : fault_set(err, -EIO, "depmod has made no modules.dep.bin");
}

int depmod_add(struct file_set *set, const char *dir, const char *dest, const char *version,
	       struct fault *err)
{
	AUTO(scratch_done) struct scratch tmp = SCRATCH_INIT;
	const char *staged = dest + strlen("usr/");

	int r = scratch_make(&tmp, err);
	if (r < 0)
		return r;
	r = stage_modules(&tmp, set, dest, err);
	if (r == 0)
		r = stage_inputs(&tmp, dir, staged, err);
	if (r < 0)
		return r;

	const char *const argv[] = { "depmod", "-b", tmp.path, version, NULL };
	r = proc_run_ok(&(struct proc_spec){ .argv = argv,
					     .env = scratch_env,
					     .stdin_fd = -1,
					     .stdout_fd = -1,
					     .timeout_ms = DEPMOD_MS },
			err);
	if (r == -ENOENT)
		return fault_set(err, r, "there is no program depmod: install the package kmod");
	return r < 0 ? r : collect_outputs(&tmp, set, staged, dest, err);
}
