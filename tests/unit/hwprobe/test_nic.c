/* Interfaces: which ones, in which order, their types, addresses and flags. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if.h>
#include "hwprobe/nic.h"
#include "tests/unit/hwprobe/messages.h"

static void test_mac_text(void **state)
{
	static const uint8_t mac[20] = { 0x80, 0, 0,    0x48, 0xfe, 0x80, 0, 0,    0,    0,
					 0,    0, 0xe4, 0x1d, 0x2d, 3,    0, 0x22, 0x33, 0x4f };
	char text[64];
	assert_string_equal(mac_text(mac, 6, text, sizeof(text)), "80:00:00:48:fe:80");
	assert_string_equal(mac_text(mac, 8, text, sizeof(text)), "80:00:00:48:fe:80:00:00");
	assert_string_equal(mac_text(mac, 20, text, sizeof(text)),
			    "80:00:00:48:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:22:33:4f");
	assert_null(mac_text(mac + 6, 6, text, sizeof(text))); /* all zero: none */
	assert_null(mac_text(mac, 4, text, sizeof(text)));     /* the end of a tunnel */
	assert_null(mac_text(mac, 16, text, sizeof(text)));
	assert_null(mac_text(mac, 0, text, sizeof(text)));
	assert_null(mac_text(mac, 6, text, 17)); /* no room */
	assert_string_equal(mac_text(mac, 6, text, 18), "80:00:00:48:fe:80");
}

static void put_kind(struct nl_msg *m, const char *kind)
{
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, kind);
	nla_nest_end(m, info);
}

static void add_kind(struct dump *d, int ifindex, const char *name, const char *kind,
		     const char *parent)
{
	struct nl_msg *m = link_message(ifindex, name);
	if (kind)
		put_kind(m, kind);
	if (parent)
		nla_put_string(m, IFLA_PARENT_DEV_NAME, parent);
	dump_add(d, m);
}

static void expect_type(const struct hwp_inventory *inv, const char *name, const char *type,
			const char *source)
{
	assert_string_equal(nic(inv, name)->type.s, type);
	assert_string_equal(nic(inv, name)->type.source, source);
}

static void test_types(void **state)
{
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	add_kind(&links, 1, "lo", NULL, NULL);
	add_kind(&links, 2, "eth0", NULL, NULL);
	add_kind(&links, 3, "tun0", "tun", NULL);
	add_kind(&links, 4, "team0", "team", NULL);
	add_kind(&links, 5, "moved", NULL, "0000:01:00.0"); /* sysfs shows another namespace */
	add_kind(&links, 6, "hv0", NULL, "vmbus");
	add_kind(&links, 7, "virt0", "dummy", "0000:01:00.0"); /* sysfs knows better */
	add_kind(&links, 8, "old", NULL, NULL); /* neither sysfs nor Linux 5.14: its driver knows */
	add_kind(&links, 9, "tap0", NULL, NULL);
	add_kind(&links, 10, "mv0", "macvlan", NULL);
	dump_write(&links, &t, "netlink/link.nl");
	tree_file(&t, "ethtool.txt", "old bus 0000:02:00.0\ntap0 bus tap\nmv0 bus 0000:02:00.0\n");
	tree_files(&t, "sys/devices/pci0000:00/0000:00:03.0/virtio0/net/eth0/speed", "-1\n",
		   "sys/devices/pci0000:00/0000:00:03.0/virtio0/vendor", "0x1af4\n",
		   "sys/devices/pci0000:00/0000:00:03.0/virtio0/device", "0x0001\n",
		   "sys/devices/virtual/net/virt0/speed", "10\n",
		   "sys/devices/LNXSYSTM:00/vmbus_0/net/hv0/speed", "50000\n", NULL);
	tree_link(&t, "sys/class/net/eth0",
		  "../../devices/pci0000:00/0000:00:03.0/virtio0/net/eth0");
	tree_link(&t, "sys/devices/pci0000:00/0000:00:03.0/virtio0/net/eth0/device",
		  "../../../virtio0");
	tree_link(&t, "sys/class/net/virt0", "../../devices/virtual/net/virt0");
	tree_link(&t, "sys/class/net/hv0", "../../devices/LNXSYSTM:00/vmbus_0/net/hv0");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	expect_type(inv, "lo", "device", "IFLA_INFO_KIND");
	expect_type(inv, "eth0", "physical", "sys/class/net");
	expect_type(inv, "tun0", "tuntap", "IFLA_INFO_KIND");
	expect_type(inv, "team0", "team", "IFLA_INFO_KIND");
	expect_type(inv, "moved", "physical", "IFLA_PARENT_DEV_NAME");
	expect_type(inv, "hv0", "physical", "sys/class/net");
	expect_type(inv, "virt0", "dummy", "IFLA_INFO_KIND");
	expect_type(inv, "old", "physical", "ETHTOOL_GDRVINFO");
	assert_string_equal(nic(inv, "old")->pci_address.s, "0000:02:00.0");
	expect_type(inv, "tap0", "device", "IFLA_INFO_KIND");
	expect_type(inv, "mv0", "macvlan", "IFLA_INFO_KIND");
	assert_int_equal(nic(inv, "eth0")->speed_mbps.v, -1); /* as the driver says it */
	assert_string_equal(nic(inv, "eth0")->vendor.s, "0x1af4");
	assert_string_equal(nic(inv, "eth0")->product.s, "0x0001");
	assert_null(nic(inv, "virt0")->vendor.s);
	assert_null(nic(inv, "moved")->speed_mbps.source);
	hwp_unref(inv);
	tree_done(&t);
}

static void add_flagged(struct dump *d, int ifindex, const char *name, unsigned flags, int carrier)
{
	struct nl_msg *m = link_message(ifindex, name);
	((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(m)))->ifi_flags = flags;
	nla_put_u32(m, IFLA_MTU, 1500);
	if (carrier >= 0)
		nla_put_u8(m, IFLA_CARRIER, (uint8_t)carrier);
	dump_add(d, m);
}

static void test_flags_and_carrier(void **state)
{
	static const char *const all[] = { "up",           "broadcast", "loopback",
					   "pointtopoint", "multicast", "running" };
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	add_flagged(&links, 1, "a", UINT32_MAX, 1);
	add_flagged(&links, 2, "b", 0, 1); /* down, but some drivers say 1 all the same */
	add_flagged(&links, 3, "c", IFF_UP, 0);
	add_flagged(&links, 4, "d", IFF_UP | IFF_PROMISC | IFF_MASTER, -1);
	dump_write(&links, &t, "netlink/link.nl");
	struct hwp_inventory *inv = tree_probe(&t, HWP_NICS);
	assert_int_equal(nic(inv, "a")->flags.n, 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(nic(inv, "a")->flags.v[i], all[i]);
	assert_true(nic(inv, "a")->has_carrier.v);
	assert_int_equal(nic(inv, "a")->mtu.v, 1500);
	assert_int_equal(nic(inv, "b")->flags.n, 0);
	assert_false(nic(inv, "b")->has_carrier.v);
	assert_false(nic(inv, "c")->has_carrier.v);
	assert_int_equal(nic(inv, "d")->flags.n, 1);
	assert_false(nic(inv, "d")->has_carrier.v);
	hwp_unref(inv);
	tree_done(&t);
}

/* The kernel lets names have any bytes but blanks, "/" and ":"; files have the same ones. */
static void test_odd_names(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "a%sb%n", "a%sb%n" },
		{ "q\"u'o\\te", "q\"u'o\\te" },
		{ "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac" },
		{ "b\xff\xfe", "b??" }, /* no UTF-8 */
		{ "...", "..." },
		{ "x\x01\x7f", "x\x01\x7f" },
	};
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[128], target[128];
		add_link(&links, 2 + (int)i, cases[i].name);
		snprintf(path, sizeof(path), "sys/class/net/%s", cases[i].name);
		snprintf(target, sizeof(target), "../../devices/platform/x%zu/net/%s", i,
			 cases[i].name);
		tree_link(&t, path, target);
		snprintf(path, sizeof(path), "sys/devices/platform/x%zu/net/%s/speed", i,
			 cases[i].name);
		tree_file(&t, path, "100\n");
	}
	dump_write(&links, &t, "netlink/link.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		assert_string_equal(n->name.s, cases[i].want);
		assert_string_equal(n->type.s, "physical");
		assert_int_equal(n->speed_mbps.v, 100);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* By index, whatever order the kernel has; names that are none are left out. */
static void test_order_and_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b" };
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	add_link(&links, 30, "z");
	add_link(&links, 4, "y");
	for (int i = 0; i < 4; i++)
		add_link(&links, 5 + i, bad[i]);
	struct nl_msg *m = nlmsg_alloc_simple(RTM_DELLINK, 0);
	struct ifinfomsg gone = { .ifi_index = 1 };
	nlmsg_append(m, &gone, sizeof(gone), NLMSG_ALIGNTO);
	nla_put_string(m, IFLA_IFNAME, "gone");
	dump_add(&links, m);
	add_link(&links, 10, "x");
	dump_write(&links, &t, "netlink/link.nl");
	struct hwp_inventory *inv = tree_probe(&t, HWP_NICS);
	assert_int_equal(hwp_nic_count(inv), 3);
	assert_string_equal(hwp_nic_at(inv, 0)->name.s, "y");
	assert_string_equal(hwp_nic_at(inv, 1)->name.s, "x");
	assert_string_equal(hwp_nic_at(inv, 2)->name.s, "z");
	assert_int_equal(hwp_nic_at(inv, 2)->ifindex.v, 30);
	hwp_unref(inv);
	tree_done(&t);
}

/* A member of a bond keeps its own address beside the one that all of them have. */
static void test_mac(void **state)
{
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	for (int i = 1; i <= 3; i++) {
		struct nl_msg *m = link_message(i, i == 1 ? "member" : i == 2 ? "port" : "asked");
		nla_put(m, IFLA_ADDRESS, 6, "\2\0\0\0\0\1");
		struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
		nla_put_string(m, IFLA_INFO_SLAVE_KIND, i == 2 ? "bridge" : "bond");
		struct nlattr *data = nla_nest_start(m, IFLA_INFO_SLAVE_DATA);
		nla_put(m, IFLA_BOND_SLAVE_PERM_HWADDR, 6, "\2\0\0\0\0\2");
		nla_nest_end(m, data);
		nla_nest_end(m, info);
		if (i == 3)
			nla_put_string(m, IFLA_PARENT_DEV_NAME, "0000:01:00.0");
		dump_add(&links, m);
	}
	dump_write(&links, &t, "netlink/link.nl");
	tree_file(&t, "ethtool.txt", "asked permaddr 02:00:00:00:00:03\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_NICS);
	assert_string_equal(nic(inv, "member")->mac_address.s, "02:00:00:00:00:02");
	assert_string_equal(nic(inv, "member")->mac_address.source, "IFLA_BOND_SLAVE_PERM_HWADDR");
	assert_string_equal(nic(inv, "member")->permanent_mac.s, "02:00:00:00:00:02");
	assert_string_equal(nic(inv, "port")->mac_address.s, "02:00:00:00:00:01");
	assert_null(nic(inv, "port")->permanent_mac.s);
	hwp_unref(inv);
	/* What the hardware has goes before what it had when it became a member. */
	inv = tree_probe_all(&t, HWP_NICS);
	assert_string_equal(nic(inv, "asked")->permanent_mac.s, "02:00:00:00:00:03");
	assert_string_equal(nic(inv, "asked")->permanent_mac.source, "ETHTOOL_GPERMADDR");
	assert_string_equal(nic(inv, "member")->permanent_mac.s, "02:00:00:00:00:02");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_text),          cmocka_unit_test(test_types),
		cmocka_unit_test(test_flags_and_carrier), cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_order_and_names),   cmocka_unit_test(test_mac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
