#include "hwprobe/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"
#include "common/verb.h"

/*
 * One thing that happens is told by several events that follow each other at once: the look at the machine waits until they pause, but
 * never longer than the second figure. An event of a disk comes when udev has finished with it: it is not waited for others. When
 * events go on and on, the looks have pauses in between, so that most of the time is left to others: a look is worth three times as
 * long as it took, and what is worth more than the third figure is waited for.
 */
enum { QUIET_MS = 2, BURST_MAX_MS = 10, CREDIT_MS = 300, WORTH_PER_LOOK = 3, PAUSE_MAX_MS = 200 };

static void hwp_unrefp(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

static void hwp_monitor_closep(struct hwp_monitor **m)
{
	hwp_monitor_close(*m);
}

static int print_line(const struct hwp_inventory *inv, unsigned changed)
{
	AUTO(freep) char *text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	if (!text)
		return -ENOMEM;
	fputs("{\"changed\":[", stdout);
	const char *comma = "";
	for (unsigned part = 1; part <= HWP_ALL; part <<= 1) {
		if (!(changed & part) || !part_name(part))
			continue;
		printf("%s\"%s\"", comma, part_name(part));
		comma = ",";
	}
	printf("],\"inventory\":%s}\n", text);
	return fflush(stdout) ? -errno : 0;
}

/* How long to wait for more events, when some have come of @parts: until @earliest_ms in any case, else for a pause. 0 = no longer. */
static int wait_more_ms(unsigned parts, int64_t earliest_ms, int64_t end_ms)
{
	int64_t now_ms = time_mono_ms();
	if (now_ms < earliest_ms)
		return (int)(earliest_ms - now_ms);
	return parts & ~(unsigned)HWP_DISKS && now_ms < end_ms ? QUIET_MS : 0;
}

/* 1 = there are events, 0 = none came in time. -EPIPE = nobody reads any more: that is told at once, not by the next line. */
static int wait_events(struct hwp_monitor *m, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = hwp_monitor_fd(m), .events = POLLIN },
				{ .fd = STDOUT_FILENO } };
	int n = timeout_ms ? poll(fds, ARRAY_SIZE(fds), timeout_ms) : 0;
	if (n < 0)
		return -errno;
	if (n > 0 && fds[1].revents) {
		(void)raise(SIGPIPE); /* as write(2) does */
		return -EPIPE;
	}
	return n > 0;
}

/* Waits for changes and for the end of the burst they belong to, @earliest_ms at least. */
static int wait_change(struct hwp_monitor *m, int64_t earliest_ms)
{
	unsigned parts = 0, changed;
	int64_t end_ms = 0;
	for (;;) {
		int rc = wait_events(m, parts ? wait_more_ms(parts, earliest_ms, end_ms) : -1);
		if (rc < 0 && rc != -EINTR)
			return rc;
		if (rc == 0 && time_mono_ms() >= earliest_ms)
			return 0;
		if (rc <= 0 || !hwp_monitor_dispatch(m, &changed))
			continue;
		end_ms = parts ? end_ms : time_mono_ms() + BURST_MAX_MS;
		parts |= changed;
	}
}

/* Looks at what the monitor told of and tells what is other than in *last, which is replaced then. */
static int look(struct hwp_monitor *m, struct hwp_inventory **last)
{
	AUTO(hwp_unrefp) struct hwp_inventory *now = NULL;
	unsigned changed;
	int rc = hwp_monitor_refresh(m, *last, 0, &now);
	if (!rc)
		rc = hwp_diff(*last, now, &changed);
	if (rc > 0)
		rc = print_line(now, changed);
	if (rc < 0)
		return rc;
	/* Also when nothing differs: what no line shows counts at the next look. */
	hwp_unref(*last);
	*last = TAKE(now);
	return 0;
}

static int watch_changes(struct hwp_ctx *ctx, struct hwp_monitor *m)
{
	AUTO(hwp_unrefp) struct hwp_inventory *last = NULL;
	int64_t earliest_ms = 0, spent_ms = 0;
	/* The monitor is open already, so nothing is missed between this look and the first wait. */
	int rc = hwp_probe(ctx, 0, &last);
	if (!rc)
		rc = print_line(last, hwp_get_parts(last) & ~(unsigned)HWP_CLOCK);
	while (!rc) {
		rc = wait_change(m, earliest_ms);
		int64_t start_ms = time_mono_ms();
		if (!rc)
			rc = look(m, &last);
		int64_t end_ms = time_mono_ms();
		spent_ms = MAX_OF(spent_ms, start_ms) + WORTH_PER_LOOK * (end_ms - start_ms);
		earliest_ms = MIN_OF(spent_ms - CREDIT_MS, end_ms + PAUSE_MAX_MS);
	}
	return rc;
}

int watch(struct hwp_ctx *ctx)
{
	AUTO(hwp_monitor_closep) struct hwp_monitor *m = NULL;
	int rc = hwp_monitor_open(ctx, 0, &m);
	if (!rc)
		rc = watch_changes(ctx, m);
	log_error_errno(rc, "cannot watch");
	return EXIT_FAILED;
}
