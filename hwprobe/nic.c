#include "hwprobe/nic.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/ethtool.h"
#include "hwprobe/netdump.h"

#define NET_DIR "sys/class/net"

const char *mac_text(const uint8_t *mac, size_t len, char *buf, size_t size)
{
	/* Ethernet, FireWire, InfiniBand; others (tunnel end points) are no MAC addresses. */
	if ((len != 6 && len != 8 && len != 20) || size < len * 3)
		return NULL;
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++) {
		any |= mac[i];
		snprintf(buf + i * 3, size - i * 3, "%02x%s", mac[i], i + 1 < len ? ":" : "");
	}
	return any ? buf : NULL;
}

bool nic_put_mac(struct survey *s, struct hwp_str *dst, const struct nlattr *a, const char *source)
{
	char text[64];
	return a && put_str(s, dst, mac_text(nla_data(a), (size_t)nla_len(a), text, sizeof(text)),
			    source);
}

/* A name that is safe as a part of a path (the kernel's dev_valid_name() refuses the others). */
static bool is_valid_name(const char *name)
{
	return name && *name && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/');
}

static void find_flags(struct survey *s, struct hwp_nic *n, unsigned flags)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ IFF_UP, "up" },
		{ IFF_BROADCAST, "broadcast" },
		{ IFF_LOOPBACK, "loopback" },
		{ IFF_POINTOPOINT, "pointtopoint" },
		{ IFF_MULTICAST, "multicast" },
		{ IFF_RUNNING, "running" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].bit)
			put_strs(s, &n->flags, names[i].name, "IFLA flags");
}

/* The bond gives all of its members one address; the member's own is kept beside it. */
static const struct nlattr *bond_member_mac(struct nlattr **info)
{
	char kind[16];
	struct nlattr *data[IFLA_BOND_SLAVE_MAX + 1];
	if (!str_eq(nlattr_text(info[IFLA_INFO_SLAVE_KIND], kind, sizeof(kind)), "bond"))
		return NULL;
	nlattr_nested(data, IFLA_BOND_SLAVE_MAX, info[IFLA_INFO_SLAVE_DATA]);
	return data[IFLA_BOND_SLAVE_PERM_HWADDR];
}

static void find_type(struct survey *s, struct hwp_nic *n, struct nlattr **tb, struct nlattr **info)
{
	char kind[64];
	char *path = arena_printf(s->tmp, NET_DIR "/%s", n->name.s);
	char *real = path ? attr_real(s, path) : NULL;
	/* Inside another network namespace sysfs does not show the link: its parent device tells, too (Linux 5.14). */
	bool is_physical = real ? !strstr(real, "/virtual/") : tb[IFLA_PARENT_DEV_NAME] != NULL;
	if (is_physical && real && strcmp(real, path) != 0) {
		put_str(s, &n->type, "physical", NET_DIR);
		return;
	}
	if (is_physical && !real) {
		put_str(s, &n->type, "physical", "IFLA_PARENT_DEV_NAME");
		return;
	}
	const char *name = nlattr_text(info[IFLA_INFO_KIND], kind, sizeof(kind));
	if (str_eq(name, "tun"))
		name = "tuntap";
	put_str(s, &n->type, name ? name : "device", "IFLA_INFO_KIND");
}

static void find_sysfs(struct survey *s, struct hwp_nic *n)
{
	/* -1 stays -1: drivers say so for "unknown". */
	put_attr_num(s, &n->speed_mbps, NET_DIR "/%s/speed", n->name.s);
	if (!str_eq(n->type.s, "physical"))
		return;
	put_attr(s, &n->vendor, NULL, NET_DIR "/%s/device/vendor", n->name.s);
	put_attr(s, &n->product, NULL, NET_DIR "/%s/device/device", n->name.s);
	put_str(s, &n->driver, attr_link_name(s, NET_DIR "/%s/device/driver", n->name.s),
		"sysfs device/driver");
}

static void add_link(struct survey *s, struct nlmsghdr *h)
{
	struct hwp_inventory *inv = s->inv;
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	const struct ifinfomsg *m = NLMSG_DATA(h);
	char name[64];
	if (h->nlmsg_type != RTM_NEWLINK || !netdump_attrs(h, sizeof(*m), tb, IFLA_MAX) ||
	    inv->nic_count == LINKS_MAX)
		return;
	if (!is_valid_name(nlattr_text(tb[IFLA_IFNAME], name, sizeof(name))))
		return;

	struct hwp_nic *n = arena_append(s->mem, &inv->nics, &inv->nic_count, sizeof(*n));
	if (!n)
		return;
	nlattr_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO]);
	put_str(s, &n->name, name, "IFLA_IFNAME");
	put_num(s, &n->ifindex, m->ifi_index, "ifi_index");
	put_num(s, &n->mtu, nlattr_u32(tb[IFLA_MTU], 0), "IFLA_MTU");
	/* Some drivers keep saying "carrier" while the link is down. */
	put_bool(s, &n->has_carrier, nlattr_u8(tb[IFLA_CARRIER], 0) == 1 && (m->ifi_flags & IFF_UP),
		 "IFLA_CARRIER");
	find_flags(s, n, m->ifi_flags);
	const struct nlattr *own = bond_member_mac(info);
	if (!nic_put_mac(s, &n->mac_address, own, "IFLA_BOND_SLAVE_PERM_HWADDR"))
		nic_put_mac(s, &n->mac_address, tb[IFLA_ADDRESS], "IFLA_ADDRESS");
	if (!nic_put_mac(s, &n->permanent_mac, tb[IFLA_PERM_ADDRESS], "IFLA_PERM_ADDRESS"))
		nic_put_mac(s, &n->permanent_mac, own, "IFLA_BOND_SLAVE_PERM_HWADDR");
	if (tb[IFLA_MASTER])
		put_str(s, &n->master, link_name(s, nlattr_u32(tb[IFLA_MASTER], 0)), "IFLA_MASTER");
	find_type(s, n, tb, info);
	find_sysfs(s, n);
	if (s->opt->flags & HWP_MORE)
		nic_find_more(s, n, tb, info);
}

struct hwp_nic *nic_by_index(struct survey *s, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < s->inv->nic_count; i++)
		if (s->inv->nics[i].ifindex.v == ifindex)
			return &s->inv->nics[i];
	return NULL;
}

/* Every route names a link, and there may be thousands of both: looked up by halving. */
struct link_entry {
	uint32_t ifindex;
	const char *name;
};

struct link_table {
	struct link_entry *v;
	size_t n;
};

static int by_number(const void *a, const void *b)
{
	const struct link_entry *x = a, *y = b;
	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static struct link_table *read_links(struct survey *s)
{
	struct link_table *t = arena_alloc(s->tmp, sizeof(*t));
	const struct netdump *d = survey_netdump(s, NETDUMP_LINK);
	size_t pos = 0;
	for (struct nlmsghdr *h; t && d && (h = netdump_next(d, &pos));) {
		struct nlattr *tb[IFLA_MAX + 1];
		char name[64];
		const struct ifinfomsg *m = NLMSG_DATA(h);
		if (h->nlmsg_type != RTM_NEWLINK || !netdump_attrs(h, sizeof(*m), tb, IFLA_MAX))
			continue;
		struct link_entry *e = arena_append(s->tmp, &t->v, &t->n, sizeof(*e));
		if (!e)
			break;
		e->ifindex = (uint32_t)m->ifi_index;
		e->name = arena_dup(s->tmp, nlattr_text(tb[IFLA_IFNAME], name, sizeof(name)));
	}
	if (t && t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_number);
	return t;
}

const char *link_name(struct survey *s, uint32_t ifindex)
{
	const struct link_entry key = { .ifindex = ifindex };
	if (!s->links)
		s->links = read_links(s);
	if (!s->links || !s->links->n)
		return NULL;
	const struct link_entry *e =
		bsearch(&key, s->links->v, s->links->n, sizeof(key), by_number);
	return e ? e->name : NULL;
}

static int ifindex_of(const struct nlmsghdr *h)
{
	return ((const struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

static int by_index(const void *a, const void *b)
{
	int x = ifindex_of(*(struct nlmsghdr *const *)a),
	    y = ifindex_of(*(struct nlmsghdr *const *)b);
	return (x > y) - (x < y);
}

/* The messages of links by index: the kernel sends them in the order of a hash table. */
static struct nlmsghdr **sorted_links(struct survey *s, size_t *ret_n)
{
	const struct netdump *d = survey_netdump(s, NETDUMP_LINK);
	struct nlmsghdr **list = NULL;
	size_t pos = 0, n = 0;
	for (struct nlmsghdr *h; d && (h = netdump_next(d, &pos));) {
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
			continue;
		struct nlmsghdr **slot = arena_append(s->tmp, &list, &n, sizeof(*slot));
		if (!slot)
			break;
		*slot = h;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_index);
	*ret_n = n;
	return list;
}

static void run(struct survey *s)
{
	size_t n;
	struct nlmsghdr **links = sorted_links(s, &n);
	for (size_t i = 0; i < n; i++)
		add_link(s, links[i]);
	nic_find_addresses(s);
	nic_find_biosdevnames(s);
	if (s->opt->flags & HWP_MORE) {
		nic_find_members(s);
		ethtool_find_modes(s);
		ethtool_find_ports(s);
		ethtool_ask_drivers(s);
	}
}

const struct probe probe_nics = { .name = "interfaces", .part = HWP_NICS, .run = run };
