#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>
#include "agent/clock.h"
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/proc.h"

#define COMMAND_TIMEOUT_MS 60000

static int run_command(const char *command, struct fault *err)
{
	const char *const argv[] = { command, NULL };
	/* The agent's own environment may hold its token (PULL_SECRET_TOKEN). */
	const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct proc_spec spec = { .argv = argv,
				  .env = env,
				  .stdin_fd = -1,
				  .stdout_fd = STDERR_FILENO,
				  .timeout_ms = COMMAND_TIMEOUT_MS };
	return proc_run_ok(&spec, err);
}

int priv_reboot(const char *command, struct fault *err)
{
	struct fault clock = FAULT_INIT;

	log_notice("rebooting");
	if (command)
		return run_command(command, err);
	if (clock_save(&clock) < 0)
		log_warning("%s", fault_text(&clock));
	sync();
	/* systemd's own way without a program: SIGRTMIN+5 to PID 1 starts reboot.target (systemd(1), SIGNALS). */
	if (access("/run/systemd/system", F_OK) == 0 && kill(1, SIGRTMIN + 5) == 0)
		return 1;
	return priv_reboot_now(err);
}

/* Without anybody's consent: Documentation/admin-guide/sysrq.rst. */
static void sysrq_reboot(void)
{
	AUTO(closep) int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "b", 1);
}

int priv_reboot_now(struct fault *err)
{
	sync();
	if (reboot(RB_AUTOBOOT) < 0) {
		int r = -errno;

		sysrq_reboot();
		return fault_set(err, r, "cannot reboot: %s", strerror(-r));
	}
	return 0;
}
