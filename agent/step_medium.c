/*
 * Steps on a machine whose live system runs from a medium that may get lost: checked before a step
 * (by what the last check has said) and after it; lost, the step's exit code is 256, whatever it has
 * done.
 */
#include <errno.h>
#include <stdlib.h>
#include "agent/step.h"
#include "common/cleanup.h"

#define MEDIUM_LOST "cannot read from the medium that this system runs from: it was disconnected"

struct pending {
	struct step_run *run;
	int exit_code;
	char *output, *error; /* owned, may be NULL */
};

static void on_medium(void *ctx, int code, const char *output, const char *error, int fd)
{
	struct pending p = *(struct pending *)ctx;
	struct net *net = p.run->net;
	bool was_lost = p.exit_code == STEP_EXIT_MEDIUM;

	closep(&fd);
	free(ctx);
	/* Anything else tells nothing about the medium: the step's own result counts. */
	if (code == 0 || code == -ENOMEDIUM)
		net->is_medium_lost = code == -ENOMEDIUM;
	if (code == -ENOMEDIUM || was_lost)
		step_reply(p.run, STEP_EXIT_MEDIUM, NULL, error ? error : MEDIUM_LOST);
	else
		step_reply(p.run, p.exit_code, p.output, p.error);
	free(p.output);
	free(p.error);
}

void step_reply_medium(struct step_run *run, int exit_code, const char *output, const char *error)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p) {
		step_reply(run, exit_code, output, error);
		return;
	}
	*p = (struct pending){ run, exit_code, str_dup(output), str_dup(error) };
	net_ask(run->net, MSG_ASK_MEDIUM, on_medium, p);
}
