/* Virtual functions: what the physical one says of them, and how one of them is known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

#define PF "sys/devices/pci0000:00/0000:01:00.0"
#define VF "sys/devices/pci0000:00/0000:01:10.1"

static void put_vf(struct nl_msg *m, uint32_t vf, const char *mac, uint32_t vlan, uint32_t spoof,
		   uint32_t state)
{
	struct ifla_vf_mac address = { .vf = vf };
	struct ifla_vf_vlan tag = { .vf = vf, .vlan = vlan };
	struct ifla_vf_spoofchk check = { .vf = vf, .setting = spoof };
	struct ifla_vf_link_state link = { .vf = vf, .link_state = state };
	struct ifla_vf_trust trust = { .vf = vf, .setting = vf };
	struct nlattr *info = nla_nest_start(m, IFLA_VF_INFO);
	memcpy(address.mac, mac, 6);
	nla_put(m, IFLA_VF_MAC, sizeof(address), &address);
	nla_put(m, IFLA_VF_VLAN, sizeof(tag), &tag);
	nla_put(m, IFLA_VF_SPOOFCHK, sizeof(check), &check);
	nla_put(m, IFLA_VF_LINK_STATE, sizeof(link), &link);
	nla_put(m, IFLA_VF_TRUST, sizeof(trust), &trust);
	nla_nest_end(m, info);
}

static void write_machine(struct tree *t)
{
	struct dump links = { 0 };
	struct nl_msg *m = link_message(2, "eno1");
	struct nlattr *list = nla_nest_start(m, IFLA_VFINFO_LIST);
	put_vf(m, 0, "\x02\0\0\0\0\7", 100, 1, IFLA_VF_LINK_STATE_AUTO);
	put_vf(m, 1, "\0\0\0\0\0\0", 0, UINT32_MAX, IFLA_VF_LINK_STATE_DISABLE);
	/* one without an address says of nobody what it says */
	struct nlattr *info = nla_nest_start(m, IFLA_VF_INFO);
	nla_put(m, IFLA_VF_MAC, 8, "\2\0\0\0\2\2\2\2");
	nla_nest_end(m, info);
	nla_nest_end(m, list);
	dump_add(&links, m);
	add_link(&links, 3, "eno1v1");
	dump_write(&links, t, "netlink/link.nl");
	tree_files(t, PF "/sriov_totalvfs", "64\n", PF "/sriov_numvfs", "2\n", PF "/net/eno1/x", "",
		   VF "/net/eno1v1/x", "", NULL);
	tree_link(t, "sys/class/net/eno1", "../../devices/pci0000:00/0000:01:00.0/net/eno1");
	tree_link(t, "sys/class/net/eno1v1", "../../devices/pci0000:00/0000:01:10.1/net/eno1v1");
	tree_link(t, PF "/net/eno1/device", "../../../0000:01:00.0");
	tree_link(t, VF "/net/eno1v1/device", "../../../0000:01:10.1");
	tree_link(t, VF "/physfn", "../0000:01:00.0");
	tree_link(t, PF "/virtfn0", "../0000:01:10.0");
	tree_link(t, PF "/virtfn1", "../0000:01:10.1");
}

static void test_functions(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	const struct hwp_nic *pf = nic(inv, "eno1"), *vf = nic(inv, "eno1v1");
	assert_int_equal(pf->sriov_total.v, 64);
	assert_int_equal(pf->sriov_vfs.v, 2);
	assert_null(pf->sriov_pf.s);
	assert_null(pf->sriov_vf_index.source);
	assert_int_equal(pf->vf_count, 2);
	assert_int_equal(pf->vfs[0].index.v, 0);
	assert_string_equal(pf->vfs[0].mac_address.s, "02:00:00:00:00:07");
	assert_string_equal(pf->vfs[0].pci_address.s, "0000:01:10.0");
	assert_int_equal(pf->vfs[0].vlan_id.v, 100);
	assert_true(pf->vfs[0].spoof_check.v);
	assert_false(pf->vfs[0].trusted.v);
	assert_string_equal(pf->vfs[0].trusted.source, "IFLA_VF_TRUST");
	assert_string_equal(pf->vfs[0].link_state.s, "auto");
	assert_int_equal(pf->vfs[1].index.v, 1);
	assert_null(pf->vfs[1].mac_address.s); /* none was given yet */
	assert_string_equal(pf->vfs[1].pci_address.s, "0000:01:10.1");
	assert_null(pf->vfs[1].vlan_id.source);
	assert_null(pf->vfs[1].spoof_check.source); /* the driver cannot tell */
	assert_true(pf->vfs[1].trusted.v);
	assert_string_equal(pf->vfs[1].link_state.s, "disable");

	assert_string_equal(vf->sriov_pf.s, "0000:01:00.0");
	assert_int_equal(vf->sriov_vf_index.v, 1);
	assert_int_equal(vf->vf_count, 0);
	assert_null(vf->sriov_total.source);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_functions) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
