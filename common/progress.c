#include "common/progress.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd.h"
#include "common/json_map.h"
#include "common/str.h"

#define WHOLE 1000u /* per mille */
#define MIN_INTERVAL_MS 100
#define BAR_WIDTH 40

void progress_init(struct progress *p,
		   void (*sink)(void *, unsigned, const char *, uint64_t, uint64_t), void *ctx)
{
	*p = (struct progress){ .sink = sink, .ctx = ctx, .what = "", .last_ms = -MIN_INTERVAL_MS };
}

/* base + span * done / total, without overflow for any number of bytes. */
static unsigned percent_of(const struct progress *p)
{
	unsigned per_mille = p->base;
	if (p->total > 0)
		per_mille += (unsigned)((unsigned __int128)p->span * MIN_OF(p->done, p->total) /
					p->total);
	return MIN_OF(per_mille, WHOLE) / 10;
}

static void tell(struct progress *p)
{
	p->last_percent = MAX_OF(percent_of(p), p->last_percent);
	p->last_ms = time_mono_ms();
	if (p->sink)
		p->sink(p->ctx, p->last_percent, p->what, p->done, p->total);
}

void progress_step(struct progress *p, const char *what, unsigned weight, uint64_t total)
{
	if (!p)
		return;
	p->base = MIN_OF(p->base + p->span, WHOLE);
	p->span = MIN_OF(weight, WHOLE - p->base);
	p->what = what;
	p->done = 0;
	p->total = total;
	tell(p);
}

void progress_add(struct progress *p, uint64_t units)
{
	if (!p)
		return;
	if (__builtin_add_overflow(p->done, units, &p->done))
		p->done = UINT64_MAX;
	if (percent_of(p) > p->last_percent && time_mono_ms() - p->last_ms >= MIN_INTERVAL_MS)
		tell(p);
}

void progress_end(struct progress *p)
{
	if (!p)
		return;
	p->base = WHOLE;
	p->span = 0;
	p->done = p->total;
	tell(p);
}

bool progress_cancelled(struct progress *p)
{
	return p && p->cancelled && p->cancelled(p->ctx);
}

void progress_sink_bar(void *ctx, unsigned percent, const char *what, uint64_t done, uint64_t total)
{
	static const char marks[] = "########################################";
	_Static_assert(sizeof(marks) - 1 == BAR_WIDTH, "one mark per column");
	(void)ctx;
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r[%-*.*s] %3u %%  %-24.24s%s", BAR_WIDTH,
		(int)(percent * BAR_WIDTH / 100), marks, percent, what, percent == 100 ? "\n" : "");
	fflush(stderr);
}

void progress_sink_json(void *ctx, unsigned percent, const char *what, uint64_t done,
			uint64_t total)
{
	AUTO(json_decrefp)
	json_t *o = json_pack("{s:i, s:s, s:I, s:I}", "percent", (int)percent, "step", what, "done",
			      (json_int_t)MIN_OF(done, (uint64_t)INT64_MAX), "total",
			      (json_int_t)MIN_OF(total, (uint64_t)INT64_MAX));
	AUTO(freep) char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	AUTO(freep) char *line = text ? str_printf("%s\n", text) : NULL;
	if (line) /* progress never fails its caller: a reader that went away is not an error of the work */
		(void)fd_write((int)(intptr_t)ctx, line, strlen(line));
}
