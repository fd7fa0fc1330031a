/*
 * upgrade-agent: the service wants another agent image. This agent is part of the medium and is not exchanged at run time; it takes over the
 * name, so that the service goes on with its work, and registers anew, as the original does after the exchange.
 */
#include <string.h>
#include "agent/step.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"

#define IMAGE_MAX 512 /* characters of an image reference */

static void start(struct step_run *run, const struct json_strs *args)
{
	struct net *net = run->net;
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	const char *image = json_str(arg, "agent_image");
	if (str_empty(image) || strlen(image) > IMAGE_MAX || !str_is_text(image) ||
	    strpbrk(image, " \t\r\n")) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, "upgrade-agent names no agent_image");
		return;
	}
	AUTO(json_decrefp)
	json_t *reply = json_pack("{s:s, s:s}", "agent_image", image, "result", "success");
	AUTO(freep) char *output = json_text(reply, true);
	log_notice("the service calls this agent %s from now on", image);
	if (str_set(&net->session.agent_version, image) < 0) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "out of memory");
		return;
	}
	step_finish(run, STEP_EXIT_OK, output, NULL);
	net->is_registered = false; /* the next turn registers */
}

const struct step_ops step_upgrade = { .type = STEP_UPGRADE_AGENT, .start = start };
