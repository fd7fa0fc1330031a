#include "hwprobe/ethtool.h"

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

enum { MODE_WORDS_MAX = 32 }; /* 1024 link modes; there are about 125 */

/*
 * Speeds of the link modes (include/uapi/linux/ethtool.h, enum ethtool_link_mode_bit_indices; as numbers, because headers are older than kernels).
 * Bits that are left out say something else: a connector, pause frames, FEC.
 */
static const struct {
	uint8_t first, last;
	uint32_t mbps;
} mode_speeds[] = {
	{ 0, 1, 10 },         { 2, 3, 100 },        { 4, 5, 1000 },        { 12, 12, 10000 },
	{ 15, 15, 2500 },     { 17, 17, 1000 },     { 18, 20, 10000 },     { 21, 22, 20000 },
	{ 23, 26, 40000 },    { 27, 30, 56000 },    { 31, 33, 25000 },     { 34, 35, 50000 },
	{ 36, 39, 100000 },   { 40, 40, 50000 },    { 41, 41, 1000 },      { 42, 46, 10000 },
	{ 47, 47, 2500 },     { 48, 48, 5000 },     { 52, 56, 50000 },     { 57, 61, 100000 },
	{ 62, 66, 200000 },   { 67, 67, 100 },      { 68, 68, 1000 },      { 69, 73, 400000 },
	{ 75, 79, 100000 },   { 80, 84, 200000 },   { 85, 89, 400000 },    { 90, 91, 100 },
	{ 92, 92, 10 },       { 93, 98, 800000 },   { 99, 102, 10 },       { 103, 108, 200000 },
	{ 109, 114, 400000 }, { 115, 120, 800000 }, { 121, 124, 1600000 },
};

unsigned ethtool_top_mbps(const uint32_t *words, size_t count)
{
	unsigned top = 0;
	for (size_t i = 0; i < ARRAY_SIZE(mode_speeds); i++)
		for (unsigned bit = mode_speeds[i].first; bit <= mode_speeds[i].last; bit++)
			if (bit / 32 < count && words[bit / 32] >> (bit % 32) & 1 &&
			    mode_speeds[i].mbps > top)
				top = mode_speeds[i].mbps;
	return top;
}

void ethtool_put_link(struct survey *s, struct hwp_nic *n, uint32_t mbps, uint8_t duplex,
		      const char *source)
{
	if (mbps && mbps != UINT16_MAX && mbps != (uint32_t)SPEED_UNKNOWN)
		put_num(s, &n->speed_current_mbps, mbps, source);
	if (duplex == DUPLEX_HALF || duplex == DUPLEX_FULL)
		put_str(s, &n->duplex, duplex == DUPLEX_FULL ? "full" : "half", source);
}

static struct hwp_nic *nic_of(struct survey *s, const struct nlattr *header)
{
	struct nlattr *tb[ETHTOOL_A_HEADER_MAX + 1];
	nlattr_nested(tb, ETHTOOL_A_HEADER_MAX, header);
	return nic_by_index(s, nlattr_u32(tb[ETHTOOL_A_HEADER_DEV_INDEX], 0));
}

/* The interface of a reply of the kind @cmd, whose attributes go to @tb (the header is the first of all of them); NULL = another message. */
static struct hwp_nic *parse_reply(struct survey *s, struct nlmsghdr *h, uint8_t cmd,
				   struct nlattr **tb, int max)
{
	const struct genlmsghdr *g = NLMSG_DATA(h);
	if (h->nlmsg_type < NLMSG_MIN_TYPE || !netdump_attrs(h, sizeof(*g), tb, max) ||
	    g->cmd != cmd)
		return NULL;
	return nic_of(s, tb[1]);
}

/* A compact bit set: the mask is what is supported, the value what is advertised. */
static unsigned top_in(const struct nlattr *modes)
{
	struct nlattr *tb[ETHTOOL_A_BITSET_MAX + 1];
	uint32_t words[MODE_WORDS_MAX];
	nlattr_nested(tb, ETHTOOL_A_BITSET_MAX, modes);
	const struct nlattr *mask = tb[ETHTOOL_A_BITSET_MASK];
	if (!mask)
		return 0;
	size_t count = MIN_OF((size_t)nla_len(mask) / 4, (size_t)MODE_WORDS_MAX);
	memcpy(words, nla_data(mask), count * 4);
	return ethtool_top_mbps(words, count);
}

void ethtool_find_modes(struct survey *s)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINKMODES);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[ETHTOOL_A_LINKMODES_MAX + 1];
		struct hwp_nic *n = parse_reply(s, h, ETHTOOL_MSG_LINKMODES_GET_REPLY, tb,
						ETHTOOL_A_LINKMODES_MAX);
		if (!n)
			continue;
		ethtool_put_link(s, n, nlattr_u32(tb[ETHTOOL_A_LINKMODES_SPEED], 0),
				 nlattr_u8(tb[ETHTOOL_A_LINKMODES_DUPLEX], DUPLEX_UNKNOWN),
				 "ETHTOOL_MSG_LINKMODES_GET");
		unsigned top = top_in(tb[ETHTOOL_A_LINKMODES_OURS]);
		if (top)
			put_num(s, &n->speed_max_mbps, top, "ETHTOOL_A_LINKMODES_OURS");
	}
}

void ethtool_put_port(struct survey *s, struct hwp_nic *n, uint8_t port, const char *source)
{
	static const struct {
		uint8_t port;
		const char *name;
	} ports[] = {
		{ PORT_TP, "tp" },   { PORT_AUI, "aui" }, { PORT_MII, "mii" },
		{ PORT_BNC, "bnc" }, { PORT_DA, "da" },   { PORT_FIBRE, "fibre" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		if (ports[i].port == port)
			put_str(s, &n->port, ports[i].name, source);
}

void ethtool_find_ports(struct survey *s)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINKINFO);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[ETHTOOL_A_LINKINFO_MAX + 1];
		struct hwp_nic *n = parse_reply(s, h, ETHTOOL_MSG_LINKINFO_GET_REPLY, tb,
						ETHTOOL_A_LINKINFO_MAX);
		if (n)
			ethtool_put_port(s, n, nlattr_u8(tb[ETHTOOL_A_LINKINFO_PORT], PORT_NONE),
					 "ETHTOOL_A_LINKINFO_PORT");
	}
}

/* As ethtool(8) names them, in lower case; include/uapi/linux/ethtool.h, enum ethtool_link_ext_state. */
static const char *const link_faults[] = {
	[ETHTOOL_LINK_EXT_STATE_AUTONEG] = "autoneg",
	[ETHTOOL_LINK_EXT_STATE_LINK_TRAINING_FAILURE] = "link training failure",
	[ETHTOOL_LINK_EXT_STATE_LINK_LOGICAL_MISMATCH] = "logical mismatch",
	[ETHTOOL_LINK_EXT_STATE_BAD_SIGNAL_INTEGRITY] = "bad signal integrity",
	[ETHTOOL_LINK_EXT_STATE_NO_CABLE] = "no cable",
	[ETHTOOL_LINK_EXT_STATE_CABLE_ISSUE] = "cable issue",
	[ETHTOOL_LINK_EXT_STATE_EEPROM_ISSUE] = "eeprom issue",
	[ETHTOOL_LINK_EXT_STATE_CALIBRATION_FAILURE] = "calibration failure",
	[ETHTOOL_LINK_EXT_STATE_POWER_BUDGET_EXCEEDED] = "power budget exceeded",
	[ETHTOOL_LINK_EXT_STATE_OVERHEAT] = "overheat",
	[ETHTOOL_LINK_EXT_STATE_MODULE] = "module",
};

void ethtool_find_states(struct survey *s)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINKSTATE);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[ETHTOOL_A_LINKSTATE_MAX + 1];
		struct hwp_nic *n = parse_reply(s, h, ETHTOOL_MSG_LINKSTATE_GET_REPLY, tb,
						ETHTOOL_A_LINKSTATE_MAX);
		if (!n)
			continue;
		const struct nlattr *link = tb[ETHTOOL_A_LINKSTATE_LINK],
				    *fault = tb[ETHTOOL_A_LINKSTATE_EXT_STATE];
		if (link && nla_len(link) >= 1)
			put_bool(s, &n->has_link, nlattr_u8(link, 0) != 0,
				 "ETHTOOL_A_LINKSTATE_LINK");
		size_t number = nlattr_u8(fault, 0);
		if (fault && number < ARRAY_SIZE(link_faults))
			put_str(s, &n->link_fault, link_faults[number],
				"ETHTOOL_A_LINKSTATE_EXT_STATE");
	}
}
