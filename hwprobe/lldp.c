#include "hwprobe/lldp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/nic.h"

enum { TLV_HEADER_LEN = 2, TEXT_MAX = 512, OUI_LEN = 3 };

bool lldp_next(const uint8_t *frame, size_t len, size_t *pos, struct lldp_tlv *ret)
{
	if (*pos < ETHER_HDR_LEN)
		*pos = ETHER_HDR_LEN;
	if (*pos > len || len - *pos < TLV_HEADER_LEN)
		return false;
	const uint8_t *p = frame + *pos;
	size_t n = (size_t)(p[0] & 1) << 8 | p[1];
	if (n > len - *pos - TLV_HEADER_LEN || p[0] >> 1 == LLDP_END)
		return false;
	*ret = (struct lldp_tlv){ p[0] >> 1, p + TLV_HEADER_LEN, n };
	*pos += TLV_HEADER_LEN + n;
	return true;
}

const uint8_t *lldp_file_next(const char *data, size_t len, size_t *pos, size_t *ret_len)
{
	const uint8_t *p = (const uint8_t *)data + *pos;
	if (*pos > len || len - *pos < 2)
		return NULL;
	size_t n = (size_t)p[0] << 8 | p[1];
	if (n > len - *pos - 2)
		return NULL;
	*pos += 2 + n;
	*ret_len = n;
	return p + 2;
}

/* --- texts ---------------------------------------------------------------------------------------------------- */

static void put_text(struct survey *s, struct hwp_str *dst, const uint8_t *data, size_t len,
		     const char *source)
{
	char text[TEXT_MAX];
	size_t n = strnlen((const char *)data, MIN_OF(len, sizeof(text) - 1));
	memcpy(text, data, n);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
	put_str(s, dst, str_trim(text), source);
}

/* An address behind its family; NULL = another family, or another length. */
static const char *network_text(const uint8_t *data, size_t len, char text[INET6_ADDRSTRLEN])
{
	if (len == 1 + 4 && data[0] == LLDP_FAMILY_V4)
		return inet_ntop(AF_INET, data + 1, text, INET6_ADDRSTRLEN);
	if (len == 1 + 16 && data[0] == LLDP_FAMILY_V6)
		return inet_ntop(AF_INET6, data + 1, text, INET6_ADDRSTRLEN);
	return NULL;
}

/* --- elements ------------------------------------------------------------------------------------------------- */

/* 8.5.2.2, 8.5.3.2 */
static const char *const chassis_kinds[] = {
	[1] = "component", [2] = "interface-alias", [3] = "port", [4] = "mac",
	[5] = "network",   [6] = "interface-name",  [7] = "local"
};
static const char *const port_kinds[] = {
	[1] = "interface-alias", [2] = "component",     [3] = "mac",  [4] = "network",
	[5] = "interface-name",  [6] = "agent-circuit", [7] = "local"
};

struct id_rule {
	const char *const *kinds;
	size_t count;
	uint8_t mac, network;
	const char *source;
};

static void put_id(struct survey *s, struct hwp_str *dst, struct hwp_str *kind,
		   const struct id_rule *r, const struct lldp_tlv *t)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t subtype = t->value[0];
	const uint8_t *id = t->value + 1;
	size_t len = t->len - 1;
	if (subtype == r->mac && len == ETHER_ADDR_LEN)
		put_str(s, dst, mac_text(id, len, text, sizeof(text)), r->source);
	else if (subtype == r->network)
		put_str(s, dst, network_text(id, len, text), r->source);
	else if (subtype != r->mac)
		put_text(s, dst, id, len, r->source);
	if (subtype < r->count)
		put_str(s, kind, r->kinds[subtype], r->source);
}

static void take_chassis(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	static const struct id_rule rule = { chassis_kinds, ARRAY_SIZE(chassis_kinds),
					     LLDP_CHASSIS_MAC, LLDP_CHASSIS_NETWORK,
					     "lldp chassis id" };
	put_id(s, &n->chassis_id, &n->chassis_id_type, &rule, t);
}

static void take_port(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	static const struct id_rule rule = { port_kinds, ARRAY_SIZE(port_kinds), LLDP_PORT_MAC,
					     LLDP_PORT_NETWORK, "lldp port id" };
	put_id(s, &n->port_id, &n->port_id_type, &rule, t);
}

static void take_ttl(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	put_num(s, &n->ttl_s, t->value[0] << 8 | t->value[1], "lldp time to live");
}

static void take_port_description(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	put_text(s, &n->port_description, t->value, t->len, "lldp port description");
}

static void take_system_name(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	put_text(s, &n->system_name, t->value, t->len, "lldp system name");
}

static void take_system_description(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	put_text(s, &n->system_description, t->value, t->len, "lldp system description");
}

/* 8.5.8: two words, what it can do and what of that is switched on. */
static void take_capabilities(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	static const char *const names[] = {
		"other",        "repeater", "bridge", "wlan-ap", "router",         "telephone",
		"docsis-cable", "station",  "c-vlan", "s-vlan",  "two-port-relay",
	};
	unsigned enabled = (unsigned)t->value[2] << 8 | t->value[3];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (enabled >> i & 1)
			put_strs(s, &n->capabilities, names[i], "lldp capabilities");
}

/* 8.5.9: length of family and address, these, and more. */
static void take_management(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = t->value[0];
	if (len >= 1 && len <= t->len - 1)
		put_strs(s, &n->management_addresses, network_text(t->value + 1, len, text),
			 "lldp management address");
}

/* IEEE 802.1Q-2018 annex D: the VLAN of untagged frames; 802.3-2018 79.3: aggregation, longest frame. */
static void take_organisation(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	static const uint8_t ieee_802_1[OUI_LEN] = { 0x00, 0x80, 0xc2 },
			     ieee_802_3[OUI_LEN] = { 0x00, 0x12, 0x0f };
	const uint8_t *p = t->value + OUI_LEN + 1;
	uint8_t subtype = t->value[OUI_LEN];
	size_t len = t->len - OUI_LEN - 1;
	bool is_802_1 = !memcmp(t->value, ieee_802_1, OUI_LEN);
	bool is_802_3 = !memcmp(t->value, ieee_802_3, OUI_LEN);
	if (is_802_1 && subtype == 1 && len >= 2) {
		put_num(s, &n->port_vlan_id, p[0] << 8 | p[1], "lldp port VLAN id");
	} else if (is_802_3 && subtype == 4 && len >= 2) {
		put_num(s, &n->max_frame_bytes, p[0] << 8 | p[1], "lldp maximum frame size");
	} else if (((is_802_3 && subtype == 3) || (is_802_1 && subtype == 7)) && len >= 5 &&
		   p[0] & 2 /* it is aggregated now */) {
		uint32_t id;
		memcpy(&id, p + 1, sizeof(id));
		put_num(s, &n->link_aggregation_id, ntohl(id), "lldp link aggregation");
	}
}

static const struct {
	uint8_t type;
	size_t least; /* bytes */
	void (*take)(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t);
} elements[] = {
	{ LLDP_CHASSIS_ID, 2, take_chassis },
	{ LLDP_PORT_ID, 2, take_port },
	{ LLDP_TTL, 2, take_ttl },
	{ LLDP_PORT_DESCRIPTION, 1, take_port_description },
	{ LLDP_SYSTEM_NAME, 1, take_system_name },
	{ LLDP_SYSTEM_DESCRIPTION, 1, take_system_description },
	{ LLDP_CAPABILITIES, 4, take_capabilities },
	{ LLDP_MANAGEMENT_ADDRESS, 2, take_management },
	{ LLDP_ORGANISATION, OUI_LEN + 1, take_organisation },
};

static void take(struct survey *s, struct hwp_lldp *n, const struct lldp_tlv *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
		if (elements[i].type == t->type && t->len >= elements[i].least)
			elements[i].take(s, n, t);
}

int lldp_parse(struct survey *s, const uint8_t *frame, size_t len, struct hwp_lldp *ret)
{
	static const uint8_t first[] = { LLDP_CHASSIS_ID, LLDP_PORT_ID, LLDP_TTL };
	struct lldp_tlv t;
	char mac[32];
	size_t pos = 0;
	*ret = (struct hwp_lldp){ 0 };
	if (len < ETHER_HDR_LEN || (frame[12] << 8 | frame[13]) != LLDP_ETHERTYPE)
		return -EBADMSG;
	for (size_t i = 0; i < LLDP_TLVS_MAX && lldp_next(frame, len, &pos, &t); i++) {
		if (i < ARRAY_SIZE(first) && (t.type != first[i] || t.len < 2))
			return -EBADMSG;
		if (t.type == LLDP_TTL && i == 2 && !t.value[0] && !t.value[1])
			return -ENOENT;
		/* The first three may not come again. */
		if (i < ARRAY_SIZE(first) || t.type > LLDP_TTL)
			take(s, ret, &t);
	}
	if (!ret->ttl_s.source)
		return -EBADMSG;
	put_str(s, &ret->source_mac,
		mac_text(frame + ETHER_ADDR_LEN, ETHER_ADDR_LEN, mac, sizeof(mac)), "lldp frame");
	return 0;
}
