#include "service/rules.h"

#define MINUTES_MS(n) ((uint64_t)(n)*60 * 1000)

/* assisted-v2 §7.5 */
static const uint64_t stage_timeouts_ms[STAGE_COUNT] = {
	[STAGE_STARTING_INSTALLATION] = MINUTES_MS(30),
	[STAGE_INSTALLING] = MINUTES_MS(60),
	[STAGE_WRITING_IMAGE] = MINUTES_MS(30), /* since the last change of its progress */
	[STAGE_WAITING_FOR_CONTROL_PLANE] = MINUTES_MS(60),
	[STAGE_REBOOTING] = MINUTES_MS(40),
	[STAGE_WAITING_FOR_IGNITION] = MINUTES_MS(24 * 60),
	[STAGE_CONFIGURING] = MINUTES_MS(60),
	[STAGE_JOINED] = MINUTES_MS(60),
	[STAGE_WAITING_FOR_BOOTKUBE] = MINUTES_MS(60),
	[STAGE_WAITING_FOR_CONTROLLER] = MINUTES_MS(60),
	[STAGE_COPYING_REGISTRY_DATA] = MINUTES_MS(90),
};

void rule_config_init(struct rule_config *c)
{
	*c = (struct rule_config){
		.max_disconnection_ms = MINUTES_MS(3),
		.instruction_interval_s = 60,
		.slow_interval_s = 120,
		.no_progress_timeout_ms = MINUTES_MS(20),
		.agent_image = "",
		.installer_image = "",
		.controller_image = "",
	};
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		c->stage_timeout_ms[i] = stage_timeouts_ms[i];
}

void rule_parsed_done(struct rule_parsed *p)
{
	json_decref(p->inventory);
	*p = (struct rule_parsed){ .text = NULL };
}
