#include "agent/fetch_plan.h"

#include <errno.h>
#include <string.h>
#include "common/cleanup.h"

void fetch_plan_init(struct fetch_plan *p, const struct slx *index)
{
	*p = (struct fetch_plan){ .index = index };
}

void fetch_plan_done(struct fetch_plan *p)
{
	free(p->wants);
	*p = (struct fetch_plan){ 0 };
}

/* One free place behind the last want; the used-up front is given back before memory grows. */
static int make_room(struct fetch_plan *p)
{
	if (p->head && p->n == p->size) {
		memmove(p->wants, p->wants + p->head, (p->n - p->head) * sizeof(*p->wants));
		p->n -= p->head;
		p->head = 0;
	}
	if (p->n < p->size)
		return 0;
	if (p->size >= FETCH_WANTS_MAX)
		return -E2BIG;
	size_t size = p->size ? p->size * 2 : 64;
	struct fetch_range *grown = realloc(p->wants, size * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->wants = grown;
	p->size = size;
	return 0;
}

static int check(const struct slx *x, uint32_t first, uint32_t count)
{
	if (!count || first >= x->count || count > x->count - first)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (x->entries[first + i].flags & SLX_ENTRY_ZERO)
			return -EINVAL;
	return 0;
}

int fetch_plan_want(struct fetch_plan *p, uint32_t first, uint32_t count)
{
	int r = check(p->index, first, count);
	if (!r)
		r = make_room(p);
	if (r < 0)
		return r;
	p->wants[p->n++] = (struct fetch_range){ first, count };
	return 0;
}

int fetch_plan_again(struct fetch_plan *p, uint32_t chunk)
{
	int r = check(p->index, chunk, 1);
	if (!r && !p->head)
		r = make_room(p);
	if (r < 0)
		return r;
	if (!p->head) {
		memmove(p->wants + 1, p->wants, p->n * sizeof(*p->wants));
		p->n++;
	} else {
		p->head--;
	}
	p->wants[p->head] = (struct fetch_range){ chunk, 1 };
	return 0;
}

bool fetch_plan_is_empty(const struct fetch_plan *p)
{
	return p->head == p->n;
}

uint32_t fetch_plan_next(const struct fetch_plan *p)
{
	return p->wants[p->head].first;
}

void fetch_plan_pop(struct fetch_plan *p)
{
	struct fetch_range *w = &p->wants[p->head];

	w->first++;
	if (--w->count == 0)
		p->head++;
	if (p->head == p->n)
		p->head = p->n = 0;
}

static bool extend(const struct fetch_plan *p, uint32_t chunk, uint64_t first, uint64_t *end)
{
	const struct slx_entry *e = &p->index->entries[chunk];

	if (e->offset < *end || e->offset - *end > FETCH_GAP_MAX ||
	    e->offset + e->length - first > FETCH_RANGE_MAX)
		return false;
	*end = e->offset + e->length;
	return true;
}

void fetch_plan_range(const struct fetch_plan *p, uint64_t *ret_first, uint64_t *ret_last)
{
	const struct slx_entry *e = &p->index->entries[fetch_plan_next(p)];
	uint64_t first = e->offset, end = e->offset + e->length;
	uint32_t skip = 1;

	for (size_t i = p->head; i < p->n; i++, skip = 0)
		for (uint32_t c = skip; c < p->wants[i].count; c++)
			if (!extend(p, p->wants[i].first + c, first, &end))
				goto out;
out:
	*ret_first = first;
	*ret_last = end - 1;
}
