#include "hwprobe/ethtool.h"

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <string.h>
#include "hwprobe/netdump.h"

static struct hwp_nic *nic_of(struct survey *s, const struct nlattr *header)
{
	struct nlattr *tb[ETHTOOL_A_HEADER_MAX + 1];
	nlattr_nested(tb, ETHTOOL_A_HEADER_MAX, header);
	uint32_t ifindex = nlattr_u32(tb[ETHTOOL_A_HEADER_DEV_INDEX], 0);
	for (size_t i = 0; ifindex && i < s->inv->nic_count; i++)
		if (s->inv->nics[i].ifindex.v == ifindex)
			return &s->inv->nics[i];
	return NULL;
}

/* Drivers write "unknown" as 0, as 16 and as 32 bits of ones. */
static bool is_known_speed(uint32_t mbps)
{
	return mbps && mbps != UINT16_MAX && mbps != (uint32_t)SPEED_UNKNOWN;
}

static void take(struct survey *s, struct nlmsghdr *h)
{
	struct nlattr *tb[ETHTOOL_A_LINKMODES_MAX + 1];
	const struct genlmsghdr *g = NLMSG_DATA(h);
	if (h->nlmsg_type < NLMSG_MIN_TYPE ||
	    !netdump_attrs(h, sizeof(*g), tb, ETHTOOL_A_LINKMODES_MAX) ||
	    g->cmd != ETHTOOL_MSG_LINKMODES_GET_REPLY)
		return;
	struct hwp_nic *n = nic_of(s, tb[ETHTOOL_A_LINKMODES_HEADER]);
	if (!n)
		return;
	uint32_t mbps = nlattr_u32(tb[ETHTOOL_A_LINKMODES_SPEED], 0);
	if (is_known_speed(mbps))
		put_num(s, &n->speed_current_mbps, mbps, "ETHTOOL_A_LINKMODES_SPEED");
	uint8_t duplex = nlattr_u8(tb[ETHTOOL_A_LINKMODES_DUPLEX], DUPLEX_UNKNOWN);
	if (duplex == DUPLEX_HALF || duplex == DUPLEX_FULL)
		put_str(s, &n->duplex, duplex == DUPLEX_FULL ? "full" : "half",
			"ETHTOOL_A_LINKMODES_DUPLEX");
}

void ethtool_find_modes(struct survey *s)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINKMODES);
	size_t pos = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));)
		take(s, h);
}
