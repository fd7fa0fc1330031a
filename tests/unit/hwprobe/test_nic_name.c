/* Names by place: udev's from its database, biosdevname's from SMBIOS types 9 and 41. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

/* Two ports on the board (one of them switched off), a slot behind a bridge, a slot that is nowhere; 19:00.x is below the bridge 00:1c.0. */
static const uint8_t
	smbios[] = { 41,   0x0b, 1,    0, 0, 0x85, 1, 0, 0, 1, 0x00, 0, 0, /* port 1: 0000:01:00.0 */
		     41,   0x0b, 2,    0, 0, 0x05, 2, 0, 0, 1, 0x01, 0, 0, /* port 2: disabled */
		     41,   0x0b, 3,    0, 0, 0x83, 3, 0, 0, 1, 0x02, 0, 0, /* video */
		     9,    0x11, 4,    0, 0, 0,    0, 4, 0, 6, 0,    0, 0, 0,
		     0,    0,    0xe0, 0, 0, /* slot 6: 0000:00:1c.0 */
		     9,    0x11, 5,    0, 0, 0,    0, 3, 0, 7, 0,    0, 0, 0xff,
		     0xff, 0xff, 0xff, 0, 0, 127,  4, 6, 0, 0, 0 };

static void add_pci_nic(struct tree *t, struct dump *links, int ifindex, const char *name,
			const char *place)
{
	char path[256], target[256];
	add_link(links, ifindex, name);
	snprintf(path, sizeof(path), "sys/class/net/%s", name);
	snprintf(target, sizeof(target), "../../devices/pci0000:00/%s/net/%s", place, name);
	tree_link(t, path, target);
	snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/net/%s/x", place, name);
	tree_file(t, path, "");
}

static void write_machine(struct tree *t)
{
	struct dump links = { 0 };
	add_link(&links, 1, "lo");
	add_pci_nic(t, &links, 2, "eth0", "0000:00:1d.0/0000:01:00.0");
	add_pci_nic(t, &links, 3, "eth1", "0000:00:1d.0/0000:01:00.1");
	add_pci_nic(t, &links, 4, "eth2", "0000:00:1c.0/0000:19:00.1");
	add_pci_nic(t, &links, 5, "eth3", "0000:00:1c.0/0000:19:00.0");
	add_pci_nic(t, &links, 6, "eth4", "0000:00:1c.1/0000:20:00.0");
	/* two ports of one function */
	add_pci_nic(t, &links, 7, "eth5", "0000:00:1c.0/0000:1a:00.0");
	add_pci_nic(t, &links, 8, "eth6", "0000:00:1c.0/0000:1a:00.0");
	tree_files(t, "sys/devices/pci0000:00/0000:00:1c.0/0000:1a:00.0/net/eth5/dev_port", "1\n",
		   "sys/devices/pci0000:00/0000:00:1c.0/0000:1a:00.0/net/eth6/dev_port", "0\n",
		   NULL);
	dump_write(&links, t, "netlink/link.nl");
	tree_write(t, "sys/firmware/dmi/tables/DMI", smbios, sizeof(smbios));
	tree_files(t, "cpuid.txt", "1 1 0 0 0 => 0 0 0 0\n", NULL);
}

static void expect_name(const struct hwp_inventory *inv, const char *name, const char *want)
{
	const struct hwp_str *got = &nic(inv, name)->biosdevname;
	print_message("%s: %s\n", name, got->s ? got->s : "none");
	if (want)
		assert_string_equal(got->s, want);
	else
		assert_null(got->s);
}

static void test_biosdevname(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t);
	struct hwp_inventory *inv = tree_probe(&t, HWP_NICS); /* it is in the wire format */
	expect_name(inv, "lo", NULL);
	expect_name(inv, "eth0", "em1");
	assert_string_equal(nic(inv, "eth0")->biosdevname.source, "smbios type 41");
	expect_name(inv, "eth1", NULL);
	expect_name(inv, "eth2", "p6p2");
	expect_name(inv, "eth3", "p6p1");
	expect_name(inv, "eth4", NULL);
	expect_name(inv, "eth5", "p6p4");
	expect_name(inv, "eth6", "p6p3");
	char *text = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	assert_non_null(strstr(text, "\"biosdevname\":\"p6p2\""));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* The tool is there on x86-64 only, and answers nothing in virtual machines. */
static void test_no_biosdevname(void **state)
{
	static const char *const files[][2] = {
		{ "cpuid.txt", "" },
		{ "cpuid.txt", "1 1 0 0 0 => 0 0 80000000 0\n" },
		{ "sys/firmware/dmi/tables/DMI", "" },
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct tree t;
		struct hwp_inventory *inv = NULL;
		tree_init(&t);
		write_machine(&t);
		tree_file(&t, files[i][0], files[i][1]);
		assert_int_equal(tree_try(&t, (struct hwp_options){ .parts = HWP_NICS }, &inv), 0);
		expect_name(inv, "eth0", NULL);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_udev_names(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t);
	tree_files(
		&t, "run/udev/data/n2",
		"I:7\nE:ID_NET_NAME_ONBOARD=eno1\nE:ID_NET_NAME_SLOT=ens6\nE:ID_NET_NAME_PATH=enp1s0f0\nE:ID_NET_NAME_MAC=enx020000000002\n",
		"run/udev/data/n3", "E:ID_NET_NAME_PATH=enp1s0f1\n",
		"sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/acpi_index", "17\n",
		"sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/index", "1\n", NULL);
	tree_link(&t, "sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/net/eth0/device",
		  "../../../0000:01:00.0");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	const struct hwp_nic *a = nic(inv, "eth0"), *b = nic(inv, "eth1");
	assert_string_equal(a->name_onboard.s, "eno1");
	assert_string_equal(a->name_slot.s, "ens6");
	assert_string_equal(a->name_path.s, "enp1s0f0");
	assert_string_equal(a->name_mac.s, "enx020000000002");
	assert_string_equal(a->name_mac.source, "udev ID_NET_NAME_MAC");
	assert_int_equal(a->acpi_index.v, 17);
	assert_int_equal(a->firmware_index.v, 1);
	assert_null(a->uninitialized.source);
	assert_true(b->uninitialized.v);                /* udev has not said that it is done */
	assert_true(nic(inv, "eth2")->uninitialized.v); /* nor seen it */
	assert_string_equal(nic(inv, "eth2")->uninitialized.source, "udev I:");
	hwp_unref(inv);

	inv = NULL;
	assert_int_equal(
		tree_try(&t,
			 (struct hwp_options){ .parts = HWP_NICS, .flags = HWP_MORE | HWP_NO_UDEV },
			 &inv),
		0);
	assert_null(nic(inv, "eth0")->name_onboard.s);
	assert_null(nic(inv, "eth2")->uninitialized.source);
	hwp_unref(inv);
	tree_done(&t);
}

/* Where there is no udev at all, nobody waits for it. */
static void test_no_udev(void **state)
{
	struct tree t;
	tree_init(&t);
	write_machine(&t);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	assert_null(nic(inv, "eth0")->uninitialized.source);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_biosdevname),
					    cmocka_unit_test(test_no_biosdevname),
					    cmocka_unit_test(test_udev_names),
					    cmocka_unit_test(test_no_udev) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
