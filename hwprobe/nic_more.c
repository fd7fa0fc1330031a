/* What only the full format shows of an interface: bonds, VLANs, bridges, virtual functions, its place on the bus. */
#include <linux/if_bonding.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

/* As sysfs and iproute2 name them (drivers/net/bonding/bond_options.c). */
static const char *const bond_modes[] = {
	[BOND_MODE_ROUNDROBIN] = "balance-rr", [BOND_MODE_ACTIVEBACKUP] = "active-backup",
	[BOND_MODE_XOR] = "balance-xor",       [BOND_MODE_BROADCAST] = "broadcast",
	[BOND_MODE_8023AD] = "802.3ad",        [BOND_MODE_TLB] = "balance-tlb",
	[BOND_MODE_ALB] = "balance-alb",
};

static void put_link(struct survey *s, struct hwp_str *dst, const struct nlattr *a,
		     const char *source)
{
	uint32_t ifindex = nlattr_u32(a, 0);
	if (ifindex)
		put_str(s, dst, link_name(s, ifindex), source);
}

/* 802.3ad: which aggregator is active, and who is at the other end of it. */
static void find_partner(struct survey *s, struct hwp_nic *n, const struct nlattr *info)
{
	struct nlattr *tb[IFLA_BOND_AD_INFO_MAX + 1];
	nlattr_nested(tb, IFLA_BOND_AD_INFO_MAX, info);
	const struct nlattr *id = tb[IFLA_BOND_AD_INFO_AGGREGATOR];
	if (id && nla_len(id) >= 2)
		put_num(s, &n->bond_aggregator, nla_get_u16(id), "IFLA_BOND_AD_INFO_AGGREGATOR");
	nic_put_mac(s, &n->bond_partner_mac, tb[IFLA_BOND_AD_INFO_PARTNER_MAC],
		    "IFLA_BOND_AD_INFO_PARTNER_MAC");
}

static void find_bond(struct survey *s, struct hwp_nic *n, const struct nlattr *data)
{
	struct nlattr *tb[IFLA_BOND_MAX + 1];
	nlattr_nested(tb, IFLA_BOND_MAX, data);
	uint8_t mode = nlattr_u8(tb[IFLA_BOND_MODE], UINT8_MAX);
	if (mode < ARRAY_SIZE(bond_modes))
		put_str(s, &n->bond_mode, bond_modes[mode], "IFLA_BOND_MODE");
	put_link(s, &n->bond_active, tb[IFLA_BOND_ACTIVE_SLAVE], "IFLA_BOND_ACTIVE_SLAVE");
	put_link(s, &n->bond_primary, tb[IFLA_BOND_PRIMARY], "IFLA_BOND_PRIMARY");
	if (tb[IFLA_BOND_MIIMON])
		put_num(s, &n->bond_miimon_ms, nlattr_u32(tb[IFLA_BOND_MIIMON], 0),
			"IFLA_BOND_MIIMON");
	if (mode == BOND_MODE_8023AD)
		find_partner(s, n, tb[IFLA_BOND_AD_INFO]);
}

static void find_vlan(struct survey *s, struct hwp_nic *n, const struct nlattr *data)
{
	struct nlattr *tb[IFLA_VLAN_MAX + 1];
	nlattr_nested(tb, IFLA_VLAN_MAX, data);
	if (tb[IFLA_VLAN_ID] && nla_len(tb[IFLA_VLAN_ID]) >= 2)
		put_num(s, &n->vlan_id, nla_get_u16(tb[IFLA_VLAN_ID]), "IFLA_VLAN_ID");
	if (!tb[IFLA_VLAN_PROTOCOL] || nla_len(tb[IFLA_VLAN_PROTOCOL]) < 2)
		return;
	const uint8_t *p = nla_data(tb[IFLA_VLAN_PROTOCOL]); /* network byte order */
	unsigned protocol = (unsigned)p[0] << 8 | p[1];
	if (protocol == ETH_P_8021Q || protocol == ETH_P_8021AD)
		put_str(s, &n->vlan_protocol, protocol == ETH_P_8021Q ? "802.1Q" : "802.1ad",
			"IFLA_VLAN_PROTOCOL");
}

static void find_bridge(struct survey *s, struct hwp_nic *n, const struct nlattr *data)
{
	struct nlattr *tb[IFLA_BR_MAX + 1];
	nlattr_nested(tb, IFLA_BR_MAX, data);
	if (tb[IFLA_BR_VLAN_FILTERING])
		put_bool(s, &n->bridge_vlan_filtering,
			 nlattr_u8(tb[IFLA_BR_VLAN_FILTERING], 0) != 0, "IFLA_BR_VLAN_FILTERING");
}

static const struct {
	const char *kind;
	void (*find)(struct survey *s, struct hwp_nic *n, const struct nlattr *data);
} kinds[] = { { "bond", find_bond }, { "vlan", find_vlan }, { "bridge", find_bridge } };

static void find_kind(struct survey *s, struct hwp_nic *n, struct nlattr **info)
{
	char kind[64];
	const char *name = nlattr_text(info[IFLA_INFO_KIND], kind, sizeof(kind));
	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(name, kinds[i].kind))
			kinds[i].find(s, n, info[IFLA_INFO_DATA]);
}

static void find_alt_names(struct survey *s, struct hwp_nic *n, const struct nlattr *list)
{
	if (!list)
		return;
	int left = nla_len(list);
	char name[256];
	for (struct nlattr *a = nla_data(list); nla_ok(a, left); a = nla_next(a, &left))
		if (nla_type(a) == IFLA_ALT_IFNAME)
			put_strs(s, &n->alt_names, nlattr_text(a, name, sizeof(name)),
				 "IFLA_ALT_IFNAME");
}

/* An interface of a USB device: its numbers stand one level above. */
static void find_usb(struct survey *s, struct hwp_nic *n, const char *dir, const char *real)
{
	if (!real || !strstr(real, "/usb"))
		return;
	put_attr(s, &n->usb_vendor, NULL, "%s/device/../idVendor", dir);
	put_attr(s, &n->usb_product, NULL, "%s/device/../idProduct", dir);
}

static void find_bus(struct survey *s, struct hwp_nic *n)
{
	char *dir = nic_dir(s, n);
	if (!dir)
		return;
	char *real = attr_real(s, dir);
	int64_t node;
	put_str(s, &n->pci_address, pci_address_in(s->tmp, real), "sysfs path");
	if (attr_num(s, &node, "%s/device/numa_node", dir) == 0 && node >= 0)
		put_num(s, &n->numa_node, node, "device/numa_node");
	find_usb(s, n, dir, real);
	struct root_names rdma = attr_list(s, "%s/device/infiniband", dir);
	for (size_t i = 0; i < rdma.n; i++)
		put_strs(s, &n->rdma, rdma.v[i], "device/infiniband");
}

void nic_find_more(struct survey *s, struct hwp_nic *n, struct nlattr **tb, struct nlattr **info)
{
	find_kind(s, n, info);
	find_alt_names(s, n, tb[IFLA_PROP_LIST]);
	/* The number of a link in another network namespace means nothing here; the ends of a veth pair name each other. */
	if (!tb[IFLA_LINK_NETNSID] && !str_eq(n->type.s, "veth") &&
	    nlattr_u32(tb[IFLA_LINK], 0) != n->ifindex.v)
		put_link(s, &n->lower, tb[IFLA_LINK], "IFLA_LINK");
	nic_find_names(s, n);
	if (!str_eq(n->type.s, "physical"))
		return;
	find_bus(s, n);
	nic_find_functions(s, n, tb[IFLA_VFINFO_LIST]);
}

static struct hwp_nic *nic_by_name(struct survey *s, const char *name)
{
	for (size_t i = 0; i < s->inv->nic_count; i++)
		if (str_eq(s->inv->nics[i].name.s, name))
			return &s->inv->nics[i];
	return NULL;
}

void nic_find_members(struct survey *s)
{
	struct hwp_nic *master = NULL; /* the one before: ports of a bridge mostly stand together */
	for (size_t i = 0; i < s->inv->nic_count; i++) {
		const struct hwp_nic *n = &s->inv->nics[i];
		if (!n->master.s)
			continue;
		if (!master || !str_eq(master->name.s, n->master.s))
			master = nic_by_name(s, n->master.s);
		if (master)
			put_strs(s, &master->members, n->name.s, "IFLA_MASTER");
	}
}
