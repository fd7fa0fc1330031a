#include <errno.h>
#include <fcntl.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "imagebuilder/verbs.h"

static int reset(const char *path, struct fault *err)
{
	struct iso_area area;
	AUTO(closep) int fd = -1;

	int r = verb_open_iso(path, O_RDWR, &fd, err);
	if (r < 0)
		return r;
	r = iso_area_find(fd, &area, err);
	if (r == 0)
		r = iso_area_write(fd, &area, NULL, 0, err);
	return r < 0 ? fault_prefix(err, r, "%s", path) : fd_sync(fd, path, err);
}

static int run(void *ctx, int argc, char **argv)
{
	struct fault err = FAULT_INIT;

	return reset(argv[0], &err) < 0 ? verb_fail(&err) : EXIT_DONE;
}

const struct verb verb_reset = {
	.name = "reset",
	.args = "ISO",
	.help = "empty the area of a boot image, in place",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
