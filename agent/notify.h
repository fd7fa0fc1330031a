#pragma once
/*
 * sd_notify(3) in a few lines: one datagram to $NOTIFY_SOCKET; without it nothing happens.
 */
#include <stdint.h>

void notify_send(const char *text); /* "READY=1", "STATUS=…", "WATCHDOG=1"; several by newlines */
/* Half of $WATCHDOG_USEC in milliseconds; 0 = no watchdog. */
uint64_t notify_watchdog_ms(void);
