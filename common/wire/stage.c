#include "common/wire/stage.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* host-stage of the API's schema. */
static const char *const names[STAGE_COUNT] = {
	[STAGE_NONE] = "",
	[STAGE_STARTING_INSTALLATION] = "Starting installation",
	[STAGE_INSTALLING] = "Installing",
	[STAGE_WRITING_IMAGE] = "Writing image to disk",
	[STAGE_WAITING_FOR_CONTROL_PLANE] = "Waiting for control plane",
	[STAGE_REBOOTING] = "Rebooting",
	[STAGE_WAITING_FOR_IGNITION] = "Waiting for ignition",
	[STAGE_CONFIGURING] = "Configuring",
	[STAGE_JOINED] = "Joined",
	[STAGE_DONE] = "Done",
	[STAGE_FAILED] = "Failed",
	[STAGE_WAITING_FOR_BOOTKUBE] = "Waiting for bootkube",
	[STAGE_WAITING_FOR_CONTROLLER] = "Waiting for controller",
	[STAGE_COPYING_REGISTRY_DATA] = "Copying registry data to disk",
};

const char *stage_name(enum stage s)
{
	return (unsigned)s < STAGE_COUNT ? names[s] : "";
}

int stage_parse(const char *name, enum stage *ret)
{
	for (size_t i = 0; name && i < STAGE_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum stage)i;
			return 0;
		}
	}
	return -EINVAL;
}
