#pragma once
/*
 * Is a host still there? (assisted-v2 §7.3)
 */
#include <stdbool.h>
#include <stdint.h>
#include "service/rules.h"

/* Values of host.media_disconnected. */
enum host_media { HOST_MEDIA_UNKNOWN = 0, HOST_MEDIA_CONNECTED = 1, HOST_MEDIA_DISCONNECTED = 2 };

/*
 * True when it is expected to be silent (from stage Rebooting on), when it never checked in, or when it did so within the time
 * allowed.
 */
bool host_is_connected(const struct rule_ctx *ctx, const struct host *h);
/* When it will stop to be, microseconds; 0 = silence does not matter for it now. */
int64_t host_disconnects_at_us(const struct rule_ctx *ctx, const struct host *h);
