#pragma once
/* Where the packets of a route go next: its own attributes, a list of ways, or an object that it names (RTA_NH_ID). */
#include "hwprobe/nic.h"

enum { HOPS_MAX = 256 };

struct hop {
	uint32_t ifindex;
	int family; /* of the gateway; 0 = none */
	uint8_t gateway[16];
	unsigned weight;
};

/* All ways of a route; the wire format has room for the first. */
struct hops {
	struct hop v[HOPS_MAX];
	size_t n;
};

/* In tmp, read when the first route asks; starts as { 0 }. */
struct nexthop_table {
	bool has_read;
	struct nexthop_entry *v;
	size_t n;
};

/* @tb: the attributes of a route of @family (RTA_…). */
void route_find_hops(struct survey *s, struct nexthop_table *objects, int family,
		     struct nlattr **tb, struct hops *ret);
