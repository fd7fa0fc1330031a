/* Files whose format is known: what is learnt from them, and what is left of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "hwprobe/scrub.h"

/* What must vanish everywhere after the file was seen: @text becomes something else. */
static void test_learning(void **state)
{
	static const struct {
		const char *path, *data, *text; /* @text: where a secret stands */
		bool is_learnt;
	} tests[] = {
		{ "sys/block/vda/serial", "SN-4711-08\n", "id-SN-4711-08-x", true },
		{ "sys/block/vda/size", "20971520\n", "20971520", false },
		{ "sys/devices/x/wwid", "eui.0025385b71b0a3c1\n", "eui.0025385b71b0a3c1", true },
		{ "sys/devices/css0/0.0.1/0.0.2/uid", "IBM.750000000DXY71.2a00.0e\n",
		  "IBM.750000000DXY71.2a00.0e", true },
		{ "sys/class/fc_host/host1/port_name", "0x10000090fa5c1234\n",
		  "fc-0x10000090fa5c1234-lun-0", true },
		{ "sys/class/iscsi_connection/connection1:0/persistent_address", "192.0.2.44\n",
		  "ip-192.0.2.44:3260", true },
		/* The address of an NVMe controller is its slot, or that of a host. */
		{ "sys/devices/x/nvme/nvme0/address", "0000:5e:00.0\n", "0000:5e:00.0", false },
		{ "sys/devices/x/nvme/nvme0/address", "traddr=192.0.2.44,trsvcid=4420\n",
		  "traddr=192.0.2.44,trsvcid=4420", true },
		{ "sys/block/dm-0/dm/uuid", "mpath-3600508b400105e210000900000490000",
		  "dm-uuid-mpath-3600508b400105e210000900000490000", true },
		{ "run/udev/data/b8:0", "I:1\nE:ID_SERIAL=WD-WX11D1234567\n", "ata-WD-WX11D1234567",
		  true },
		{ "run/udev/data/b8:0", "I:1\nE:ID_MODEL=WD-WX11D1234567\n", "ata-WD-WX11D1234567",
		  false },
		{ "run/udev/data/b8:1",
		  "E:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n",
		  "0fc63daf-8483-4772-8e79-3d69d8477de4", false },
		{ "run/udev/data/b8:1",
		  "E:ID_PART_ENTRY_UUID=7f2b1bca-34fb-a544-bda0-381866218f0a\n",
		  "7f2b1bca-34fb-a544-bda0-381866218f0a", true },
		{ "run/udev/data/b8:0",
		  "E:ID_PATH=ip-192.0.2.1:3260-iscsi-iqn.2001-04.com.x:y7-lun-1\n",
		  "iqn.2001-04.com.x:y7", true },
		{ "run/udev/data/b8:0", "E:ID_PATH=ip-192.0.2.1:3260-iscsi-lun-1\n", "lun-1",
		  false },
		{ "run/udev/data/b8:0", "E:ID_PATH=-lun-9-iscsi-secret-77\n", "secret-77", false },
		{ "proc/sys/kernel/hostname", "node-17\n", "node-17", true },
		{ "sys/class/net/ib0/address",
		  "00:00:10:29:fe:80:00:00:00:00:00:00:b8:59:c7:03:00:aa:bb:cc\n",
		  "ibp1s0-B8-59-C7-03-00-AA-BB-CC", true },
		{ "sys/class/net/ib0/address", "80:00:00:00\n", "80:00:00:00", true },
		{ "run/udev/data/+dmi:id", "E:MEMORY_DEVICE_0_ASSET_TAG=AT-9876543\n", "AT-9876543",
		  true },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct scrub s = { .key = "files" };
		char text[128];
		snprintf(text, sizeof(text), "%s", tests[i].text);
		scrub_learn(&s, tests[i].path, tests[i].data, strlen(tests[i].data));
		scrub_ready(&s);
		if (scrub_apply(&s, text, strlen(text)) != tests[i].is_learnt)
			fail_msg("%s: %s became %s", tests[i].path, tests[i].text, text);
		assert_int_equal(strlen(text), strlen(tests[i].text));
		arena_done(&s.mem);
	}
}

static void test_whole_files(void **state)
{
	static const struct {
		const char *path, *data;
		const char *kept, *gone; /* parts of the result */
	} tests[] = {
		{ "proc/cmdline",
		  "quiet console=ttyS0,115200n8 root=UUID=7f2b1bca-34fb token=abc123def\n",
		  "quiet console=ttyS0,115200n8 root=", "7f2b1bca" },
		{ "proc/cmdline", "coreos.inst.token=abc123def\n",
		  "coreos.inst.token=", "abc123def" },
		{ "uname", "Linux\nnode-17\n6.1.0-13\n#1 SMP\nx86_64\n",
		  "\n6.1.0-13\n#1 SMP\nx86_64\n", "node-17" },
		{ "proc/sys/kernel/hostname", "node-17\n", "\n", "node-17" },
		{ "sys/class/dmi/id/product_serial", "CZ1234567X\n", "\n", "CZ1234567X" },
		{ "sys/class/dmi/id/product_name", "ProLiant DL380 Gen10\n",
		  "ProLiant DL380 Gen10\n", NULL },
		{ "proc/meminfo", "MemTotal: 16384000 kB\n", "MemTotal: 16384000 kB\n", NULL },
		{ "sys/block/sda/size", "20971520\n", "20971520\n", NULL },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct scrub s = { .key = "files" };
		char data[256];
		snprintf(data, sizeof(data), "%s", tests[i].data);
		scrub_ready(&s);
		size_t n = scrub_file(&s, tests[i].path, data, strlen(data));
		assert_int_equal(n, strlen(tests[i].data));
		if (!strstr(data, tests[i].kept) || (tests[i].gone && strstr(data, tests[i].gone)))
			fail_msg("%s: %s", tests[i].path, data);
		arena_done(&s.mem);
	}
}

/* Of a disk only what it is good for stays: a health log tells nothing of its owner. */
static void test_devices(void **state)
{
	static const struct {
		size_t at;
		const char *text;
	} kept[] = { { 446, "\x80" },
		     { 478, "\0" },
		     { 510, "\x55\xaa" },
		     { 32768, "\1CD001" },
		     { 32768 + 40, "SLIPWAY                         " },
		     { 34816, "\1CD001\1EL TORITO SPECIFICATION" } };
	static char disk[34816 + 2048], want[sizeof(disk)] = "\1"; /* there is code */
	const struct scrub s = { .key = "files" };
	memset(disk, 'S', sizeof(disk));
	for (size_t at = 446; at < 510; at += 16)
		disk[at] = 0;
	memset(disk + 34816, 0, 39);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		memcpy(disk + kept[i].at, kept[i].text, strlen(kept[i].text));
		memcpy(want + kept[i].at, kept[i].text, strlen(kept[i].text));
	}
	assert_int_equal(scrub_file(&s, "dev/sda", disk, sizeof(disk)), sizeof(disk));
	for (size_t i = 0; i < sizeof(disk); i++)
		if (disk[i] != want[i])
			fail_msg("byte %zu is %02x", i, (unsigned char)disk[i]);
	char blank[512] = { [440] = 'S' };
	scrub_file(&s, "dev/sdb", blank, sizeof(blank));
	assert_int_equal(blank[0], 0); /* a disk without code still has none */
	assert_int_equal(blank[440], 0);
	char one[1] = "";
	assert_int_equal(scrub_file(&s, "dev/sdc", one, 1), 1);
	assert_int_equal(scrub_file(&s, "dev/sdc", one, 0), 0);
	char log[4] = "\4abc";
	assert_int_equal(scrub_file(&s, "dev/nvme0n1.smart", log, 4), 4);
	assert_memory_equal(log, "\4abc", 4);
	char tail[4] = "DDF1";
	scrub_file(&s, "dev/sda.tail", tail, 4);
	assert_memory_equal(tail, "\0\0\0\0", 4);
}

static void test_vpd(void **state)
{
	char serial[] = "\0\x80\0\x08"
			"CZ12345X",
	     ids[] = "\0\x83\0\x04"
		     "\1\2\3\4";
	const struct scrub s = { .key = "files" };
	scrub_file(&s, "sys/block/sda/device/vpd_pg80", serial, 12);
	assert_memory_equal(serial, "\0\x80\0\x08", 4);
	assert_memory_not_equal(serial + 4, "CZ12345X", 8);
	scrub_file(&s, "sys/block/sda/device/vpd_pg83", ids, 8);
	assert_memory_equal(ids, "\0\x83\0\x04\0\0\0\0", 8);
}

/* Type 1 with a serial number and a UUID, type 42 with a Redfish service, the end. */
static void test_smbios(void **state)
{
	enum { HOST = 27 + 12, RECORD = HOST + 10 };
	uint8_t table[HOST + 101 + 2 + 6] = { 1, 27, 1, 0, 0, 0, 0, 1 };
	memset(table + 8, 0x77, 16);
	memcpy(table + 27, "SN12345678\0\0", 12);
	memcpy(table + HOST, "\x2a\x65\2\0\x40\1\2\1\4\x5b", 10);
	memset(table + RECORD, 0x66, 16);
	table[RECORD + 51] = 1;
	memcpy(table + RECORD + 52, "\xcb\0\x71\x4d", 4);
	memcpy(table + HOST + 103, "\x7f\4\3\0\0\0", 6);
	const struct scrub s = { .key = "files" };
	scrub_file(&s, "sys/firmware/dmi/tables/DMI", (char *)table, sizeof(table));
	assert_memory_not_equal(table + 27, "SN12345678", 10);
	assert_int_equal(table[8] == 0x77 && table[9] == 0x77, false);
	assert_int_equal(table[RECORD] == 0x66 && table[RECORD + 1] == 0x66, false);
	assert_memory_not_equal(table + RECORD + 52, "\xcb\0\x71\x4d", 4);
	assert_int_equal(table[RECORD + 51], 1);
}

/* What is said in the vendor's own structures nobody reads: they may hold the addresses of the interfaces. */
static void test_smbios_of_vendors(void **state)
{
	static const char table[] = "\xdd\x0c\1\0\x52\x54\0\x12\x34\x56\0\1"
				    "MAC 525400123456\0\0"
				    "\2\x09\2\0\1\1\0\1\1"
				    "SN12345678\0\0"
				    "\1\x08\3\0\1\0\0\2"
				    "Node SN12345678\0SN12345678\0\0"
				    "\x7f\4\4\0\0";
	struct scrub s = { .key = "files" };
	char copy[sizeof(table)], serial[] = "SN12345678";
	memcpy(copy, table, sizeof(table));
	scrub_learn(&s, "sys/class/dmi/id/board_serial", serial, strlen(serial));
	scrub_ready(&s);
	scrub_file(&s, "sys/firmware/dmi/tables/DMI", copy, sizeof(copy));
	assert_null(memmem(copy, sizeof(copy), "\x12\x34\x56", 3));
	assert_null(memmem(copy, sizeof(copy), "525400123456", 12));
	assert_memory_equal(copy, table, 4); /* type, length, handle */
	assert_null(memmem(copy, sizeof(copy), "SN12345678", 10));
	assert_non_null(memmem(copy, sizeof(copy), "Node ", 5));
	/* One string in two fields, in two structures and in sysfs: everywhere the same instead. */
	assert_true(scrub_apply(&s, serial, strlen(serial)));
	size_t found = 0;
	for (char *p = copy; (p = memmem(p, (size_t)(copy + sizeof(copy) - p), serial, 10)); p++)
		found++;
	assert_int_equal(found, 3);
	arena_done(&s.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learning), cmocka_unit_test(test_whole_files),
		cmocka_unit_test(test_devices),  cmocka_unit_test(test_vpd),
		cmocka_unit_test(test_smbios),   cmocka_unit_test(test_smbios_of_vendors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
