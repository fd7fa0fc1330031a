/* install: arguments first, the rest in net_install.c. While one runs, every further copy of the step is dropped (install.md A.1). */
#include "agent/install_args.h"
#include "agent/net_install.h"
#include "agent/step.h"
#include "common/cleanup.h"

static void start(struct step_run *run, const struct json_strs *args)
{
	struct net *n = run->net;
	struct fault err = FAULT_INIT;
	AUTO(job_done) struct job job = { 0 };
	AUTO(json_decrefp) json_t *arg = step_json_arg(run, args);
	if (!arg)
		return;
	if (n->install) {
		step_finish(run, STEP_EXIT_FAILED, NULL, "another installation is running");
		return;
	}
	if (install_args_parse(arg, &n->session, &job, &err) < 0) {
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, fault_text(&err));
		return;
	}
	net_install_begin(n, run, &job);
}

const struct step_ops step_install = { .type = STEP_INSTALL, .start = start };
