#include "hwprobe/cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/cleanup.h"

enum { LIST_TEXT_MAX = 16 << 20 };

struct range {
	unsigned long first, last;
};

static bool number(const char **p, unsigned long *ret)
{
	if (!isdigit((unsigned char)**p))
		return false;
	char *end;
	*ret = strtoul(*p, &end, 10);
	*p = end;
	return *ret < CPULIST_CPU_MAX;
}

/* 1 = *ret is the next one, 0 = the end, -EINVAL. */
static int next_range(const char **p, struct range *ret)
{
	if (!**p)
		return 0;
	if (!number(p, &ret->first))
		return -EINVAL;
	ret->last = ret->first;
	if (**p == '-') {
		++*p;
		if (!number(p, &ret->last) || ret->last < ret->first)
			return -EINVAL;
	}
	if (**p && **p != ',')
		return -EINVAL;
	if (**p == ',' && !*++*p)
		return -EINVAL;
	return 1;
}

int64_t cpulist_count(const char *text)
{
	int64_t n = 0;
	struct range r;
	int rc;
	while ((rc = next_range(&text, &r)) > 0) {
		n += (int64_t)(r.last - r.first + 1);
		if (n > CPULIST_CPU_MAX)
			return -EINVAL;
	}
	return rc < 0 ? rc : n;
}

bool cpulist_has(const char *text, uint64_t cpu)
{
	struct range r;
	while (next_range(&text, &r) > 0)
		if (cpu >= r.first && cpu <= r.last)
			return true;
	return false;
}

static int mark(uint8_t *is_there, const char *text, bool is_in)
{
	struct range r;
	int rc;
	while ((rc = next_range(&text, &r)) > 0)
		memset(is_there + r.first, is_in, r.last - r.first + 1);
	return rc;
}

static int put_ranges(struct buf *out, const uint8_t *is_there)
{
	for (unsigned cpu = 0; cpu < CPULIST_CPU_MAX; cpu++) {
		if (!is_there[cpu])
			continue;
		unsigned last = cpu;
		while (last + 1 < CPULIST_CPU_MAX && is_there[last + 1])
			last++;
		int rc = buf_printf(out, last > cpu ? "%s%u-%u" : "%s%u", out->len ? "," : "", cpu,
				    last);
		if (rc < 0)
			return rc;
		cpu = last;
	}
	return 0;
}

char *cpulist_without(struct arena *a, const char *list, const char *gone)
{
	AUTO(freep) uint8_t *is_there = calloc(1, CPULIST_CPU_MAX);
	AUTO(buf_done) struct buf out;
	buf_init(&out, LIST_TEXT_MAX);
	if (!is_there || mark(is_there, list, true) < 0 || mark(is_there, gone, false) < 0 ||
	    put_ranges(&out, is_there) < 0)
		return NULL;
	return out.len ? arena_copy(a, out.data, out.len) : NULL;
}
