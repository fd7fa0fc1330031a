#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/priv.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "hwprobe/hwprobe.h"

/*
 * The discovery system begins with the network and finds its other devices meanwhile: its mark vanishes when every device has been announced, udev's
 * queue file when every announcement has been worked off.
 */
static const char *const settle_marks[] = { "/run/slipway/coldplug.pending", "/run/udev/queue" };
#define SETTLE_MAX_MS 20000
#define SETTLE_EVERY_MS 100

static bool is_settled(const struct priv *p)
{
	if (time_mono_ms() - p->settle_since_ms >= SETTLE_MAX_MS) {
		log_warning("devices are still being found after %d s: the inventory may lack some",
			    SETTLE_MAX_MS / 1000);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(settle_marks); i++)
		if (access(settle_marks[i], F_OK) == 0)
			return false;
	return true;
}

static void forget_disks(struct priv *p)
{
	for (size_t i = 0; i < p->disks_n; i++) {
		free(p->disks[i].id);
		free(p->disks[i].by_path);
		free(p->disks[i].path);
	}
	free(p->disks);
	p->disks = NULL;
	p->disks_n = 0;
}

static void close_probe(struct priv *p)
{
	uint64_t text_max = p->inventory.text_max_bytes;

	inventory_cache_done(&p->inventory);
	p->inventory.text_max_bytes = text_max;
	hwp_close(p->hwp);
	p->hwp = NULL;
}

void priv_inventory_done(struct priv *p)
{
	forget_disks(p);
	if (p->settle)
		event_free(p->settle);
	p->settle = NULL;
	close_probe(p);
}

/* Optical drives and floppy drives take no system, and asking one may pull in its tray. */
static bool is_candidate(const struct hwp_disk *d)
{
	return d->path.s && !str_eq(d->drive_type.s, "ODD") && !str_eq(d->drive_type.s, "FDD");
}

static void remember_disks(struct priv *p, const struct hwp_inventory *inv)
{
	size_t n = MIN_OF(hwp_disk_count(inv), (size_t)PRIV_DISKS_MAX);

	forget_disks(p);
	p->disks = calloc(n ? n : 1, sizeof(*p->disks));
	for (size_t i = 0; p->disks && i < n; i++) {
		const struct hwp_disk *d = hwp_disk_at(inv, i);
		struct known_disk *k = &p->disks[p->disks_n];
		/* Disks that cannot be read are no candidates, and neither are drives without a medium. */
		if (!is_candidate(d))
			continue;
		int r = disk_id_read(d->path.s, &k->identity, NULL);
		if (r == -EBUSY || r == -EIO || r == -ETIMEDOUT) /* it may get over that */
			p->inventory.changed |= HWP_DISKS;
		if (r < 0)
			continue;
		k->id = str_dup(d->id.s);
		k->by_path = str_dup(d->by_path.s);
		k->path = str_dup(d->path.s);
		p->disks_n++;
	}
}

const struct known_disk *priv_find_disk(const struct priv *p, const char *device)
{
	for (size_t i = 0; i < p->disks_n; i++) {
		const struct known_disk *k = &p->disks[i];
		if (str_eq(k->id, device) || str_eq(k->by_path, device) || str_eq(k->path, device))
			return k;
	}
	return NULL;
}

static void on_probe_log(void *data, int prio, const char *part, const char *msg)
{
	log_write(LOG_DEBUG, "inventory: %s: %s", part ? part : "", msg);
}

/* One context for all probes: it remembers for minutes what the BMC answered, which takes seconds. */
static int open_probe(struct priv *p)
{
	const struct hwp_options options = { .size = sizeof(options),
					     .log = on_probe_log,
					     .disk_min_bytes = p->disk_min_bytes };

	if (p->hwp)
		return 0;
	int r = hwp_open(&p->hwp, &options);
	if (!r)
		inventory_cache_init(&p->inventory, p->base, p->hwp);
	return r;
}

int priv_probe(struct priv *p, struct fault *err)
{
	if (inventory_cache_is_fresh(&p->inventory, time_mono_ms()))
		return 0;
	int r = open_probe(p);
	if (!r)
		r = inventory_cache_probe(&p->inventory, p->hwp);
	if (r < 0)
		return fault_set(err, r, "inventory: %s", strerror(-r));
	remember_disks(p, p->inventory.last);
	return 0;
}

static void answer(struct priv *p, uint32_t ask)
{
	struct fault err = FAULT_INIT;

	int r = priv_probe(p, &err);
	if (r < 0)
		priv_answer(p, ask, r, NULL, fault_text(&err), -1);
	else
		priv_answer(p, ask, 0, p->inventory.text, NULL, -1);
}

static void on_settle(evutil_socket_t fd, short what, void *ctx)
{
	struct priv *p = ctx;
	const struct timeval again = { .tv_usec = SETTLE_EVERY_MS * 1000 };

	if (!is_settled(p)) {
		evtimer_add(p->settle, &again);
		return;
	}
	p->is_settling = false;
	answer(p, p->settle_ask);
}

static uint64_t limit_of(const json_t *limits, const char *key)
{
	int64_t bytes = json_i64(limits, key);
	return bytes > 0 ? (uint64_t)bytes : 0;
}

static void set_limits(struct priv *p, const json_t *limits)
{
	uint64_t disk_min = limit_of(limits, "disk_min_bytes");

	if (disk_min != p->disk_min_bytes)
		close_probe(p);
	p->disk_min_bytes = disk_min;
	inventory_cache_limit(&p->inventory, limit_of(limits, "output_max_bytes"));
}

void priv_inventory(struct priv *p, uint32_t ask, const json_t *limits)
{
	const struct timeval now = { 0 };

	set_limits(p, limits);
	p->settle_ask = ask;
	if (p->is_settling) /* of a network process that is gone */
		return;
	if (!p->settle)
		p->settle = evtimer_new(p->base, on_settle, p);
	if (!p->settle) {
		priv_answer(p, ask, -ENOMEM, NULL, "out of memory", -1);
		return;
	}
	p->settle_since_ms = time_mono_ms();
	p->is_settling = true;
	evtimer_add(p->settle, &now);
}
