#pragma once
/* Waiting for udev: a disk that was found just now has no properties yet. */

/*
 * Waits until udev has finished with every disk (their records have an I: line), @timeout_ms at most. Returns at once where no
 * udev runs. 0, -ETIMEDOUT, or another -errno: the disks are read all the same.
 */
int settle_wait(unsigned timeout_ms);
