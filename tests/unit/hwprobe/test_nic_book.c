/* What addresses are looked up in: routes of their links, leases, the firmware's table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/netdump.h"
#include "hwprobe/nic_addr.h"
#include "tests/unit/hwprobe/messages.h"
#include "tests/unit/hwprobe/pass.h"

/* The routes of each link in the kernel's order, without those of other programs, families, and broken ones. */
static const struct {
	struct route_args route;
	bool is_told;
} routes[] = {
	{ { 3, .to = "2001:db8:3::", .prefix = 48, .protocol = RTPROT_RA }, true },
	{ { 2, .to = "2001:db8:1::", .prefix = 48, .protocol = RTPROT_KERNEL }, true },
	{ { 2, .to = "2001:db8:2::", .prefix = 48, .protocol = RTPROT_BOOT } },
	{ { 2, .to = "2001:db8::", .prefix = 32, .protocol = RTPROT_RA }, true },
	{ { 2, .to = "203.0.113.0", .prefix = 24, .protocol = RTPROT_KERNEL } },
	{ { 2, .to = "2001:db8::", .prefix = 129, .protocol = RTPROT_RA } },
	{ { 9, .to = "2001:db8:9::", .prefix = 48, .protocol = RTPROT_DHCP }, true },
	{ { 2, .via = "fe80::1", .protocol = RTPROT_RA }, true }, /* a default route */
	{ { 0, .to = "2001:db8:4::", .prefix = 48, .protocol = RTPROT_RA }, true }, /* no link */
};

static void expect_routes(struct address_book *b, uint32_t ifindex)
{
	const struct address a = { .family = AF_INET6, .ifindex = ifindex };
	struct address_route r;
	size_t pos = 0;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		unsigned char bytes[16];
		size_t len;
		if (!routes[i].is_told || routes[i].route.ifindex != (int)ifindex)
			continue;
		print_message("link %u, route %zu\n", ifindex, i);
		assert_true(address_next_route(b, &a, &pos, &r));
		assert_int_equal(r.m->rtm_protocol, routes[i].route.protocol);
		assert_int_equal(r.m->rtm_dst_len, routes[i].route.prefix);
		if (!routes[i].route.prefix) {
			assert_null(r.dst);
			continue;
		}
		address_bytes(routes[i].route.to, bytes, &len);
		assert_memory_equal(r.dst, bytes, len);
	}
	assert_false(address_next_route(b, &a, &pos, &r));
}

static void test_routes(void **state)
{
	struct netdump dumps[NETDUMP_KINDS] = { 0 };
	struct dump v6 = { 0 };
	struct tree t;
	struct pass p;
	tree_init(&t);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		add_route(&v6, routes[i].route);
	dump_write(&v6, &t, "netlink/route6.nl");
	pass_open(&p, &t, HWP_MORE);
	p.s.dumps = dumps;
	struct address_book b = { .s = &p.s };
	static const uint32_t links[] = { 2, 3, 9, 1, 5, 10, UINT32_MAX, 2 };
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		expect_routes(&b, links[i]);
	const struct address v4 = { .family = AF_INET, .ifindex = 2 };
	struct address_route r;
	size_t pos = 0;
	assert_false(address_next_route(&b, &v4, &pos, &r)); /* there is no such dump */
	pass_close(&p);
	tree_done(&t);
}

static void test_is_in(void **state)
{
	static const struct {
		const char *address, *net;
		unsigned char prefix;
		bool want;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.6", 31, true },
		{ "192.0.2.7", "192.0.2.6", 32, false },
		{ "192.0.2.7", "192.0.2.7", 32, true },
		{ "192.0.2.7", "128.0.0.0", 1, true },
		{ "2001:db8::7", "2001:db8::", 127, false },
		{ "2001:db8::1", "2001:db8::", 127, true },
		{ "2001:db8::1", "2001:db8::1", 128, true },
		{ "2001:db8:ff00::1", "2001:db8:fe00::", 39, true },
		{ "2001:db8:ff00::1", "2001:db8:fe00::", 40, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rtmsg m = { .rtm_dst_len = cases[i].prefix };
		struct address a = { 0 };
		uint8_t net[16];
		size_t len;
		a.family = address_bytes(cases[i].address, a.bytes, &len);
		address_bytes(cases[i].net, net, &len);
		print_message("%s in %s/%u\n", cases[i].address, cases[i].net, cases[i].prefix);
		assert_int_equal(address_is_in(&a, &(struct address_route){ &m, net }),
				 cases[i].want);
		assert_false(address_is_in(&a, &(struct address_route){ &m, NULL }));
	}
}

/* Several addresses of several interfaces, one by one: each finds its own lease. */
static void test_leases(void **state)
{
	static const struct {
		int ifindex;
		const char *address, *want;
	} cases[] = {
		{ 2, "192.0.2.7", "run/systemd/netif/leases/2" },
		{ 2, "192.0.2.8", NULL },
		{ 2, "192.0.2.70", NULL },
		{ 3, "192.0.2.7", "run/NetworkManager/devices/3" },
		{ 4, "192.0.2.7", NULL },
		{ 5, "192.0.2.5", "run/systemd/netif/leases/5" },
		{ 5, "192.0.2.50", "run/NetworkManager/devices/5" },
		{ 2, "192.0.2.7", "run/systemd/netif/leases/2" },
	};
	struct tree t;
	struct pass p;
	tree_init(&t);
	tree_files(&t, "run/systemd/netif/leases/2", "# private\n\nADDRESS=192.0.2.7\nMTU=1\n",
		   "run/systemd/netif/leases/5", "XADDRESS=192.0.2.50\nADDRESS=192.0.2.5",
		   "run/NetworkManager/devices/3", "[device]\n", "run/NetworkManager/devices/5", "",
		   "sys/firmware/ibft/ethernet0/ip-addr", "192.0.2.7\n",
		   "sys/firmware/ibft/ethernet1/ip-addr", "2001:db8::7\n",
		   "sys/firmware/ibft/target0/ip-addr", "192.0.2.9\n", NULL);
	pass_open(&p, &t, HWP_MORE);
	struct address_book b = { .s = &p.s };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hwp_nic n = { .ifindex.v = cases[i].ifindex };
		const char *got = address_lease(&b, &n, cases[i].address);
		print_message("%d %s\n", cases[i].ifindex, cases[i].address);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
	}
	assert_true(address_is_of_ibft(&b, "192.0.2.7"));
	assert_true(address_is_of_ibft(&b, "2001:db8::7"));
	assert_false(address_is_of_ibft(&b, "192.0.2.9"));
	assert_int_equal(b.ibft.n, 2);
	pass_close(&p);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routes),
					    cmocka_unit_test(test_is_in),
					    cmocka_unit_test(test_leases) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
