#pragma once
/*
 * One step on the rig of net_rig.h: it runs to its end, which is caught instead of being posted.
 */
#include "agent/step.h"
#include "tests/unit/agent/net_rig.h"

#define STEP_SECONDS_MAX 60

/* A run whose end is caught instead of being posted. */
struct caught {
	struct step_run run; /* first */
	bool is_done;
	int exit_code;
	char *output, *error;
};

static inline void on_finish(struct step_run *run, int exit_code, const char *output,
			     const char *error)
{
	struct caught *c = (struct caught *)run;

	assert_false(c->is_done); /* exactly once */
	c->is_done = true;
	c->exit_code = exit_code;
	c->output = str_dup(output);
	c->error = str_dup(error);
}

static inline bool is_done(struct fake *f)
{
	return ((struct caught *)f->ctx)->is_done;
}

static inline void caught_done(struct caught *c)
{
	free(c->output);
	free(c->error);
}

/* Runs the step to its end. @arg: its one argument, NULL = none. */
static inline struct caught run_step(struct net_rig *r, const struct step_ops *ops, const char *arg)
{
	struct caught c = { .run = { .net = &r->net,
				     .ops = ops,
				     .type = ops->type,
				     .step_type = (char *)step_type_name(ops->type),
				     .step_id = (char *)"id",
				     .finish = on_finish } };
	char *argv[] = { (char *)arg };
	struct json_strs args = { .v = argv, .n = arg ? 1 : 0 };

	r->f->ctx = &c;
	ops->start(&c.run, &args);
	fake_wait(r->f, STEP_SECONDS_MAX, is_done);
	r->f->ctx = NULL;
	return c;
}

/* As a service's instruction: exit code and words of a refusal. */
static inline void expect_refusal(struct net_rig *r, const struct step_ops *ops, const char *arg,
				  const char *words)
{
	AUTO(caught_done) struct caught c = run_step(r, ops, arg);

	if (c.exit_code != STEP_EXIT_BAD_ARGS || c.output || !c.error || !strstr(c.error, words))
		fail_msg("%s: %d \"%s\" \"%s\"", arg ? arg : "no argument", c.exit_code,
			 c.output ? c.output : "", c.error ? c.error : "");
}

static inline int step_setup(void **state)
{
	int status = rig_setup(state);
	struct net_rig *r = *state;
	struct agent_config config = { 0 };

	rig_start(r, &config, FAKE_HOST, FAKE_IE);
	return status;
}

#define STEP_CASE(f) cmocka_unit_test_setup_teardown(f, step_setup, rig_teardown)
