/* inventory: the root process probes the machine (its devices can only be read there) and answers with the wire format. */
#include <errno.h>
#include "agent/step.h"
#include "common/str.h"

static void on_inventory(void *ctx, int code, const char *output, const char *error, int fd)
{
	struct step_run *run = ctx;

	if (code < 0)
		step_finish(run, STEP_EXIT_FAILED, NULL, error);
	else
		step_finish(run, STEP_EXIT_OK, output, error);
}

static void start(struct step_run *run, const struct json_strs *args)
{
	/* The first argument is our host id; newer services add options, whose limits our inventories stay far below. */
	if (!args->n) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL,
			    "inventory needs the host id as its argument");
		return;
	}
	net_ask(run->net, MSG_ASK_INVENTORY, on_inventory, run);
}

const struct step_ops step_inventory = { .type = STEP_INVENTORY, .start = start };
