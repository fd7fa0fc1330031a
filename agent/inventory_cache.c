#include "agent/inventory_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/str.h"

#define SOURCE_MAX (4u << 20) /* bytes of a file under /proc; a longer one counts as changed */

static void hwp_unrefp(struct hwp_inventory **inv)
{
	hwp_unref(*inv);
}

static void on_news(evutil_socket_t fd, short what, void *ctx)
{
	struct inventory_cache *c = ctx;
	unsigned changed;

	if (hwp_monitor_dispatch(c->monitor, &changed))
		c->changed |= changed;
}

void inventory_cache_init(struct inventory_cache *c, struct event_base *base, struct hwp_ctx *ctx)
{
	int r = hwp_monitor_open(ctx, HWP_ALL, &c->monitor);
	if (r < 0) {
		log_debug("inventory: no news of devices: %s", strerror(-r));
		return;
	}
	/* Read as they come: a queue that overflows has lost what it told. */
	c->event = event_new(base, hwp_monitor_fd(c->monitor), EV_READ | EV_PERSIST, on_news, c);
	if (c->event)
		event_add(c->event, NULL);
}

void inventory_cache_done(struct inventory_cache *c)
{
	if (c->event)
		event_free(c->event);
	hwp_monitor_close(c->monitor);
	hwp_unref(c->last);
	free(c->text);
	*c = (struct inventory_cache){ 0 };
}

static int add_file(struct sha256 *s, const char *path, bool is_first_word)
{
	AUTO(freep) char *text = NULL;
	size_t len;

	int r = file_read_at(AT_FDCWD, path, SOURCE_MAX, &text, &len, NULL);
	if (r == -ENOENT) {
		sha256_update(s, "-", 2);
		return 0;
	}
	if (r < 0)
		return r;
	if (!is_first_word) {
		sha256_update(s, text, len);
		return 0;
	}
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		sha256_update(s, line, strcspn(line, " \t"));
	return 0;
}

static int read_quiet(const struct inventory_cache *c, uint8_t ret[SHA256_LEN])
{
	struct sha256 s;
	struct utsname name;

	if (uname(&name) < 0)
		return -errno;
	sha256_init(&s);
	sha256_update(&s, name.nodename, strlen(name.nodename) + 1);
	int r = add_file(&s, c->mounts ? c->mounts : "/proc/self/mountinfo", false);
	/* "Used" of a swap area changes all the time, its name is what counts (proc(5)). */
	if (!r)
		r = add_file(&s, c->swaps ? c->swaps : "/proc/swaps", true);
	sha256_final(&s, ret);
	return r;
}

static int64_t age_max_ms(const struct inventory_cache *c)
{
	return hwp_errors(c->last, NULL) ? INVENTORY_BAD_AGE_MAX_MS : INVENTORY_AGE_MAX_MS;
}

bool inventory_cache_is_fresh(struct inventory_cache *c, int64_t now_ms)
{
	uint8_t quiet[SHA256_LEN];

	if (!c->last || !c->event)
		return false;
	if (now_ms - c->taken_ms >= age_max_ms(c))
		return false;
	on_news(-1, 0, c); /* what has come in this turn of the loop */
	return !c->changed && read_quiet(c, quiet) == 0 && !memcmp(quiet, c->quiet, sizeof(quiet));
}

void inventory_cache_limit(struct inventory_cache *c, uint64_t max_bytes)
{
	if (c->text_max_bytes == max_bytes)
		return;
	c->text_max_bytes = max_bytes;
	free(TAKE(c->text)); /* the next probe makes another */
	c->changed |= HWP_ALL;
}

/* 1 = @now replaces the last one. */
static int compare(const struct inventory_cache *c, const struct hwp_inventory *now)
{
	unsigned parts;

	if (!c->last || !c->text)
		return 1;
	int r = hwp_diff(c->last, now, &parts);
	if (r > 0)
		log_debug("inventory: other than before, parts %#x", parts);
	return r;
}

/* Is what was announced all that may have changed? Else @quiet differs, or it is time for what announces nothing. */
static bool is_all_announced(const struct inventory_cache *c, const uint8_t quiet[SHA256_LEN],
			     int64_t now_ms)
{
	return c->last && c->event && now_ms - c->taken_ms < age_max_ms(c) &&
	       !memcmp(quiet, c->quiet, SHA256_LEN);
}

static int look(struct inventory_cache *c, struct hwp_ctx *ctx, unsigned parts,
		struct hwp_inventory **ret)
{
	return c->last && c->monitor ? hwp_monitor_refresh(c->monitor, c->last, parts, ret)
				     : hwp_probe(ctx, HWP_ALL, ret);
}

int inventory_cache_probe(struct inventory_cache *c, struct hwp_ctx *ctx)
{
	AUTO(hwp_unrefp) struct hwp_inventory *now = NULL;
	int64_t taken_ms = time_mono_ms();
	uint8_t quiet[SHA256_LEN] = { 0 };

	/* Before the look at the machine: whatever happens during it counts as news. */
	if (c->monitor)
		on_news(-1, 0, c);
	unsigned changed = c->changed;
	c->changed = 0;
	bool is_partial = read_quiet(c, quiet) == 0 && is_all_announced(c, quiet, taken_ms);

	int r = look(c, ctx, is_partial ? 0 : HWP_ALL, &now);
	if (!r)
		r = compare(c, now);
	AUTO(freep)
	char *text = r > 0 ? hwp_to_json(now, HWP_JSON_ASSISTED, c->text_max_bytes) : NULL;
	if (r < 0 || (r > 0 && !text)) {
		c->changed |= changed;
		/* The monitor may have forgotten what it told: all of it is looked at next. */
		c->taken_ms = taken_ms - INVENTORY_AGE_MAX_MS;
		return r < 0 ? r : -ENOMEM;
	}
	c->taken_ms = is_partial ? c->taken_ms : taken_ms;
	memcpy(c->quiet, quiet, sizeof(quiet));
	hwp_unref(c->last);
	c->last = TAKE(now);
	if (text) {
		free(c->text);
		c->text = TAKE(text);
	}
	return r;
}
