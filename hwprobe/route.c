#include <arpa/inet.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

enum { ROUTES_MAX = 1 << 16 };

/* Where packets go next. */
struct hop {
	uint32_t ifindex;
	int family; /* of the gateway; 0 = none */
	uint8_t gateway[16];
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

/* The first of several. */
static void take_multipath(struct hop *hop, int family, const struct nlattr *a)
{
	const struct rtnexthop *nh = nla_data(a);
	struct nlattr *tb[RTA_MAX + 1] = { 0 };
	if (nla_len(a) < (int)sizeof(*nh) || nh->rtnh_len < sizeof(*nh) ||
	    nh->rtnh_len > nla_len(a))
		return;
	hop->ifindex = (uint32_t)nh->rtnh_ifindex;
	if (nla_parse(tb, RTA_MAX, (struct nlattr *)RTNH_DATA(nh), nh->rtnh_len - (int)sizeof(*nh),
		      NULL) == 0)
		take_attrs(hop, family, tb);
}

/* Routes name a nexthop object only, where net.ipv4.nexthop_compat_mode is 0. */
static void take_nexthop_object(struct survey *s, struct hop *hop, uint32_t id)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_NEXTHOP);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[NHA_MAX + 1];
		const struct nhmsg *m = NLMSG_DATA(h);
		if (h->nlmsg_type != RTM_NEWNEXTHOP || !netdump_attrs(h, sizeof(*m), tb, NHA_MAX) ||
		    nlattr_u32(tb[NHA_ID], 0) != id)
			continue;
		hop->ifindex = nlattr_u32(tb[NHA_OIF], 0);
		if (m->nh_family == AF_INET || m->nh_family == AF_INET6)
			take_gateway(hop, m->nh_family, tb[NHA_GATEWAY]);
		return;
	}
}

static void find_hop(struct survey *s, int family, struct nlattr **tb, struct hop *hop)
{
	hop->ifindex = nlattr_u32(tb[RTA_OIF], 0);
	take_attrs(hop, family, tb);
	if (!hop->ifindex && tb[RTA_MULTIPATH])
		take_multipath(hop, family, tb[RTA_MULTIPATH]);
	if (!hop->ifindex && tb[RTA_NH_ID])
		take_nexthop_object(s, hop, nlattr_u32(tb[RTA_NH_ID], 0));
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
	struct hop hop = { 0 };
	find_hop(s, family, tb, &hop);
	const char *name = hop.ifindex ? link_name(s, hop.ifindex) : NULL;
	if (!name)
		return;

	struct hwp_route *r = arena_append(s->mem, &inv->routes, &inv->route_count, sizeof(*r));
	if (!r)
		return;
	uint32_t metric = nlattr_u32(tb[RTA_PRIORITY], 0);
	put_num(s, &r->family, family, "rtm_family");
	put_destination(s, r, family, tb[RTA_DST]);
	if (hop.family)
		put_address(s, &r->gateway, hop.family, hop.gateway, "RTA_GATEWAY");
	put_str(s, &r->interface, name, "RTA_OIF");
	put_num(s, &r->metric, metric > INT32_MAX ? INT32_MAX : metric,
		"RTA_PRIORITY"); /* int32 in the API */
	put_num(s, &r->prefixlen, m->rtm_dst_len, "rtm_dst_len");
	put_num(s, &r->protocol, m->rtm_protocol, "rtm_protocol");
	put_num(s, &r->table, table, "RTA_TABLE");
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
