#include "service/connection.h"

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

int64_t host_disconnects_at_us(const struct rule_ctx *ctx, const struct host *h)
{
	if (may_be_silent(h))
		return 0;
	return h->checked_in_at + (int64_t)ctx->config->max_disconnection_ms * 1000 + 1;
}

bool host_is_connected(const struct rule_ctx *ctx, const struct host *h)
{
	int64_t limit = host_disconnects_at_us(ctx, h);

	return limit == 0 || ctx->now_us < limit;
}
