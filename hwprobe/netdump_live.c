#include "hwprobe/netdump_live.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "common/buf.h"
#include "common/cleanup.h"

/*
 * The kernel fills dump buffers of at most 32 KiB (netlink_dump() in net/netlink/af_netlink.c), unless one message needs more: that of a link
 * with hundreds of virtual functions or of other names, whose lists alone may have 64 KiB each.
 */
enum { RECEIVE_BYTES = 262144, RECEIVE_TIMEOUT_S = 5 };

/* --- what came ------------------------------------------------------------------------------------------------ */

/* The text behind an error (Documentation/userspace-api/netlink/intro.rst, Extended ACK); @skip: bytes of the message before it. */
static void take_detail(const struct nlmsghdr *h, size_t skip, struct netdump_result *ret)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t len = h->nlmsg_len - NLMSG_HDRLEN;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || skip > len ||
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)NLMSG_DATA(h) + skip),
		      (int)(len - skip), NULL) < 0)
		return;
	if (!nlattr_text(tb[NLMSGERR_ATTR_MSG], ret->detail, sizeof(ret->detail)))
		ret->detail[0] = '\0';
}

/* What was asked stands behind the number, or only its header. */
static int error_in(const struct nlmsghdr *h, struct netdump_result *ret)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(*e))
		return -EBADMSG;
	size_t asked = h->nlmsg_flags & NLM_F_CAPPED ? NLMSG_HDRLEN : e->msg.nlmsg_len;
	take_detail(h, sizeof(e->error) + NLMSG_ALIGN(asked), ret);
	return e->error < 0 ? e->error : -EBADMSG;
}

/* A dump that fails midway ends like any other; the number in its end tells (netlink_dump_done()). */
static int end_in(const struct nlmsghdr *h, struct netdump_result *ret)
{
	int rc = 0;
	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(rc))
		return 1;
	memcpy(&rc, NLMSG_DATA(h), sizeof(rc));
	if (rc >= 0)
		return 1;
	take_detail(h, sizeof(rc), ret);
	return rc;
}

int netdump_scan(const char *data, size_t len, struct netdump_result *ret)
{
	const struct netdump d = { .data = (char *)data, .len = len };
	for (size_t pos = 0; len - pos >= NLMSG_HDRLEN;) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(d.data + pos);
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len - pos)
			return -EBADMSG;
		ret->has_changed |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (h->nlmsg_type == NLMSG_DONE)
			return end_in(h, ret);
		if (h->nlmsg_type == NLMSG_ERROR)
			return error_in(h, ret);
		pos += NLMSG_ALIGN(h->nlmsg_len);
		if (pos > len)
			break;
	}
	return 0;
}

/* --- sockets -------------------------------------------------------------------------------------------------- */
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

static struct nl_sock *open_socket(int protocol)
{
	AUTO(nl_socket_freep) struct nl_sock *sk = nl_socket_alloc();
	if (!sk || nl_connect(sk, protocol) < 0)
		return NULL;
	int one = 1, fd = nl_socket_get_fd(sk);
	struct timeval timeout = { .tv_sec = RECEIVE_TIMEOUT_S };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* Filters in the request are obeyed (Linux 4.20); older kernels dump everything, which is filtered again later. */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	/* Errors come with a sentence, and without what was asked (Linux 4.12). */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	/* So no message needs to be peeked at. */
	nl_socket_disable_msg_peek(sk);
	return TAKE(sk);
}

static int send_request(struct survey *s, struct nl_sock *sk, const struct netdump_request *q)
{
	AUTO(nlmsg_freep) struct nl_msg *m = nlmsg_alloc_simple(q->type, NLM_F_DUMP);
	void *header = m ? nlmsg_reserve(m, q->header_len, NLMSG_ALIGNTO) : NULL;
	if (!header)
		return -ENOMEM;
	memset(header, 0, q->header_len);
	*(unsigned char *)header = q->family; /* the first byte of all of these headers */
	if (q->is_main_table)
		((struct rtmsg *)header)->rtm_table = RT_TABLE_MAIN;
	/*
	 * Virtual functions are asked for only where they are shown, counters nowhere. There is always a mask: without one the kernel
	 * does not look how long its messages may be (rtnl_calcit() in net/core/rtnetlink.c), and its list ends, without an error,
	 * before a link that has hundreds of other names.
	 */
	uint32_t mask = RTEXT_FILTER_SKIP_STATS;
	if (s->opt->flags & HWP_MORE)
		mask |= RTEXT_FILTER_VF;
	if (q->type == RTM_GETLINK && nla_put_u32(m, IFLA_EXT_MASK, mask) < 0)
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

static int send_generic(struct nl_sock *sk, const struct netdump_request *q)
{
	int family = find_family(sk, q->family_name);
	if (family < 0)
		return family;
	AUTO(nlmsg_freep) struct nl_msg *m = generic_message(family, NLM_F_DUMP, q->type, 1);
	/* The header is attribute 1 of every request (ETHTOOL_A_LINKINFO_HEADER, …). */
	struct nlattr *header = m ? nla_nest_start(m, ETHTOOL_A_LINKMODES_HEADER) : NULL;
	if (!header || nla_put_u32(m, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_COMPACT_BITSETS) < 0)
		return -ENOMEM;
	nla_nest_end(m, header);
	return nl_send_auto(sk, m) < 0 ? -EIO : 0;
}

/* --- dumps ---------------------------------------------------------------------------------------------------- */

static int receive(int fd, bool is_last_try, struct buf *out, struct netdump_result *ret)
{
	AUTO(freep) char *data = malloc(RECEIVE_BYTES);
	while (data) {
		struct sockaddr_nl from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, data, RECEIVE_BYTES, MSG_TRUNC, (struct sockaddr *)&from,
				     &from_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n > RECEIVE_BYTES)
			return -EMSGSIZE;
		if (from_len != sizeof(from) || from.nl_pid != 0)
			continue; /* another program's, not the kernel's */
		int rc = netdump_scan(data, (size_t)n, ret);
		if (rc < 0)
			return rc;
		if (ret->has_changed && !is_last_try)
			return -EINTR;
		if (buf_append(out, data, (size_t)n) < 0)
			return -EMSGSIZE;
		if (rc)
			return 0;
	}
	return -ENOMEM;
}

void netdump_close(struct survey *s)
{
	nl_socket_freep(&s->nl);
	s->nl = NULL;
}

static int dump_once(struct survey *s, const struct netdump_request *q, bool is_last_try,
		     struct buf *out, struct netdump_result *ret)
{
	/* Generic netlink is asked seldom: its socket is not kept. */
	AUTO(nl_socket_freep) struct nl_sock *generic = NULL;
	if (q->family_name) {
		generic = open_socket(NETLINK_GENERIC);
		int rc = generic ? send_generic(generic, q) : -ENOMEM;
		return rc < 0 ? rc : receive(nl_socket_get_fd(generic), is_last_try, out, ret);
	}
	if (!s->nl && !(s->nl = open_socket(NETLINK_ROUTE)))
		return -ENOMEM;
	int rc = send_request(s, s->nl, q);
	if (!rc)
		rc = receive(nl_socket_get_fd(s->nl), is_last_try, out, ret);
	if (rc < 0) /* the rest of this dump must not be taken for the next one's */
		netdump_close(s);
	return rc;
}

/* Once more may help: something changed, or the kernel had no memory for the next part. */
static bool is_passing(int rc)
{
	return rc == -EINTR || rc == -ENOBUFS;
}

int netdump_ask(struct survey *s, const struct netdump_request *q, struct netdump *d,
		struct netdump_result *ret)
{
	int rc = -EINTR;
	for (int tries = 1; tries <= NETDUMP_TRIES && is_passing(rc); tries++) {
		AUTO(buf_done) struct buf out;
		buf_init(&out, NETDUMP_MAX);
		*ret = (struct netdump_result){ 0 };
		rc = dump_once(s, q, tries == NETDUMP_TRIES, &out, ret);
		if (!rc && !(d->data = arena_copy(s->tmp, out.data ? out.data : "", out.len)))
			return -ENOMEM;
		d->len = rc ? 0 : out.len;
	}
	return rc;
}
