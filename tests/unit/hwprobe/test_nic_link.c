/* Names of links, and whether sysfs and udev speak of these links at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/netdump.h"
#include "hwprobe/nic.h"
#include "tests/unit/hwprobe/messages.h"
#include "tests/unit/hwprobe/pass.h"

static void add_mac_link(struct dump *d, int ifindex, const char *name, const char *mac)
{
	struct nl_msg *m = link_message(ifindex, name);
	if (mac)
		nla_put(m, IFLA_ADDRESS, 6, mac);
	dump_add(d, m);
}

/* Three links, two of them with addresses: 02:00:00:00:00:02 and :03. */
static void write_links(struct tree *t)
{
	struct dump links = { 0 };
	add_mac_link(&links, 3, "eth1", "\2\0\0\0\0\3");
	add_mac_link(&links, 1, "lo", NULL);
	add_mac_link(&links, 2, "eth0", "\2\0\0\0\0\2");
	dump_write(&links, t, "netlink/link.nl");
}

static void expect(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_elsewhere(void **state)
{
	static const struct {
		const char *what, *address[2]; /* of eth0, eth1 in sysfs */
		bool is_here;
	} cases[] = {
		{ "both", { "02:00:00:00:00:02", "02:00:00:00:00:03" }, true },
		{ "one has changed meanwhile", { "02:00:00:00:00:99", "02:00:00:00:00:03" }, true },
		{ "one is gone", { NULL, "02:00:00:00:00:03" }, true },
		{ "strangers of these names", { "02:00:00:00:00:98", "02:00:00:00:00:99" }, false },
		{ "a stranger of this name", { NULL, "02:00:00:00:00:02" }, false },
		{ "a record without addresses", { NULL, NULL }, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct netdump dumps[NETDUMP_KINDS] = { 0 };
		struct tree t;
		struct pass p;
		print_message("%s\n", cases[i].what);
		tree_init(&t);
		write_links(&t);
		tree_dir(&t, "run/udev/data");
		for (int k = 0; k < 2; k++)
			if (cases[i].address[k])
				tree_file(&t,
					  k ? "sys/class/net/eth1/address"
					    : "sys/class/net/eth0/address",
					  cases[i].address[k]);
		pass_open(&p, &t, HWP_MORE);
		p.s.dumps = dumps;
		const struct hwp_nic n = { .ifindex.v = 2 };
		bool is_here = cases[i].is_here;
		expect(nic_dir(&p.s, &n), is_here ? "sys/class/net/eth0" : NULL);
		expect(nic_udev_record(&p.s, &n), is_here ? "run/udev/data/n2" : NULL);
		expect(link_name(&p.s, 2), "eth0"); /* whatever sysfs says */
		pass_close(&p);
		tree_done(&t);
	}
}

static void test_names(void **state)
{
	struct netdump dumps[NETDUMP_KINDS] = { 0 };
	struct tree t;
	struct pass p;
	tree_init(&t);
	write_links(&t);
	pass_open(&p, &t, HWP_MORE);
	p.s.dumps = dumps;
	expect(link_name(&p.s, 1), "lo");
	expect(link_name(&p.s, 3), "eth1");
	expect(link_name(&p.s, 0), NULL);
	expect(link_name(&p.s, 4), NULL);
	expect(link_name(&p.s, UINT32_MAX), NULL);
	expect(nic_dir(&p.s, &(struct hwp_nic){ .ifindex.v = 9 }), NULL);
	expect(nic_udev_record(&p.s, &(struct hwp_nic){ .ifindex.v = 2 }), NULL); /* no udev */
	pass_close(&p);
	tree_done(&t);
}

/* A stranger's hardware is not this link's. */
static void test_stranger(void **state)
{
	static const char *const addresses[] = { "02:00:00:00:00:02", "02:00:00:00:00:99" };
	for (int i = 0; i < 2; i++) {
		struct tree t;
		tree_init(&t);
		write_links(&t);
		tree_files(&t, "sys/devices/platform/x/net/eth0/address", addresses[i],
			   "sys/devices/platform/x/net/eth0/speed", "1000\n", "run/udev/data/n2",
			   "I:1\nE:ID_NET_NAME_PATH=enp1s0\n", NULL);
		tree_link(&t, "sys/class/net/eth0", "../../devices/platform/x/net/eth0");
		struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
		const struct hwp_nic *n = nic(inv, "eth0");
		assert_string_equal(n->type.s, i ? "device" : "physical");
		assert_int_equal(n->speed_mbps.v, i ? 0 : 1000);
		expect(n->name_path.s, i ? NULL : "enp1s0");
		assert_null(n->uninitialized.source);
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_elsewhere),
					    cmocka_unit_test(test_names),
					    cmocka_unit_test(test_stranger) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
