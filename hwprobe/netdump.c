#include "hwprobe/netdump.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "common/buf.h"
#include "common/cleanup.h"
#include "hwprobe/record.h"

/*
 * The kernel fills dump buffers of at most 32 KiB (netlink_dump() in net/netlink/af_netlink.c), unless one message needs more: that of a link with
 * hundreds of virtual functions, whose list alone may have 64 KiB.
 */
enum { RECEIVE_BYTES = 32768, RECEIVE_MORE_BYTES = 262144, RECEIVE_TIMEOUT_S = 5 };

struct dump_kind {
	const char *file;
	int type;
	unsigned char family;
	size_t header_len;
	bool is_main_table;      /* ask for table main only */
	const char *family_name; /* of generic netlink: @type is its command */
};

static const struct dump_kind kinds[NETDUMP_KINDS] = {
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

/* --- the kernel ---------------------------------------------------------------------------------------- */

static void nl_socket_freep(struct nl_sock **sk)
{
	if (*sk)
		nl_socket_free(*sk);
}

static void nlmsg_freep(struct nl_msg **m)
{
	if (*m)
		nlmsg_free(*m);
}

static struct nl_sock *open_socket(const struct survey *s, int protocol)
{
	AUTO(nl_socket_freep) struct nl_sock *sk = nl_socket_alloc();
	if (!sk || nl_connect(sk, protocol) < 0)
		return NULL;
	int one = 1, fd = nl_socket_get_fd(sk);
	struct timeval timeout = { .tv_sec = RECEIVE_TIMEOUT_S };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* Filters in the request are obeyed (Linux 4.20); older kernels dump everything, which is filtered again later. */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	/* So no message needs to be peeked at. */
	nl_socket_disable_msg_peek(sk);
	if (nl_socket_set_msg_buf_size(sk, s->opt->flags & HWP_MORE ? RECEIVE_MORE_BYTES
								    : RECEIVE_BYTES) < 0)
		return NULL;
	return TAKE(sk);
}

static int send_request(struct survey *s, struct nl_sock *sk, const struct dump_kind *k)
{
	AUTO(nlmsg_freep) struct nl_msg *m = nlmsg_alloc_simple(k->type, NLM_F_DUMP);
	void *header = m ? nlmsg_reserve(m, k->header_len, NLMSG_ALIGNTO) : NULL;
	if (!header)
		return -ENOMEM;
	memset(header, 0, k->header_len);
	*(unsigned char *)header = k->family; /* the first byte of all of these headers */
	if (k->is_main_table)
		((struct rtmsg *)header)->rtm_table = RT_TABLE_MAIN;
	/* Virtual functions are asked for only where they are shown, and without their counters. */
	if (k->type == RTM_GETLINK && s->opt->flags & HWP_MORE &&
	    nla_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS) < 0)
		return -ENOMEM;
	int rc = nl_send_auto(sk, m);
	return rc < 0 ? -EIO : 0;
}

/* --- generic netlink: families have numbers of the day, which the controller knows by name ------------------ */

static struct nl_msg *generic_message(int family, int flags, int command, int version)
{
	AUTO(nlmsg_freep) struct nl_msg *m = nlmsg_alloc_simple(family, flags);
	struct genlmsghdr *g = m ? nlmsg_reserve(m, sizeof(*g), NLMSG_ALIGNTO) : NULL;
	if (!g)
		return NULL;
	*g = (struct genlmsghdr){ .cmd = (uint8_t)command, .version = (uint8_t)version };
	return TAKE(m);
}

/* The number in the answer of the controller, or -errno. */
static int family_in(const char *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)data;
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	if (!nlmsg_ok(h, (int)len))
		return -EIO;
	if (h->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	if (!netdump_attrs(h, sizeof(struct genlmsghdr), tb, CTRL_ATTR_MAX) ||
	    !tb[CTRL_ATTR_FAMILY_ID] || nla_len(tb[CTRL_ATTR_FAMILY_ID]) < 2)
		return -EIO;
	return nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
}

static int find_family(struct nl_sock *sk, const char *name)
{
	struct sockaddr_nl from;
	AUTO(freep) unsigned char *data = NULL;
	AUTO(nlmsg_freep)
	struct nl_msg *m = generic_message(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	if (!m || nla_put_string(m, CTRL_ATTR_FAMILY_NAME, name) < 0)
		return -ENOMEM;
	nl_socket_disable_auto_ack(sk);
	if (nl_send_auto(sk, m) < 0)
		return -EIO;
	int n = nl_recv(sk, &from, &data, NULL);
	return n > 0 ? family_in((char *)data, (size_t)n) : -EIO;
}

static int send_generic(struct nl_sock *sk, const struct dump_kind *k)
{
	int family = find_family(sk, k->family_name);
	if (family < 0)
		return family;
	AUTO(nlmsg_freep) struct nl_msg *m = generic_message(family, NLM_F_DUMP, k->type, 1);
	/* The header is attribute 1 of every request (ETHTOOL_A_LINKINFO_HEADER, …). */
	struct nlattr *header = m ? nla_nest_start(m, ETHTOOL_A_LINKMODES_HEADER) : NULL;
	if (!header || nla_put_u32(m, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS) < 0)
		return -ENOMEM;
	nla_nest_end(m, header);
	return nl_send_auto(sk, m) < 0 ? -EIO : 0;
}

/* Looks through one datagram. Returns 1 at the end of the dump, -EINTR when it changed meanwhile, -errno of the kernel. */
static int scan(const char *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)data;
	for (int left = (int)len; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = nlmsg_data(h);
			return h->nlmsg_len >= NLMSG_HDRLEN + sizeof(*e) && e->error < 0 ? e->error
											 : -EIO;
		}
	}
	return 0;
}

static int receive(struct nl_sock *sk, struct buf *out)
{
	for (;;) {
		struct sockaddr_nl from;
		AUTO(freep) unsigned char *data = NULL;
		int n = nl_recv(sk, &from, &data, NULL);
		if (n <= 0)
			return n == -NLE_NOMEM ? -ENOMEM : -EIO;
		int rc = scan((char *)data, (size_t)n);
		if (rc < 0)
			return rc;
		if (buf_append(out, data, (size_t)n) < 0)
			return -EMSGSIZE;
		if (rc)
			return 0;
	}
}

void netdump_close(struct survey *s)
{
	nl_socket_freep(&s->nl);
	s->nl = NULL;
}

static int dump_once(struct survey *s, const struct dump_kind *k, struct buf *out)
{
	/* Generic netlink is asked seldom: its socket is not kept. */
	AUTO(nl_socket_freep) struct nl_sock *generic = NULL;
	if (k->family_name) {
		generic = open_socket(s, NETLINK_GENERIC);
		int rc = generic ? send_generic(generic, k) : -ENOMEM;
		return rc < 0 ? rc : receive(generic, out);
	}
	if (!s->nl && !(s->nl = open_socket(s, NETLINK_ROUTE)))
		return -ENOMEM;
	int rc = send_request(s, s->nl, k);
	if (!rc)
		rc = receive(s->nl, out);
	if (rc < 0) /* the rest of this dump must not be taken for the next one's */
		netdump_close(s);
	return rc;
}

static int dump_live(struct survey *s, const struct dump_kind *k, struct netdump *d)
{
	int rc = -EINTR;
	for (int tries = 0; tries < NETDUMP_TRIES && rc == -EINTR; tries++) {
		AUTO(buf_done) struct buf out;
		buf_init(&out, NETDUMP_MAX);
		rc = dump_once(s, k, &out);
		if (!rc && !(d->data = arena_copy(s->tmp, out.data ? out.data : "", out.len)))
			return -ENOMEM;
		d->len = out.len;
	}
	return rc;
}

/* Some kinds of dump are younger than the kernels that this runs on: RTM_GETNEXTHOP Linux 5.3, ethtool 5.6. */
static bool is_old_kernel(enum netdump_kind kind, int rc)
{
	return (kind == NETDUMP_NEXTHOP && rc == -EOPNOTSUPP) ||
	       (kinds[kind].family_name && (rc == -ENOENT || rc == -EOPNOTSUPP));
}

const struct netdump *survey_netdump(struct survey *s, enum netdump_kind kind)
{
	struct netdump *d = &s->dumps[kind];
	if (d->has_read)
		return d->is_there ? d : NULL;
	d->has_read = true;
	if (!s->root->is_live) {
		d->is_there = attr_file(s, kinds[kind].file, NETDUMP_MAX, &d->data, &d->len) == 0;
		return d->is_there ? d : NULL;
	}
	int rc = dump_live(s, &kinds[kind], d);
	if (rc < 0 && !is_old_kernel(kind, rc))
		survey_error(s, kinds[kind].file, -rc, "the dump failed: %s", strerror(-rc));
	d->is_there = rc == 0;
	if (d->is_there)
		record_file(s->root, kinds[kind].file, d->data, d->len);
	return d->is_there ? d : NULL;
}
