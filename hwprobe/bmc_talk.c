#include "hwprobe/bmc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "common/cleanup.h"

/* IPMI 2.0, 22.24 Get Channel Info and 23.2 Get LAN Configuration Parameters. */
enum {
	GET_CHANNEL_INFO = 0x42,
	GET_LAN_CONFIG = 0x02,
	CHANNEL_FIRST = 1,
	CHANNEL_LAST = 11, /* 12 to 15 are reserved, this channel, the system interface */
	MEDIUM_LAN = 4,
	MEDIUM_OTHER_LAN = 6,
	LAN_IPV4 = 3,
	LAN_SOURCE = 4,
	LAN_MAC = 5,
	LAN_NETMASK = 6,
	LAN_GATEWAY = 12,
	LAN_VLAN = 20,
	LAN_ADDRESSING = 51,
	LAN_V6_STATUS = 55,
	LAN_V6_STATIC = 56,
	LAN_V6_DYNAMIC = 59,
	V6_SETS_MAX = 16,
	VLAN_ENABLED = 0x80,
	V6_STATIC_ENABLED = 0x80,
};

/* An IPv6 address of a set: 20 bytes behind the parameter revision. */
struct v6_set {
	uint8_t set, source, address[16], prefix, status;
};

/* The parameter without its revision byte; false = not there. */
static bool lan_param(struct ipmi *i, uint8_t channel, uint8_t param, uint8_t set, uint8_t *ret,
		      size_t need)
{
	uint8_t ask[4] = { channel, param, set, 0 }, answer[IPMI_DATA_MAX];
	size_t len = 0;
	if (ipmi_ask(i, IPMI_TRANSPORT, GET_LAN_CONFIG, ask, sizeof(ask), answer, &len) != 0 ||
	    len < need + 1)
		return false;
	memcpy(ret, answer + 1, need);
	return true;
}

/* 1 = yes, 0 = no, -errno = the BMC does not answer. */
static int is_lan(struct ipmi *i, uint8_t channel)
{
	uint8_t answer[IPMI_DATA_MAX];
	size_t len = 0;
	int rc = ipmi_ask(i, IPMI_APP, GET_CHANNEL_INFO, &channel, 1, answer, &len);
	if (rc < 0)
		return rc;
	uint8_t medium = len >= 2 ? answer[1] & 0x7f : 0;
	return rc == 0 && (medium == MEDIUM_LAN || medium == MEDIUM_OTHER_LAN);
}

/* How the address came about, and the network that it is in. */
static void find_lan(struct ipmi *i, uint8_t channel, struct bmc_info *b)
{
	uint8_t vlan[2], source;
	if (lan_param(i, channel, LAN_SOURCE, 0, &source, 1))
		b->source = source & 0x0f;
	b->has_mac = lan_param(i, channel, LAN_MAC, 0, b->mac, sizeof(b->mac));
	b->has_netmask = lan_param(i, channel, LAN_NETMASK, 0, b->netmask, sizeof(b->netmask));
	b->has_gateway = lan_param(i, channel, LAN_GATEWAY, 0, b->gateway, sizeof(b->gateway));
	if (lan_param(i, channel, LAN_VLAN, 0, vlan, sizeof(vlan)) && vlan[1] & VLAN_ENABLED)
		b->vlan_id = (uint16_t)((vlan[1] & 0x0f) << 8 | vlan[0]);
}

static void find_v4(struct ipmi *i, uint8_t channel, bool has_more, struct bmc_info *b)
{
	static const uint8_t none[4];
	uint8_t address[4];
	if (b->has_v4 || !lan_param(i, channel, LAN_IPV4, 0, address, sizeof(address)) ||
	    !memcmp(address, none, 4))
		return;
	b->has_v4 = true;
	memcpy(b->v4, address, sizeof(b->v4));
	b->channel = channel;
	if (has_more)
		find_lan(i, channel, b);
}

static bool take_v6(struct ipmi *i, uint8_t channel, uint8_t param, uint8_t set, struct bmc_info *b)
{
	struct v6_set v;
	if (!lan_param(i, channel, param, set, (uint8_t *)&v, sizeof(v)) ||
	    v.status != 0 /* not active */ ||
	    (param == LAN_V6_STATIC && !(v.source & V6_STATIC_ENABLED)))
		return false;
	struct in6_addr a;
	memcpy(&a, v.address, sizeof(a));
	if (IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_LINKLOCAL(&a))
		return false;
	memcpy(b->v6, &a, sizeof(b->v6));
	b->has_v6 = true;
	if (!b->channel)
		b->channel = channel;
	return true;
}

static void find_v6(struct ipmi *i, uint8_t channel, struct bmc_info *b)
{
	uint8_t enables, status[3]; /* most static sets, most dynamic sets, flags */
	if (b->has_v6 || !lan_param(i, channel, LAN_ADDRESSING, 0, &enables, 1) ||
	    (enables != 1 && enables != 2))
		return;
	if (!lan_param(i, channel, LAN_V6_STATUS, 0, status, sizeof(status)))
		return;
	for (uint8_t set = 0; set < MIN_OF(status[1], V6_SETS_MAX); set++)
		if (take_v6(i, channel, LAN_V6_DYNAMIC, set, b))
			return;
	for (uint8_t set = 0; set < MIN_OF(status[0], V6_SETS_MAX); set++)
		if (take_v6(i, channel, LAN_V6_STATIC, set, b))
			return;
}

int bmc_ask(struct ipmi *i, bool has_more, struct bmc_info *ret)
{
	*ret = (struct bmc_info){ 0 };
	for (uint8_t channel = CHANNEL_FIRST; channel <= CHANNEL_LAST; channel++) {
		int rc = is_lan(i, channel);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		find_v4(i, channel, has_more, ret);
		find_v6(i, channel, ret);
	}
	return 0;
}
