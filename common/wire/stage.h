#pragma once
/*
 * Installation stages: the exact strings of the wire (assisted-v2 §4.4) and the worker's order.
 */
enum stage {
	STAGE_NONE, /* "" */
	STAGE_STARTING_INSTALLATION,
	STAGE_INSTALLING,
	STAGE_WRITING_IMAGE,
	STAGE_WAITING_FOR_CONTROL_PLANE,
	STAGE_REBOOTING,
	STAGE_WAITING_FOR_IGNITION,
	STAGE_CONFIGURING,
	STAGE_JOINED,
	STAGE_DONE,
	STAGE_FAILED,
	/* known on the wire, never sent by a day-2 worker */
	STAGE_WAITING_FOR_BOOTKUBE,
	STAGE_WAITING_FOR_CONTROLLER,
	STAGE_COPYING_REGISTRY_DATA,
	STAGE_COUNT
};

const char *stage_name(enum stage s);
/* -EINVAL for an unknown string. */
int stage_parse(const char *name, enum stage *ret);
