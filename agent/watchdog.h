#pragma once
/*
 * The machine's hardware watchdog, for the one thing that an agent cannot see through: a shutdown
 * that hangs, on lost virtual media for instance. Armed before the reboot it resets the machine.
 */
#include "common/fault.h"

#define WATCHDOG_DEVICE "/dev/watchdog"
#define WATCHDOG_TIMEOUT_S 120 /* longer than an orderly reboot may take (REBOOT_ORDERLY_S) */

/*
 * Opens @path and starts the countdown. Returns the descriptor, to be kept: closed by
 * watchdog_disarm() it stops; closed by the end of this process it goes on (where the driver tells
 * the two apart). -ENOENT: this machine has none; -EBUSY: somebody else (systemd) feeds it;
 * -ENOTTY: no watchdog.
 */
int watchdog_arm(const char *path, int timeout_s, struct fault *err);
/* There will be no reboot after all. Closes *@fd; negative is fine. */
void watchdog_disarm(int *fd);
