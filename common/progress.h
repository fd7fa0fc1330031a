#pragma once
/*
 * Progress of long work: nested weighted steps, counted in units really done (bytes). Never goes back, never fails its caller.
 * A sink gets at most one call per 100 ms and one per whole percent, and the last one.
 */
#include <stdbool.h>
#include <stdint.h>

struct progress {
	void (*sink)(void *ctx, unsigned percent, const char *what, uint64_t done, uint64_t total);
	void *ctx;
	bool (*cancelled)(void *ctx); /* may be NULL */
	/* private */
	const char *what;
	unsigned base, span; /* per mille of the whole */
	uint64_t done, total;
	unsigned last_percent;
	int64_t last_ms;
};

void progress_init(struct progress *p,
		   void (*sink)(void *, unsigned, const char *, uint64_t, uint64_t), void *ctx);
/* Begins the step @what that takes @weight per mille of the whole; @total units. All take NULL. */
void progress_step(struct progress *p, const char *what, unsigned weight, uint64_t total);
void progress_add(struct progress *p, uint64_t units);
void progress_end(struct progress *p); /* 100 % */
/* true = stop: the caller returns -ECANCELED. */
bool progress_cancelled(struct progress *p);
/* Sinks: a bar on a terminal's stderr, {"percent":…,"step":…} lines on a descriptor (ctx = (void *)(intptr_t)fd). */
void progress_sink_bar(void *ctx, unsigned percent, const char *what, uint64_t done,
		       uint64_t total);
void progress_sink_json(void *ctx, unsigned percent, const char *what, uint64_t done,
			uint64_t total);
