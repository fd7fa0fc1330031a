#include <arpa/inet.h>
#include <linux/icmpv6.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

enum { ROUTES_MAX = 1 << 16, HOPS_MAX = 256 };

/* Clock ticks in what the kernel tells (include/asm-generic/param.h). */
enum { USER_HZ = 100 };

/* As iproute2 names them; include/uapi/linux/rtnetlink.h. */
struct route_name {
	uint8_t value;
	const char *name;
};
static const struct route_name types[] = { { RTN_UNICAST, "unicast" } };
static const struct route_name scopes[] = { { RT_SCOPE_UNIVERSE, "global" },
					    { RT_SCOPE_SITE, "site" },
					    { RT_SCOPE_LINK, "link" },
					    { RT_SCOPE_HOST, "host" },
					    { RT_SCOPE_NOWHERE, "nowhere" } };
static const struct route_name preferences[] = { { ICMPV6_ROUTER_PREF_LOW, "low" },
						 { ICMPV6_ROUTER_PREF_MEDIUM, "medium" },
						 { ICMPV6_ROUTER_PREF_HIGH, "high" } };

/* Where packets go next. */
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

/* The attributes of the nexthop object @id; NULL = there is none. */
static const struct nhmsg *find_nexthop_object(struct survey *s, uint32_t id, struct nlattr **tb)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_NEXTHOP);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		const struct nhmsg *m = NLMSG_DATA(h);
		if (h->nlmsg_type == RTM_NEWNEXTHOP && netdump_attrs(h, sizeof(*m), tb, NHA_MAX) &&
		    nlattr_u32(tb[NHA_ID], 0) == id)
			return m;
	}
	return NULL;
}

/* One way; an object that drops packets, and a group, are none. */
static void add_nexthop(struct survey *s, struct hops *hops, uint32_t id, unsigned weight)
{
	struct nlattr *tb[NHA_MAX + 1];
	const struct nhmsg *m = find_nexthop_object(s, id, tb);
	uint32_t ifindex = m ? nlattr_u32(tb[NHA_OIF], 0) : 0;
	if (!ifindex || hops->n == HOPS_MAX)
		return;
	struct hop *hop = &hops->v[hops->n++];
	*hop = (struct hop){ .ifindex = ifindex, .weight = weight };
	if (m->nh_family == AF_INET || m->nh_family == AF_INET6)
		take_gateway(hop, m->nh_family, tb[NHA_GATEWAY]);
}

/* Routes name a nexthop object only, where net.ipv4.nexthop_compat_mode is 0; a group is a list of others (struct nexthop_grp). */
static void take_nexthop_object(struct survey *s, struct hops *hops, uint32_t id)
{
	struct nlattr *tb[NHA_MAX + 1];
	if (!find_nexthop_object(s, id, tb))
		return;
	if (!tb[NHA_GROUP]) {
		add_nexthop(s, hops, id, 1);
		return;
	}
	const struct nexthop_grp *group = nla_data(tb[NHA_GROUP]);
	size_t n = (size_t)nla_len(tb[NHA_GROUP]) / sizeof(*group);
	for (size_t i = 0; i < n; i++)
		add_nexthop(s, hops, group[i].id, group[i].weight + 1U);
}

static void find_hops(struct survey *s, int family, struct nlattr **tb, struct hops *hops)
{
	struct hop one = { .ifindex = nlattr_u32(tb[RTA_OIF], 0), .weight = 1 };
	hops->n = 0;
	take_attrs(&one, family, tb);
	if (one.ifindex)
		hops->v[hops->n++] = one;
	if (!hops->n && tb[RTA_MULTIPATH])
		take_multipath(hops, family, tb[RTA_MULTIPATH]);
	if (!hops->n && tb[RTA_NH_ID])
		take_nexthop_object(s, hops, nlattr_u32(tb[RTA_NH_ID], 0));
}

static void put_address(struct survey *s, struct hwp_str *dst, int family, const void *bytes,
			const char *source)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(family, bytes, text, sizeof(text)))
		put_str(s, dst, text, source);
}

static void put_destination(struct survey *s, struct hwp_route *r, int family,
			    const struct nlattr *dst)
{
	static const uint8_t unspecified[16];
	size_t len = family == AF_INET ? 4 : 16;
	const void *bytes = dst && (size_t)nla_len(dst) >= len ? nla_data(dst) : unspecified;
	put_address(s, &r->destination, family, bytes, "RTA_DST");
}

/* --- what only the full format shows ------------------------------------------------------------------------------ */

static void put_name(struct survey *s, struct hwp_str *dst, const struct route_name *names,
		     size_t n, uint8_t value, const char *source)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			put_str(s, dst, names[i].name, source);
}

static void put_source(struct survey *s, struct hwp_route *r, int family, const struct nlattr *a)
{
	if (a && nla_len(a) >= (family == AF_INET ? 4 : 16))
		put_address(s, &r->source, family, nla_data(a), "RTA_PREFSRC");
}

static void find_mtu(struct survey *s, struct hwp_route *r, const struct nlattr *metrics)
{
	struct nlattr *tb[RTAX_MAX + 1];
	nlattr_nested(tb, RTAX_MAX, metrics);
	if (tb[RTAX_MTU])
		put_num(s, &r->mtu, nlattr_u32(tb[RTAX_MTU], 0), "RTAX_MTU");
}

/* Of IPv6: how much the router is preferred (RFC 4191), and for how long the route is there. */
static void find_router_data(struct survey *s, struct hwp_route *r, struct nlattr **tb)
{
	const struct nlattr *cache = tb[RTA_CACHEINFO];
	if (tb[RTA_PREF])
		put_name(s, &r->preference, preferences, ARRAY_SIZE(preferences),
			 nlattr_u8(tb[RTA_PREF], 0), "RTA_PREF");
	if (!cache || nla_len(cache) < (int)sizeof(struct rta_cacheinfo))
		return;
	/* In clock ticks of user space, of which Linux has 100 a second; 0 = for ever. */
	const struct rta_cacheinfo *times = nla_data(cache);
	if (times->rta_expires > 0)
		put_num(s, &r->expires_s, times->rta_expires / USER_HZ, "RTA_CACHEINFO");
}

static void put_hops(struct survey *s, struct hwp_route *r, const struct hops *hops)
{
	struct hwp_nexthop *list = NULL;
	for (size_t i = 0; i < hops->n && hops->n > 1; i++) {
		const struct hop *hop = &hops->v[i];
		struct hwp_nexthop *x = arena_append(s->mem, &list, &r->nexthop_count, sizeof(*x));
		if (!x)
			return;
		r->nexthops = list;
		put_str(s, &x->interface, link_name(s, hop->ifindex), "RTA_MULTIPATH");
		if (hop->family)
			put_address(s, &x->gateway, hop->family, hop->gateway, "RTA_MULTIPATH");
		put_num(s, &x->weight, hop->weight, "RTA_MULTIPATH");
	}
}

static void find_more(struct survey *s, struct hwp_route *r, const struct rtmsg *m,
		      struct nlattr **tb, const struct hops *hops)
{
	put_name(s, &r->type, types, ARRAY_SIZE(types), m->rtm_type, "rtm_type");
	put_name(s, &r->scope, scopes, ARRAY_SIZE(scopes), m->rtm_scope, "rtm_scope");
	put_source(s, r, m->rtm_family, tb[RTA_PREFSRC]);
	find_mtu(s, r, tb[RTA_METRICS]);
	if (m->rtm_family == AF_INET6)
		find_router_data(s, r, tb);
	if (tb[RTA_NH_ID])
		put_num(s, &r->nexthop_id, nlattr_u32(tb[RTA_NH_ID], 0), "RTA_NH_ID");
	put_hops(s, r, hops);
}

static void add_route(struct survey *s, int family, struct nlmsghdr *h)
{
	struct hwp_inventory *inv = s->inv;
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWROUTE || !netdump_attrs(h, sizeof(*m), tb, RTA_MAX) ||
	    inv->route_count == ROUTES_MAX)
		return;
	uint32_t table = nlattr_u32(tb[RTA_TABLE], m->rtm_table);
	if (m->rtm_family != family || table != RT_TABLE_MAIN || m->rtm_flags & RTM_F_CLONED ||
	    m->rtm_type != RTN_UNICAST)
		return;
	struct hops hops;
	find_hops(s, family, tb, &hops);
	const struct hop *hop = &hops.v[0];
	const char *name = hops.n && hop->ifindex ? link_name(s, hop->ifindex) : NULL;
	if (!name)
		return;

	struct hwp_route *r = arena_append(s->mem, &inv->routes, &inv->route_count, sizeof(*r));
	if (!r)
		return;
	uint32_t metric = nlattr_u32(tb[RTA_PRIORITY], 0);
	put_num(s, &r->family, family, "rtm_family");
	put_destination(s, r, family, tb[RTA_DST]);
	if (hop->family)
		put_address(s, &r->gateway, hop->family, hop->gateway, "RTA_GATEWAY");
	put_str(s, &r->interface, name, "RTA_OIF");
	put_num(s, &r->metric, metric > INT32_MAX ? INT32_MAX : metric,
		"RTA_PRIORITY"); /* int32 in the API */
	put_num(s, &r->prefixlen, m->rtm_dst_len, "rtm_dst_len");
	put_num(s, &r->protocol, m->rtm_protocol, "rtm_protocol");
	put_num(s, &r->table, table, "RTA_TABLE");
	if (s->opt->flags & HWP_MORE)
		find_more(s, r, m, tb, &hops);
}

static void run(struct survey *s)
{
	/* Without the links no route can be named; a tree without a link dump has neither. */
	if (!survey_netdump(s, NETDUMP_LINK))
		return;
	static const struct {
		enum netdump_kind kind;
		int family;
	} dumps[] = { { NETDUMP_ROUTE4, AF_INET }, { NETDUMP_ROUTE6, AF_INET6 } };
	for (size_t i = 0; i < 2; i++) {
		const struct netdump *d = survey_netdump(s, dumps[i].kind);
		size_t pos = 0;
		for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));)
			add_route(s, dumps[i].family, h);
	}
}

const struct probe probe_routes = { .name = "routes", .part = HWP_ROUTES, .run = run };
