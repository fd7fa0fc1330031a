/* Who made the machine and what it is called: one small tree per rule. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

#define DMI "sys/class/dmi/id/"

static void test_vendor_names(void **state)
{
	static const struct {
		const char *files[8], *manufacturer, *product;
	} cases[] = {
		{ { DMI "sys_vendor", " HP \n", DMI "product_name", "ProLiant DL585 G2   \n" },
		  "HP",
		  "ProLiant DL585 G2" },
		{ { DMI "sys_vendor", "QEMU", DMI "chassis_asset_tag", "OracleCloud.com" },
		  "OracleCloud.com",
		  NULL },
		{ { DMI "product_name", "RHEL", DMI "product_family", "RHV" }, NULL, "oVirt" },
		{ { "proc/sysinfo", "LPAR Name: x\n" }, "IBM/S390", "LPAR" },
		{ { "proc/sysinfo", "VM00 Control Program: z/VM    6.1.0  \n" },
		  "IBM/S390",
		  "z/VM    6.1.0" },
		{ { "sys/firmware/devicetree/base/compatible", "acme,board" }, "acme", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_add(&t, cases[i].files);
		struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
		const struct hwp_vendor *v = hwp_get_system_vendor(inv);
		assert_string_equal(v->manufacturer.s ? v->manufacturer.s : "",
				    cases[i].manufacturer ? cases[i].manufacturer : "");
		assert_string_equal(v->product_name.s ? v->product_name.s : "",
				    cases[i].product ? cases[i].product : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Types 0, 1, 2, 3; the UUID's bytes count up. */
static const uint8_t smbios[] = {
	0,   0x18, 0,   0,   1,   2,   0,    0,    3,    0,   0,   0,    0,    0,   0,   0,
	0,   0,    0,   0,   2,   19,  0xff, 0xff, 'F',  'W', 0,   'v',  '7',  0,   '0', '1',
	'/', '0',  '2', '/', '2', '0', '2',  '4',  0,    0,   1,   0x1b, 1,    0,   1,   2,
	3,   4,    0,   1,   2,   3,   4,    5,    6,    7,   8,   9,    10,   11,  12,  13,
	14,  15,   6,   5,   6,   'A', 'C',  'M',  'E',  0,   'B', 'o',  'x',  0,   'r', '1',
	0,   'S',  'N', '7', 0,   's', 'k',  'u',  0,    'f', 'a', 'm',  0,    0,   2,   0x09,
	2,   0,    1,   2,   3,   4,   5,    'b',  'v',  0,   'b', 'n',  0,    'b', 'r', 0,
	'b', 's',  0,   'b', 't', 0,   0,    3,    0x09, 3,   0,   1,    0x97, 0,   2,   3,
	'c', 'v',  0,   'c', 's', 0,   'D',  'e',  'f',  'a', 'u', 'l',  't',  ' ', 's', 't',
	'r', 'i',  'n', 'g', 0,   0,   127,  4,    4,    0,   0,   0
};

static void expect(const struct hwp_str *got, const char *want)
{
	assert_non_null(got->s);
	assert_string_equal(got->s, want);
	assert_non_null(got->source);
}

/* All from the table, when the kernel shows no strings of it. */
static void test_table(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", smbios, sizeof(smbios));
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_VENDOR);
	const struct hwp_vendor *v = hwp_get_system_vendor(inv);
	expect(&v->manufacturer, "ACME");
	expect(&v->product_name, "Box");
	expect(&v->version, "r1");
	expect(&v->serial_number, "SN7");
	expect(&v->sku, "sku");
	expect(&v->family, "fam");
	expect(&v->board_vendor, "bv");
	expect(&v->board_name, "bn");
	expect(&v->board_version, "br");
	expect(&v->board_serial, "bs");
	expect(&v->board_asset_tag, "bt");
	expect(&v->chassis_vendor, "cv");
	expect(&v->chassis_type, "Rack Mount Chassis"); /* with a lock */
	expect(&v->chassis_serial, "cs");
	expect(&v->firmware_vendor, "FW");
	expect(&v->firmware_version, "v7");
	expect(&v->firmware_date, "01/02/2024");
	expect(&v->firmware_release, "2.19");
	expect(&v->uuid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
	char *text = hwp_to_json(inv, HWP_JSON_FULL, 0);
	assert_non_null(strstr(
		text,
		"\"chassis_asset_tag\":{\"value\":\"Default string\",\"source\":\"smbios\",\"placeholder\":true}"));
	assert_null(strstr(text, "\"value\":\"ACME\",\"source\":\"smbios\",\"placeholder\""));
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* Before version 2.6 nobody had said in which order the bytes are. */
static void test_uuid_order(void **state)
{
	static const struct {
		const char *entry;
		size_t len;
		const char *want;
	} cases[] = {
		{ "_SM_\0\x1f\2\5", 8, "00010203-0405-0607-0809-0a0b0c0d0e0f" },
		{ "_SM_\0\x1f\2\6", 8, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
		{ "_SM_\0\x1f\3\0", 8, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
		{ "_SM3_\0\x18\3\5", 9, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
		{ "_SM_\0\x1f\2\x1f", 8, "00010203-0405-0607-0809-0a0b0c0d0e0f" }, /* 2.31 */
		{ "_SM_\0\x1f\2\x33", 8, "03020100-0504-0706-0809-0a0b0c0d0e0f" }, /* 2.51 */
		/* without "_SM_": the version in BCD at the end */
		{ "_DMI_\0\0\0\0\0\0\0\0\0\x23", 15, "00010203-0405-0607-0809-0a0b0c0d0e0f" },
		{ "_DMI_\0\0\0\0\0\0\0\0\0\x26", 15, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
		{ "_DMI_", 5, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
		{ "_SM_", 4, "03020100-0504-0706-0809-0a0b0c0d0e0f" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		print_message("case %zu\n", i);
		tree_init(&t);
		tree_write(&t, "sys/firmware/dmi/tables/DMI", smbios, sizeof(smbios));
		tree_write(&t, "sys/firmware/dmi/tables/smbios_entry_point", cases[i].entry,
			   cases[i].len);
		struct hwp_inventory *inv = tree_probe(&t, HWP_VENDOR);
		assert_string_equal(hwp_get_system_vendor(inv)->uuid.s, cases[i].want);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* The kernel's own strings come first; numbers that mean nothing are no value. */
static void test_attributes(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_write(&t, "sys/firmware/dmi/tables/DMI", smbios, sizeof(smbios));
	tree_files(&t, DMI "sys_vendor", "Other\n", DMI "chassis_type", "99\n", DMI "bios_release",
		   "5.17\n", DMI "product_uuid", "4c4c4544-0042-4d10-8056-b7c04f4b3132\n", NULL);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_VENDOR);
	const struct hwp_vendor *v = hwp_get_system_vendor(inv);
	expect(&v->manufacturer, "Other");
	assert_string_equal(v->manufacturer.source, DMI "sys_vendor");
	expect(&v->firmware_release, "5.17");
	expect(&v->uuid, "4c4c4544-0042-4d10-8056-b7c04f4b3132");
	assert_null(v->chassis_type.s);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendor_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_uuid_order),
		cmocka_unit_test(test_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
