/* Frames of neighbours: whose they are goes, what they are stays. Everything keeps its length. */
#include <net/ethernet.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/lldp.h"
#include "hwprobe/scrub.h"

enum { ORGANISATION_LEN = 4 };

static bool is_mac(const struct lldp_tlv *t)
{
	uint8_t kind = t->type == LLDP_CHASSIS_ID ? LLDP_CHASSIS_MAC : LLDP_PORT_MAC;
	return t->type <= LLDP_PORT_ID && t->len == 1 + ETHER_ADDR_LEN && t->value[0] == kind;
}

void scrub_learn_lldp(struct scrub *s, const char *data, size_t len)
{
	size_t pos = 0, n;
	for (const uint8_t *frame; (frame = lldp_file_next(data, len, &pos, &n));) {
		struct lldp_tlv t;
		if (n >= ETHER_HDR_LEN)
			scrub_add_mac(s, frame + ETHER_ADDR_LEN);
		for (size_t at = 0; lldp_next(frame, n, &at, &t);)
			if (is_mac(&t))
				scrub_add_mac(s, t.value + 1);
	}
}

/* Family and address; true = it was one. */
static bool in_network(const struct scrub *s, uint8_t *p, size_t len)
{
	if (len == 5 && p[0] == LLDP_FAMILY_V4)
		scrub_ip(s, p + 1, 4, 128);
	else if (len == 17 && p[0] == LLDP_FAMILY_V6)
		scrub_ip(s, p + 1, 16, 128);
	else
		return false;
	return true;
}

static void in_id(const struct scrub *s, const struct lldp_tlv *t, uint8_t *value)
{
	uint8_t network = t->type == LLDP_CHASSIS_ID ? LLDP_CHASSIS_NETWORK : LLDP_PORT_NETWORK;
	if (is_mac(t))
		scrub_mac(s, value + 1);
	else if (t->len > 1 && !(value[0] == network && in_network(s, value + 1, t->len - 1)))
		scrub_shape(s, (char *)value + 1, t->len - 1);
}

static void in_management(const struct scrub *s, const struct lldp_tlv *t, uint8_t *value)
{
	size_t n = t->len ? value[0] : 0, rest = 1 + n;
	if (rest > t->len || !in_network(s, value + 1, n))
		rest = 0;
	memset(value + rest, 0, t->len - rest);
}

/* Port VLAN, aggregation and frame size are numbers; vendors put names and serial numbers into theirs. */
static void in_organisation(const struct lldp_tlv *t, uint8_t *value)
{
	static const uint8_t kept[][ORGANISATION_LEN] = { { 0x00, 0x80, 0xc2, 1 },
							  { 0x00, 0x80, 0xc2, 7 },
							  { 0x00, 0x12, 0x0f, 3 },
							  { 0x00, 0x12, 0x0f, 4 } };
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (t->len >= ORGANISATION_LEN && !memcmp(value, kept[i], ORGANISATION_LEN))
			return;
	memset(value, 0, t->len);
}

static void in_element(const struct scrub *s, const struct lldp_tlv *t)
{
	uint8_t *value = (uint8_t *)t->value;
	switch (t->type) {
	case LLDP_CHASSIS_ID:
	case LLDP_PORT_ID:
		in_id(s, t, value);
		return;
	case LLDP_PORT_DESCRIPTION:
	case LLDP_SYSTEM_NAME:
	case LLDP_SYSTEM_DESCRIPTION:
		scrub_shape(s, (char *)value, t->len);
		return;
	case LLDP_MANAGEMENT_ADDRESS:
		in_management(s, t, value);
		return;
	case LLDP_TTL:
	case LLDP_CAPABILITIES:
		return;
	default:
		in_organisation(t, value);
	}
}

void scrub_lldp(const struct scrub *s, char *data, size_t len)
{
	size_t pos = 0, n;
	for (const uint8_t *frame; (frame = lldp_file_next(data, len, &pos, &n));) {
		struct lldp_tlv t;
		if (n >= ETHER_HDR_LEN)
			scrub_mac(s, (uint8_t *)frame + ETHER_ADDR_LEN);
		for (size_t at = 0; lldp_next(frame, n, &at, &t);)
			in_element(s, &t);
	}
}
