#pragma once
/*
 * Shared by the files that serve hosts.
 */
#include "service/route.h"

/* Does the request come from our own agent? (header Slipway-Agent) */
bool v2_is_slipway_agent(const struct request *r);
#define V2_AGENT_VERSION_MAX 512 /* characters of an image's name */
/* The header discovery_agent_version; NULL = there is none that could be an image's name. */
const char *v2_agent_version(const struct request *r);
