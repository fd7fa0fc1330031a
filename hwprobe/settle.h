#pragma once
/* Waiting for udev: a device that was found just now has no properties yet. */

/*
 * Waits until udev has finished with every disk and interface of @parts (their records have an I: line), @timeout_ms at most. Returns at
 * once where no udev runs. 0, -ETIMEDOUT, or another -errno: the devices are read all the same.
 */
int settle_wait(unsigned timeout_ms, unsigned parts);
