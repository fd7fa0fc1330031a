/* How an interface came by its addresses, by flags, lifetimes, routes and leases. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

#define NETWORKD "run/systemd/netif/leases/2"

struct method_case {
	const char *name;
	struct address_args address;
	struct route_args routes[2]; /* ends with an ifindex of 0 */
	const char *files[2];
	const char *method, *source; /* NULL = nobody can tell */
};

static const struct method_case cases[] = {
	{ "static",
	  { 2, "192.0.2.7", 24, IFA_F_PERMANENT },
	  .method = "static",
	  .source = "IFA_F_PERMANENT" },
	{ "a lifetime alone", { 2, "192.0.2.7", 24, .valid_s = 3600 } },
	{ "a lifetime and a route by DHCP",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  { { 2, .via = "192.0.2.1", .protocol = RTPROT_DHCP } },
	  .method = "dhcp4",
	  .source = "IFA_CACHEINFO, RTPROT_DHCP" },
	{ "a route by DHCP on another link",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  { { 3, .via = "192.0.2.1", .protocol = RTPROT_DHCP } } },
	{ "a route by DHCP to elsewhere",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  { { 2, .to = "203.0.113.0", .prefix = 24, .protocol = RTPROT_DHCP } } },
	{ "networkd's lease",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  .files = { NETWORKD, "# private\nADDRESS=192.0.2.7\nROUTER=192.0.2.1\n" },
	  .method = "dhcp4",
	  .source = NETWORKD },
	{ "networkd's lease of another address",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  .files = { NETWORKD, "ADDRESS=192.0.2.77\n" } },
	{ "NetworkManager",
	  { 2, "192.0.2.7", 24, .valid_s = 3600 },
	  .files = { "run/NetworkManager/devices/2", "[device]\nmanaged=full\n" },
	  .method = "dhcp4",
	  .source = "run/NetworkManager/devices/2" },
	{ "booted by iSCSI",
	  { 2, "192.0.2.7", 24, IFA_F_PERMANENT },
	  .files = { "sys/firmware/ibft/ethernet0/ip-addr", "192.0.2.7\n" },
	  .method = "ibft",
	  .source = "sys/firmware/ibft" },
	{ "booted by iSCSI with another address",
	  { 2, "192.0.2.7", 24, IFA_F_PERMANENT },
	  .files = { "sys/firmware/ibft/ethernet0/ip-addr", "192.0.2.70\n" },
	  .method = "static",
	  .source = "IFA_F_PERMANENT" },
	{ "IPv4 link-local",
	  { 2, "169.254.3.4", 16, IFA_F_PERMANENT },
	  .method = "link-local",
	  .source = "RTM_GETADDR" },
	{ "loopback", { 2, "127.0.0.1", 8, IFA_F_PERMANENT } },
	{ "IPv6 link-local",
	  { 2, "fe80::1", 64, IFA_F_PERMANENT, .protocol = 3 },
	  .method = "link-local",
	  .source = "RTM_GETADDR" },
	{ "IPv6 static",
	  { 2, "2001:db8::7", 64, IFA_F_PERMANENT },
	  .method = "static",
	  .source = "IFA_F_PERMANENT" },
	{ "the kernel, by router advertisement",
	  { 2, "2001:db8::7", 64, .valid_s = 86400, .protocol = 2 },
	  .method = "slaac",
	  .source = "IFA_PROTO, IFA_FLAGS" },
	{ "a temporary one",
	  { 2, "2001:db8::7", 64, IFA_F_TEMPORARY, .valid_s = 600 },
	  .method = "slaac",
	  .source = "IFA_PROTO, IFA_FLAGS" },
	{ "a program, by router advertisement",
	  { 2, "2001:db8::7", 64, .valid_s = 86400 },
	  { { 2, .to = "2001:db8::", .prefix = 64, .protocol = RTPROT_RA } },
	  .method = "slaac",
	  .source = "IFA_CACHEINFO, RTPROT_RA" },
	{ "DHCPv6",
	  { 2, "2001:db8::7", 128, .valid_s = 86400 },
	  { { 2, .to = "2001:db8::", .prefix = 64, .protocol = RTPROT_RA } },
	  .method = "dhcp6",
	  .source = "IFA_CACHEINFO" },
	{ "no router", { 2, "2001:db8::7", 64, .valid_s = 86400 } },
};

static struct hwp_inventory *probe(struct tree *t, const struct method_case *c)
{
	struct dump links = { 0 }, addresses = { 0 }, v4 = { 0 }, v6 = { 0 };
	add_link(&links, 2, "eth0");
	add_address(&addresses, c->address);
	for (size_t i = 0; i < 2 && c->routes[i].ifindex; i++)
		add_route(strchr(c->address.text, ':') ? &v6 : &v4, c->routes[i]);
	dump_write(&links, t, "netlink/link.nl");
	dump_write(&addresses, t, "netlink/addr.nl");
	dump_write(&v4, t, "netlink/route4.nl");
	dump_write(&v6, t, "netlink/route6.nl");
	if (c->files[0])
		tree_file(t, c->files[0], c->files[1]);
	return tree_probe_all(t, HWP_NICS);
}

static void test_method(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct method_case *c = &cases[i];
		struct tree t;
		print_message("%s\n", c->name);
		tree_init(&t);
		struct hwp_inventory *inv = probe(&t, c);
		const struct hwp_nic *n = nic(inv, "eth0");
		assert_int_equal(n->address_count, 1);
		const struct hwp_str *got = &n->addresses[0].method;
		if (c->method) {
			assert_string_equal(got->s, c->method);
			assert_string_equal(got->source, c->source);
		} else {
			assert_null(got->s);
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_lifetimes_and_protocol(void **state)
{
	static const struct method_case c = {
		.address = { 2, "2001:db8::7", 128, .valid_s = 7200, .preferred_s = 1800,
			     .protocol = 2 },
		.routes = { { 2, .to = "::", .family = AF_INET6, .protocol = RTPROT_KERNEL },
			    { 2, .to = "2001:db8::", .prefix = 56, .protocol = RTPROT_KERNEL } },
	};
	struct tree t;
	tree_init(&t);
	struct hwp_inventory *inv = probe(&t, &c);
	const struct hwp_address *a = nic(inv, "eth0")->addresses;
	assert_int_equal(a->valid_s.v, 7200);
	assert_int_equal(a->preferred_s.v, 1800);
	assert_string_equal(a->protocol.s, "router-advertisement");
	/* The wire looks at routers' routes only. */
	assert_int_equal(a->on_link_prefix.v, 56);
	assert_string_equal(nic(inv, "eth0")->ipv6_addresses.v[0], "2001:db8::7/128");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_method),
					    cmocka_unit_test(test_lifetimes_and_protocol) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
