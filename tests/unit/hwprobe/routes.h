#pragma once
/* Two links, routes over them, and what is expected of a route. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

/* eth0 has index 2, eth1 3. */
UNUSED static void write_links(struct tree *t)
{
	struct dump links = { 0 };
	add_link(&links, 3, "eth1");
	add_link(&links, 2, "eth0");
	dump_write(&links, t, "netlink/link.nl");
}

/* @v6 may be NULL. */
UNUSED static struct hwp_inventory *probe_routes(struct tree *t, const struct dump *v4,
						 const struct dump *v6)
{
	write_links(t);
	dump_write(v4, t, "netlink/route4.nl");
	if (v6)
		dump_write(v6, t, "netlink/route6.nl");
	return tree_probe_all(t, HWP_ROUTES);
}

UNUSED static void expect_route(const struct hwp_inventory *inv, size_t i, const char *to,
				const char *via, const char *interface, int64_t metric)
{
	const struct hwp_route *r = hwp_route_at(inv, i);
	print_message("route %zu\n", i);
	assert_non_null(r);
	assert_string_equal(r->destination.s, to);
	if (via)
		assert_string_equal(r->gateway.s, via);
	else
		assert_null(r->gateway.s);
	assert_string_equal(r->interface.s, interface);
	assert_int_equal(r->metric.v, metric);
	assert_int_equal(r->family.v, strchr(to, ':') ? AF_INET6 : AF_INET);
}
