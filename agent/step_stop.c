/* stop-installation: args exactly []. Nothing to stop is a success, as in the original. */
#include "agent/step.h"

static void on_stopped(void *ctx, int code, const char *output, const char *error, int fd)
{
	step_finish(ctx, code < 0 ? STEP_EXIT_FAILED : STEP_EXIT_OK, output, error);
}

static void start(struct step_run *run, const struct json_strs *args)
{
	if (args->n) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, "stop-installation takes no arguments");
		return;
	}
	net_install_cancel(run->net);
	net_ask(run->net, MSG_ASK_CANCEL, on_stopped, run);
}

const struct step_ops step_stop = { .type = STEP_STOP_INSTALLATION, .start = start };
