/* Routes: which ones, in which order, their ways, and what more the full format tells of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/icmpv6.h>
#include "tests/unit/hwprobe/routes.h"

/* Table main, not cloned, unicast, on a link that is there; IPv4 first, then as the kernel has them. */
static void test_which_and_in_which_order(void **state)
{
	struct tree t;
	struct dump v4 = { 0 }, v6 = { 0 };
	tree_init(&t);
	add_route(&v6, (struct route_args){ .ifindex = 2, .via = "fe80::1", .metric = 1024 });
	add_route(&v4, (struct route_args){ .ifindex = 3, .to = "198.51.100.0", .prefix = 24 });
	add_route(&v4,
		  (struct route_args){ .ifindex = 2, .via = "192.0.2.1", .metric = UINT32_MAX });
	add_route(&v4,
		  (struct route_args){
			  .ifindex = 2, .to = "203.0.113.0", .prefix = 24, .type = RTN_BLACKHOLE });
	add_route(&v4, (struct route_args){ .ifindex = 2,
					    .to = "203.0.113.0",
					    .prefix = 24,
					    .type = RTN_UNREACHABLE });
	add_route(&v4, (struct route_args){ .ifindex = 2,
					    .to = "203.0.113.0",
					    .prefix = 24,
					    .table = RT_TABLE_LOCAL });
	add_route(&v4,
		  (struct route_args){
			  .ifindex = 2, .to = "203.0.113.0", .prefix = 24, .flags = RTM_F_CLONED });
	add_route(&v4, (struct route_args){ .ifindex = 9, .to = "203.0.113.0", .prefix = 24 });
	add_route(&v4, (struct route_args){ .to = "203.0.113.0", .prefix = 24 });
	add_route(&v4, (struct route_args){ .ifindex = 2, .to = "2001:db8::", .prefix = 32 });
	struct nl_msg *m = route_message(
		(struct route_args){ .ifindex = 2, .to = "203.0.113.0", .prefix = 24 });
	nla_put_u32(m, RTA_TABLE, 1000); /* tables above 255 do not fit into the header */
	dump_add(&v4, m);
	add_route(&v4,
		  (struct route_args){
			  .ifindex = 2, .to = "203.0.113.7", .prefix = 32, .type = RTN_PROHIBIT });
	add_route(&v4,
		  (struct route_args){
			  .ifindex = 2, .to = "203.0.113.7", .prefix = 32, .type = RTN_THROW });
	add_route(&v4,
		  (struct route_args){
			  .ifindex = 3, .to = "203.0.113.7", .prefix = 32, .type = RTN_LOCAL });
	struct hwp_inventory *inv = probe_routes(&t, &v4, &v6);
	assert_int_equal(hwp_route_count(inv), 4);
	expect_route(inv, 0, "198.51.100.0", NULL, "eth1", 0);
	assert_int_equal(hwp_route_at(inv, 0)->prefixlen.v, 24);
	/* The API has 32 bits with a sign. */
	expect_route(inv, 1, "0.0.0.0", "192.0.2.1", "eth0", INT32_MAX);
	expect_route(inv, 2, "203.0.113.7", NULL, "eth1", 0);
	assert_string_equal(hwp_route_at(inv, 2)->type.s, "local");
	expect_route(inv, 3, "::", "fe80::1", "eth0", 1024);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_details(void **state)
{
	struct tree t;
	struct dump v4 = { 0 }, v6 = { 0 };
	tree_init(&t);
	struct nl_msg *m = route_message(
		(struct route_args){ .ifindex = 2, .via = "192.0.2.1", .protocol = RTPROT_DHCP });
	put_address(m, RTA_PREFSRC, "192.0.2.7");
	struct nlattr *metrics = nla_nest_start(m, RTA_METRICS);
	nla_put_u32(m, RTAX_MTU, 9000);
	nla_nest_end(m, metrics);
	dump_add(&v4, m);
	struct rta_cacheinfo times = { .rta_expires = 179900 };
	m = route_message(
		(struct route_args){ .ifindex = 2, .via = "fe80::1", .protocol = RTPROT_RA });
	nla_put_u8(m, RTA_PREF, ICMPV6_ROUTER_PREF_HIGH);
	nla_put(m, RTA_CACHEINFO, sizeof(times), &times);
	dump_add(&v6, m);
	struct hwp_inventory *inv = probe_routes(&t, &v4, &v6);
	const struct hwp_route *a = hwp_route_at(inv, 0), *b = hwp_route_at(inv, 1);
	assert_string_equal(a->source.s, "192.0.2.7");
	assert_string_equal(a->source.source, "RTA_PREFSRC");
	assert_string_equal(a->type.s, "unicast");
	assert_string_equal(a->scope.s, "global");
	assert_int_equal(a->mtu.v, 9000);
	assert_int_equal(a->protocol.v, RTPROT_DHCP);
	assert_int_equal(a->table.v, RT_TABLE_MAIN);
	assert_null(a->preference.s);
	assert_string_equal(b->preference.s, "high");
	assert_int_equal(b->expires_s.v, 1799);
	assert_null(b->mtu.source);
	hwp_unref(inv);
	/* The wire format has none of it. */
	inv = tree_probe(&t, HWP_ROUTES);
	assert_null(hwp_route_at(inv, 0)->source.s);
	assert_null(hwp_route_at(inv, 0)->type.s);
	hwp_unref(inv);
	tree_done(&t);
}

enum { MANY = 200 };

/* Links in whatever order the kernel has them: every route finds its own. */
static void test_many_links(void **state)
{
	struct tree t;
	struct dump links = { 0 }, v4 = { 0 };
	char name[16], to[32];
	tree_init(&t);
	for (int i = 0; i < MANY; i++) {
		int ifindex = i * 77 % MANY * 3 + 1; /* each once */
		snprintf(name, sizeof(name), "if%d", ifindex);
		add_link(&links, ifindex, name);
		snprintf(to, sizeof(to), "203.0.%d.0", i);
		add_route(&v4, (struct route_args){ .ifindex = i * 3 + 1, .to = to, .prefix = 24 });
	}
	dump_write(&links, &t, "netlink/link.nl");
	dump_write(&v4, &t, "netlink/route4.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_ROUTES);
	assert_int_equal(hwp_route_count(inv), MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "if%d", i * 3 + 1);
		assert_string_equal(hwp_route_at(inv, (size_t)i)->interface.s, name);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* Families do not take each other's room, and default routes have their own; what is left out is told. */
static void test_limits(void **state)
{
	enum { MAX = 1 << 16, MORE = 10 };
	struct tree t;
	struct dump one = { 0 }, last = { 0 }, v6 = { 0 };
	struct hwp_inventory *inv = NULL;
	const struct hwp_error *errors;
	tree_init(&t);
	write_links(&t);
	add_route(&one, (struct route_args){ .ifindex = 2, .to = "203.0.113.0", .prefix = 24 });
	add_route(&last, (struct route_args){ .ifindex = 3, .via = "192.0.2.1" });
	add_route(&v6, (struct route_args){ .ifindex = 3, .via = "fe80::1" });
	size_t len = (MAX + MORE) * one.len + last.len;
	char *all = malloc(len);
	assert_non_null(all);
	for (size_t i = 0; i < MAX + MORE; i++)
		memcpy(all + i * one.len, one.data, one.len);
	memcpy(all + len - last.len, last.data, last.len);
	tree_write(&t, "netlink/route4.nl", all, len);
	dump_write(&v6, &t, "netlink/route6.nl");
	assert_int_equal(tree_try(&t, (struct hwp_options){ .parts = HWP_ROUTES }, &inv), 0);
	assert_int_equal(hwp_route_count(inv), MAX + 2);
	expect_route(inv, MAX, "0.0.0.0", "192.0.2.1", "eth1", 0);
	expect_route(inv, MAX + 1, "::", "fe80::1", "eth1", 0);
	assert_int_equal(hwp_errors(inv, &errors), 1);
	assert_int_equal(errors->err, E2BIG);
	assert_string_equal(errors->source, "netlink/route4.nl");
	hwp_unref(inv);
	free(all);
	tree_done(&t);
}

/* Without the links no route can be named. */
static void test_without_links(void **state)
{
	struct tree t;
	struct dump v4 = { 0 };
	tree_init(&t);
	add_route(&v4, (struct route_args){ .ifindex = 2, .via = "192.0.2.1" });
	dump_write(&v4, &t, "netlink/route4.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_ROUTES);
	assert_int_equal(hwp_route_count(inv), 0);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_and_in_which_order),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_without_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
