/* Speeds, duplex and port from ethtool's netlink replies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/ethtool.h>
#include "hwprobe/ethtool.h"
#include "tests/unit/hwprobe/messages.h"

static unsigned top(unsigned first, unsigned last)
{
	uint32_t words[5] = { 0 };
	for (unsigned bit = first; bit <= last; bit++)
		words[bit / 32] |= 1u << bit % 32;
	return ethtool_top_mbps(words, 5);
}

/* Numbers and names as in the kernel's header; each line is one kind of link mode. */
static void test_link_modes(void **state)
{
	static const struct {
		unsigned first, last, mbps;
	} cases[] = {
		{ 0, 1, 10 },         { 0, 3, 100 },         { 4, 5, 1000 },
		{ 6, 11, 0 },         { 13, 14, 0 },         { 16, 16, 0 },
		{ 15, 15, 2500 },     { 12, 12, 10000 },     { 22, 22, 20000 },
		{ 26, 26, 40000 },    { 30, 30, 56000 },     { 31, 31, 25000 },
		{ 40, 40, 50000 },    { 36, 36, 100000 },    { 41, 41, 1000 },
		{ 47, 47, 2500 },     { 48, 48, 5000 },      { 49, 51, 0 },
		{ 56, 56, 50000 },    { 61, 61, 100000 },    { 66, 66, 200000 },
		{ 67, 67, 100 },      { 73, 73, 400000 },    { 74, 74, 0 },
		{ 75, 79, 100000 },   { 89, 89, 400000 },    { 92, 92, 10 },
		{ 93, 98, 800000 },   { 103, 103, 200000 },  { 109, 109, 400000 },
		{ 120, 120, 800000 }, { 121, 124, 1600000 }, { 125, 159, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (top(cases[i].first, cases[i].last) != cases[i].mbps)
			fail_msg("%u-%u: %u, expected %u", cases[i].first, cases[i].last,
				 top(cases[i].first, cases[i].last), cases[i].mbps);
	/* The names that this header knows. */
	assert_int_equal(
		top(ETHTOOL_LINK_MODE_25000baseCR_Full_BIT, ETHTOOL_LINK_MODE_25000baseCR_Full_BIT),
		25000);
	assert_int_equal(top(ETHTOOL_LINK_MODE_100000baseSR4_Full_BIT,
			     ETHTOOL_LINK_MODE_100000baseSR4_Full_BIT),
			 100000);
	assert_int_equal(top(ETHTOOL_LINK_MODE_200000baseCR4_Full_BIT,
			     ETHTOOL_LINK_MODE_200000baseCR4_Full_BIT),
			 200000);
	assert_int_equal(top(ETHTOOL_LINK_MODE_400000baseDR8_Full_BIT,
			     ETHTOOL_LINK_MODE_400000baseDR8_Full_BIT),
			 400000);
	/* A kernel with fewer words. */
	const uint32_t one = 1u << 5;
	assert_int_equal(ethtool_top_mbps(&one, 1), 1000);
	assert_int_equal(ethtool_top_mbps(&one, 0), 0);
}

static void add_modes(struct dump *d, uint32_t ifindex, uint32_t mbps, uint8_t duplex,
		      const uint32_t supported[4])
{
	struct nl_msg *m = ethtool_message(ETHTOOL_MSG_LINKMODES_GET_REPLY, ifindex);
	if (supported) {
		static const uint32_t advertised[4] = { 1u << 5 };
		struct nlattr *ours = nla_nest_start(m, ETHTOOL_A_LINKMODES_OURS);
		nla_put_u32(m, ETHTOOL_A_BITSET_SIZE, 93);
		nla_put(m, ETHTOOL_A_BITSET_VALUE, 16, advertised);
		nla_put(m, ETHTOOL_A_BITSET_MASK, 16, supported);
		nla_nest_end(m, ours);
	}
	nla_put_u32(m, ETHTOOL_A_LINKMODES_SPEED, mbps);
	nla_put_u8(m, ETHTOOL_A_LINKMODES_DUPLEX, duplex);
	dump_add(d, m);
}

static void add_port(struct dump *d, uint32_t ifindex, uint8_t port)
{
	struct nl_msg *m = ethtool_message(ETHTOOL_MSG_LINKINFO_GET_REPLY, ifindex);
	nla_put_u8(m, ETHTOOL_A_LINKINFO_PORT, port);
	dump_add(d, m);
}

static void test_replies(void **state)
{
	/* 25000baseCR and 1000baseT */
	static const uint32_t supported[4] = { 1u << 31 | 1u << 5 }, nothing[4] = { 1u << 6 };
	struct tree t;
	struct dump links = { 0 }, modes = { 0 }, ports = { 0 };
	tree_init(&t);
	for (int i = 1; i <= 5; i++)
		add_link(&links, i, (const char[]){ 'e', (char)('0' + i), '\0' });
	add_modes(&modes, 1, 1000, DUPLEX_FULL, supported);
	add_modes(&modes, 2, UINT32_MAX, DUPLEX_UNKNOWN, NULL);
	add_modes(&modes, 3, 0xffff, DUPLEX_HALF, nothing);
	add_modes(&modes, 4, 0, DUPLEX_FULL, NULL);
	add_modes(&modes, 99, 1000, DUPLEX_FULL, supported);
	add_port(&modes, 5, PORT_TP); /* another kind of reply in this dump */
	add_port(&ports, 1, PORT_DA);
	add_port(&ports, 2, PORT_FIBRE);
	add_port(&ports, 3, PORT_OTHER);
	dump_write(&links, &t, "netlink/link.nl");
	dump_write(&modes, &t, "netlink/ethtool-linkmodes.nl");
	dump_write(&ports, &t, "netlink/ethtool-linkinfo.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	assert_int_equal(nic(inv, "e1")->speed_current_mbps.v, 1000);
	assert_int_equal(nic(inv, "e1")->speed_max_mbps.v, 25000);
	assert_string_equal(nic(inv, "e1")->speed_max_mbps.source, "ETHTOOL_A_LINKMODES_OURS");
	assert_string_equal(nic(inv, "e1")->duplex.s, "full");
	assert_string_equal(nic(inv, "e1")->port.s, "da");
	assert_null(nic(inv, "e2")->speed_current_mbps.source);
	assert_null(nic(inv, "e2")->duplex.s);
	assert_string_equal(nic(inv, "e2")->port.s, "fibre");
	assert_null(nic(inv, "e3")->speed_current_mbps.source);
	assert_null(nic(inv, "e3")->speed_max_mbps.source);
	assert_string_equal(nic(inv, "e3")->duplex.s, "half");
	assert_null(nic(inv, "e3")->port.s);
	assert_null(nic(inv, "e4")->speed_current_mbps.source);
	assert_null(nic(inv, "e5")->duplex.s);
	assert_null(nic(inv, "e5")->port.s);
	hwp_unref(inv);
	tree_done(&t);
}

/* Whether there is a link, and why not. */
static void test_states(void **state)
{
	static const struct {
		int link, fault; /* -1 = the driver does not say */
		const char *text;
	} cases[] = {
		{ 1, -1, NULL },
		{ 0, -1, NULL },
		{ 0, ETHTOOL_LINK_EXT_STATE_NO_CABLE, "no cable" },
		{ 0, ETHTOOL_LINK_EXT_STATE_AUTONEG, "autoneg" },
		{ 0, 200, NULL }, /* of a kernel to come */
		{ -1, -1, NULL },
	};
	struct tree t;
	struct dump links = { 0 }, states = { 0 };
	tree_init(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nl_msg *m = ethtool_message(ETHTOOL_MSG_LINKSTATE_GET_REPLY, 1 + i);
		add_link(&links, 1 + (int)i, (const char[]){ 'e', (char)('0' + i), '\0' });
		if (cases[i].link >= 0)
			nla_put_u8(m, ETHTOOL_A_LINKSTATE_LINK, (uint8_t)cases[i].link);
		if (cases[i].fault >= 0)
			nla_put_u8(m, ETHTOOL_A_LINKSTATE_EXT_STATE, (uint8_t)cases[i].fault);
		dump_add(&states, m);
	}
	dump_write(&links, &t, "netlink/link.nl");
	dump_write(&states, &t, "netlink/ethtool-linkstate.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hwp_nic *n = hwp_nic_at(inv, i);
		print_message("%s\n", n->name.s);
		assert_int_equal(n->has_link.source != NULL, cases[i].link >= 0);
		assert_int_equal(n->has_link.v, cases[i].link == 1);
		if (cases[i].text)
			assert_string_equal(n->link_fault.s, cases[i].text);
		else
			assert_null(n->link_fault.s);
	}
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_link_modes),
					    cmocka_unit_test(test_replies),
					    cmocka_unit_test(test_states) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
