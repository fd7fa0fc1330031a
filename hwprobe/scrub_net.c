#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/netdump.h"
#include "hwprobe/scrub.h"

static void learn(struct scrub *s, const struct nlattr *a)
{
	if (a)
		scrub_add_hwaddr(s, nla_data(a), (size_t)nla_len(a));
	/* A bridge's id is a priority and a MAC address. */
	if (a && nla_len(a) == 8)
		scrub_add_mac(s, (const uint8_t *)nla_data(a) + 2);
}

static void learn_info(struct scrub *s, const struct nlattr *linkinfo)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *bond[IFLA_BOND_MAX + 1], *br[IFLA_BR_MAX + 1],
		*slave[IFLA_BOND_SLAVE_MAX + 1], *ad[IFLA_BOND_AD_INFO_MAX + 1];
	char kind[16];
	nlattr_nested(info, IFLA_INFO_MAX, linkinfo);
	nlattr_nested(slave, IFLA_BOND_SLAVE_MAX, info[IFLA_INFO_SLAVE_DATA]);
	if (str_eq(nlattr_text(info[IFLA_INFO_SLAVE_KIND], kind, sizeof(kind)), "bond"))
		learn(s, slave[IFLA_BOND_SLAVE_PERM_HWADDR]);
	const char *name = nlattr_text(info[IFLA_INFO_KIND], kind, sizeof(kind));
	if (str_eq(name, "bond")) {
		nlattr_nested(bond, IFLA_BOND_MAX, info[IFLA_INFO_DATA]);
		nlattr_nested(ad, IFLA_BOND_AD_INFO_MAX, bond[IFLA_BOND_AD_INFO]);
		learn(s, ad[IFLA_BOND_AD_INFO_PARTNER_MAC]);
		learn(s, bond[IFLA_BOND_AD_ACTOR_SYSTEM]);
	}
	if (str_eq(name, "bridge")) {
		nlattr_nested(br, IFLA_BR_MAX, info[IFLA_INFO_DATA]);
		learn(s, br[IFLA_BR_ROOT_ID]);
		learn(s, br[IFLA_BR_BRIDGE_ID]);
	}
}

/* What a physical function has given to its virtual ones. */
static void learn_functions(struct scrub *s, const struct nlattr *list)
{
	if (!list)
		return;
	int left = nla_len(list);
	for (struct nlattr *a = nla_data(list); nla_ok(a, left); a = nla_next(a, &left)) {
		struct nlattr *tb[IFLA_VF_MAX + 1];
		nlattr_nested(tb, IFLA_VF_MAX, a);
		if (tb[IFLA_VF_MAC] && nla_len(tb[IFLA_VF_MAC]) >= (int)sizeof(struct ifla_vf_mac))
			scrub_add_mac(s,
				      ((const struct ifla_vf_mac *)nla_data(tb[IFLA_VF_MAC]))->mac);
	}
}

void scrub_learn_links(struct scrub *s, const char *data, size_t len)
{
	const struct netdump d = { .data = (char *)data, .len = len };
	size_t pos = 0;
	for (struct nlmsghdr *h; (h = netdump_next(&d, &pos));) {
		struct nlattr *tb[IFLA_MAX + 1];
		if (h->nlmsg_type != RTM_NEWLINK ||
		    !netdump_attrs(h, sizeof(struct ifinfomsg), tb, IFLA_MAX))
			continue;
		learn(s, tb[IFLA_ADDRESS]);
		learn(s, tb[IFLA_PERM_ADDRESS]);
		learn_info(s, tb[IFLA_LINKINFO]);
		learn_functions(s, tb[IFLA_VFINFO_LIST]);
	}
}

/* --- addresses ---------------------------------------------------------------------------------------------- */

static void replace(const struct scrub *s, struct nlattr *a, unsigned bits)
{
	size_t len = a ? (size_t)nla_len(a) : 0;
	if (len == 4 || len == 16)
		scrub_ip(s, nla_data(a), len, bits);
}

static void replace_via(const struct scrub *s, struct nlattr *a)
{
	struct rtvia *via = a ? nla_data(a) : NULL;
	size_t len = via && nla_len(a) > (int)sizeof(*via) ? (size_t)nla_len(a) - sizeof(*via) : 0;
	if (len == 4 || len == 16)
		scrub_ip(s, via->rtvia_addr, len, 128);
}

static void in_address(const struct scrub *s, struct nlmsghdr *h)
{
	static const int kinds[] = { IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_ANYCAST,
				     IFA_MULTICAST };
	struct nlattr *tb[IFA_MAX + 1];
	if (!netdump_attrs(h, sizeof(struct ifaddrmsg), tb, IFA_MAX))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		replace(s, tb[kinds[i]], 128);
}

static void in_hops(const struct scrub *s, struct nlattr *multipath)
{
	struct rtnexthop *nh = multipath ? nla_data(multipath) : NULL;
	int left = multipath ? nla_len(multipath) : 0;
	while (left >= (int)sizeof(*nh) && nh->rtnh_len >= sizeof(*nh) && nh->rtnh_len <= left) {
		struct nlattr *tb[RTA_MAX + 1];
		if (nla_parse(tb, RTA_MAX, (struct nlattr *)RTNH_DATA(nh),
			      nh->rtnh_len - (int)sizeof(*nh), NULL) == 0) {
			replace(s, tb[RTA_GATEWAY], 128);
			replace_via(s, tb[RTA_VIA]);
		}
		left -= RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
}

/* Of a destination the prefix counts: the bits behind it are 0 and stay so. */
static void in_route(const struct scrub *s, struct nlmsghdr *h)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *m = NLMSG_DATA(h);
	if (!netdump_attrs(h, sizeof(*m), tb, RTA_MAX))
		return;
	replace(s, tb[RTA_DST], m->rtm_dst_len);
	replace(s, tb[RTA_SRC], m->rtm_src_len);
	replace(s, tb[RTA_GATEWAY], 128);
	replace(s, tb[RTA_PREFSRC], 128);
	replace_via(s, tb[RTA_VIA]);
	in_hops(s, tb[RTA_MULTIPATH]);
}

static void in_nexthop(const struct scrub *s, struct nlmsghdr *h)
{
	struct nlattr *tb[NHA_MAX + 1];
	if (netdump_attrs(h, sizeof(struct nhmsg), tb, NHA_MAX))
		replace(s, tb[NHA_GATEWAY], 128);
}

void scrub_addresses(const struct scrub *s, char *data, size_t len)
{
	static const struct {
		uint16_t type;
		void (*replace)(const struct scrub *s, struct nlmsghdr *h);
	} kinds[] = { { RTM_NEWADDR, in_address },
		      { RTM_NEWROUTE, in_route },
		      { RTM_NEWNEXTHOP, in_nexthop } };
	const struct netdump d = { .data = data, .len = len };
	size_t pos = 0;
	for (struct nlmsghdr *h; (h = netdump_next(&d, &pos));)
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			if (h->nlmsg_type == kinds[i].type)
				kinds[i].replace(s, h);
}

/* --- the BMC: "0c 02 ch param set block > code revision data…" ------------------------------------------------ */

/* Where in the answer the address stands, behind completion code and revision. */
static const struct {
	uint8_t param, at, len;
} bmc_addresses[] = { { 3, 0, 4 },  { 5, 0, 6 },   { 12, 0, 4 },
		      { 14, 0, 4 }, { 56, 2, 16 }, { 59, 2, 16 } };

static void replace_bytes(const struct scrub *s, char *text, uint8_t len)
{
	uint8_t bytes[16];
	unsigned v;
	for (uint8_t i = 0; i < len; i++) {
		if (strnlen(text, 3 * len - 1) < (size_t)3 * len - 1 ||
		    sscanf(text + 3 * i, "%2x", &v) != 1)
			return;
		bytes[i] = (uint8_t)v;
	}
	if (len == 6)
		scrub_mac(s, bytes);
	else
		scrub_ip(s, bytes, len, 128);
	for (uint8_t i = 0; i < len; i++) {
		char hex[3];
		snprintf(hex, sizeof(hex), "%02x", bytes[i]);
		memcpy(text + 3 * i, hex, 2);
	}
}

static void in_exchange(const struct scrub *s, char *line)
{
	unsigned param;
	char *answer = strchr(line, '>');
	if (!answer || sscanf(line, "0c 02 %*2x %2x", &param) != 1)
		return;
	answer += strlen("> cc rr ");
	for (size_t i = 0; i < ARRAY_SIZE(bmc_addresses); i++)
		if (bmc_addresses[i].param == param &&
		    strlen(line) > (size_t)(answer - line) + 3 * bmc_addresses[i].at)
			replace_bytes(s, answer + 3 * bmc_addresses[i].at, bmc_addresses[i].len);
}

void scrub_ipmi(const struct scrub *s, char *data, size_t len)
{
	for (char *line = data, *end; line < data + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(data + len - line));
		if (!end)
			return;
		*end = '\0';
		in_exchange(s, line);
		*end = '\n';
	}
}
