#include "hwprobe/netdump.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>
#include "common/cleanup.h"
#include "hwprobe/explain.h"
#include "hwprobe/netdump_live.h"
#include "hwprobe/record.h"

static const struct netdump_request kinds[NETDUMP_KINDS] = {
	[NETDUMP_LINK] = { "netlink/link.nl", RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg) },
	[NETDUMP_ADDR] = { "netlink/addr.nl", RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg) },
	[NETDUMP_ROUTE4] = { "netlink/route4.nl", RTM_GETROUTE, AF_INET, sizeof(struct rtmsg),
			     true },
	[NETDUMP_ROUTE6] = { "netlink/route6.nl", RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg),
			     true },
	[NETDUMP_NEXTHOP] = { "netlink/nexthop.nl", RTM_GETNEXTHOP, AF_UNSPEC,
			      sizeof(struct nhmsg) },
	[NETDUMP_LINKMODES] = { "netlink/ethtool-linkmodes.nl", ETHTOOL_MSG_LINKMODES_GET,
				AF_UNSPEC, sizeof(struct genlmsghdr), false, ETHTOOL_GENL_NAME },
	[NETDUMP_LINKINFO] = { "netlink/ethtool-linkinfo.nl", ETHTOOL_MSG_LINKINFO_GET, AF_UNSPEC,
			       sizeof(struct genlmsghdr), false, ETHTOOL_GENL_NAME },
	[NETDUMP_LINKSTATE] = { "netlink/ethtool-linkstate.nl", ETHTOOL_MSG_LINKSTATE_GET,
				AF_UNSPEC, sizeof(struct genlmsghdr), false, ETHTOOL_GENL_NAME },
};

struct nlmsghdr *netdump_next(const struct netdump *d, size_t *pos)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(d->data + *pos);
	if (*pos > d->len || d->len - *pos < sizeof(*h))
		return NULL;
	if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > d->len - *pos ||
	    h->nlmsg_type == NLMSG_DONE)
		return NULL;
	*pos += NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

bool netdump_attrs(struct nlmsghdr *h, size_t header_len, struct nlattr **tb, int max)
{
	memset(tb, 0, sizeof(*tb) * (size_t)(max + 1));
	if (h->nlmsg_len < NLMSG_HDRLEN + NLMSG_ALIGN(header_len))
		return false;
	struct nlattr *head = (struct nlattr *)((char *)h + NLMSG_HDRLEN + NLMSG_ALIGN(header_len));
	return nla_parse(tb, max, head,
			 (int)(h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(header_len)), NULL) == 0;
}

void nlattr_nested(struct nlattr **tb, int max, const struct nlattr *a)
{
	memset(tb, 0, sizeof(*tb) * (size_t)(max + 1));
	if (a && nla_parse(tb, max, nla_data(a), nla_len(a), NULL) < 0)
		memset(tb, 0, sizeof(*tb) * (size_t)(max + 1));
}

uint32_t nlattr_u32(const struct nlattr *a, uint32_t def)
{
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : def;
}

uint8_t nlattr_u8(const struct nlattr *a, uint8_t def)
{
	return a && nla_len(a) >= 1 ? nla_get_u8(a) : def;
}

const char *nlattr_text(const struct nlattr *a, char *buf, size_t size)
{
	if (!a || nla_len(a) < 1)
		return NULL;
	size_t n = strnlen(nla_data(a), (size_t)nla_len(a));
	if (n > size - 1)
		n = size - 1;
	memcpy(buf, nla_data(a), n);
	buf[n] = '\0';
	return n ? buf : NULL;
}

/* --- one of each kind per pass ------------------------------------------------------------------------------------ */

/* Some kinds of dump are younger than the kernels that this runs on: RTM_GETNEXTHOP Linux 5.3, ethtool 5.6. */
static bool is_old_kernel(enum netdump_kind kind, int rc)
{
	return (kind == NETDUMP_NEXTHOP && rc == -EOPNOTSUPP) ||
	       (kinds[kind].family_name && (rc == -ENOENT || rc == -EOPNOTSUPP));
}

/* A network namespace has no table main before its first route (inet_dump_fib() in net/ipv4/fib_frontend.c). */
static bool is_no_table(enum netdump_kind kind, int rc)
{
	return kinds[kind].is_main_table && rc == -ENOENT;
}

static void read_live(struct survey *s, enum netdump_kind kind, struct netdump *d)
{
	const char *file = kinds[kind].file;
	struct netdump_result r = { 0 };
	int rc = netdump_ask(s, &kinds[kind], d, &r);
	if (is_no_table(kind, rc)) {
		d->data = arena_dup(s->tmp, "");
		rc = d->data ? 0 : -ENOMEM;
	}
	if (rc < 0 && !is_old_kernel(kind, rc))
		survey_error(s, file, -rc, "the dump failed: %s%s%s", strerror(-rc),
			     r.detail[0] ? ": " : "", r.detail);
	/* Better than nothing: most of it is right. */
	if (!rc && r.has_changed)
		survey_error(s, file, EINTR, "changed each time while it was read");
	d->is_there = rc == 0;
	if (d->is_there)
		record_file(s->root, file, d->data, d->len);
}

/* Are there messages up to the end, or up to the one that says that it is the end? */
static bool is_whole(const struct netdump *d)
{
	size_t pos = 0;
	while (netdump_next(d, &pos))
		;
	const struct nlmsghdr *h = (const struct nlmsghdr *)(d->data + pos);
	return pos >= d->len || (d->len - pos >= sizeof(*h) && h->nlmsg_type == NLMSG_DONE);
}

static void read_recorded(struct survey *s, enum netdump_kind kind, struct netdump *d)
{
	const char *file = kinds[kind].file;
	d->is_there = attr_file(s, file, NETDUMP_MAX, &d->data, &d->len) == 0;
	if (d->is_there && !is_whole(d))
		survey_error(s, file, EBADMSG, "what follows its first messages is none");
}

const struct netdump *survey_netdump(struct survey *s, enum netdump_kind kind)
{
	struct netdump *d = &s->dumps[kind];
	if (d->has_read)
		return d->is_there ? d : NULL;
	d->has_read = true;
	if (s->root->is_live) {
		read_live(s, kind, d);
		explain_read(s, kinds[kind].file, d->is_there ? 0 : ENODATA);
	} else {
		read_recorded(s, kind, d);
	}
	return d->is_there ? d : NULL;
}
