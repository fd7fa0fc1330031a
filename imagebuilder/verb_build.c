#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "imagebuilder/verbs.h"

#define PATH_LEN_MAX 1024

#define SET_STRING(member)                                                       \
	static int set_##member(void *ctx, const char *value, struct fault *err) \
	{                                                                        \
		((struct verb_context *)ctx)->build.member = value;              \
		return 0;                                                        \
	}
SET_STRING(root)
SET_STRING(agent)
SET_STRING(kernel_version)
SET_STRING(profile)
SET_STRING(firmware_dir)
SET_STRING(grub_dir)
SET_STRING(kernel_args)
SET_STRING(data_dir)

static int parse_epoch(const char *value, int64_t *ret, struct fault *err)
{
	uint64_t v;

	if (str_to_u64(value, &v) < 0 || v == 0 || v > UINT32_MAX)
		return fault_set(err, -EINVAL, "not a date in seconds since 1970: \"%s\"", value);
	*ret = (int64_t)v;
	return 0;
}

static int set_epoch(void *ctx, const char *value, struct fault *err)
{
	return parse_epoch(value, &((struct verb_context *)ctx)->build.epoch, err);
}

static int set_level(void *ctx, const char *value, struct fault *err)
{
	uint64_t v;

	if (str_to_u64(value, &v) < 0 || v < 1 || v > 19)
		return fault_set(err, -EINVAL, "the compression level must be 1 to 19");
	((struct verb_context *)ctx)->build.compression_level = (int)v;
	return 0;
}

static const struct option_spec options[] = {
	{ "root", 0, "DIR", "tree of unpacked packages: kernel, udev, kmod, busybox (default: /)",
	  set_root },
	{ "agent", 0, "FILE", "slipway-agent to put in (default: as installed)", set_agent },
	{ "output", 'o', "DIR", "folder for base.iso, vmlinuz, initrd.img, base.json",
	  verb_set_output },
	{ "kernel-version", 0, "VERSION", "default: the newest in the tree", set_kernel_version },
	{ "profile", 0, "NAME", "modules: server (default) or virt", set_profile },
	{ "firmware-dir", 0, "DIR", "default: lib/firmware of the tree", set_firmware_dir },
	{ "grub-dir", 0, "DIR", "default: usr/lib/grub of the tree, else of this system",
	  set_grub_dir },
	{ "kernel-args", 0, "TEXT", "added to the kernel's command line", set_kernel_args },
	{ "data-dir", 0, "DIR", "folder that has discovery/init", set_data_dir },
	{ "epoch", 0, "SECONDS",
	  "every date in the image (default: SOURCE_DATE_EPOCH, else the kernel's)", set_epoch },
	{ "level", 0, "N", "zstd level of the initramfs, 1 to 19 (default: 9)", set_level },
	{ NULL },
};

/* Beside this program, as it is built; or in ../sbin, as it is installed. */
static int default_agent(char ret[PATH_LEN_MAX], struct fault *err)
{
	static const char *const tries[] = { "/slipway-agent", "/../sbin/slipway-agent" };
	ssize_t n = readlink("/proc/self/exe", ret, PATH_LEN_MAX - 32);

	if (n < 0)
		return fault_set(err, -errno,
				 "cannot find this program's folder: name the agent by --agent");
	ret[n] = '\0';
	char *end = strrchr(ret, '/');
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		snprintf(end, 32, "%s", tries[i]);
		if (access(ret, R_OK) == 0)
			return 0;
	}
	return fault_set(err, -ENOENT,
			 "there is no slipway-agent beside this program: name it by --agent");
}

static int set_defaults(struct verb_context *c, char agent[PATH_LEN_MAX], struct fault *err)
{
	const char *date = getenv("SOURCE_DATE_EPOCH");

	if (!c->build.root)
		c->build.root = "/";
	if (!c->build.epoch && !str_empty(date)) {
		int r = parse_epoch(date, &c->build.epoch, err);
		if (r < 0)
			return fault_prefix(err, r, "SOURCE_DATE_EPOCH");
	}
	if (c->build.agent)
		return 0;
	c->build.agent = agent;
	return default_agent(agent, err);
}

/* Cuts the last name of a path off; false: that was the last one. */
static bool cut_name(char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	path[len] = '\0';
	return len > 0;
}

/* How much of the path is there already: a start of it, owned by the caller; NULL = no memory. */
static char *existing_part(const char *path)
{
	AUTO(freep) char *part = strdup(path);

	while (part && access(part, F_OK) < 0 && cut_name(part))
		;
	return TAKE(part);
}

/* Takes away the folders that were made for nothing; one that holds something stays. */
static void remove_made(const char *path, const char *existing)
{
	AUTO(freep) char *at = strdup(path);

	while (at && strlen(at) > strlen(existing) && rmdir(at) == 0 && cut_name(at))
		;
}

static int build_into(struct verb_context *c, struct fault *err)
{
	struct progress progress;

	int r = dir_make_at(AT_FDCWD, c->output, 0755, err);
	if (r < 0)
		return r;
	AUTO(closep) int dir = open(c->output, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (dir < 0)
		return fault_set(err, -errno, "cannot open %s: %s", c->output, strerror(errno));
	progress_init(&progress, isatty(STDERR_FILENO) ? progress_sink_bar : NULL, NULL);
	return build_base(&c->build, dir, &progress, err);
}

static int run(void *ctx, int argc, char **argv)
{
	struct verb_context *c = ctx;
	struct fault err = FAULT_INIT;
	char agent[PATH_LEN_MAX];

	if (str_empty(c->output))
		return verb_usage("build", "name a folder by --output");
	if (set_defaults(c, agent, &err) < 0)
		return verb_fail(&err);
	AUTO(freep) char *existing = existing_part(c->output);
	int r = existing ? build_into(c, &err) : fault_oom(&err);
	if (r < 0) {
		if (existing)
			remove_made(c->output, existing);
		return verb_fail(&err);
	}
	printf("%s/base.iso\n", c->output);
	return EXIT_DONE;
}

const struct verb verb_build = {
	.name = "build",
	.args = "",
	.help = "make a base image from unpacked packages",
	.options = options,
	.run = run,
};
