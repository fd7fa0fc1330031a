#pragma once
/*
 * The machine's clock, as far as TLS needs it: never earlier than what we know to be past (install.md E.4), so that a certificate is not
 * "not yet valid" on a board without a clock.
 */
#include <stdint.h>
#include "common/fault.h"

#define CLOCK_STEP_MIN_US 500000 /* smaller differences are left alone */

/* Seconds: the latest of the medium's creation and the token's iat (read without a check of its signature). @token may be "". Pure. */
int64_t clock_floor(uint64_t created_s, const char *token);
/* Sets CLOCK_REALTIME when it is before @floor_s. 1 = set, 0 = no need, -errno. */
int clock_raise(int64_t floor_s, struct fault *err);
/*
 * Moves the clock by @offset_us, unless the kernel says that somebody keeps it synchronised (adjtimex STA_UNSYNC clear), the difference is
 * small, or the result would lie before @floor_s. 1 = moved, 0 = left alone, -errno.
 */
int clock_step(int64_t offset_us, int64_t floor_s, struct fault *err);
/* System time into the hardware clock, if there is one: the installed system starts with it. */
int clock_save(struct fault *err);
