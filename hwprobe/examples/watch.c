/*
 * Says which network interfaces the machine has, now and whenever that changes.
 * usage: watch [CHANGES]     ends after so many changes; 0 = shows what is there now
 * build: cc -o watch watch.c $(pkg-config --cflags --libs libhwprobe)
 */
#include <poll.h>
#include <slipway/hwprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const struct hwp_inventory *inv)
{
	for (size_t i = 0; i < hwp_nic_count(inv); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		printf("%s%s%s", i ? ", " : "", n->name.s, n->has_carrier.v ? " (carrier)" : "");
	}
	printf("\n");
	fflush(stdout);
}

/* Waits for the next difference and replaces *inv by what is there now. 0, or -errno. */
static int next(struct hwp_monitor *monitor, struct hwp_inventory **inv)
{
	struct pollfd p = { .fd = hwp_monitor_fd(monitor), .events = POLLIN };
	struct hwp_inventory *now;
	unsigned changed;

	for (;;) {
		if (poll(&p, 1, -1) < 0)
			continue; /* a signal */
		int r = hwp_monitor_dispatch(monitor, &changed);
		if (r == 0)
			continue;
		if (r > 0)
			r = hwp_monitor_refresh(monitor, *inv, 0, &now);
		if (r < 0)
			return r;
		int differs = hwp_diff(*inv, now, NULL);
		hwp_unref(*inv);
		*inv = now;
		if (differs)
			return differs < 0 ? differs : 0;
	}
}

int main(int argc, char **argv)
{
	long left = argc > 1 ? atol(argv[1]) : -1;
	struct hwp_ctx *ctx;
	struct hwp_monitor *monitor;
	struct hwp_inventory *inv;

	/* The monitor first: what changes while the first look is taken is not missed. */
	if (hwp_open(&ctx, NULL) < 0 || hwp_monitor_open(ctx, HWP_NICS, &monitor) < 0 ||
	    hwp_probe(ctx, HWP_NICS, &inv) < 0) {
		fprintf(stderr, "cannot look at this machine\n");
		return 1;
	}
	show(inv);
	int r = 0;
	for (; left && r == 0; left -= left > 0) {
		r = next(monitor, &inv);
		if (r == 0)
			show(inv);
	}
	if (r < 0)
		fprintf(stderr, "cannot look again: %s\n", strerror(-r));
	hwp_unref(inv);
	hwp_monitor_close(monitor);
	hwp_close(ctx);
	return r < 0;
}
