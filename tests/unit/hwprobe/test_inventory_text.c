#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/messages.h"

static void test_text(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, "proc/sys/kernel/hostname", "node\n", "uname", "Linux\n\n\n\nx86_64\n",
		   "sys/devices/system/cpu/present", "0-3", "proc/cpuinfo",
		   "processor : 0\nmodel name : Some CPU\ncpu MHz : 2000\n", "proc/meminfo",
		   "MemTotal: 2097152 kB\n", "sys/block/sda/size", "2000000", "sys/block/sda/dev",
		   "8:0", "sys/block/sda/serial", "A\tB", "sys/block/nvme0n1/size", "2",
		   "sys/block/nvme0n1/dev", "259:0", "proc/self/mountinfo",
		   "1 1 8:0 / / rw - ext4 /dev/sda rw\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
	char *text = hwp_to_text(inv, 0);
	assert_string_equal(
		text, "Host name        node\n"
		      "Virtual machine  no\n"
		      "Processors       4 x Some CPU (x86_64, 2000 MHz)\n"
		      "Memory           2.0 GiB (2.0 GiB usable)\n"
		      "Boot             bios, secure boot: NotSupported\n"
		      "TPM              none\n"
		      "\n"
		      "DISK       SIZE  TYPE  MODEL    SERIAL  INSTALL\n"
		      "nvme0n1  1.0 kB  SSD   -        -       yes\n"
		      "sda      1.0 GB  HDD   -        A B     no: The whole disk is mounted at /\n"
		      "total    1.0 GB        2 disks\n"
		      "\n"
		      "NOT COMPLETE  SOURCE  WHY\n"
		      "all           udev    it is not there: second sources were used\n");
	free(text);
	text = hwp_to_text(inv, 40);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		if (end - line > 40)
			fail_msg("longer than 40: %.*s", (int)(end - line), line);
	assert_non_null(strstr(text, "\n    INSTALL: no: The whole disk is\n      mounted at /\n"));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* The line of the table that starts with @name; "" = there is none. */
static const char *line_of(const char *text, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);
	*ret = '\0';
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, name, n) && line[n] == ' ')
			snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
	return ret;
}

static void test_bmc(void **state)
{
	static const char without_driver[] =
		"\x26\x12\x01\0\x01\x20\x20\xff\xa3\x0c\0\0\0\0\0\0\0\0\0\0\x7f\x04\x02\0\0\0";
	static const struct {
		const char *talk, *line;
	} tests[] = {
		{ NULL, "BMC  present, without a driver" },
		{ "06 42 01 > 00 01 04 81\n", "" },
		{ "06 42 01 > 00 01 04 81\n0c 02 01 03 00 00 > 00 11 c0 00 02 07\n",
		  "BMC  192.0.2.7" },
		{ "06 42 01 > 00 01 04 81\n0c 02 01 03 00 00 > 00 11 c0 00 02 07\n"
		  "0c 02 01 14 00 00 > 00 11 2a 80\n"
		  "0c 02 01 33 00 00 > 00 11 02\n0c 02 01 37 00 00 > 00 11 01 00 00\n"
		  "0c 02 01 38 00 00 > 00 11 00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03 40 00\n",
		  "BMC  192.0.2.7 2001:db8::3, VLAN 42" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		struct hwp_inventory *inv = NULL;
		char line[128];
		tree_init(&t);
		tree_write(&t, "sys/firmware/dmi/tables/DMI", without_driver,
			   sizeof(without_driver) - 1);
		if (tests[i].talk)
			tree_file(&t, "ipmi.txt", tests[i].talk);
		assert_int_equal(
			tree_try(&t, (struct hwp_options){ .parts = HWP_BMC, .flags = HWP_MORE },
				 &inv),
			0);
		char *text = hwp_to_text(inv, 0);
		assert_string_equal(line_of(text, "BMC", line, sizeof(line)), tests[i].line);
		free(text);
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_warnings(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char log[512] = { 1 }, line[128];
	tree_init(&t);
	tree_files(&t, "sys/block/sda/size", "2048", "sys/block/sda/ro", "1",
		   "sys/block/nvme0n1/size", "2048", NULL);
	tree_write(&t, "dev/nvme0n1.smart", log, sizeof(log));
	assert_int_equal(
		tree_try(&t,
			 (struct hwp_options){ .parts = HWP_DISKS, .flags = HWP_MORE | HWP_SMART },
			 &inv),
		0);
	char *text = hwp_to_text(inv, 0);
	assert_non_null(strstr(line_of(text, "sda", line, sizeof(line)),
			       "  yes, but: It cannot be written to"));
	assert_non_null(strstr(line_of(text, "nvme0n1", line, sizeof(line)),
			       "  yes, but it is about to fail"));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

static void add_upper(struct dump *d, int ifindex, const char *name, const char *kind,
		      int attribute, unsigned value)
{
	struct nl_msg *m = link_message(ifindex, name);
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, kind);
	struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
	if (attribute == IFLA_VLAN_ID && !strcmp(kind, "vlan"))
		nla_put_u16(m, attribute, (uint16_t)value);
	else
		nla_put_u8(m, attribute, (uint8_t)value);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	if (!strcmp(kind, "vlan"))
		nla_put_u32(m, IFLA_LINK, 4);
	dump_add(d, m);
}

/* How interfaces belong to each other. */
static void test_interfaces(void **state)
{
	struct tree t;
	struct dump links = { 0 };
	tree_init(&t);
	for (int i = 2; i <= 3; i++) {
		struct nl_msg *m = link_message(i, i == 2 ? "eno1" : "eno2");
		nla_put_u32(m, IFLA_MASTER, 4);
		nla_put_u32(m, IFLA_MTU, 1500);
		dump_add(&links, m);
	}
	add_upper(&links, 4, "bond0", "bond", IFLA_BOND_MODE, 4);
	add_upper(&links, 5, "bond0.7", "vlan", IFLA_VLAN_ID, 7);
	dump_write(&links, &t, "netlink/link.nl");
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_NICS);
	char *text = hwp_to_text(inv, 0);
	assert_string_equal(
		text, "INTERFACE  TYPE    MAC  LINK         MTU  ADDRESSES  PART\n"
		      "eno1       device  -    no carrier  1500  -          in bond0\n"
		      "eno2       device  -    no carrier  1500  -          in bond0\n"
		      "bond0      bond    -    no carrier     0  -          802.3ad of eno1 eno2\n"
		      "bond0.7    vlan    -    no carrier     0  -          VLAN 7 on bond0\n");
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_firmware_and_modules(void **state)
{
	static const uint8_t table[] = { 17,   0x1b, 1,    0x11, 0,    0x10, 0xfe, 0xff, 72,   0,
					 64,   0,    0,    0x40, 9,    0,    1,    0,    0x1a, 0,
					 0,    0x80, 0x0c, 2,    0,    0,    3,    'A',  '1',  0,
					 'A',  'C',  'M',  'E',  0,    'P',  'N',  0,    0,    17,
					 0x15, 2,    0x11, 0,    0x10, 0xfe, 0xff, 0,    0,    0,
					 0,    0,    0,    9,    0,    1,    0,    2,    0,    0,
					 'B',  '1',  0,    0,    127,  4,    3,    0x11, 0,    0 };
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", table, sizeof(table));
	tree_files(&t, "sys/class/dmi/id/sys_vendor", "To Be Filled By O.E.M.\n",
		   "sys/class/dmi/id/bios_version", "F7\n", "sys/class/dmi/id/bios_date",
		   "01/02/2024\n", NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_VENDOR | HWP_MEMORY);
	char *text = hwp_to_text(inv, 0);
	assert_string_equal(text, "Vendor           To Be Filled By O.E.M. (a placeholder)\n"
				  "Firmware         F7, 01/02/2024\n"
				  "Virtual machine  no\n"
				  "Memory           16.0 GiB\n"
				  "\n"
				  "MEMORY      SIZE  TYPE    SPEED      MAKER  PART\n"
				  "A1      16.0 GiB  DDR4    3200 MT/s  ACME   PN\n"
				  "B1         empty  -       -          -      -\n"
				  "total   16.0 GiB  1 of 2\n");
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_topology(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char name[128], value[16];
	tree_init(&t);
	/* two packages of two cores of two threads; core numbers repeat; cpu8 is offline */
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/topology/physical_package_id", i);
		snprintf(value, sizeof(value), "%d\n", i / 4);
		tree_file(&t, name, value);
		snprintf(name, sizeof(name), "sys/devices/system/cpu/cpu%d/topology/core_id", i);
		snprintf(value, sizeof(value), "%d\n", i / 2 % 2);
		tree_file(&t, name, value);
	}
	tree_files(&t, "sys/devices/system/cpu/cpu8/online", "0", "sys/devices/system/cpu/present",
		   "0-8", "sys/devices/system/cpu/online", "0-7", "sys/devices/system/node/online",
		   "0-1", NULL);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_CPU, .flags = HWP_MORE }, &inv), 0);
	const struct hwp_cpu *cpu = hwp_get_cpu(inv);
	assert_int_equal(cpu->sockets.v, 2);
	assert_int_equal(cpu->cores.v, 4);
	assert_int_equal(cpu->threads.v, 8);
	assert_int_equal(cpu->offline.v, 1);
	assert_int_equal(cpu->numa_nodes.v, 2);
	hwp_unref(inv);
	tree_done(&t);
}

/* What is made of disks, second ways to them, and media are no more bytes; absurd sizes do not make the sum negative. */
static void test_totals(void **state)
{
	static const struct {
		const char *files[16], *line;
	} tests[] = {
		{ { "sys/block/sda/size", "2000000", "sys/block/sdb/size", "2000000",
		    "sys/block/md0/size", "2000000", "sys/block/sr0/size", "2000000" },
		  "total  2.0 GB        2 disks" },
		{ { "sys/block/sda/size", "2000000", "sys/block/sda/holders/dm-0/x", "",
		    "sys/block/sdb/size", "2000000", "sys/block/sdb/holders/dm-0/x", "",
		    "sys/block/dm-0/size", "2000000", "sys/block/dm-0/dm/uuid", "mpath-1" },
		  "total  1.0 GB             1 disk" },
		{ { "sys/block/sda/size", "2000000", "sys/block/sda/holders/dm-0/x", "",
		    "sys/block/dm-0/size", "1000000", "sys/block/dm-0/dm/uuid", "LVM-1" },
		  "total    1.0 GB        1 disk" },
		{ { "sys/block/sda/size", "18014398509481983", "sys/block/sdb/size",
		    "18014398509481983" },
		  "total  9.2 EB        2 disks" },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char line[128];
		tree_init(&t);
		tree_add(&t, tests[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		char *text = hwp_to_text(inv, 0);
		assert_string_equal(line_of(text, "total", line, sizeof(line)), tests[i].line);
		free(text);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Everything that speaks against a disk, and everything that could not be read. */
static void test_reasons_and_errors(void **state)
{
	struct tree t;
	char line[256];
	tree_init(&t);
	tree_files(&t, "sys/block/sda/size", "2048", "sys/block/sda/dev", "8:0",
		   "sys/block/sda/sda1/partition", "1", "sys/block/sda/sda1/dev", "8:1",
		   "proc/self/mountinfo",
		   "1 1 8:1 / /boot rw - ext4 /dev/sda1 rw\n2 1 8:0 / / rw - ext4 /dev/sda rw\n",
		   "sys/block/sdb/size", "-1", "run/udev/data/b8:0", "I:1\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	char *text = hwp_to_text(inv, 0);
	assert_non_null(
		strstr(line_of(text, "sda", line, sizeof(line)),
		       "  no: Partition sda1 is mounted at /boot; The whole disk is mounted at /"));
	assert_string_equal(
		line_of(text, "disks", line, sizeof(line)),
		"disks         sys/block/sdb/size  -1 sectors are not the size of a disk");
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bmc),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_firmware_and_modules),
		cmocka_unit_test(test_topology),
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_reasons_and_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
