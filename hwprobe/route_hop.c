#include "hwprobe/route_hop.h"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "hwprobe/netdump.h"

static void take_gateway(struct hop *hop, int family, const struct nlattr *a)
{
	size_t len = family == AF_INET ? 4 : 16;
	if (!a || (size_t)nla_len(a) < len)
		return;
	hop->family = family;
	memcpy(hop->gateway, nla_data(a), len);
}

/* RTA_VIA: a gateway of the other family (RFC 5549). */
static void take_via(struct hop *hop, const struct nlattr *a)
{
	if (!a || nla_len(a) < (int)sizeof(struct rtvia) + 4)
		return;
	const struct rtvia *via = nla_data(a);
	size_t len = via->rtvia_family == AF_INET ? 4 : via->rtvia_family == AF_INET6 ? 16 : 0;
	if (!len || (size_t)nla_len(a) < sizeof(*via) + len)
		return;
	hop->family = via->rtvia_family;
	memcpy(hop->gateway, via->rtvia_addr, len);
}

static void take_attrs(struct hop *hop, int family, struct nlattr **tb)
{
	take_gateway(hop, family, tb[RTA_GATEWAY]);
	if (!hop->family)
		take_via(hop, tb[RTA_VIA]);
}

static void take_multipath(struct hops *hops, int family, const struct nlattr *a)
{
	const struct rtnexthop *nh = nla_data(a);
	for (int left = nla_len(a); left >= (int)sizeof(*nh) && hops->n < HOPS_MAX;) {
		struct nlattr *tb[RTA_MAX + 1] = { 0 };
		if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > left)
			return;
		struct hop *hop = &hops->v[hops->n++];
		/* The kernel counts weights from 0. */
		*hop = (struct hop){ .ifindex = (uint32_t)nh->rtnh_ifindex,
				     .weight = nh->rtnh_hops + 1U };
		if (nla_parse(tb, RTA_MAX, (struct nlattr *)RTNH_DATA(nh),
			      nh->rtnh_len - (int)sizeof(*nh), NULL) == 0)
			take_attrs(hop, family, tb);
		left -= RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
}

/* --- nexthop objects: thousands of routes may name thousands of them ---------------------------------------------- */

struct nexthop_entry {
	uint32_t id;
	struct nlmsghdr *h;
};

static int by_id(const void *a, const void *b)
{
	const struct nexthop_entry *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

static void read_nexthops(struct survey *s, struct nexthop_table *t)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_NEXTHOP);
	size_t pos = 0;
	t->has_read = true;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[NHA_MAX + 1];
		if (h->nlmsg_type != RTM_NEWNEXTHOP ||
		    !netdump_attrs(h, sizeof(struct nhmsg), tb, NHA_MAX))
			continue;
		struct nexthop_entry *e = arena_append(s->tmp, &t->v, &t->n, sizeof(*e));
		if (!e)
			break;
		*e = (struct nexthop_entry){ .id = nlattr_u32(tb[NHA_ID], 0), .h = h };
	}
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_id);
}

/* The object @id and its attributes; NULL = there is none. */
static const struct nhmsg *find_object(struct survey *s, struct nexthop_table *t, uint32_t id,
				       struct nlattr **tb)
{
	const struct nexthop_entry key = { .id = id };
	if (!t->has_read)
		read_nexthops(s, t);
	if (!t->n)
		return NULL;
	const struct nexthop_entry *e = bsearch(&key, t->v, t->n, sizeof(key), by_id);
	if (!e || !netdump_attrs(e->h, sizeof(struct nhmsg), tb, NHA_MAX))
		return NULL;
	return NLMSG_DATA(e->h);
}

/* One way; an object that drops packets, and a group, are none. */
static void add_object(struct survey *s, struct nexthop_table *t, struct hops *hops, uint32_t id,
		       unsigned weight)
{
	struct nlattr *tb[NHA_MAX + 1];
	const struct nhmsg *m = find_object(s, t, id, tb);
	uint32_t ifindex = m ? nlattr_u32(tb[NHA_OIF], 0) : 0;
	if (!ifindex || hops->n == HOPS_MAX)
		return;
	struct hop *hop = &hops->v[hops->n++];
	*hop = (struct hop){ .ifindex = ifindex, .weight = weight };
	if (m->nh_family == AF_INET || m->nh_family == AF_INET6)
		take_gateway(hop, m->nh_family, tb[NHA_GATEWAY]);
}

/* Routes name an object only, where net.ipv4.nexthop_compat_mode is 0; a group is a list of others (struct nexthop_grp). */
static void take_object(struct survey *s, struct nexthop_table *t, struct hops *hops, uint32_t id)
{
	struct nlattr *tb[NHA_MAX + 1];
	if (!find_object(s, t, id, tb))
		return;
	if (!tb[NHA_GROUP]) {
		add_object(s, t, hops, id, 1);
		return;
	}
	const struct nexthop_grp *group = nla_data(tb[NHA_GROUP]);
	size_t n = (size_t)nla_len(tb[NHA_GROUP]) / sizeof(*group);
	for (size_t i = 0; i < n; i++)
		add_object(s, t, hops, group[i].id, group[i].weight + 1U);
}

/* ------------------------------------------------------------------------------------------------------------------ */

void route_find_hops(struct survey *s, struct nexthop_table *objects, int family,
		     struct nlattr **tb, struct hops *ret)
{
	struct hop one = { .ifindex = nlattr_u32(tb[RTA_OIF], 0), .weight = 1 };
	ret->n = 0;
	take_attrs(&one, family, tb);
	if (one.ifindex)
		ret->v[ret->n++] = one;
	if (!ret->n && tb[RTA_MULTIPATH])
		take_multipath(ret, family, tb[RTA_MULTIPATH]);
	if (!ret->n && tb[RTA_NH_ID])
		take_object(s, objects, ret, nlattr_u32(tb[RTA_NH_ID], 0));
}
