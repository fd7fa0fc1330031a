#pragma once
/* A loop device for a file, where a test may have one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LOOP_NAME_MAX = 32, LOOP_TRIES = 8 };

/* Attaches @fd; the open device, its name ("loop3") in @name; -errno. Another process may take the free device first. */
__attribute__((unused)) static int loop_attach(int fd, char name[LOOP_NAME_MAX])
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), rc = -errno;
	for (int i = 0; control >= 0 && i < LOOP_TRIES; i++) {
		char path[LOOP_NAME_MAX + 8];
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(name, LOOP_NAME_MAX, "loop%d", number);
		snprintf(path, sizeof(path), "/dev/%s", name);
		int loop = number < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_SET_FD, fd) == 0) {
			rc = loop;
			break;
		}
		rc = -errno;
		if (loop >= 0)
			close(loop);
	}
	if (control >= 0)
		close(control);
	return rc;
}

__attribute__((unused)) static void loop_detach(int loop)
{
	(void)ioctl(loop, LOOP_CLR_FD);
	close(loop);
}
