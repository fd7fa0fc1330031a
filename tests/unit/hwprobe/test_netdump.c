/* Netlink messages of any bytes: no message, no attribute is read behind its end; dumps are read once, and from this machine, too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>
#include "hwprobe/netdump.h"
#include "tests/unit/hwprobe/messages.h"
#include "tests/unit/hwprobe/pass.h"

static size_t count(const char *data, size_t len)
{
	/* Not a byte more than there is: the sanitizer sees the rest. */
	char *copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	const struct netdump d = { .data = copy, .len = len };
	size_t pos = 0, n = 0;
	for (struct nlmsghdr *h; (h = netdump_next(&d, &pos)); n++) {
		assert_true((char *)h + h->nlmsg_len <= copy + len);
		struct nlattr *tb[IFLA_MAX + 1];
		(void)netdump_attrs(h, sizeof(struct ifinfomsg), tb, IFLA_MAX);
	}
	free(copy);
	return n;
}

static void test_messages(void **state)
{
	struct dump d = { 0 };
	add_link(&d, 1, "lo");
	size_t first = d.len;
	add_link(&d, 2, "eth0");
	assert_int_equal(count(d.data, d.len), 2);
	for (size_t len = 0; len <= d.len; len++) /* cut anywhere */
		assert_int_equal(count(d.data, len), len < first ? 0 : len < d.len ? 1 : 2);
	struct nlmsghdr *h = (struct nlmsghdr *)(d.data + first);
	uint32_t right = h->nlmsg_len;
	static const uint32_t wrong[] = { 0, 1, 15, UINT32_MAX, UINT32_MAX - 3, 1000 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		h->nlmsg_len = wrong[i];
		assert_int_equal(count(d.data, d.len), 1);
	}
	h->nlmsg_len = right;
	h->nlmsg_type = NLMSG_DONE; /* what is behind it belongs to another dump */
	assert_int_equal(count(d.data, d.len), 1);
}

static void test_attributes(void **state)
{
	struct nl_msg *m = link_message(7, "eth0");
	nla_put_u8(m, IFLA_CARRIER, 1);
	nla_put_u32(m, IFLA_MTU, 9000);
	nla_put(m, IFLA_QDISC, 0, NULL);
	struct nlattr *nest = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "bond");
	nla_nest_end(m, nest);
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	char text[4];
	assert_true(netdump_attrs(nlmsg_hdr(m), sizeof(struct ifinfomsg), tb, IFLA_MAX));
	assert_int_equal(nlattr_u32(tb[IFLA_MTU], 5), 9000);
	assert_int_equal(nlattr_u32(tb[IFLA_GROUP], 5), 5);   /* absent */
	assert_int_equal(nlattr_u32(tb[IFLA_CARRIER], 5), 5); /* too short */
	assert_int_equal(nlattr_u8(tb[IFLA_CARRIER], 5), 1);
	assert_int_equal(nlattr_u8(tb[IFLA_QDISC], 5), 5);
	assert_null(nlattr_text(tb[IFLA_QDISC], text, sizeof(text)));
	assert_null(nlattr_text(NULL, text, sizeof(text)));
	assert_string_equal(nlattr_text(tb[IFLA_IFNAME], text, sizeof(text)), "eth"); /* cut */
	nlattr_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO]);
	assert_non_null(info[IFLA_INFO_KIND]);
	nlattr_nested(info, IFLA_INFO_MAX, NULL);
	assert_null(info[IFLA_INFO_KIND]);
	/* A message that ends inside of its header. */
	nlmsg_hdr(m)->nlmsg_len = NLMSG_HDRLEN + 8;
	assert_false(netdump_attrs(nlmsg_hdr(m), sizeof(struct ifinfomsg), tb, IFLA_MAX));
	assert_null(tb[IFLA_IFNAME]);
	nlmsg_free(m);
}

/* Text without a NUL at its end. */
static void test_text(void **state)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	char text[16];
	nla_put(m, IFLA_IFNAME, 4, "eth0");
	struct nlattr *tb[IFLA_MAX + 1];
	assert_true(netdump_attrs(nlmsg_hdr(m), 0, tb, IFLA_MAX));
	assert_string_equal(nlattr_text(tb[IFLA_IFNAME], text, sizeof(text)), "eth0");
	nlmsg_free(m);
}

static void test_recorded(void **state)
{
	struct netdump dumps[NETDUMP_KINDS] = { 0 };
	struct dump links = { 0 };
	struct tree t;
	struct pass p;
	tree_init(&t);
	add_link(&links, 1, "lo");
	dump_write(&links, &t, "netlink/link.nl");
	tree_file(&t, "netlink/nexthop.nl", "");
	pass_open(&p, &t, 0);
	p.s.dumps = dumps;
	const struct netdump *d = survey_netdump(&p.s, NETDUMP_LINK);
	assert_int_equal(d->len, links.len);
	assert_memory_equal(d->data, links.data, links.len);
	dump_write(&(struct dump){ 0 }, &t, "netlink/link.nl");
	assert_ptr_equal(survey_netdump(&p.s, NETDUMP_LINK), d); /* read once */
	assert_int_equal(d->len, links.len);
	d = survey_netdump(&p.s, NETDUMP_NEXTHOP); /* there, and empty */
	assert_non_null(d);
	assert_int_equal(d->len, 0);
	assert_null(survey_netdump(&p.s, NETDUMP_ADDR)); /* never this machine's instead */
	assert_int_equal(hwp_errors(p.inv, NULL), 0);
	pass_close(&p);
	tree_done(&t);
}

/* What is not all there is told, and what is there counts. */
static void test_damaged(void **state)
{
	struct dump links = { 0 };
	add_link(&links, 1, "lo");
	size_t first = links.len;
	add_link(&links, 2, "eth0");
	const struct {
		size_t len;
		uint16_t type; /* of the second message */
		size_t messages, errors;
	} cases[] = {
		{ links.len, RTM_NEWLINK, 2, 0 },    { links.len - 4, RTM_NEWLINK, 1, 1 },
		{ first + 8, RTM_NEWLINK, 1, 1 },    { first, RTM_NEWLINK, 1, 0 },
		{ first - 1, RTM_NEWLINK, 0, 1 },    { 3, RTM_NEWLINK, 0, 1 },
		{ links.len - 4, NLMSG_DONE, 1, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct netdump dumps[NETDUMP_KINDS] = { 0 };
		struct dump d = links;
		struct tree t;
		struct pass p;
		tree_init(&t);
		((struct nlmsghdr *)(d.data + first))->nlmsg_type = cases[i].type;
		d.len = cases[i].len;
		dump_write(&d, &t, "netlink/link.nl");
		pass_open(&p, &t, 0);
		p.s.dumps = dumps;
		const struct netdump *got = survey_netdump(&p.s, NETDUMP_LINK);
		assert_int_equal(count(got->data, got->len), cases[i].messages);
		assert_int_equal(hwp_errors(p.inv, NULL), cases[i].errors);
		pass_close(&p);
		tree_done(&t);
	}
}

/* Every kind of dump of the running kernel; which ones there are depends on its age. */
static void test_this_machine(void **state)
{
	struct netdump dumps[NETDUMP_KINDS] = { 0 };
	struct hwp_ctx *ctx = NULL;
	struct arena tmp = { 0 };
	struct hwp_options opt = { .size = sizeof(opt), .flags = HWP_MORE };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	struct hwp_inventory *inv = inventory_new(HWP_ALL);
	struct survey s = { .ctx = ctx,
			    .root = &ctx->root,
			    .opt = &ctx->opt,
			    .inv = inv,
			    .mem = &inv->mem,
			    .tmp = &tmp,
			    .dumps = dumps,
			    .part = "test" };
	const struct netdump *d = survey_netdump(&s, NETDUMP_LINK);
	assert_non_null(d);
	bool has_loopback = false;
	size_t pos = 0;
	for (struct nlmsghdr *h; (h = netdump_next(d, &pos));) {
		struct nlattr *tb[IFLA_MAX + 1];
		char name[16];
		assert_int_equal(h->nlmsg_type, RTM_NEWLINK);
		assert_true(netdump_attrs(h, sizeof(struct ifinfomsg), tb, IFLA_MAX));
		has_loopback |= !strcmp(nlattr_text(tb[IFLA_IFNAME], name, sizeof(name)), "lo");
	}
	assert_true(has_loopback);
	for (int kind = 0; kind < NETDUMP_KINDS; kind++)
		(void)survey_netdump(&s, kind);
	assert_int_equal(hwp_errors(inv, NULL), 0); /* what an old kernel lacks is no error */
	netdump_close(&s);
	arena_done(&tmp);
	hwp_unref(inv);
	hwp_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages), cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_text),     cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_damaged),  cmocka_unit_test(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
