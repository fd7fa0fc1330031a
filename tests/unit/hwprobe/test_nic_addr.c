/* Which addresses the wire format shows, in which order and with which prefix. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

static struct hwp_inventory *probe(struct tree *t, const struct address_args *list,
				   const struct route_args *routes)
{
	struct dump links = { 0 }, addresses = { 0 }, v6 = { 0 };
	add_link(&links, 2, "eth0");
	add_link(&links, 3, "eth1");
	for (; list->text; list++)
		add_address(&addresses, *list);
	for (; routes && routes->ifindex; routes++)
		add_route(&v6, *routes);
	dump_write(&links, t, "netlink/link.nl");
	dump_write(&addresses, t, "netlink/addr.nl");
	dump_write(&v6, t, "netlink/route6.nl");
	return tree_probe(t, HWP_NICS);
}

static void expect_list(const struct hwp_strs *got, const char *const *want)
{
	for (size_t i = 0; i < got->n; i++) {
		assert_non_null(want[i]);
		assert_string_equal(got->v[i], want[i]);
	}
	assert_null(want[got->n]);
}

/* Link-local ones are left out, those of which another machine has the address, too; what should not be chosen comes last. */
static void test_which_and_in_which_order(void **state)
{
	static const struct address_args list[] = {
		{ 2, "169.254.1.2", 16 },
		{ 2, "192.0.2.6", 24, IFA_F_DEPRECATED },
		{ 2, "192.0.2.9", 24, IFA_F_SECONDARY },
		{ 2, "192.0.2.7", 24, IFA_F_PERMANENT },
		{ 2, "fe80::1", 64 },
		{ 2, "2001:db8::dead", 64, IFA_F_TENTATIVE | IFA_F_DADFAILED },
		{ 2, "2001:db8::1", 64, IFA_F_TEMPORARY },
		{ 2, "2001:db8::2", 64, IFA_F_DEPRECATED },
		{ 2, "2001:db8::3", 64, IFA_F_TENTATIVE },
		{ 2, "fec0::4", 64 },
		{ 3, "127.0.0.1", 8 },
		{ 3, "::1", 128 },
		{ 9, "192.0.2.99", 24 },
		{ 0 },
	};
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = probe(&t, list, NULL);
	const struct hwp_nic *a = nic(inv, "eth0"), *b = nic(inv, "eth1");
	expect_list(&a->ipv4_addresses,
		    (const char *const[]){ "192.0.2.9/24", "192.0.2.7/24", "192.0.2.6/24", NULL });
	expect_list(&a->ipv6_addresses,
		    (const char *const[]){ "2001:db8::3/64", "fec0::4/64", "2001:db8::1/64",
					   "2001:db8::2/64", NULL });
	expect_list(&b->ipv4_addresses, (const char *const[]){ "127.0.0.1/8", NULL });
	expect_list(&b->ipv6_addresses, (const char *const[]){ "::1/128", NULL });
	hwp_unref(inv);
	tree_done(&t);
}

static void test_prefix(void **state)
{
	static const struct {
		struct route_args routes[4];
		const char *want;
	} cases[] = {
		{ { { 0 } }, "2001:db8:0:17::5/128" },
		{ { { 2, .to = "2001:db8:0:10::", .prefix = 60, .protocol = RTPROT_RA } },
		  "2001:db8:0:17::5/60" },
		/* the first one counts, not the longest */
		{ { { 2, .to = "2001:db8::", .prefix = 32, .protocol = RTPROT_RA },
		    { 2, .to = "2001:db8:0:17::", .prefix = 64, .protocol = RTPROT_RA } },
		  "2001:db8:0:17::5/32" },
		{ { { 3, .to = "2001:db8:0:17::", .prefix = 64, .protocol = RTPROT_RA } },
		  "2001:db8:0:17::5/128" },
		{ { { 2, .to = "2001:db8:0:17::", .prefix = 64, .protocol = RTPROT_KERNEL } },
		  "2001:db8:0:17::5/128" },
		{ { { 2, .via = "fe80::1", .protocol = RTPROT_RA } }, "2001:db8:0:17::5/128" },
		{ { { 2, .to = "2001:db8:0:18::", .prefix = 61, .protocol = RTPROT_RA } },
		  "2001:db8:0:17::5/128" },
	};
	static const struct address_args list[] = { { 2, "2001:db8:0:17::5", 128 }, { 0 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		print_message("case %zu\n", i);
		tree_init(&t);
		struct hwp_inventory *inv = probe(&t, list, cases[i].routes);
		expect_list(&nic(inv, "eth0")->ipv6_addresses,
			    (const char *const[]){ cases[i].want, NULL });
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* IPv4 prefixes are the kernel's; one that cannot be is no address. */
static void test_broken(void **state)
{
	struct tree t;
	struct dump links = { 0 }, addresses = { 0 };
	tree_init(&t);
	add_link(&links, 2, "eth0");
	add_address(&addresses, (struct address_args){ 2, "192.0.2.7", 33 });
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct ifaddrmsg head = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2 };
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(m, IFA_LOCAL, 3, "\xc0\x00\x02");
	dump_add(&addresses, m);
	m = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	nlmsg_append(m, &head, 4, NLMSG_ALIGNTO);
	dump_add(&addresses, m);
	add_address(&addresses, (struct address_args){ 2, "192.0.2.8", 32 });
	dump_write(&links, &t, "netlink/link.nl");
	dump_write(&addresses, &t, "netlink/addr.nl");
	struct hwp_inventory *inv = tree_probe(&t, HWP_NICS);
	expect_list(&nic(inv, "eth0")->ipv4_addresses,
		    (const char *const[]){ "192.0.2.8/32", NULL });
	hwp_unref(inv);
	tree_done(&t);
}

static void test_peers(void **state)
{
	static const struct {
		const char *local, *address, *want;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.9", "192.0.2.1/32" },
		{ "192.0.2.1", NULL, "192.0.2.1/32" },
		{ NULL, "192.0.2.9", "192.0.2.9/32" },
		{ "2001:db8::1", "2001:db8::9", "2001:db8::1/128" },
		{ NULL, "2001:db8::1", "2001:db8::1/128" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct dump links = { 0 }, addresses = { 0 };
		bool is_v6 = strchr(cases[i].want, ':') != NULL;
		struct ifaddrmsg head = { .ifa_family = is_v6 ? AF_INET6 : AF_INET,
					  .ifa_prefixlen = is_v6 ? 128 : 32,
					  .ifa_index = 2 };
		struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWADDR, 0);
		print_message("%s\n", cases[i].want);
		tree_init(&t);
		add_link(&links, 2, "ppp0");
		nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
		if (cases[i].address)
			put_address(m, IFA_ADDRESS, cases[i].address);
		if (cases[i].local)
			put_address(m, IFA_LOCAL, cases[i].local);
		dump_add(&addresses, m);
		dump_write(&links, &t, "netlink/link.nl");
		dump_write(&addresses, &t, "netlink/addr.nl");
		struct hwp_inventory *inv = tree_probe(&t, HWP_NICS);
		const struct hwp_nic *n = nic(inv, "ppp0");
		expect_list(is_v6 ? &n->ipv6_addresses : &n->ipv4_addresses,
			    (const char *const[]){ cases[i].want, NULL });
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_which_and_in_which_order),
					    cmocka_unit_test(test_prefix),
					    cmocka_unit_test(test_peers),
					    cmocka_unit_test(test_broken) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
