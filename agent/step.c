#include "agent/step.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/log.h"

static const struct step_ops *const all_steps[] = {
	&step_inventory, &step_api_vip, &step_ntp,  &step_domain,
	&step_install,   &step_stop,    &step_logs, &step_upgrade,
};

const struct step_ops *step_find(enum step_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_steps); i++)
		if (all_steps[i]->type == type)
			return all_steps[i];
	return NULL;
}

bool step_is_running(const struct net *net, enum step_type type)
{
	return net->running[type];
}

static void run_free(struct step_run *run)
{
	if (!run)
		return;
	free(run->step_type);
	free(run->step_id);
	free(run->request_id);
	free(run);
}

void step_reply(struct step_run *run, int exit_code, const char *output, const char *error)
{
	struct net *net = run->net;

	if (run->ops)
		net->running[run->type] = false;
	if (exit_code)
		log_warning("step=%s failed: %s", run->step_id, error ? error : "");
	reply_post(&net->replies, run->type, run->step_type, run->step_id, run->request_id,
		   exit_code, output, error);
	run_free(run);
}

static void finish_and_reply(struct step_run *run, int exit_code, const char *output,
			     const char *error)
{
	if (run->net->has_medium)
		step_reply_medium(run, exit_code, output, error);
	else
		step_reply(run, exit_code, output, error);
}

void step_finish(struct step_run *run, int exit_code, const char *output, const char *error)
{
	run->finish(run, exit_code, output, error);
}

void step_abandon(struct step_run *run)
{
	run_free(run);
}

static struct step_run *run_new(struct net *net, enum step_type type, const char *name,
				const char *id, const char *request_id)
{
	struct step_run *run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->net = net;
	run->type = type;
	run->ops = step_find(type);
	run->finish = finish_and_reply;
	run->step_type = str_dup(name);
	run->step_id = str_dup(id ? id : "");
	run->request_id = str_dup(request_id);
	if (!run->step_type || !run->step_id) {
		run_free(run);
		return NULL;
	}
	return run;
}

static void dispatch_one(struct net *net, const struct step *s, const char *request_id)
{
	const char *name = s->step_type ? s->step_type : "";
	enum step_type type = step_type_parse(name);

	if (step_find(type) && net->running[type]) {
		log_debug("step=%s %s is running already", s->step_id ? s->step_id : "", name);
		return;
	}
	struct step_run *run = run_new(net, type, name, s->step_id, request_id);
	if (!run) {
		log_error("step=%s out of memory", s->step_id ? s->step_id : "");
		return;
	}
	if (!run->ops) {
		AUTO(freep) char *text = str_printf("failed to find action for step type %s", name);
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, text);
		return;
	}
	net->running[type] = true;
	if (net->is_medium_lost)
		step_finish(run, STEP_EXIT_MEDIUM, NULL, NULL);
	else
		run->ops->start(run, &s->args);
}

void step_dispatch(struct net *net, const struct steps *steps, const char *request_id)
{
	for (size_t i = 0; i < steps->n; i++)
		dispatch_one(net, &steps->v[i], request_id);
}

struct step_run *step_adopt(struct net *net, enum step_type type, const char *step_id)
{
	struct step_run *run = run_new(net, type, step_type_name(type), step_id, NULL);
	if (run)
		net->running[type] = true;
	return run;
}

json_t *step_json_arg(struct step_run *run, const struct json_strs *args)
{
	struct fault err = FAULT_INIT;

	if (args->n != 1) {
		AUTO(freep)
		char *text = str_printf("%s takes exactly one argument, %zu were given",
					run->step_type, args->n);
		step_finish(run, STEP_EXIT_BAD_ARGS, NULL, text);
		return NULL;
	}
	json_t *obj = json_parse(args->v[0], strlen(args->v[0]), STEP_ARG_MAX, true, &err);
	if (obj && json_is_object(obj))
		return obj;
	json_decref(obj);
	AUTO(freep)
	char *text = str_printf("the argument of %s is no JSON object: %s", run->step_type,
				fault_text(&err));
	step_finish(run, STEP_EXIT_BAD_ARGS, NULL, text);
	return NULL;
}
