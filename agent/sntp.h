#pragma once
/*
 * One question to an NTP server (RFC 4330, RFC 5905 §7.3): pure packet work, no I/O.
 */
#include <stddef.h>
#include <stdint.h>
#include "common/fault.h"

#define SNTP_LEN 48

/* @cookie: random; the server must give it back as the originate time, so that nobody off the path can answer. */
void sntp_query(uint64_t cookie, uint8_t ret[SNTP_LEN]);
/*
 * Checks the answer (mode 4, version, stratum 1–15, not unsynchronised, originate == @cookie) and gives how far our clock is behind:
 * server − ours, microseconds, for a query sent at @sent_us and received at @received_us (CLOCK_REALTIME). -EBADMSG.
 */
int sntp_answer(const uint8_t *data, size_t len, uint64_t cookie, int64_t sent_us,
		int64_t received_us, int64_t *ret_offset_us, struct fault *err);
