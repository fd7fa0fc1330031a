#include "imagebuilder/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <string.h>
#include <sys/stat.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "imagebuilder/depmod.h"

#define PATH_LEN_MAX 1024
#define DEPTH_MAX 64u

struct gathering {
	struct file_set *set;
	const struct source *src;
	const char *version, *firmware_dir;
	struct kmod_ctx *kmod;
	char dir[PATH_LEN_MAX];  /* ROOT/lib/modules/VERSION, where libkmod reads */
	char dest[PATH_LEN_MAX]; /* usr/lib/modules/VERSION */
	struct modules *out;
	unsigned depth;
};

static void kmod_unrefp(struct kmod_ctx **k)
{
	kmod_unref(*k);
}

static void list_unrefp(struct kmod_list **l)
{
	kmod_module_unref_list(*l);
}

static void info_freep(struct kmod_list **l)
{
	kmod_module_info_free_list(*l);
}

static void module_unrefp(struct kmod_module **m)
{
	kmod_module_unref(*m);
}

static int add_module(struct gathering *g, struct kmod_module *m, struct fault *err);

static int add_all(struct gathering *g, struct kmod_list *list, struct fault *err)
{
	struct kmod_list *l;

	kmod_list_foreach(l, list)
	{
		AUTO(module_unrefp) struct kmod_module *m = kmod_module_get_module(l);
		int r = add_module(g, m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* By name or alias; what this kernel does not have is skipped (a soft dependency may name what another kernel builds in). */
static int add_by_name(struct gathering *g, const char *name, struct fault *err)
{
	AUTO(list_unrefp) struct kmod_list *list = NULL;

	int r = kmod_module_new_from_lookup(g->kmod, name, &list);
	if (r < 0 && r != -ENOENT && r != -ENOSYS)
		return fault_set(err, r, "cannot look up the module %s in %s: %s", name, g->dir,
				 strerror(-r));
	return add_all(g, list, err);
}

/* "pre: a b post: c" */
static int add_softdeps(struct gathering *g, const char *value, struct fault *err)
{
	AUTO(freep) char *copy = strdup(value);
	char *save = NULL;

	if (!copy)
		return fault_oom(err);
	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (str_ends(word, ":"))
			continue;
		int r = add_by_name(g, word, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1 = added. The kernel also takes the file compressed (CONFIG_FW_LOADER_COMPRESS_XZ, _ZSTD). */
static int add_firmware_file(struct gathering *g, const char *name, const char *suffix,
			     struct fault *err)
{
	char path[PATH_LEN_MAX], dest[PATH_LEN_MAX];
	char *data = NULL;
	size_t len = 0;
	int r;

	if (snprintf(dest, sizeof(dest), "usr/lib/firmware/%s%s", name, suffix) >=
	    (int)sizeof(dest))
		return fault_set(err, -ENAMETOOLONG, "the firmware name %s is too long", name);
	if (file_set_has(g->set, dest))
		return 1;
	if (g->firmware_dir) {
		snprintf(path, sizeof(path), "%s/%s%s", g->firmware_dir, name, suffix);
		r = file_read_at(AT_FDCWD, path, SOURCE_FILE_MAX, &data, &len, NULL);
	} else {
		r = source_read(g->src, dest, false, &data, &len, NULL, NULL);
	}
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fault_set(err, r, "cannot read the firmware %s: %s", name, strerror(-r));

	r = file_set_add(g->set, dest, 0644, data, len);
	return r < 0 ? fault_set(err, r, "cannot add the firmware %s: %s", name, strerror(-r)) : 1;
}

static int add_firmware(struct gathering *g, const char *name, const char *module,
			struct fault *err)
{
	static const char *const suffixes[] = { "", ".xz", ".zst" };
	char text[PATH_LEN_MAX];

	if (*name == '/' || strstr(name, ".."))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		int r = add_firmware_file(g, name, suffixes[i], err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	snprintf(text, sizeof(text), "%s (%s)", name, module);
	return json_strs_add(&g->out->missing_firmware, text) < 0 ? fault_oom(err) : 0;
}

static int add_info(struct gathering *g, struct kmod_module *m, struct fault *err)
{
	AUTO(info_freep) struct kmod_list *list = NULL;
	struct kmod_list *l;

	int r = kmod_module_get_info(m, &list);
	if (r < 0)
		return fault_set(err, r, "cannot read the module %s: %s", kmod_module_get_path(m),
				 strerror(-r));
	kmod_list_foreach(l, list)
	{
		const char *key = kmod_module_info_get_key(l),
			   *value = kmod_module_info_get_value(l);
		r = str_eq(key, "firmware")  ? add_firmware(g, value, kmod_module_get_name(m), err)
		    : str_eq(key, "softdep") ? add_softdeps(g, value, err)
					     : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_module(struct gathering *g, const char *path, const char *dest, struct fault *err)
{
	char *data;
	size_t len;

	/* Byte for byte: Debian's modules end in a signature that stripping or recompressing would lose. */
	int r = file_read_at(AT_FDCWD, path, SOURCE_FILE_MAX, &data, &len, err);
	if (r < 0)
		return r;
	r = file_set_add(g->set, dest, 0644, data, len);
	return r < 0 ? fault_set(err, r, "cannot add %s: %s", path, strerror(-r)) : 0;
}

static int add_module(struct gathering *g, struct kmod_module *m, struct fault *err)
{
	const char *path = kmod_module_get_path(m);
	char dest[2 * PATH_LEN_MAX];

	if (!path) /* built in */
		return 0;
	if (!str_starts(path, g->dir))
		return fault_set(err, -EBADMSG, "the module %s lies outside %s", path, g->dir);
	snprintf(dest, sizeof(dest), "%s%s", g->dest, path + strlen(g->dir));
	if (file_set_has(g->set, dest))
		return 0;
	if (g->out->names.n == MODULES_MAX || g->depth == DEPTH_MAX)
		return fault_set(err, -E2BIG, "more than %u modules are needed", MODULES_MAX);

	int r = read_module(g, path, dest, err);
	if (r == 0 && json_strs_add(&g->out->names, kmod_module_get_name(m)) < 0)
		r = fault_oom(err);
	if (r < 0)
		return r;

	AUTO(list_unrefp) struct kmod_list *deps = kmod_module_get_dependencies(m);
	g->depth++;
	r = add_all(g, deps, err);
	if (r == 0)
		r = add_info(g, m, err);
	g->depth--;
	return r;
}

static int add_profile(struct gathering *g, const struct profile *profile, struct fault *err)
{
	for (size_t i = 0; profile->lists[i]; i++) {
		for (size_t j = 0; profile->lists[i][j]; j++) {
			int r = add_by_name(g, profile->lists[i][j], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int compare_strs(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_unique(struct json_strs *s)
{
	size_t n = 0;

	if (!s->n)
		return;
	qsort(s->v, s->n, sizeof(*s->v), compare_strs);
	for (size_t i = 0; i < s->n; i++) {
		if (n && strcmp(s->v[n - 1], s->v[i]) == 0)
			free(s->v[i]);
		else
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

static int open_kmod(struct gathering *g, struct fault *err)
{
	static const char *const no_config = NULL; /* the host's modprobe.d must not decide */
	static const char *const bases[] = { "lib", "usr/lib" };
	char index[PATH_LEN_MAX + 32];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		snprintf(g->dir, sizeof(g->dir), "%s/%s/modules/%s", g->src->root, bases[i],
			 g->version);
		if (stat(g->dir, &st) == 0)
			break;
	}
	snprintf(g->dest, sizeof(g->dest), "usr/lib/modules/%s", g->version);
	snprintf(index, sizeof(index), "%s/modules.dep.bin", g->dir);
	if (access(index, R_OK) < 0)
		return fault_set(err, -ENOENT, "%s is missing: run \"depmod -b %s %s\" first",
				 index, g->src->root, g->version);

	g->kmod = kmod_new(g->dir, &no_config);
	if (!g->kmod)
		return fault_oom(err);
	kmod_set_log_priority(g->kmod, 0);
	return 0;
}

int modules_add(struct file_set *set, const struct source *src, const char *version,
		const struct profile *profile, const char *firmware_dir, struct modules *ret,
		struct fault *err)
{
	AUTO(modules_done) struct modules out = { 0 };
	struct gathering g = { .set = set,
			       .src = src,
			       .version = version,
			       .firmware_dir = firmware_dir,
			       .out = &out };

	int r = open_kmod(&g, err);
	AUTO(kmod_unrefp) struct kmod_ctx *kmod = g.kmod;
	if (r == 0)
		r = add_profile(&g, profile, err);
	if (r < 0)
		return r;
	if (!kmod || !out.names.n)
		return fault_set(err, -ENOENT, "%s has none of the modules of the profile %s",
				 g.dir, profile->name);
	r = depmod_add(set, g.dir, g.dest, version, err);
	if (r < 0)
		return r;

	sort_unique(&out.names);
	sort_unique(&out.missing_firmware);
	*ret = out;
	out = (struct modules){ 0 };
	return 0;
}

void modules_done(struct modules *m)
{
	json_strs_done(&m->names);
	json_strs_done(&m->missing_firmware);
}

int modules_version_compare(const char *a, const char *b)
{
	return strverscmp(a, b);
}

int modules_newest_version(const struct source *src, char **ret, struct fault *err)
{
	AUTO(source_names_free) char **names = NULL;
	const char *best = NULL;

	int r = source_names(src, "boot", "", &names, err);
	if (r < 0)
		return r;
	for (size_t i = 0; names[i]; i++) {
		const char *version = str_starts(names[i], "vmlinuz-") ? names[i] + 8 : NULL;
		char path[PATH_LEN_MAX];
		if (!version ||
		    snprintf(path, sizeof(path), "lib/modules/%s", version) >= (int)sizeof(path))
			continue;
		AUTO(closep) int fd = source_openat(src, path, O_DIRECTORY | O_RDONLY, false, NULL);
		if (fd >= 0 && (!best || modules_version_compare(version, best) > 0))
			best = version;
	}
	if (!best)
		return fault_set(
			err, -ENOENT,
			"%s has no boot/vmlinuz-VERSION with its lib/modules/VERSION: unpack a linux-image package there",
			src->root);
	*ret = str_dup(best);
	return *ret ? 0 : fault_oom(err);
}
