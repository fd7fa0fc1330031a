#include "hwprobe/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/log.h"
#include "common/str.h"
#include "common/verb.h"

/* Events come in bursts: the look at the machine waits until they pause, but never longer than the second figure. */
enum { QUIET_MS = 20, BURST_MAX_MS = 200 };

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

/* Waits for a change and for the end of the burst it belongs to. */
static int wait_change(struct hwp_monitor *m)
{
	struct pollfd p = { .fd = hwp_monitor_fd(m), .events = POLLIN };
	int64_t end_ms = 0;
	for (;;) {
		unsigned changed;
		int n = poll(&p, 1, end_ms ? QUIET_MS : -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && hwp_monitor_dispatch(m, &changed) && !end_ms)
			end_ms = time_mono_ms() + BURST_MAX_MS;
		if (end_ms && (n == 0 || time_mono_ms() >= end_ms))
			return 0;
	}
}

static int watch_changes(struct hwp_ctx *ctx, struct hwp_monitor *m)
{
	AUTO(hwp_unrefp) struct hwp_inventory *last = NULL;
	/* The monitor is open already, so nothing is missed between this look and the first wait. */
	int rc = hwp_probe(ctx, 0, &last);
	if (!rc)
		rc = print_line(last, hwp_get_parts(last));
	while (!rc) {
		AUTO(hwp_unrefp) struct hwp_inventory *now = NULL;
		unsigned changed = 0;
		rc = wait_change(m);
		if (!rc)
			rc = hwp_probe(ctx, 0, &now);
		if (!rc)
			rc = hwp_diff(last, now, &changed);
		if (rc <= 0)
			continue;
		rc = print_line(now, changed);
		hwp_unref(last);
		last = TAKE(now);
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
