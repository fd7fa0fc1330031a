#pragma once
/*
 * What api-vip-connectivity-check tells the service of the Ignition config that it got: all of it, but only those files from which the service
 * learns whether the cluster manages its own network, and no units (assisted-v2 §5.4).
 */
#include <stddef.h>
#include "common/fault.h"

#define IGNITION_MAX (16u << 20) /* bytes of a config */

/* *ret: compact JSON, owned by the caller. -EINVAL when @text is no Ignition config (JSON object with ignition.version). */
int ignition_filter(const char *text, size_t len, char **ret, struct fault *err);
