#pragma once
/* Netlink dumps made by a test: messages one behind the other, as the kernel would send them. */
#include <arpa/inet.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include "tests/unit/hwprobe/tree.h"

struct dump {
	char data[16384];
	size_t len;
};

/* Takes the message. */
UNUSED static void dump_add(struct dump *d, struct nl_msg *m)
{
	size_t len = NLMSG_ALIGN(nlmsg_hdr(m)->nlmsg_len);
	if (d->len + len > sizeof(d->data))
		abort();
	memcpy(d->data + d->len, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
	d->len += len;
	nlmsg_free(m);
}

UNUSED static void dump_write(const struct dump *d, struct tree *t, const char *name)
{
	tree_write(t, name, d->data, d->len);
}

UNUSED static struct nl_msg *link_message(int ifindex, const char *name)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct ifinfomsg i = { .ifi_index = ifindex };
	nlmsg_append(m, &i, sizeof(i), NLMSG_ALIGNTO);
	nla_put_string(m, IFLA_IFNAME, name);
	return m;
}

/* A link with nothing but its name. */
UNUSED static void add_link(struct dump *d, int ifindex, const char *name)
{
	dump_add(d, link_message(ifindex, name));
}

struct address_args {
	int ifindex;
	const char *text; /* with a colon: IPv6 */
	unsigned prefix, flags;
	unsigned valid_s, preferred_s; /* 0 = for ever */
	unsigned char protocol;
};

/* The family of @text, its bytes in @bytes. */
UNUSED static int address_bytes(const char *text, unsigned char bytes[16], size_t *ret_len)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, bytes) != 1)
		abort();
	*ret_len = family == AF_INET ? 4 : 16;
	return family;
}

UNUSED static void add_address(struct dump *d, struct address_args a)
{
	unsigned char bytes[16];
	size_t len;
	int family = address_bytes(a.text, bytes, &len);
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct ifaddrmsg head = { .ifa_family = (unsigned char)family,
				  .ifa_prefixlen = (unsigned char)a.prefix,
				  .ifa_index = (unsigned)a.ifindex };
	struct ifa_cacheinfo times = { .ifa_valid = a.valid_s ? a.valid_s : UINT32_MAX,
				       .ifa_prefered = a.preferred_s ? a.preferred_s : UINT32_MAX };
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(m, family == AF_INET ? IFA_LOCAL : IFA_ADDRESS, (int)len, bytes);
	nla_put_u32(m, IFA_FLAGS, a.flags);
	nla_put(m, IFA_CACHEINFO, sizeof(times), &times);
	if (a.protocol)
		nla_put_u8(m, IFA_PROTO, a.protocol);
	dump_add(d, m);
}

struct route_args {
	int ifindex;
	const char *to; /* NULL = the default route of @family */
	int family;     /* needed without @to and @via */
	unsigned prefix;
	const char *via;
	unsigned metric;
	unsigned char protocol, type, table; /* 0 = boot, unicast, main */
	unsigned flags;
};

UNUSED static void put_address(struct nl_msg *m, int attribute, const char *text)
{
	unsigned char bytes[16];
	size_t len;
	address_bytes(text, bytes, &len);
	nla_put(m, attribute, (int)len, bytes);
}

/* More attributes may follow. */
UNUSED static struct nl_msg *route_message(struct route_args a)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWROUTE, 0);
	const char *text = a.to ? a.to : a.via;
	struct rtmsg head = {
		.rtm_family = (unsigned char)(a.family                    ? a.family
					      : text && strchr(text, ':') ? AF_INET6
									  : AF_INET),
		.rtm_dst_len = (unsigned char)a.prefix,
		.rtm_table = a.table ? a.table : RT_TABLE_MAIN,
		.rtm_protocol = a.protocol ? a.protocol : RTPROT_BOOT,
		.rtm_type = a.type ? a.type : RTN_UNICAST,
		.rtm_flags = a.flags,
	};
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	if (a.to)
		put_address(m, RTA_DST, a.to);
	if (a.via)
		put_address(m, RTA_GATEWAY, a.via);
	if (a.ifindex)
		nla_put_u32(m, RTA_OIF, (uint32_t)a.ifindex);
	if (a.metric)
		nla_put_u32(m, RTA_PRIORITY, a.metric);
	return m;
}

UNUSED static void add_route(struct dump *d, struct route_args a)
{
	dump_add(d, route_message(a));
}

/* A reply of the family ethtool with its header; attributes follow. */
UNUSED static struct nl_msg *ethtool_message(int cmd, uint32_t ifindex)
{
	struct nl_msg *m = nlmsg_alloc_simple(0x15, 0);
	struct genlmsghdr g = { .cmd = (uint8_t)cmd, .version = 1 };
	nlmsg_append(m, &g, sizeof(g), NLMSG_ALIGNTO);
	struct nlattr *header = nla_nest_start(m, 1);
	nla_put_u32(m, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	nla_nest_end(m, header);
	return m;
}

/* The interface of that name; aborts when there is none. */
UNUSED static const struct hwp_nic *nic(const struct hwp_inventory *inv, const char *name)
{
	for (size_t i = 0; i < hwp_nic_count(inv); i++)
		if (!strcmp(hwp_nic_at(inv, i)->name.s, name))
			return hwp_nic_at(inv, i);
	fprintf(stderr, "no interface %s\n", name);
	abort();
}
