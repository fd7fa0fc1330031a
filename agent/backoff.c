#include "agent/backoff.h"

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/str.h"

struct limits {
	uint64_t base_ms, cap_ms;
	bool is_half; /* at least half of the ceiling is waited */
};

static const struct limits limits[] = {
	[BACKOFF_TRANSIENT] = { 1000, 60 * 1000 },
	[BACKOFF_REFUSED] = { 2000, 600 * 1000 },
	/*
	 * Five tries are the end of an installation: together they must outlast a service
	 * that is being restarted, whatever the draws are.
	 */
	[BACKOFF_PAYLOAD] = { 1000, 30 * 1000, true },
};

/* Never shorter: a full-jitter draw near zero must not become a busy loop. */
#define BACKOFF_MIN_MS 100

static uint64_t scale(uint64_t range, uint32_t random)
{
	return (uint64_t)(((unsigned __int128)range * random) >> 32);
}

uint64_t backoff_next_ms(struct backoff *b, enum backoff_kind kind, uint64_t retry_after_ms,
			 uint32_t random)
{
	const struct limits *l = &limits[kind];
	unsigned shift = MIN_OF(b->failures, 20u);
	uint64_t ceiling = MIN_OF(l->base_ms << shift, l->cap_ms);

	if (b->failures < UINT32_MAX)
		b->failures++;
	uint64_t least = l->is_half ? ceiling / 2 : BACKOFF_MIN_MS;
	uint64_t wait = least + scale(ceiling - least + 1, random);
	return MAX_OF(wait, MIN_OF(retry_after_ms, RETRY_AFTER_MAX_MS));
}

void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}

uint64_t backoff_poll_ms(int64_t next_instruction_seconds, uint64_t fallback_s, uint32_t random)
{
	uint64_t s = next_instruction_seconds > 0 ? (uint64_t)next_instruction_seconds : fallback_s;
	s = MIN_OF(MAX_OF(s, (uint64_t)INSTRUCTION_MIN_S), (uint64_t)INSTRUCTION_MAX_S);

	uint64_t ms = s * 1000;
	return ms - ms / 10 + scale(ms / 5 + 1, random);
}

enum backoff_kind backoff_kind_of(long status)
{
	switch (status) {
	case 401:
	case 403:
	case 404:
	case 409:
		return BACKOFF_REFUSED;
	default:
		return BACKOFF_TRANSIENT;
	}
}

uint64_t backoff_retry_after_ms(const char *header)
{
	uint64_t s;
	if (!header || str_to_u64(header, &s) < 0)
		return 0;
	return MIN_OF(s, RETRY_AFTER_MAX_MS / 1000) * 1000;
}
