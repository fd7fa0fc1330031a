#pragma once
/* LLDP frames (IEEE 802.1AB-2016): what neighbours say of themselves. Whoever is on the wire may send them: every length is checked. */
#include <stddef.h>
#include <stdint.h>
#include "hwprobe/probe.h"

enum {
	LLDP_ETHERTYPE = 0x88cc,
	LLDP_FRAME_MAX = 1600,    /* of an Ethernet frame; jumbo frames do not carry it */
	LLDP_NEIGHBOURS_MAX = 16, /* on one wire */
	LLDP_TLVS_MAX = 256,      /* in one frame */
	LLDP_TIMEOUT_MS =
		30000, /* the interval at which neighbours send (9.2.5.7, msgTxInterval) */
};

enum lldp_type {
	LLDP_END = 0,
	LLDP_CHASSIS_ID = 1,
	LLDP_PORT_ID = 2,
	LLDP_TTL = 3,
	LLDP_PORT_DESCRIPTION = 4,
	LLDP_SYSTEM_NAME = 5,
	LLDP_SYSTEM_DESCRIPTION = 6,
	LLDP_CAPABILITIES = 7,
	LLDP_MANAGEMENT_ADDRESS = 8,
	LLDP_ORGANISATION = 127,
};

/* Subtypes of chassis and port ids that hold addresses. */
enum {
	LLDP_CHASSIS_MAC = 4,
	LLDP_CHASSIS_NETWORK = 5,
	LLDP_PORT_MAC = 3,
	LLDP_PORT_NETWORK = 4,
	LLDP_FAMILY_V4 = 1, /* IANA address family numbers */
	LLDP_FAMILY_V6 = 2,
};

struct lldp_tlv {
	uint8_t type;
	const uint8_t *value;
	size_t len;
};

/* The elements of a frame one by one: start with *@pos = 0. false = the end, or one that does not fit. */
bool lldp_next(const uint8_t *frame, size_t len, size_t *pos, struct lldp_tlv *ret);

/*
 * What the frame says. 0; -EBADMSG = no LLDP frame (chassis, port and TTL come first); -ENOENT = the neighbour says that it leaves.
 * An element that is broken is left out. Filled in place, so that it may stand in the inventory already; unusable after a failure.
 */
int lldp_parse(struct survey *s, const uint8_t *frame, size_t len, struct hwp_lldp *ret);

/* A file of frames, each behind its length in two bytes (the higher one first): start with *@pos = 0; NULL = no more. */
const uint8_t *lldp_file_next(const char *data, size_t len, size_t *pos, size_t *ret_len);
