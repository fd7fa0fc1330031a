#pragma once
/*
 * Which bytes of the payload to ask for next: the writer's wants (chunk numbers) become range requests. Pure; the network is in fetch.c.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/slx.h"

#define FETCH_RANGE_MAX (32u << 20) /* bytes of one range request */
#define FETCH_GAP_MAX \
	(64u << 10) /* unwanted bytes that are read over instead of beginning a new request */
#define FETCH_WANTS_MAX (1u << 20) /* ranges of wants that wait: no more than an index has chunks */

struct fetch_range {
	uint32_t first, count; /* chunks */
};

struct fetch_plan {
	const struct slx *index;   /* borrowed */
	struct fetch_range *wants; /* owned; the first is the next to come */
	size_t n, size, head;
};

void fetch_plan_init(struct fetch_plan *p, const struct slx *index);
void fetch_plan_done(struct fetch_plan *p);

/* Adds the want behind the others. -EINVAL: not in the index, or a zero chunk in it; -E2BIG; -ENOMEM. */
int fetch_plan_want(struct fetch_plan *p, uint32_t first, uint32_t count);
/* The same in front of the others: a chunk that has to come once more. */
int fetch_plan_again(struct fetch_plan *p, uint32_t chunk);
bool fetch_plan_is_empty(const struct fetch_plan *p);
/* The chunk that comes next. The plan must not be empty. */
uint32_t fetch_plan_next(const struct fetch_plan *p);
/* It came. */
void fetch_plan_pop(struct fetch_plan *p);
/* The bytes of the next request: from the next chunk on as long as the wants go on ascending with small gaps, up to FETCH_RANGE_MAX. */
void fetch_plan_range(const struct fetch_plan *p, uint64_t *ret_first, uint64_t *ret_last);
