/* What only the full format shows, from files and messages made here: each value and where it came from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include "hwprobe/efi_option.h"
#include "tests/unit/hwprobe/tree.h"

static struct hwp_inventory *probe_all(struct tree *t, unsigned parts)
{
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .parts = parts, .flags = HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	assert_int_equal(hwp_errors(inv, NULL), 0);
	return inv;
}

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"

/* Two sockets of two cores; both number their cores 0 and 1; CPU 3 is off and has no topology folder. */
static void test_cpu(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, CPU "present", "0-4\n", CPU "online", "0-2,4\n",
		   CPU "cpu0/topology/physical_package_id", "0\n", CPU "cpu0/topology/core_id",
		   "0\n", CPU "cpu1/topology/physical_package_id", "0\n",
		   CPU "cpu1/topology/core_id", "1\n", CPU "cpu2/topology/physical_package_id",
		   "1\n", CPU "cpu2/topology/core_id", "0\n",
		   CPU "cpu4/topology/physical_package_id", "1\n", CPU "cpu4/topology/core_id",
		   "0\n", CPU "cpu3/online", "0\n", CPU "cpufreq/policy0/base_frequency",
		   "2100000\n", CPU "cpufreq/policy0/cpuinfo_max_freq", "3900000\n", NODE "online",
		   "0,2\n", NODE "node0/cpulist", "0-1\n", NODE "node0/meminfo",
		   "\nNode 0 MemTotal:       1024 kB\n", NODE "node2/cpulist", "2-4\n", NULL);
	struct hwp_inventory *inv = probe_all(&t, HWP_CPU);
	const struct hwp_cpu *c = hwp_get_cpu(inv);
	assert_int_equal(c->count.v, 5);
	assert_int_equal(c->offline.v, 1);
	assert_int_equal(c->sockets.v, 2);
	assert_int_equal(c->cores.v, 3);
	assert_int_equal(c->threads.v, 4);
	assert_true(c->base_mhz.v == 2100 && c->frequency_mhz.v == 3900);
	assert_int_equal(c->numa_nodes.v, 2);
	assert_int_equal(c->numa_count, 2);
	assert_int_equal(c->numa[0].memory_bytes.v, 1024 * 1024);
	assert_int_equal(c->numa[1].id.v, 2);
	assert_string_equal(c->numa[1].cpus.s, "2-4");
	assert_string_equal(c->numa[1].cpus.source, NODE "node2/cpulist");
	assert_null(c->numa[1].memory_bytes.source);
	hwp_unref(inv);
	tree_done(&t);
}

#define HUGE "sys/kernel/mm/hugepages/"

static void test_memory(void **state)
{
	static const uint8_t table[] = {
		/* array: system memory, multi-bit ECC */
		16, 0x0f, 0, 0x10, 3, 3, 6, 0, 0, 0, 2, 0xfe, 0xff, 2, 0, 0, 0,
		/* a module of 16 GiB, DDR4, 3200 MT/s */
		17, 0x1b, 1, 0x11, 0, 0x10, 0xfe, 0xff, 72, 0, 64, 0, 0, 0x40, 9, 0, 1, 2, 0x1a, 0,
		0, 0x80, 0x0c, 3, 4, 0, 5, 'A', '1', 0, 'P', '0', 0, 'A', 'C', 'M', 'E', 0, 'S',
		'N', '7', 0, 'P', 'N', ' ', ' ', 0, 0,
		/* an empty slot, of which a vendor says "NO DIMM" */
		17, 0x1b, 2, 0x11, 0, 0x10, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 2, 0, 0, 0, 0,
		2, 2, 0, 2, 'B', '1', 0, 'N', 'O', ' ', 'D', 'I', 'M', 'M', 0, 0, 127, 4, 3, 0x11,
		0, 0
	};
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", table, sizeof(table));
	tree_files(&t, "proc/meminfo",
		   "MemTotal: 1024 kB\nSwapTotal:  2048 kB\nHugepagesize:  2048 kB\n",
		   HUGE "hugepages-2048kB/nr_hugepages", "8\n",
		   HUGE "hugepages-2048kB/free_hugepages", "5\n", HUGE "hugepages-x/nr_hugepages",
		   "8\n", HUGE "hugepages-1048576kB/nr_hugepages", "0\n", NULL);
	struct hwp_inventory *inv = probe_all(&t, HWP_MEMORY);
	const struct hwp_memory *m = hwp_get_memory(inv);
	assert_string_equal(m->error_correction.s, "multi-bit ECC");
	assert_int_equal(m->swap_bytes.v, 2048 * 1024);
	assert_int_equal(m->default_hugepage_bytes.v, 2048 * 1024);
	assert_int_equal(m->dimm_count, 2);
	assert_int_equal(m->dimms[0].size_bytes.v, 16LL << 30);
	assert_int_equal(m->dimms[0].speed_mts.v, 3200);
	assert_string_equal(m->dimms[0].type.s, "DDR4");
	assert_string_equal(m->dimms[0].locator.s, "A1");
	assert_string_equal(m->dimms[0].bank.s, "P0");
	assert_string_equal(m->dimms[0].manufacturer.s, "ACME");
	assert_string_equal(m->dimms[0].serial_number.s, "SN7");
	assert_string_equal(m->dimms[0].part_number.s, "PN");
	assert_string_equal(m->dimms[1].locator.s, "B1");
	assert_int_equal(m->dimms[1].size_bytes.v, 0);
	assert_null(m->dimms[1].manufacturer.s);
	assert_int_equal(m->hugepages_count, 2);
	assert_int_equal(m->hugepages[0].size_bytes.v, 2 << 20);
	assert_int_equal(m->hugepages[0].free.v, 5);
	assert_null(m->hugepages[0].surplus.source);
	assert_int_equal(m->hugepages[1].size_bytes.v, 1 << 30);
	hwp_unref(inv);
	tree_done(&t);
}

/* --- messages ------------------------------------------------------------------------------------------------- */

struct dump {
	char data[8192];
	size_t len;
};

static void dump_add(struct dump *d, struct nl_msg *m)
{
	size_t len = NLMSG_ALIGN(nlmsg_hdr(m)->nlmsg_len);
	assert_true(d->len + len <= sizeof(d->data));
	memcpy(d->data + d->len, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
	d->len += len;
	nlmsg_free(m);
}

static struct nl_msg *link_message(int ifindex, const char *name)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct ifinfomsg i = { .ifi_index = ifindex };
	assert_int_equal(nlmsg_append(m, &i, sizeof(i), NLMSG_ALIGNTO), 0);
	assert_int_equal(nla_put_string(m, IFLA_IFNAME, name), 0);
	return m;
}

static void add_bond(struct dump *d)
{
	struct nl_msg *m = link_message(5, "bond0");
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "bond");
	struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
	nla_put_u8(m, IFLA_BOND_MODE, 1);
	nla_put_u32(m, IFLA_BOND_ACTIVE_SLAVE, 3);
	nla_put_u32(m, IFLA_BOND_PRIMARY, 2);
	nla_put_u32(m, IFLA_BOND_MIIMON, 100);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	dump_add(d, m);
}

static void add_vlan(struct dump *d)
{
	struct nl_msg *m = link_message(6, "bond0.42");
	nla_put_u32(m, IFLA_LINK, 5);
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "vlan");
	struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
	nla_put_u16(m, IFLA_VLAN_ID, 42);
	nla_put(m, IFLA_VLAN_PROTOCOL, 2, "\x88\xa8");
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	nla_put_u32(m, IFLA_MASTER, 7);
	dump_add(d, m);
}

static void add_bridge(struct dump *d)
{
	struct nl_msg *m = link_message(7, "br0");
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
	nla_put_u8(m, IFLA_BR_VLAN_FILTERING, 1);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	dump_add(d, m);
}

static void add_ports(struct dump *d)
{
	for (int i = 2; i <= 3; i++) {
		struct nl_msg *m = link_message(i, i == 2 ? "eno1" : "eno2");
		nla_put_u32(m, IFLA_MASTER, 5);
		nla_put(m, IFLA_PERM_ADDRESS, 6, "\x02\0\0\0\0\2");
		struct nlattr *list = nla_nest_start(m, IFLA_PROP_LIST);
		nla_put_string(m, IFLA_ALT_IFNAME, i == 2 ? "enp1s0f0" : "enp1s0f1");
		nla_nest_end(m, list);
		dump_add(d, m);
	}
}

static void add_speed(struct dump *d, uint32_t ifindex, uint32_t mbps, uint8_t duplex)
{
	struct nl_msg *m = nlmsg_alloc_simple(0x15, 0);
	struct genlmsghdr g = { .cmd = ETHTOOL_MSG_LINKMODES_GET_REPLY, .version = 1 };
	nlmsg_append(m, &g, sizeof(g), NLMSG_ALIGNTO);
	struct nlattr *header = nla_nest_start(m, ETHTOOL_A_LINKMODES_HEADER);
	nla_put_u32(m, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	nla_nest_end(m, header);
	nla_put_u32(m, ETHTOOL_A_LINKMODES_SPEED, mbps);
	nla_put_u8(m, ETHTOOL_A_LINKMODES_DUPLEX, duplex);
	dump_add(d, m);
}

static void add_address(struct dump *d, int family, uint32_t flags, uint32_t valid_s)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct ifaddrmsg a = { .ifa_family = (uint8_t)family, .ifa_prefixlen = 24, .ifa_index = 6 };
	struct ifa_cacheinfo cache = { .ifa_valid = valid_s };
	nlmsg_append(m, &a, sizeof(a), NLMSG_ALIGNTO);
	nla_put(m, family == AF_INET ? IFA_LOCAL : IFA_ADDRESS, family == AF_INET ? 4 : 16,
		"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	nla_put_u32(m, IFA_FLAGS, flags);
	nla_put(m, IFA_CACHEINFO, sizeof(cache), &cache);
	dump_add(d, m);
}

static const struct hwp_nic *nic(const struct hwp_inventory *inv, const char *name)
{
	for (size_t i = 0; i < hwp_nic_count(inv); i++)
		if (!strcmp(hwp_nic_at(inv, i)->name.s, name))
			return hwp_nic_at(inv, i);
	fail_msg("no interface %s", name);
	return NULL;
}

#define PF "sys/devices/pci0000:00/0000:01:00.0"
#define VF "sys/devices/pci0000:00/0000:01:10.1"

static void write_network(struct tree *t)
{
	struct dump links = { 0 }, speeds = { 0 }, addresses = { 0 };
	add_ports(&links);
	add_bond(&links);
	add_vlan(&links);
	add_bridge(&links);
	add_speed(&speeds, 2, 25000, 1);
	add_speed(&speeds, 3, UINT32_MAX, 0xff);
	add_speed(&speeds, 5, 0xffff, 0);
	add_speed(&speeds, 99, 1000, 1);
	add_address(&addresses, AF_INET, IFA_F_PERMANENT | IFA_F_SECONDARY, UINT32_MAX);
	add_address(&addresses, AF_INET6, IFA_F_TENTATIVE | IFA_F_DADFAILED, 300);
	tree_write(t, "netlink/link.nl", links.data, links.len);
	tree_write(t, "netlink/addr.nl", addresses.data, addresses.len);
	tree_write(t, "netlink/ethtool-linkmodes.nl", speeds.data, speeds.len);
	tree_files(t, PF "/numa_node", "1\n", PF "/sriov_totalvfs", "64\n", PF "/sriov_numvfs",
		   "2\n", PF "/net/eno1/x", "", VF "/net/eno2/x", "", VF "/numa_node", "-1\n",
		   NULL);
	tree_link(t, "sys/class/net/eno1", "../../devices/pci0000:00/0000:01:00.0/net/eno1");
	tree_link(t, "sys/class/net/eno2", "../../devices/pci0000:00/0000:01:10.1/net/eno2");
	tree_link(t, PF "/net/eno1/device", "../../../0000:01:00.0");
	tree_link(t, VF "/net/eno2/device", "../../../0000:01:10.1");
	tree_link(t, VF "/physfn", "../0000:01:00.0");
}

static void check_ports(const struct hwp_inventory *inv)
{
	const struct hwp_nic *a = nic(inv, "eno1"), *b = nic(inv, "eno2");
	assert_string_equal(a->master.s, "bond0");
	assert_string_equal(a->permanent_mac.s, "02:00:00:00:00:02");
	assert_string_equal(a->permanent_mac.source, "IFLA_PERM_ADDRESS");
	assert_int_equal(a->alt_names.n, 1);
	assert_string_equal(a->alt_names.v[0], "enp1s0f0");
	assert_string_equal(a->pci_address.s, "0000:01:00.0");
	assert_int_equal(a->numa_node.v, 1);
	assert_int_equal(a->sriov_total.v, 64);
	assert_int_equal(a->sriov_vfs.v, 2);
	assert_null(a->sriov_pf.s);
	assert_int_equal(a->speed_current_mbps.v, 25000);
	assert_string_equal(a->duplex.s, "full");
	assert_string_equal(b->sriov_pf.s, "0000:01:00.0");
	assert_null(b->numa_node.source);
	assert_null(b->speed_current_mbps.source);
	assert_null(b->duplex.s);
}

static void check_upper(const struct hwp_inventory *inv)
{
	const struct hwp_nic *bond = nic(inv, "bond0"), *vlan = nic(inv, "bond0.42"),
			     *bridge = nic(inv, "br0");
	assert_string_equal(bond->bond_mode.s, "active-backup");
	assert_string_equal(bond->bond_active.s, "eno2");
	assert_string_equal(bond->bond_primary.s, "eno1");
	assert_int_equal(bond->bond_miimon_ms.v, 100);
	assert_int_equal(bond->members.n, 2);
	assert_string_equal(bond->members.v[1], "eno2");
	assert_null(bond->speed_current_mbps.source);
	assert_string_equal(bond->duplex.s, "half");
	assert_int_equal(vlan->vlan_id.v, 42);
	assert_string_equal(vlan->vlan_protocol.s, "802.1ad");
	assert_string_equal(vlan->lower.s, "bond0");
	assert_int_equal(bridge->members.n, 1);
	assert_true(bridge->bridge_vlan_filtering.v);
	assert_null(vlan->bridge_vlan_filtering.source);
}

static void check_addresses(const struct hwp_nic *n)
{
	assert_int_equal(n->ipv6_addresses.n, 0); /* it is another machine's */
	assert_int_equal(n->address_count, 2);
	const struct hwp_address *a = &n->addresses[0], *b = &n->addresses[1];
	assert_string_equal(a->address.s, "32.1.13.184/24");
	assert_int_equal(a->flags.n, 2);
	assert_string_equal(a->flags.v[0], "secondary");
	assert_string_equal(a->flags.v[1], "permanent");
	assert_null(a->valid_s.source);
	assert_string_equal(b->address.s, "2001:db8::1/24");
	assert_string_equal(b->flags.v[0], "dadfailed");
	assert_string_equal(b->flags.v[1], "tentative");
	assert_int_equal(b->valid_s.v, 300);
}

static void test_network(void **state)
{
	struct tree t;
	tree_init(&t);
	write_network(&t);
	struct hwp_inventory *inv = probe_all(&t, HWP_NICS);
	assert_int_equal(hwp_nic_count(inv), 5);
	check_ports(inv);
	check_upper(inv);
	check_addresses(nic(inv, "bond0.42"));
	hwp_unref(inv);

	/* The wire format has none of it and costs none of the reads. */
	inv = tree_probe(&t, HWP_NICS);
	assert_null(nic(inv, "bond0")->bond_mode.s);
	assert_int_equal(nic(inv, "bond0.42")->address_count, 0);
	hwp_unref(inv);
	tree_done(&t);
}

/* --- boot ----------------------------------------------------------------------------------------------------- */

#define GUID "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFIVARS "sys/firmware/efi/efivars/"

/* "PXE", a PCI node, a MAC node. */
static const uint8_t pxe_option[] = { 7,  0, 0,    0, /* attributes that efivarfs puts in front */
				      1,  0, 0,    0,    6 + 37 + 4, 0,    'P',  0,    'X', 0, 'E',
				      0,  0, 0,    1,    1,          6,    0,    0,    3,   3, 11,
				      37, 0, 0x52, 0x54, 0,          0x12, 0x34, 0x56, 0,   0, 0,
				      0,  0, 0,    0,    0,          0,    0,    0,    0,   0, 0,
				      0,  0, 0,    0,    0,          0,    0,    0,    0,   0, 0,
				      0,  1, 0x7f, 0xff, 4,          0 };

static void expect_pxe(struct tree *t, const char *mac, const char *source, const char *entry)
{
	struct hwp_inventory *inv = probe_all(t, HWP_BOOT);
	const struct hwp_boot *b = hwp_get_boot(inv);
	if (mac) {
		assert_string_equal(b->pxe_mac.s, mac);
		assert_string_equal(b->pxe_mac.source, source);
	} else {
		assert_null(b->pxe_mac.s);
	}
	if (entry)
		assert_string_equal(b->boot_entry.s, entry);
	else
		assert_null(b->boot_entry.s);
	hwp_unref(inv);
}

static void test_boot(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "proc/cmdline", "quiet BOOTIF=01-0C-42-a1-00-00-10\n");
	expect_pxe(&t, "0c:42:a1:00:00:10", "proc/cmdline BOOTIF", NULL);
	tree_file(&t, "proc/cmdline", "BOOTIF=eth0\n");
	expect_pxe(&t, NULL, NULL, NULL);
	tree_write(&t, EFIVARS "BootCurrent" GUID, "\6\0\0\0\x0a\0", 6);
	expect_pxe(&t, NULL, NULL, NULL);
	tree_write(&t, EFIVARS "Boot000A" GUID, pxe_option, sizeof(pxe_option));
	expect_pxe(&t, "52:54:00:12:34:56", EFIVARS "Boot000A" GUID, "PXE");
	tree_file(&t, "proc/cmdline", "BOOTIF=01-0c-42-a1-00-00-10\n");
	expect_pxe(&t, "0c:42:a1:00:00:10", "proc/cmdline BOOTIF", "PXE");
	tree_done(&t);
}

/* Cut anywhere it is refused, and nothing behind its end is read. */
static void test_boot_entry_cut(void **state)
{
	struct efi_option o;
	size_t len = sizeof(pxe_option) - 4;
	assert_int_equal(efi_option_parse(pxe_option + 4, len, &o), 0);
	assert_true(o.has_mac);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		memcpy(copy, pxe_option + 4, n);
		assert_int_equal(efi_option_parse(copy, n, &o), -EBADMSG);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_boot_entry_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
