#include "agent/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "common/cleanup.h"

/* Written before the close it says that the close is meant (Documentation/watchdog/watchdog-api). */
#define MAGIC_CLOSE "V"

int watchdog_arm(const char *path, int timeout_s, struct fault *err)
{
	AUTO(closep) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int got = timeout_s;

	if (fd < 0)
		return fault_set(err, -errno, "%s: %s", path, strerror(errno));
	/* Opening has started it already, with a timeout of its own. */
	if (ioctl(fd, WDIOC_SETTIMEOUT, &got) < 0 && errno != EOPNOTSUPP) {
		int r = -errno;

		watchdog_disarm(&fd);
		return fault_set(err, r, "%s does not take a timeout of %d s: %s", path, timeout_s,
				 strerror(-r));
	}
	(void)ioctl(fd, WDIOC_KEEPALIVE, 0);
	return TAKE_FD(fd);
}

void watchdog_disarm(int *fd)
{
	if (*fd < 0)
		return;
	(void)!write(*fd, MAGIC_CLOSE, 1);
	close(*fd);
	*fd = -1;
}
