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
/*
 * From when on a time limit that began at @moment_us is counted: not from before the start of the service, because there was nothing to
 * report to, nor from before its clock was set (rule_ctx.silence_from_us), which leaves moments in the future and hosts that seem silent.
 */
int64_t connection_counts_from(const struct rule_ctx *ctx, int64_t moment_us);

/* Notices that the wall clock was set. Zero-initialised. */
struct clock_watch {
	bool is_running;
	int64_t offset_us; /* wall clock - monotonic clock */
};
/* True when the wall clock went another way than the monotonic one since the last call. */
bool clock_watch_jumped(struct clock_watch *w, int64_t wall_us, int64_t mono_ms);
