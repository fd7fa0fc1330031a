#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "service/ctl/client.h"

static int add(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	AUTO(closep) int fd = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fault_set(&err, -errno, "cannot open the folder %s: %s", argv[0], strerror(errno));
		return ctl_fail(&err);
	}
	if (ctl_request(ctl, "base-image-add", NULL, fd, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json)
		ctl_print_json(v);
	else
		printf("base image %.16s for %s (kernel %s) is served\n", json_str(v, "id"),
		       json_str(v, "arch"), json_str(v, "kernel"));
	return EXIT_DONE;
}

static int list(void *ctx, int argc, char **argv)
{
	const struct ctl *ctl = ctx;
	struct fault err = FAULT_INIT;
	AUTO(json_decrefp) json_t *v = NULL;
	size_t i;
	json_t *b;

	if (ctl_request(ctl, "base-image-list", NULL, -1, &v, &err) < 0)
		return ctl_fail(&err);
	if (ctl->json) {
		ctl_print_json(json_child(v, "base_images"));
		return EXIT_DONE;
	}
	printf("%-16s  %-8s  %12s  %s\n", "ID", "ARCH", "BYTES", "KERNEL");
	json_array_foreach(json_child(v, "base_images"), i, b)
		printf("%.16s  %-8s  %12" PRId64 "  %s\n", json_str(b, "id"), json_str(b, "arch"),
		       json_i64(b, "size_bytes"), json_str(b, "kernel"));
	return EXIT_DONE;
}

static int remove_one(void *ctx, int argc, char **argv)
{
	return ctl_simple(ctx, "base-image-remove", json_pack("{s:s}", "arch", argv[0]), -1);
}

const struct verb verb_base_image_add = {
	.name = "base-image add",
	.args = "DIR",
	.help = "serve discovery images made from this base image",
	.min_operands = 1,
	.max_operands = 1,
	.run = add,
};
const struct verb verb_base_image_list = {
	.name = "base-image list", .args = "", .help = "list the base images", .run = list
};
const struct verb verb_base_image_remove = {
	.name = "base-image remove",
	.args = "ARCH",
	.help = "stop serving the base image of an architecture",
	.min_operands = 1,
	.max_operands = 1,
	.run = remove_one,
};
