#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/ctl/client.h"

static int set_label(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->label = value;
	return 0;
}

static int set_version(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->version = value;
	return 0;
}

static int set_arch(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->arch = value;
	return 0;
}

static int set_default(void *ctx, const char *value, struct fault *err)
{
	((struct ctl *)ctx)->make_default = true;
	return 0;
}

static const struct option_spec add_options[] = {
	{ "label", 0, "TEXT", "what people call it (default: the file's name)", set_label },
	{ "os-version", 0, "VERSION", "version of the system in it", set_version },
	{ "arch", 0, "ARCH", "its architecture (default x86_64)", set_arch },
	{ "default", 0, NULL, "install this one from now on (the first image is the default)",
	  set_default },
	{ NULL },
};

static json_t *add_args(const struct ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *label = ctl->label ? ctl->label : slash ? slash + 1 : path;

	return json_pack("{s:s, s:s?, s:s, s:b}", "label", label, "version", ctl->version, "arch",
			 ctl->arch ? ctl->arch : "x86_64", "default", (int)ctl->make_default);
}

static int add(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	AUTO(closep) int fd = open(argv[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fault_set(&err, -errno, "cannot open %s: %s", argv[0], strerror(errno));
		return ctl_fail(&err);
	}
	if (ctl_request(ctl, "os-image-add", add_args(ctl, argv[0]), fd, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json)
		ctl_print_json(v);
	else
		printf("%s\n", json_str(v, "id"));
	return EXIT_DONE;
}

static int list(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	size_t i;
	json_t *o;

	if (ctl_request(ctl, "os-image-list", NULL, -1, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json) {
		ctl_print_json(json_child(v, "os_images"));
		return EXIT_DONE;
	}
	printf("%-16s  %14s  %14s  %-7s  %s\n", "ID", "IMAGE BYTES", "PAYLOAD BYTES", "DEFAULT",
	       "LABEL");
	json_array_foreach(json_child(v, "os_images"), i, o)
		printf("%.16s  %14" PRId64 "  %14" PRId64 "  %-7s  %s\n", json_str(o, "id"),
		       json_i64(o, "image_size"), json_i64(o, "payload_size"),
		       json_flag(o, "default") ? "yes" : "",
		       json_str(o, "label") ? json_str(o, "label") : "");
	return EXIT_DONE;
}

static int remove_one(void *ctx, int argc, char **argv)
{
	return ctl_simple(ctx, "os-image-remove", json_pack("{s:s}", "id", argv[0]), -1);
}

static int make_default(void *ctx, int argc, char **argv)
{
	return ctl_simple(ctx, "os-image-default", json_pack("{s:s}", "id", argv[0]), -1);
}

const struct verb verb_os_image_add = {
	.name = "os-image add",
	.args = "FILE",
	.help = "make an OS image installable; prints its id",
	.options = add_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = add,
};
const struct verb verb_os_image_list = {
	.name = "os-image list", .args = "", .help = "list the OS images", .run = list
};
const struct verb verb_os_image_remove = {
	.name = "os-image remove",
	.args = "ID",
	.help = "remove an OS image and its files",
	.min_operands = 1,
	.max_operands = 1,
	.run = remove_one,
};
const struct verb verb_os_image_default = {
	.name = "os-image default",
	.args = "ID",
	.help = "install this OS image from now on",
	.min_operands = 1,
	.max_operands = 1,
	.run = make_default,
};
