#include "hwprobe/nic_addr.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/netdump.h"

size_t address_len(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static bool parse_address(struct nlmsghdr *h, struct address *ret)
{
	struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWADDR || !netdump_attrs(h, sizeof(*m), tb, IFA_MAX))
		return false;
	/* IFA_ADDRESS is the other end where both are there (net/ipv6/addrconf.c, inet6_fill_ifaddr()). */
	const struct nlattr *a = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	size_t len = address_len(m->ifa_family);
	if (!len || !a || (size_t)nla_len(a) < len || m->ifa_prefixlen > len * 8)
		return false;
	*ret = (struct address){
		.family = m->ifa_family,
		.ifindex = m->ifa_index,
		.prefix = m->ifa_prefixlen,
		.flags = nlattr_u32(tb[IFA_FLAGS], m->ifa_flags),
	};
	memcpy(ret->bytes, nla_data(a), len);
	const struct nlattr *cache = tb[IFA_CACHEINFO];
	bool has_cache = cache && nla_len(cache) >= (int)sizeof(struct ifa_cacheinfo);
	const struct ifa_cacheinfo *times = has_cache ? nla_data(cache) : NULL;
	ret->valid_s = times ? times->ifa_valid : UINT32_MAX;
	ret->preferred_s = times ? times->ifa_prefered : UINT32_MAX;
	ret->protocol = nlattr_u8(tb[IFA_PROTO], 0);
	return true;
}

bool address_is_loopback(const struct address *a)
{
	static const uint8_t v6[16] = { [15] = 1 };
	return a->family == AF_INET ? a->bytes[0] == 127 : !memcmp(a->bytes, v6, sizeof(v6));
}

bool address_is_link_local(const struct address *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* DHCPv6 hands out /128: the on-link prefix is that of the route which a router advertised. */
static unsigned advertised_prefix(struct address_book *b, const struct address *a)
{
	struct address_route r;
	for (size_t pos = 0; address_next_route(b, a, &pos, &r);)
		if (r.m->rtm_protocol == RTPROT_RA && address_is_in(a, &r))
			return r.m->rtm_dst_len;
	return a->prefix;
}

static void put_address(struct address_book *b, struct hwp_nic *n, const struct address *a)
{
	struct survey *s = b->s;
	char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	bool is_v6 = a->family == AF_INET6;
	if (!inet_ntop(a->family, a->bytes, host, sizeof(host)))
		return;
	snprintf(text, sizeof(text), "%s/%u", host, is_v6 ? advertised_prefix(b, a) : a->prefix);
	put_strs(s, is_v6 ? &n->ipv6_addresses : &n->ipv4_addresses, text, "RTM_GETADDR");
}

static bool is_unusable(const struct address *a)
{
	return (a->flags & IFA_F_DADFAILED) && (a->flags & IFA_F_TENTATIVE);
}

static bool is_second_choice(const struct address *a)
{
	/* IPv4 has the bit of "temporary" for "secondary", which says nothing against an address. */
	uint32_t bad = a->family == AF_INET6 ? IFA_F_TEMPORARY | IFA_F_DEPRECATED
					     : IFA_F_DEPRECATED;
	return a->flags & bad;
}

/* One pass over the dump; addresses that should not be chosen come in the second. */
static void take(struct address_book *b, const struct netdump *d, bool wants_second_choice)
{
	size_t pos = 0;
	for (struct nlmsghdr *h; (h = netdump_next(d, &pos));) {
		struct address a;
		if (!parse_address(h, &a) || address_is_link_local(&a) || is_unusable(&a) ||
		    is_second_choice(&a) != wants_second_choice)
			continue;
		struct hwp_nic *n = nic_by_index(b->s, a.ifindex);
		if (n)
			put_address(b, n, &a);
	}
}

/* include/uapi/linux/if_addr.h; the low byte and IFA_FLAGS agree. */
static const struct {
	uint32_t bit;
	const char *name;
} flag_names[] = {
	{ IFA_F_TEMPORARY, "temporary" },   { IFA_F_NODAD, "nodad" },
	{ IFA_F_OPTIMISTIC, "optimistic" }, { IFA_F_DADFAILED, "dadfailed" },
	{ IFA_F_DEPRECATED, "deprecated" }, { IFA_F_TENTATIVE, "tentative" },
	{ IFA_F_PERMANENT, "permanent" },   { IFA_F_MANAGETEMPADDR, "mngtmpaddr" },
};

static void put_state(struct address_book *b, struct hwp_nic *n, const struct address *a)
{
	struct survey *s = b->s;
	char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	if (!inet_ntop(a->family, a->bytes, host, sizeof(host)))
		return;
	struct hwp_address *list = (struct hwp_address *)n->addresses;
	struct hwp_address *state = arena_append(s->mem, &list, &n->address_count, sizeof(*state));
	if (!state)
		return;
	n->addresses = list;
	snprintf(text, sizeof(text), "%s/%u", host, a->prefix);
	put_str(s, &state->address, text, "RTM_GETADDR");
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		/* IPv6 "temporary" is IPv4 "secondary". */
		if (a->flags & flag_names[i].bit)
			put_strs(s, &state->flags,
				 a->family == AF_INET && !i ? "secondary" : flag_names[i].name,
				 "IFA_FLAGS");
	if (a->valid_s != UINT32_MAX)
		put_num(s, &state->valid_s, a->valid_s, "IFA_CACHEINFO");
	if (a->preferred_s != UINT32_MAX)
		put_num(s, &state->preferred_s, a->preferred_s, "IFA_CACHEINFO");
	address_find_method(b, n, a, state);
}

/* All of them, link-local and failed ones, too: for the full format. */
static void take_states(struct address_book *b, const struct netdump *d)
{
	size_t pos = 0;
	for (struct nlmsghdr *h; (h = netdump_next(d, &pos));) {
		struct address a;
		struct hwp_nic *n = parse_address(h, &a) ? nic_by_index(b->s, a.ifindex) : NULL;
		if (n)
			put_state(b, n, &a);
	}
}

void nic_find_addresses(struct survey *s)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_ADDR);
	if (!d)
		return;
	struct address_book b = { .s = s };
	take(&b, d, false);
	take(&b, d, true);
	if (s->opt->flags & HWP_MORE)
		take_states(&b, d);
}
