#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include "common/cleanup.h"
#include "hwprobe/netdump.h"
#include "hwprobe/route_hop.h"

/* Of each family. Routers know more; default routes, which others look for, are kept all the same. */
enum { ROUTES_MAX = 1 << 16, DEFAULTS_MAX = 1 << 10 };

/* Clock ticks in what the kernel tells (include/asm-generic/param.h). */
enum { USER_HZ = 100 };

/* As iproute2 names them; include/uapi/linux/rtnetlink.h. */
struct route_name {
	uint8_t value;
	const char *name;
};
/* The others lead nowhere: blackhole, unreachable, prohibit, throw. */
static const struct route_name types[] = { { RTN_UNICAST, "unicast" },
					   { RTN_LOCAL, "local" },
					   { RTN_BROADCAST, "broadcast" },
					   { RTN_ANYCAST, "anycast" },
					   { RTN_MULTICAST, "multicast" } };
static const struct route_name scopes[] = { { RT_SCOPE_UNIVERSE, "global" },
					    { RT_SCOPE_SITE, "site" },
					    { RT_SCOPE_LINK, "link" },
					    { RT_SCOPE_HOST, "host" },
					    { RT_SCOPE_NOWHERE, "nowhere" } };
static const struct route_name preferences[] = { { ICMPV6_ROUTER_PREF_LOW, "low" },
						 { ICMPV6_ROUTER_PREF_MEDIUM, "medium" },
						 { ICMPV6_ROUTER_PREF_HIGH, "high" } };

static const char *name_of(const struct route_name *names, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
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
		put_str(s, &r->preference,
			name_of(preferences, ARRAY_SIZE(preferences), nlattr_u8(tb[RTA_PREF], 0)),
			"RTA_PREF");
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
	put_str(s, &r->type, name_of(types, ARRAY_SIZE(types), m->rtm_type), "rtm_type");
	put_str(s, &r->scope, name_of(scopes, ARRAY_SIZE(scopes), m->rtm_scope), "rtm_scope");
	put_source(s, r, m->rtm_family, tb[RTA_PREFSRC]);
	find_mtu(s, r, tb[RTA_METRICS]);
	if (m->rtm_family == AF_INET6)
		find_router_data(s, r, tb);
	if (tb[RTA_NH_ID])
		put_num(s, &r->nexthop_id, nlattr_u32(tb[RTA_NH_ID], 0), "RTA_NH_ID");
	put_hops(s, r, hops);
}

/* One family's. */
struct route_pass {
	struct survey *s;
	struct nexthop_table *objects;
	int family;
	const char *source;
	size_t count, defaults;
};

/* Counts it. */
static bool has_room(struct route_pass *p, const struct rtmsg *m)
{
	bool is_default = m->rtm_dst_len == 0;
	if (is_default && p->defaults < DEFAULTS_MAX) {
		p->defaults++;
		return true;
	}
	if (p->count < ROUTES_MAX) {
		p->count++;
		return true;
	}
	survey_error(p->s, p->source, E2BIG, "only %d routes are shown", ROUTES_MAX);
	return false;
}

static bool is_shown(const struct route_pass *p, const struct rtmsg *m, struct nlattr **tb)
{
	return m->rtm_family == p->family && !(m->rtm_flags & RTM_F_CLONED) &&
	       nlattr_u32(tb[RTA_TABLE], m->rtm_table) == RT_TABLE_MAIN &&
	       name_of(types, ARRAY_SIZE(types), m->rtm_type);
}

static void put_route(struct route_pass *p, const struct rtmsg *m, struct nlattr **tb,
		      const struct hops *hops, const char *interface)
{
	struct survey *s = p->s;
	struct hwp_inventory *inv = s->inv;
	const struct hop *hop = &hops->v[0];
	struct hwp_route *r = arena_append(s->mem, &inv->routes, &inv->route_count, sizeof(*r));
	if (!r)
		return;
	uint32_t metric = nlattr_u32(tb[RTA_PRIORITY], 0);
	put_num(s, &r->family, p->family, "rtm_family");
	put_destination(s, r, p->family, tb[RTA_DST]);
	if (hop->family)
		put_address(s, &r->gateway, hop->family, hop->gateway, "RTA_GATEWAY");
	put_str(s, &r->interface, interface, "RTA_OIF");
	put_num(s, &r->metric, metric > INT32_MAX ? INT32_MAX : metric,
		"RTA_PRIORITY"); /* int32 in the API */
	put_num(s, &r->prefixlen, m->rtm_dst_len, "rtm_dst_len");
	put_num(s, &r->protocol, m->rtm_protocol, "rtm_protocol");
	put_num(s, &r->table, RT_TABLE_MAIN, "RTA_TABLE");
	if (s->opt->flags & HWP_MORE)
		find_more(s, r, m, tb, hops);
}

static void add_route(struct route_pass *p, struct nlmsghdr *h)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = NLMSG_DATA(h);
	struct hops hops;
	if (h->nlmsg_type != RTM_NEWROUTE || !netdump_attrs(h, sizeof(*m), tb, RTA_MAX) ||
	    !is_shown(p, m, tb))
		return;
	route_find_hops(p->s, p->objects, p->family, tb, &hops);
	const char *interface = hops.n ? link_name(p->s, hops.v[0].ifindex) : NULL;
	if (interface && has_room(p, m))
		put_route(p, m, tb, &hops, interface);
}

static void run(struct survey *s)
{
	/* Without the links no route can be named; a tree without a link dump has neither. */
	if (!survey_netdump(s, NETDUMP_LINK))
		return;
	static const struct {
		enum netdump_kind kind;
		int family;
		const char *source;
	} dumps[] = { { NETDUMP_ROUTE4, AF_INET, "netlink/route4.nl" },
		      { NETDUMP_ROUTE6, AF_INET6, "netlink/route6.nl" } };
	struct nexthop_table objects = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
		struct route_pass p = { .s = s,
					.objects = &objects,
					.family = dumps[i].family,
					.source = dumps[i].source };
		const struct netdump *d = survey_netdump(s, dumps[i].kind);
		size_t pos = 0;
		for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));)
			add_route(&p, h);
	}
}

const struct probe probe_routes = { .name = "routes", .part = HWP_ROUTES, .run = run };
