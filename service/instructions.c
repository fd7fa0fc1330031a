/*
 * The answer to GET …/instructions (assisted-v2 §5.1). Runs at every poll: small and without parsing wherever the state allows.
 */
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "common/pki.h"
#include "common/str.h"
#include "common/wire/step.h"
#include "service/csv.h"
#include "service/rules.h"
#include "service/step_args.h"

#define STEPS_PER_STATE 6

enum wait { WAIT_USUAL, WAIT_SLOW /* a person must do something first */, WAIT_NOT };

/* What a host in one state is asked to do. The kind of the host plays no part: only states of a host that joins a cluster are here. */
struct state_plan {
	enum step_type steps[STEPS_PER_STATE]; /* ends with STEP_UNKNOWN */
	enum wait wait;
	bool leaves;     /* post_step_action "exit": the agent registers anew */
	bool upgradable; /* a foreign agent version is replaced first */
};

static const struct state_plan plans[HOST_STATUS_COUNT] = {
	[HOST_DISCOVERING_UNBOUND] = { { STEP_INVENTORY, STEP_NTP_SYNCHRONIZER },
				       .upgradable = true },
	[HOST_INSUFFICIENT_UNBOUND] = { { STEP_INVENTORY, STEP_NTP_SYNCHRONIZER },
					.upgradable = true },
	[HOST_KNOWN_UNBOUND] = { { STEP_INVENTORY, STEP_NTP_SYNCHRONIZER }, .upgradable = true },
	[HOST_DISCONNECTED_UNBOUND] = { { STEP_INVENTORY }, .wait = WAIT_SLOW },
	[HOST_DISABLED_UNBOUND] = { .wait = WAIT_SLOW },
	[HOST_UNBINDING] = { .wait = WAIT_NOT, .leaves = true },
	[HOST_UNBINDING_PENDING_USER_ACTION] = { .wait = WAIT_NOT, .leaves = true },
	[HOST_BINDING] = { .wait = WAIT_NOT, .leaves = true, .upgradable = true },
	[HOST_DISCOVERING] = { { STEP_INVENTORY, STEP_NTP_SYNCHRONIZER, STEP_DOMAIN_RESOLUTION },
			       .upgradable = true },
	[HOST_INSUFFICIENT] = { { STEP_INVENTORY, STEP_API_VIP_CONNECTIVITY_CHECK,
				  STEP_TANG_CONNECTIVITY_CHECK, STEP_NTP_SYNCHRONIZER,
				  STEP_DOMAIN_RESOLUTION },
				.upgradable = true },
	[HOST_KNOWN] = { { STEP_API_VIP_CONNECTIVITY_CHECK, STEP_TANG_CONNECTIVITY_CHECK,
			   STEP_INVENTORY, STEP_NTP_SYNCHRONIZER, STEP_DOMAIN_RESOLUTION },
			 .upgradable = true },
	[HOST_PENDING_FOR_INPUT] = { { STEP_INVENTORY, STEP_API_VIP_CONNECTIVITY_CHECK,
				       STEP_TANG_CONNECTIVITY_CHECK },
				     .upgradable = true },
	[HOST_DISCONNECTED] = { { STEP_INVENTORY }, .wait = WAIT_SLOW },
	[HOST_INSTALLING] = { { STEP_INSTALL } },
	[HOST_DISABLED] = { .wait = WAIT_SLOW },
	[HOST_RESETTING] = { .wait = WAIT_SLOW },
	[HOST_ERROR] = { { STEP_LOGS_GATHER, STEP_STOP_INSTALLATION }, .wait = WAIT_SLOW },
	[HOST_CANCELLED] = { { STEP_LOGS_GATHER, STEP_STOP_INSTALLATION }, .wait = WAIT_SLOW },
};

/*
 * connectivity-check is not here: nothing of a host that joins is decided by it (assisted-v2 §5.1), and it would cost every host a probe
 * of every other.
 */
static const step_args_fn args_of[STEP_TYPE_COUNT] = {
	[STEP_INVENTORY] = step_args_inventory,
	[STEP_NTP_SYNCHRONIZER] = step_args_ntp,
	[STEP_DOMAIN_RESOLUTION] = step_args_domains,
	[STEP_API_VIP_CONNECTIVITY_CHECK] = step_args_api_vip,
	[STEP_TANG_CONNECTIVITY_CHECK] = step_args_tang,
	[STEP_INSTALL] = step_args_install,
	[STEP_LOGS_GATHER] = step_args_logs,
	[STEP_STOP_INSTALLATION] = step_args_none,
	[STEP_UPGRADE_AGENT] = step_args_upgrade,
};

static json_t *make_step(enum step_type type, json_t *args)
{
	const char *name = step_type_name(type);
	char id[64], hex[9];
	uint8_t random[4];

	/* an upgrade carries no id (seen on the wire): its agent will be gone before anybody could ask for it */
	if (type == STEP_UPGRADE_AGENT)
		return json_pack("{s:s, s:o}", "step_type", name, "args", args);
	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	snprintf(id, sizeof(id), "%s-%s", name, hex);
	return json_pack("{s:s, s:s, s:o}", "step_type", name, "step_id", id, "args", args);
}

/* A step that cannot be made is left out, so that the others are still done; only a lack of memory fails the whole. */
static int add_step(const struct rule_ctx *ctx, const struct host *h, enum step_type type,
		    json_t *list)
{
	json_t *args = NULL;

	if (csv_has(ctx->config->disabled_steps, step_type_name(type)))
		return 0;
	int r = args_of[type](ctx, h, &args, NULL);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !args)
		return 0;
	return json_array_append_new(list, make_step(type, args)) ? -ENOMEM : 0;
}

static int add_steps(const struct rule_ctx *ctx, const struct host *h,
		     const struct state_plan *plan, json_t *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < STEPS_PER_STATE && plan->steps[i] != STEP_UNKNOWN; i++)
		r = add_step(ctx, h, plan->steps[i], list);
	return r;
}

static bool needs_upgrade(const struct rule_ctx *ctx, const struct host *h,
			  const struct state_plan *plan)
{
	const char *have = h->discovery_agent_version;

	return plan->upgradable && ctx->config->upgrade_agent &&
	       !str_eq(have ? have : "", ctx->config->agent_image);
}

static uint64_t wait_seconds(const struct rule_config *c, enum wait wait)
{
	switch (wait) {
	case WAIT_USUAL:
		return c->instruction_interval_s;
	case WAIT_SLOW:
		return MAX_OF(c->slow_interval_s, c->instruction_interval_s);
	default:
		return 0;
	}
}

json_t *host_instructions(const struct rule_ctx *ctx, const struct host *h, struct fault *err)
{
	static const struct state_plan upgrade = { { STEP_UPGRADE_AGENT } };
	const struct state_plan *plan = &plans[h->status];
	if (needs_upgrade(ctx, h, plan))
		plan = &upgrade;

	AUTO(json_decrefp) json_t *list = json_array();
	if (!list || add_steps(ctx, h, plan, list) < 0) {
		fault_oom(err);
		return NULL;
	}
	AUTO(json_decrefp)
	json_t *answer = json_pack("{s:O, s:s}", "instructions",
				   json_array_size(list) ? list : json_null(), "post_step_action",
				   plan->leaves ? "exit" : "continue");
	uint64_t seconds = wait_seconds(ctx->config, plan->wait);
	/* zero is left out, as every empty number is (assisted-v2 §1.2) */
	if (!answer || (seconds && json_object_set_new(answer, "next_instruction_seconds",
						       json_integer((json_int_t)seconds)))) {
		fault_oom(err);
		return NULL;
	}
	return TAKE(answer);
}
