/* SR-IOV: which virtual functions a physical one has and how it has set them up; whose virtual function an interface is. */
#include <linux/if_link.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"

enum { VFS_MAX = 4096 };

static const char *const link_states[] = {
	[IFLA_VF_LINK_STATE_AUTO] = "auto",
	[IFLA_VF_LINK_STATE_ENABLE] = "enable",
	[IFLA_VF_LINK_STATE_DISABLE] = "disable",
};

/* All of these attributes are pairs of the function's number and a value (struct ifla_vf_spoofchk and the like). */
static bool pair_value(const struct nlattr *a, uint32_t *ret)
{
	struct ifla_vf_spoofchk pair;
	if (!a || nla_len(a) < (int)sizeof(pair))
		return false;
	memcpy(&pair, nla_data(a), sizeof(pair));
	*ret = pair.setting;
	return true;
}

static void put_setting(struct survey *s, struct hwp_bool *dst, const struct nlattr *a,
			const char *source)
{
	uint32_t value;
	/* All ones: the driver cannot tell. */
	if (pair_value(a, &value) && value != UINT32_MAX)
		put_bool(s, dst, value != 0, source);
}

static void find_vf(struct survey *s, struct hwp_nic *n, const char *dir, struct hwp_vf **list,
		    const struct nlattr *info)
{
	struct nlattr *tb[IFLA_VF_MAX + 1];
	nlattr_nested(tb, IFLA_VF_MAX, info);
	const struct nlattr *a = tb[IFLA_VF_MAC];
	if (!a || nla_len(a) < (int)sizeof(struct ifla_vf_mac) || n->vf_count == VFS_MAX)
		return;
	const struct ifla_vf_mac *mac = nla_data(a);
	struct hwp_vf *vf = arena_append(s->mem, list, &n->vf_count, sizeof(*vf));
	if (!vf)
		return;
	n->vfs = *list;
	char text[64];
	uint32_t state;
	put_num(s, &vf->index, mac->vf, "IFLA_VF_MAC");
	put_str(s, &vf->mac_address, mac_text(mac->mac, 6, text, sizeof(text)), "IFLA_VF_MAC");
	put_str(s, &vf->pci_address,
		dir ? attr_link_name(s, "%s/device/virtfn%u", dir, mac->vf) : NULL,
		"device/virtfn");
	if (tb[IFLA_VF_VLAN] && nla_len(tb[IFLA_VF_VLAN]) >= (int)sizeof(struct ifla_vf_vlan)) {
		const struct ifla_vf_vlan *vlan = nla_data(tb[IFLA_VF_VLAN]);
		if (vlan->vlan)
			put_num(s, &vf->vlan_id, vlan->vlan, "IFLA_VF_VLAN");
	}
	put_setting(s, &vf->spoof_check, tb[IFLA_VF_SPOOFCHK], "IFLA_VF_SPOOFCHK");
	put_setting(s, &vf->trusted, tb[IFLA_VF_TRUST], "IFLA_VF_TRUST");
	if (pair_value(tb[IFLA_VF_LINK_STATE], &state) && state < ARRAY_SIZE(link_states))
		put_str(s, &vf->link_state, link_states[state], "IFLA_VF_LINK_STATE");
}

/* Of a virtual function: which of the physical one's links virtfn0, virtfn1, … leads here. */
static void find_index(struct survey *s, struct hwp_nic *n, const char *dir)
{
	int64_t count = 0;
	if (!n->pci_address.s || attr_num(s, &count, "%s/device/physfn/sriov_numvfs", dir) < 0)
		return;
	for (int64_t i = 0; i < count && i < VFS_MAX; i++) {
		char *name = attr_link_name(s, "%s/device/physfn/virtfn%lld", dir, (long long)i);
		if (name && !strcmp(name, n->pci_address.s)) {
			put_num(s, &n->sriov_vf_index, i, "device/physfn/virtfn");
			return;
		}
	}
}

static void find_numbers(struct survey *s, struct hwp_nic *n, const char *dir)
{
	put_attr_num(s, &n->sriov_total, "%s/device/sriov_totalvfs", dir);
	put_attr_num(s, &n->sriov_vfs, "%s/device/sriov_numvfs", dir);
	if (put_str(s, &n->sriov_pf, attr_link_name(s, "%s/device/physfn", dir), "device/physfn"))
		find_index(s, n, dir);
}

void nic_find_functions(struct survey *s, struct hwp_nic *n, const struct nlattr *list)
{
	const char *dir = nic_dir(s, n);
	if (dir)
		find_numbers(s, n, dir);
	if (!list)
		return;
	struct hwp_vf *vfs = NULL;
	int left = nla_len(list);
	for (struct nlattr *a = nla_data(list); nla_ok(a, left); a = nla_next(a, &left))
		if (nla_type(a) == IFLA_VF_INFO)
			find_vf(s, n, dir, &vfs, a);
}
