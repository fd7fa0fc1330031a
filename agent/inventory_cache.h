#pragma once
/*
 * The last inventory, and whether the machine may have changed since it was taken. udev and rtnetlink tell of most changes (hwp_monitor); host name, mounts and
 * swap areas, of which they do not tell, are compared. While nothing has changed a question costs a few system calls instead of a probe.
 */
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/digest.h"
#include "hwprobe/hwprobe.h"

/* What announces no change is looked for this often: a BMC's address, say. */
#define INVENTORY_AGE_MAX_MS (300 * 1000)
/* Of an inventory with errors: a device that hung may answer now. */
#define INVENTORY_BAD_AGE_MAX_MS (30 * 1000)

struct inventory_cache {
	struct hwp_inventory *last;  /* NULL = none was taken */
	char *text;                  /* of last, in the wire format */
	uint64_t text_max_bytes;     /* it is cut to that; 0 = not */
	int64_t taken_ms;            /* time_mono_ms() of the last look at everything */
	uint8_t quiet[SHA256_LEN];   /* what announces no change, when last was taken */
	unsigned changed;            /* enum hwp_part: announced since */
	struct hwp_monitor *monitor; /* NULL = nobody tells: nothing is fresh */
	struct event *event;
	const char *mounts, *swaps; /* of the running machine when NULL */
};

/* Begins to listen on @base's loop; before the first probe, so that nothing is missed. Without a monitor every question means a probe. */
void inventory_cache_init(struct inventory_cache *c, struct event_base *base, struct hwp_ctx *ctx);
void inventory_cache_done(struct inventory_cache *c);
/* Is the last inventory still what a probe at @now_ms would find? */
bool inventory_cache_is_fresh(struct inventory_cache *c, int64_t now_ms);
/* From now on the text is no longer than @max_bytes (0 = no limit), by hwprobe's truncation contract. */
void inventory_cache_limit(struct inventory_cache *c, uint64_t max_bytes);
/*
 * Takes a new inventory: looks at what was announced, and at everything when something else may have changed. The text stays the same, byte for byte, when only the CPU's current clock differs, so that it need not be sent again.
 * Returns 1 = it is another one, 0 = nothing has changed, -errno (the last one is kept).
 */
int inventory_cache_probe(struct inventory_cache *c, struct hwp_ctx *ctx);
