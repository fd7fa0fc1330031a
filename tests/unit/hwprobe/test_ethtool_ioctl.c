/* What drivers answered by ioctl, as it is recorded; and that this machine's answers come back from its record. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

static void write_machine(struct tree *t, bool has_modes)
{
	struct dump links = { 0 }, modes = { 0 };
	static const char *const names[] = { "eth0", "eth1", "eth10" };
	for (int i = 0; i < 3; i++) {
		char path[128], target[128];
		struct nl_msg *m = link_message(i + 2, names[i]);
		if (i == 1)
			nla_put(m, IFLA_PERM_ADDRESS, 6, "\x02\0\0\0\0\x09");
		dump_add(&links, m);
		snprintf(path, sizeof(path), "sys/class/net/%s", names[i]);
		snprintf(target, sizeof(target), "../../devices/platform/%s/net/%s", names[i],
			 names[i]);
		tree_link(t, path, target);
		snprintf(path, sizeof(path), "sys/devices/platform/%s/net/%s/x", names[i],
			 names[i]);
		tree_file(t, path, "");
	}
	add_link(&links, 9, "dummy0");
	dump_write(&links, t, "netlink/link.nl");
	struct nl_msg *m = ethtool_message(ETHTOOL_MSG_LINKMODES_GET_REPLY, 2);
	nla_put_u32(m, ETHTOOL_A_LINKMODES_SPEED, 100);
	dump_add(&modes, m);
	if (has_modes)
		dump_write(&modes, t, "netlink/ethtool-linkmodes.nl");
}

static void test_recorded(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t, true);
	tree_file(
		&t, "ethtool.txt",
		"eth0 firmware 7.10 0x800075df 19.5.12\neth0 permaddr 02:00:00:00:00:07\neth0 link 40000 1 40000\neth0 port 3\neth0 detected 1\n"
		"eth1 firmware N/A\neth1 permaddr 02:00:00:00:00:08\neth1 link 10000 1 25000\neth1 port 255\neth1 detected 0\nnonsense\n"
		"dummy0 firmware 1\neth10 permaddr\neth10 link x\neth10 port\neth10 detected yes\n");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	const struct hwp_nic *a = nic(inv, "eth0"), *b = nic(inv, "eth1"), *c = nic(inv, "eth10");
	assert_string_equal(a->firmware.s, "7.10 0x800075df 19.5.12");
	assert_string_equal(a->firmware.source, "ETHTOOL_GDRVINFO");
	assert_string_equal(a->permanent_mac.s, "02:00:00:00:00:07");
	assert_string_equal(a->permanent_mac.source, "ETHTOOL_GPERMADDR");
	assert_int_equal(a->speed_current_mbps.v, 100); /* netlink's, when it has one */
	assert_null(b->firmware.s);
	assert_string_equal(b->permanent_mac.s, "02:00:00:00:00:09"); /* netlink's */
	assert_int_equal(b->speed_current_mbps.v, 10000);
	assert_int_equal(b->speed_max_mbps.v, 25000);
	assert_string_equal(b->duplex.s, "full");
	assert_string_equal(b->duplex.source, "ETHTOOL_GLINKSETTINGS");
	assert_string_equal(a->port.s, "fibre");
	assert_string_equal(a->port.source, "ETHTOOL_GLINKSETTINGS");
	assert_true(a->has_link.v);
	assert_string_equal(a->has_link.source, "ETHTOOL_GLINK");
	assert_null(b->port.s);
	assert_false(b->has_link.v);
	assert_non_null(b->has_link.source);
	assert_null(c->has_link.source);
	assert_null(c->permanent_mac.s);
	assert_null(c->speed_current_mbps.source);
	assert_null(nic(inv, "dummy0")->firmware.s); /* there is no hardware to ask */
	hwp_unref(inv);
	tree_done(&t);
}

static void test_nothing_recorded(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t, false);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	assert_null(nic(inv, "eth0")->firmware.s);
	assert_null(nic(inv, "eth0")->speed_current_mbps.source);
	hwp_unref(inv);
	tree_done(&t);
}

/* A file of which no line is an answer is told; an empty one has none. */
static void test_garbage(void **state)
{
	static const struct {
		const char *text;
		size_t errors;
	} tests[] = {
		{ "", 0 },           { "eth9 port 3\n", 0 },    { "nonsense\neth0 driver x\n", 0 },
		{ "nonsense\n", 1 }, { "eth0 drivers x\n", 1 },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		const struct hwp_error *errors;
		const struct hwp_options opt = { .parts = HWP_NICS, .flags = HWP_MORE };
		struct hwp_inventory *inv = NULL;
		tree_init(&t);
		write_machine(&t, true);
		tree_file(&t, "ethtool.txt", tests[i].text);
		assert_true(tree_try(&t, opt, &inv) >= 0);
		size_t n = hwp_errors(inv, &errors);
		if (n != tests[i].errors)
			fail_msg("\"%s\": %zu errors", tests[i].text, n);
		if (n)
			assert_string_equal(errors[0].source, "ethtool.txt");
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_recorded),
					    cmocka_unit_test(test_garbage),
					    cmocka_unit_test(test_nothing_recorded) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
