#include "service/connection.h"

#include "common/cleanup.h"

#define JUMP_US 2000000 /* less is a clock that is being slewed, or a busy machine */

/* The machine goes down and comes up as another system: nobody reports until that runs. */
static bool may_be_silent(const struct host *h)
{
	static const bool silent[STAGE_COUNT] = {
		[STAGE_REBOOTING] = true,   [STAGE_WAITING_FOR_IGNITION] = true,
		[STAGE_CONFIGURING] = true, [STAGE_JOINED] = true,
		[STAGE_DONE] = true,
	};
	return silent[h->stage] || h->checked_in_at == 0;
}

int64_t connection_counts_from(const struct rule_ctx *ctx, int64_t moment_us)
{
	return moment_us > ctx->now_us ? ctx->silence_from_us
				       : MAX_OF(moment_us, ctx->silence_from_us);
}

int64_t host_disconnects_at_us(const struct rule_ctx *ctx, const struct host *h)
{
	if (may_be_silent(h))
		return 0;
	return connection_counts_from(ctx, h->checked_in_at) +
	       (int64_t)ctx->config->max_disconnection_ms * 1000 + 1;
}

bool host_is_connected(const struct rule_ctx *ctx, const struct host *h)
{
	int64_t limit = host_disconnects_at_us(ctx, h);

	return limit == 0 || ctx->now_us < limit;
}

bool clock_watch_jumped(struct clock_watch *w, int64_t wall_us, int64_t mono_ms)
{
	int64_t offset = wall_us - mono_ms * 1000, moved = offset - w->offset_us;

	w->offset_us = offset;
	if (!w->is_running) {
		w->is_running = true;
		return false;
	}
	return moved > JUMP_US || moved < -JUMP_US;
}
