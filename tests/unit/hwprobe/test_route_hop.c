/* The ways of routes: of their own, lists of them, objects. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/routes.h"

static void put_hop(struct nl_msg *m, int ifindex, uint8_t hops, const char *via)
{
	struct rtnexthop *nh = nlmsg_reserve(m, sizeof(*nh), NLMSG_ALIGNTO);
	size_t at = (size_t)((char *)nh - (char *)nlmsg_hdr(m));
	*nh = (struct rtnexthop){ .rtnh_ifindex = ifindex, .rtnh_hops = hops };
	if (via)
		put_address(m, RTA_GATEWAY, via);
	nh = (struct rtnexthop *)((char *)nlmsg_hdr(m) + at);
	nh->rtnh_len = (unsigned short)(nlmsg_hdr(m)->nlmsg_len - at);
}

static void test_multipath(void **state)
{
	struct tree t;
	struct dump v4 = { 0 };
	tree_init(&t);
	struct nl_msg *m = route_message((struct route_args){ .family = AF_INET });
	struct nlattr *list = nla_nest_start(m, RTA_MULTIPATH);
	put_hop(m, 3, 0, "198.51.100.1");
	put_hop(m, 2, 4, "192.0.2.1");
	put_hop(m, 9, 0, NULL);
	nla_nest_end(m, list);
	dump_add(&v4, m);
	struct hwp_inventory *inv = probe_routes(&t, &v4, NULL);
	assert_int_equal(hwp_route_count(inv), 1);
	expect_route(inv, 0, "0.0.0.0", "198.51.100.1", "eth1", 0);
	const struct hwp_route *r = hwp_route_at(inv, 0);
	assert_int_equal(r->nexthop_count, 3);
	assert_string_equal(r->nexthops[0].interface.s, "eth1");
	assert_int_equal(r->nexthops[0].weight.v, 1);
	assert_string_equal(r->nexthops[1].gateway.s, "192.0.2.1");
	assert_int_equal(r->nexthops[1].weight.v, 5);
	assert_null(r->nexthops[2].interface.s);
	assert_null(r->nexthops[2].gateway.s);
	hwp_unref(inv);
	tree_done(&t);
}

/* A list whose last way says that it is longer than it is. */
static void test_multipath_cut(void **state)
{
	struct tree t;
	struct dump v4 = { 0 };
	tree_init(&t);
	struct nl_msg *m = route_message((struct route_args){ .family = AF_INET });
	struct nlattr *list = nla_nest_start(m, RTA_MULTIPATH);
	put_hop(m, 3, 0, "198.51.100.1");
	put_hop(m, 2, 4, "192.0.2.1");
	nla_nest_end(m, list);
	struct rtnexthop *last = (struct rtnexthop *)((char *)nla_data(list) + 16);
	assert_int_equal(last->rtnh_ifindex, 2);
	last->rtnh_len = 60;
	dump_add(&v4, m);
	struct hwp_inventory *inv = probe_routes(&t, &v4, NULL);
	expect_route(inv, 0, "0.0.0.0", "198.51.100.1", "eth1", 0);
	assert_int_equal(hwp_route_at(inv, 0)->nexthop_count, 0);
	hwp_unref(inv);
	tree_done(&t);
}

static void add_nexthop(struct dump *d, uint32_t id, int ifindex, const char *via,
			const struct nexthop_grp *group, size_t n)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWNEXTHOP, 0);
	struct nhmsg head = { .nh_family = via ? AF_INET : AF_UNSPEC };
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_u32(m, NHA_ID, id);
	if (ifindex)
		nla_put_u32(m, NHA_OIF, (uint32_t)ifindex);
	if (via)
		put_address(m, NHA_GATEWAY, via);
	if (n)
		nla_put(m, NHA_GROUP, (int)(n * sizeof(*group)), group);
	dump_add(d, m);
}

static void add_route_by_id(struct dump *d, uint32_t id)
{
	struct nl_msg *m = route_message((struct route_args){ .to = "203.0.113.0", .prefix = 24 });
	nla_put_u32(m, RTA_NH_ID, id);
	dump_add(d, m);
}

/* Object 1 is a way, 2 another, 3 drops packets, 4 is a group of all of them and one that is not there. */
static void test_nexthop_objects(void **state)
{
	static const struct nexthop_grp group[] = {
		{ .id = 3 }, { .id = 2, .weight = 9 }, { .id = 1 }, { .id = 7 }
	};
	struct tree t;
	struct dump v4 = { 0 }, objects = { 0 };
	tree_init(&t);
	add_nexthop(&objects, 1, 2, "192.0.2.1", NULL, 0);
	add_nexthop(&objects, 2, 3, NULL, NULL, 0);
	add_nexthop(&objects, 3, 0, NULL, NULL, 0);
	add_nexthop(&objects, 4, 0, NULL, group, 4);
	add_nexthop(&objects, 5, 0, NULL, (const struct nexthop_grp[]){ { .id = 5 } }, 1);
	dump_write(&objects, &t, "netlink/nexthop.nl");
	for (uint32_t id = 1; id <= 6; id++)
		add_route_by_id(&v4, id);
	struct hwp_inventory *inv = probe_routes(&t, &v4, NULL);
	assert_int_equal(hwp_route_count(inv), 3); /* 3, 5 (a group of itself) and 6 lead nowhere */
	expect_route(inv, 0, "203.0.113.0", "192.0.2.1", "eth0", 0);
	assert_int_equal(hwp_route_at(inv, 0)->nexthop_id.v, 1);
	expect_route(inv, 1, "203.0.113.0", NULL, "eth1", 0);
	expect_route(inv, 2, "203.0.113.0", NULL, "eth1", 0);
	const struct hwp_route *r = hwp_route_at(inv, 2);
	assert_int_equal(r->nexthop_id.v, 4);
	assert_int_equal(r->nexthop_count, 2);
	assert_int_equal(r->nexthops[0].weight.v, 10);
	assert_string_equal(r->nexthops[1].gateway.s, "192.0.2.1");
	hwp_unref(inv);
	tree_done(&t);
}

/* RFC 5549: an IPv4 route through an IPv6 gateway. */
static void test_gateway_of_other_family(void **state)
{
	struct tree t;
	struct dump v4 = { 0 };
	struct {
		uint16_t family;
		uint8_t address[16];
	} via = { .family = AF_INET6, .address = { 0xfe, 0x80, [15] = 1 } };
	tree_init(&t);
	struct nl_msg *m = route_message((struct route_args){ .ifindex = 2, .family = AF_INET });
	nla_put(m, RTA_VIA, sizeof(via), &via);
	dump_add(&v4, m);
	m = route_message((struct route_args){ .ifindex = 2, .family = AF_INET });
	nla_put(m, RTA_VIA, sizeof(via) - 1, &via);
	dump_add(&v4, m);
	struct hwp_inventory *inv = probe_routes(&t, &v4, NULL);
	expect_route(inv, 0, "0.0.0.0", "fe80::1", "eth0", 0);
	expect_route(inv, 1, "0.0.0.0", NULL, "eth0", 0);
	hwp_unref(inv);
	tree_done(&t);
}

enum { MANY_OBJECTS = 150 };

/* In whatever order the kernel has them: every route finds its own. */
static void test_many_objects(void **state)
{
	struct tree t;
	struct dump v4 = { 0 }, objects = { 0 };
	char via[32];
	tree_init(&t);
	for (uint32_t i = 0; i < MANY_OBJECTS; i++) {
		uint32_t id = i * 77 % MANY_OBJECTS * 3 + 1; /* each once */
		snprintf(via, sizeof(via), "192.0.2.%u", (id - 1) / 3);
		add_nexthop(&objects, id, 2, via, NULL, 0);
		add_route_by_id(&v4, i * 3 + 1);
		add_route_by_id(&v4, i * 3 + 2); /* no such object */
	}
	dump_write(&objects, &t, "netlink/nexthop.nl");
	struct hwp_inventory *inv = probe_routes(&t, &v4, NULL);
	assert_int_equal(hwp_route_count(inv), MANY_OBJECTS);
	for (size_t i = 0; i < MANY_OBJECTS; i++) {
		snprintf(via, sizeof(via), "192.0.2.%zu", i);
		assert_string_equal(hwp_route_at(inv, i)->gateway.s, via);
	}
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multipath),
		cmocka_unit_test(test_multipath_cut),
		cmocka_unit_test(test_nexthop_objects),
		cmocka_unit_test(test_many_objects),
		cmocka_unit_test(test_gateway_of_other_family),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
