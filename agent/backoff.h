#pragma once
/*
 * When to try again: full jitter (sleep U(0, min(cap, base·2ⁿ))), so that a rack that was powered on together spreads out. Pure functions of a
 * given random number.
 */
#include <stdint.h>

enum backoff_kind {
	BACKOFF_TRANSIENT, /* network errors, 5xx: cap one minute */
	BACKOFF_REFUSED, /* 401, 403, 404, 409: somebody has to do something; cap ten minutes, but never given up */
	BACKOFF_PAYLOAD, /* image data: 1 s … 30 s, at least half of it */
};

struct backoff {
	unsigned failures; /* in a row */
};

#define RETRY_AFTER_MAX_MS (600 * 1000ULL)
#define INSTRUCTION_MIN_S 1
#define INSTRUCTION_MAX_S 3600

/* Counts one failure and gives the milliseconds to wait; at least @retry_after_ms (0 = none named; cut at RETRY_AFTER_MAX_MS). @random: any number. */
uint64_t backoff_next_ms(struct backoff *b, enum backoff_kind kind, uint64_t retry_after_ms,
			 uint32_t random);
void backoff_reset(struct backoff *b);

/* Milliseconds to the next poll: next_instruction_seconds (0 = the fallback) within 1…3600, ±10 %. */
uint64_t backoff_poll_ms(int64_t next_instruction_seconds, uint64_t fallback_s, uint32_t random);

/* Which kind an HTTP status is; 0 = no answer. */
enum backoff_kind backoff_kind_of(long status);
/* The header's seconds as milliseconds; 0 when absent or a date (a wrong clock would make nonsense of it). */
uint64_t backoff_retry_after_ms(const char *header);
