#pragma once
/*
 * Instructions of the service: one kind per file, each ending in a const record; step.c names them all. Everything here runs in the network
 * process, on its loop; whatever needs root asks the root process.
 */
#include <stdbool.h>
#include "agent/net.h"
#include "common/json_map.h"
#include "common/wire/step.h"

/* exit codes with a meaning for the service (assisted-v2 §4.3) */
enum {
	STEP_EXIT_OK = 0,
	STEP_EXIT_FAILED = 1,
	STEP_EXIT_BAD_ARGS = -1, /* also: unknown step */
	STEP_EXIT_MEDIUM = 256,  /* the medium of the live system cannot be read */
};
#define STEP_ARG_MAX (4u << 20) /* bytes of one argument */

struct step_run;
struct step_ops {
	enum step_type type;
	/* Begins the work; ends, now or later, with exactly one step_finish(). @args: valid during the call only. */
	void (*start)(struct step_run *run, const struct json_strs *args);
};

/* One instruction in work. */
struct step_run {
	struct net *net;
	const struct step_ops *ops;
	enum step_type type;
	char *step_type, *step_id; /* as they came */
	char *request_id; /* X-Request-ID of the poll that brought it: the reply carries it too */
	void *state;      /* of the step; freed by it before step_finish() */
	/* What step_finish() does; tests put their own. Takes @run. */
	void (*finish)(struct step_run *run, int exit_code, const char *output, const char *error);
};

extern const struct step_ops step_inventory, step_api_vip, step_ntp, step_domain, step_install,
	step_stop, step_logs, step_upgrade;

/* NULL: a step that this agent does not know. */
const struct step_ops *step_find(enum step_type type);

/* Starts each step of @steps that is not running already; a second copy of a running one is dropped without a reply. */
void step_dispatch(struct net *net, const struct steps *steps, const char *request_id);
bool step_is_running(const struct net *net, enum step_type type);
/* Marks @type as running without an instruction (an installation that goes on after a restart); the run is to be finished as usual. */
struct step_run *step_adopt(struct net *net, enum step_type type, const char *step_id);

/* Posts the reply. Takes @run. */
void step_reply(struct step_run *run, int exit_code, const char *output, const char *error);
/* step_medium.c: the same after a look at the medium (net->has_medium). */
void step_reply_medium(struct step_run *run, int exit_code, const char *output, const char *error);

/* Frees a run without a reply: the process ends. Takes @run. */
void step_abandon(struct step_run *run);
/* Takes @run. @output, @error: NULL = "". */
void step_finish(struct step_run *run, int exit_code, const char *output, const char *error);

/*
 * The one argument that most steps have: a JSON object in a string. New reference, or NULL after the step was finished with
 * STEP_EXIT_BAD_ARGS: then the caller returns.
 */
json_t *step_json_arg(struct step_run *run, const struct json_strs *args);
