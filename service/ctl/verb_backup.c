#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "service/ctl/client.h"

/* The file is made here, with this user's rights; slipwayd only gets it open. */
static int run(void *ctx, int argc, char **argv)
{
	struct fault err = FAULT_INIT;
	AUTO(closep) int fd = open(argv[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		fault_set(&err, -errno, "cannot create %s: %s", argv[0], strerror(errno));
		return ctl_fail(&err);
	}
	int status = ctl_simple(ctx, "backup", NULL, fd);
	if (status != EXIT_DONE)
		(void)unlink(argv[0]);
	return status;
}

const struct verb verb_backup = {
	.name = "backup",
	.args = "FILE",
	.help = "write a consistent copy of the store to a new file",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
