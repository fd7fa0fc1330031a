/* Bonds, VLANs, bridges, the place on the bus: what only the full format shows of an interface. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

struct kind {
	struct nl_msg *m;
	struct nlattr *info, *data;
};

static struct kind begin_kind(int ifindex, const char *name, const char *kind)
{
	struct kind k = { .m = link_message(ifindex, name) };
	k.info = nla_nest_start(k.m, IFLA_LINKINFO);
	nla_put_string(k.m, IFLA_INFO_KIND, kind);
	k.data = nla_nest_start(k.m, IFLA_INFO_DATA);
	return k;
}

static struct nl_msg *end_kind(struct kind *k)
{
	nla_nest_end(k->m, k->data);
	nla_nest_end(k->m, k->info);
	return k->m;
}

static void add_bond(struct dump *d, uint8_t mode)
{
	struct kind k = begin_kind(5, "bond0", "bond");
	nla_put_u8(k.m, IFLA_BOND_MODE, mode);
	nla_put_u32(k.m, IFLA_BOND_ACTIVE_SLAVE, 3);
	nla_put_u32(k.m, IFLA_BOND_PRIMARY, 2);
	nla_put_u32(k.m, IFLA_BOND_MIIMON, 100);
	struct nlattr *ad = nla_nest_start(k.m, IFLA_BOND_AD_INFO);
	nla_put_u16(k.m, IFLA_BOND_AD_INFO_AGGREGATOR, 3);
	nla_put(k.m, IFLA_BOND_AD_INFO_PARTNER_MAC, 6, "\x44\x38\x39\xff\0\1");
	nla_nest_end(k.m, ad);
	dump_add(d, end_kind(&k));
}

static void add_vlan(struct dump *d, int ifindex, const char *name, const char *protocol,
		     uint32_t master)
{
	struct kind k = begin_kind(ifindex, name, "vlan");
	nla_put_u16(k.m, IFLA_VLAN_ID, 42);
	nla_put(k.m, IFLA_VLAN_PROTOCOL, 2, protocol);
	end_kind(&k);
	nla_put_u32(k.m, IFLA_LINK, 5);
	if (master)
		nla_put_u32(k.m, IFLA_MASTER, master);
	dump_add(d, k.m);
}

static void add_ports(struct dump *d)
{
	for (int i = 2; i <= 3; i++) {
		struct nl_msg *m = link_message(i, i == 2 ? "eno1" : "eno2");
		nla_put_u32(m, IFLA_MASTER, 5);
		nla_put(m, IFLA_PERM_ADDRESS, 6, "\x02\0\0\0\0\2");
		struct nlattr *list = nla_nest_start(m, IFLA_PROP_LIST);
		nla_put_string(m, IFLA_ALT_IFNAME, i == 2 ? "enp1s0f0" : "enp1s0f1");
		nla_put_string(m, IFLA_ALT_IFNAME, "lan");
		nla_nest_end(m, list);
		dump_add(d, m);
	}
}

static struct hwp_inventory *probe(struct tree *t, uint8_t bond_mode)
{
	struct dump links = { 0 };
	add_ports(&links);
	add_bond(&links, bond_mode);
	add_vlan(&links, 6, "bond0.42", "\x88\xa8", 7);
	add_vlan(&links, 8, "odd", "\x91\x00", 0);
	struct kind k = begin_kind(7, "br0", "bridge");
	nla_put_u8(k.m, IFLA_BR_VLAN_FILTERING, 1);
	dump_add(&links, end_kind(&k));
	dump_write(&links, t, "netlink/link.nl");
	return tree_probe_all(t, HWP_NICS);
}

static void test_bond(void **state)
{
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = probe(&t, 1);
	const struct hwp_nic *bond = nic(inv, "bond0"), *port = nic(inv, "eno1");
	assert_string_equal(bond->bond_mode.s, "active-backup");
	assert_string_equal(bond->bond_mode.source, "IFLA_BOND_MODE");
	assert_string_equal(bond->bond_active.s, "eno2");
	assert_string_equal(bond->bond_primary.s, "eno1");
	assert_int_equal(bond->bond_miimon_ms.v, 100);
	assert_null(bond->bond_partner_mac.s); /* nobody speaks LACP in this mode */
	assert_int_equal(bond->members.n, 2);
	assert_string_equal(bond->members.v[1], "eno2");
	assert_string_equal(port->master.s, "bond0");
	assert_string_equal(port->permanent_mac.s, "02:00:00:00:00:02");
	assert_int_equal(port->alt_names.n, 2);
	assert_string_equal(port->alt_names.v[0], "enp1s0f0");
	hwp_unref(inv);

	inv = probe(&t, 4);
	bond = nic(inv, "bond0");
	assert_string_equal(bond->bond_mode.s, "802.3ad");
	assert_int_equal(bond->bond_aggregator.v, 3);
	assert_string_equal(bond->bond_partner_mac.s, "44:38:39:ff:00:01");
	assert_string_equal(bond->bond_partner_mac.source, "IFLA_BOND_AD_INFO_PARTNER_MAC");
	hwp_unref(inv);

	inv = probe(&t, 200); /* a mode that is not known yet */
	assert_null(nic(inv, "bond0")->bond_mode.s);
	hwp_unref(inv);

	/* The wire format shows none of it. */
	inv = tree_probe(&t, HWP_NICS);
	assert_null(nic(inv, "bond0")->bond_active.s);
	assert_int_equal(nic(inv, "bond0")->members.n, 0);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_vlan_and_bridge(void **state)
{
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = probe(&t, 1);
	const struct hwp_nic *vlan = nic(inv, "bond0.42"), *bridge = nic(inv, "br0");
	assert_int_equal(vlan->vlan_id.v, 42);
	assert_string_equal(vlan->vlan_protocol.s, "802.1ad");
	assert_string_equal(vlan->lower.s, "bond0");
	assert_string_equal(vlan->type.s, "vlan");
	assert_null(nic(inv, "odd")->vlan_protocol.s);
	assert_int_equal(bridge->members.n, 1);
	assert_string_equal(bridge->members.v[0], "bond0.42");
	assert_true(bridge->bridge_vlan_filtering.v);
	assert_null(vlan->bridge_vlan_filtering.source);
	hwp_unref(inv);
	tree_done(&t);
}

#define PCI "sys/devices/pci0000:00/0000:01:00.0"
#define USB "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0"

static void test_bus(void **state)
{
	struct tree t;
	tree_init(&t);
	struct dump links = { 0 };
	add_link(&links, 2, "ib0");
	add_link(&links, 3, "usb0");
	dump_write(&links, &t, "netlink/link.nl");
	tree_files(&t, PCI "/numa_node", "1\n", PCI "/net/ib0/x", "", PCI "/infiniband/mlx5_0/x",
		   "", PCI "/vendor", "0x15b3\n", USB "/net/usb0/x", "", USB "/bInterfaceNumber",
		   "00\n", "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/idVendor", "0bda\n",
		   "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/idProduct", "8153\n", NULL);
	tree_link(&t, "sys/class/net/ib0", "../../devices/pci0000:00/0000:01:00.0/net/ib0");
	tree_link(&t, PCI "/net/ib0/device", "../../../0000:01:00.0");
	tree_link(&t, "sys/class/net/usb0",
		  "../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/net/usb0");
	tree_link(&t, USB "/net/usb0/device", "../../../1-2:1.0");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	const struct hwp_nic *ib = nic(inv, "ib0"), *usb = nic(inv, "usb0");
	assert_string_equal(ib->type.s, "physical");
	assert_string_equal(ib->pci_address.s, "0000:01:00.0");
	assert_int_equal(ib->numa_node.v, 1);
	assert_int_equal(ib->rdma.n, 1);
	assert_string_equal(ib->rdma.v[0], "mlx5_0");
	assert_string_equal(ib->vendor.s, "0x15b3");
	assert_null(ib->usb_vendor.s);
	assert_string_equal(usb->usb_vendor.s, "0bda");
	assert_string_equal(usb->usb_product.s, "8153");
	assert_null(usb->vendor.s);
	assert_int_equal(usb->rdma.n, 0);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bond),
					    cmocka_unit_test(test_vlan_and_bridge),
					    cmocka_unit_test(test_bus) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
