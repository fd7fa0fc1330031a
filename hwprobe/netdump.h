#pragma once
/*
 * Raw rtnetlink dump replies, read once per pass: from the kernel, or from netlink/<name>.nl of a recorded tree.
 * Kept as they came, so that recording writes the very same bytes.
 */
#include <linux/netlink.h>
#include <netlink/attr.h>
#include "hwprobe/probe.h"

enum netdump_kind {
	NETDUMP_LINK,
	NETDUMP_ADDR,
	NETDUMP_ROUTE4,
	NETDUMP_ROUTE6,
	NETDUMP_NEXTHOP,
	NETDUMP_LINKMODES, /* generic netlink, family ethtool */
	NETDUMP_LINKINFO,  /* the same */
	NETDUMP_LINKSTATE, /* the same */
	NETDUMP_KINDS
};

enum { NETDUMP_MAX = 256 << 20, NETDUMP_TRIES = 5 };

struct netdump {
	bool has_read, is_there;
	char *data; /* in tmp */
	size_t len;
};

/* NULL = not recorded, or the kernel refused (recorded as an error). */
const struct netdump *survey_netdump(struct survey *s, enum netdump_kind kind);

/* Closes the sockets that the dumps of a pass share. */
void netdump_close(struct survey *s);

/*
 * Messages one by one; start with *@pos = 0. NULL = end, NLMSG_DONE or a message that does not fit.
 * The returned message is complete: nlmsg_len bytes are there.
 */
struct nlmsghdr *netdump_next(const struct netdump *d, size_t *pos);

/* Attributes behind a header of @header_len bytes into @tb (@max + 1 entries); false = the message is too short. */
bool netdump_attrs(struct nlmsghdr *h, size_t header_len, struct nlattr **tb, int max);
/* The attributes inside of @a, which may be NULL; all NULL when it is broken. */
void nlattr_nested(struct nlattr **tb, int max, const struct nlattr *a);
/* Values; @def when the attribute is absent or too short. */
uint32_t nlattr_u32(const struct nlattr *a, uint32_t def);
uint8_t nlattr_u8(const struct nlattr *a, uint8_t def);
/* Text in @buf, cut; NULL = absent or empty. */
const char *nlattr_text(const struct nlattr *a, char *buf, size_t size);
