#include "hwprobe/nic.h"

#include <errno.h>
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

/*
 * What says that the link is hardware; NULL = it is none. Where sysfs shows another network namespace, its parent device tells
 * (Linux 5.14), before that the driver's word on the bus.
 */
static const char *physical_source(struct survey *s, const struct hwp_nic *n, struct nlattr **tb,
				   bool has_kind)
{
	char *dir = nic_dir(s, n), *real = dir ? attr_real(s, dir) : NULL;
	if (real)
		return strcmp(real, dir) && !strstr(real, "/virtual/") ? NET_DIR : NULL;
	if (tb[IFLA_PARENT_DEV_NAME])
		return "IFLA_PARENT_DEV_NAME";
	return !has_kind && ethtool_has_bus(s, n) ? "ETHTOOL_GDRVINFO" : NULL;
}

static void find_type(struct survey *s, struct hwp_nic *n, struct nlattr **tb, struct nlattr **info)
{
	char kind[64];
	const char *name = nlattr_text(info[IFLA_INFO_KIND], kind, sizeof(kind));
	const char *source = physical_source(s, n, tb, name != NULL);
	if (source) {
		put_str(s, &n->type, "physical", source);
		return;
	}
	if (str_eq(name, "tun"))
		name = "tuntap";
	put_str(s, &n->type, name ? name : "device", "IFLA_INFO_KIND");
}

static void find_sysfs(struct survey *s, struct hwp_nic *n)
{
	const char *dir = nic_dir(s, n);
	if (!dir)
		return;
	/* -1 stays -1: drivers say so for "unknown". */
	put_attr_num(s, &n->speed_mbps, "%s/speed", dir);
	if (!str_eq(n->type.s, "physical"))
		return;
	put_attr(s, &n->vendor, NULL, "%s/device/vendor", dir);
	put_attr(s, &n->product, NULL, "%s/device/device", dir);
	put_str(s, &n->driver, attr_link_name(s, "%s/device/driver", dir), "sysfs device/driver");
}

static void add_link(struct survey *s, struct nlmsghdr *h)
{
	struct hwp_inventory *inv = s->inv;
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	const struct ifinfomsg *m = NLMSG_DATA(h);
	char name[64];
	if (h->nlmsg_type != RTM_NEWLINK || !netdump_attrs(h, sizeof(*m), tb, IFLA_MAX))
		return;
	if (!is_valid_name(nlattr_text(tb[IFLA_IFNAME], name, sizeof(name))))
		return;
	if (inv->nic_count == LINKS_MAX) {
		survey_error(s, "RTM_GETLINK", E2BIG, "more than %d interfaces", LINKS_MAX);
		return;
	}

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
	nic_put_mac(s, &n->permanent_mac, tb[IFLA_PERM_ADDRESS], "IFLA_PERM_ADDRESS");
	if (tb[IFLA_MASTER])
		put_str(s, &n->master, link_name(s, nlattr_u32(tb[IFLA_MASTER], 0)), "IFLA_MASTER");
	find_type(s, n, tb, info);
	find_sysfs(s, n);
	if (s->opt->flags & HWP_MORE)
		nic_find_more(s, n, tb, info);
}

static int by_ifindex(const void *key, const void *item)
{
	int64_t x = *(const uint32_t *)key, y = ((const struct hwp_nic *)item)->ifindex.v;
	return (x > y) - (x < y);
}

struct hwp_nic *nic_by_index(struct survey *s, uint32_t ifindex)
{
	struct hwp_inventory *inv = s->inv;
	if (!ifindex || !inv->nic_count)
		return NULL;
	return bsearch(&ifindex, inv->nics, inv->nic_count, sizeof(*inv->nics), by_ifindex);
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

/* What a bond keeps of its member is the address that it had before, which somebody may have set. */
static void find_permanent_macs(struct survey *s)
{
	static const char source[] = "IFLA_BOND_SLAVE_PERM_HWADDR";
	for (size_t i = 0; i < s->inv->nic_count; i++) {
		struct hwp_nic *n = &s->inv->nics[i];
		if (!n->permanent_mac.s && str_eq(n->mac_address.source, source))
			put_str(s, &n->permanent_mac, n->mac_address.s, source);
	}
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
		ethtool_find_states(s);
		ethtool_ask_drivers(s);
	}
	find_permanent_macs(s);
}

const struct probe probe_nics = { .name = "interfaces", .part = HWP_NICS, .run = run };
