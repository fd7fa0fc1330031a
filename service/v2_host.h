#pragma once
/*
 * Shared by the files that serve hosts.
 */
#include "service/route.h"

/* Does the request come from our own agent? (header Slipway-Agent) */
bool v2_is_slipway_agent(const struct request *r);
