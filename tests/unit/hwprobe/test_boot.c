/* How the machine was started, and what its firmware says of that. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

#define EFIVAR "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static void test_secure_boot(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *mounts, *want;
	} cases[] = {
		{ "\6\0\0\0\1", 5, NULL, "Enabled" },
		{ "\6\0\0\0\0", 5, NULL, "Disabled" },
		{ "\6\0\0\0\2", 5, NULL, "Unknown" },
		{ "\6\0\0\0", 4, NULL, "Unknown" },
		{ "\6\0\0\0\1\1", 6, NULL, "Unknown" },
		{ NULL, 0, NULL, "NotSupported" },
		{ NULL, 0, "1 1 0:5 / /sys rw - sysfs sysfs rw\n", "Unknown" },
		{ NULL, 0, "1 1 0:5 / /sys/firmware/efi/efivars rw - efivarfs efivarfs rw\n",
		  "NotSupported" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_dir(&t, "sys/firmware/efi/efivars");
		if (cases[i].data)
			tree_write(&t, EFIVAR, cases[i].data, cases[i].len);
		if (cases[i].mounts)
			tree_file(&t, "proc/self/mountinfo", cases[i].mounts);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BOOT);
		assert_string_equal(hwp_get_boot(inv)->secure_boot_state.s, cases[i].want);
		assert_string_equal(hwp_get_boot(inv)->current_boot_mode.s, "uefi");
		hwp_unref(inv);
		tree_done(&t);
	}
}

static void test_device_type(void **state)
{
	static const struct {
		const char *mounts, *want;
	} cases[] = {
		{ "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n", NULL },
		{ "1 1 0:1 / / rw - overlay overlay rw\n", "ephemeral" },
		{ "1 1 0:1 / / rw - rootfs none rw\n", "ephemeral" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 8:4 / /sysroot rw - xfs /dev/sda4 rw\n",
		  "persistent" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 7:1 / /sysroot rw - squashfs /dev/loop1 rw\n",
		  "ephemeral" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 0:7 / /sysroot ro - erofs /run/root.erofs ro\n",
		  "ephemeral" },
		{ "1 1 0:1 / / rw - overlay o rw\n2 1 0:9 / /sysroot rw - zfs tank/root rw\n",
		  "persistent" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_file(&t, "proc/self/mountinfo", cases[i].mounts);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BOOT);
		const char *got = hwp_get_boot(inv)->device_type.s;
		assert_string_equal(got ? got : "", cases[i].want ? cases[i].want : "");
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define GUID "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFIVARS "sys/firmware/efi/efivars/"

/* "PXE", a PCI node, a MAC node. */
static const uint8_t pxe_option[] = { 7,  0, 0,    0, /* attributes that efivarfs puts in front */
				      1,  0, 0,    0,    6 + 37 + 4, 0,    'P',  0,    'X', 0, 'E',
				      0,  0, 0,    1,    1,          6,    0,    0,    3,   3, 11,
				      37, 0, 0x52, 0x54, 0,          0x12, 0x34, 0x56, 0,   0, 0,
				      0,  0, 0,    0,    0,          0,    0,    0,    0,   0, 0,
				      0,  0, 0,    0,    0,          0,    0,    0,    0,   0, 0,
				      0,  1, 0x7f, 0xff, 4,          0 };

static void expect_pxe(struct tree *t, const char *mac, const char *source, const char *entry)
{
	struct hwp_inventory *inv = tree_probe_all(t, HWP_BOOT);
	const struct hwp_boot *b = hwp_get_boot(inv);
	if (mac) {
		assert_string_equal(b->pxe_mac.s, mac);
		assert_string_equal(b->pxe_mac.source, source);
	} else {
		assert_null(b->pxe_mac.s);
	}
	if (entry)
		assert_string_equal(b->boot_entry.s, entry);
	else
		assert_null(b->boot_entry.s);
	hwp_unref(inv);
}

static void test_boot(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_file(&t, "proc/cmdline", "quiet BOOTIF=01-0C-42-a1-00-00-10\n");
	expect_pxe(&t, "0c:42:a1:00:00:10", "proc/cmdline BOOTIF", NULL);
	tree_file(&t, "proc/cmdline", "BOOTIF=eth0\n");
	expect_pxe(&t, NULL, NULL, NULL);
	tree_write(&t, EFIVARS "BootCurrent" GUID, "\6\0\0\0\x0a\0", 6);
	expect_pxe(&t, NULL, NULL, NULL);
	tree_write(&t, EFIVARS "Boot000A" GUID, pxe_option, sizeof(pxe_option));
	expect_pxe(&t, "52:54:00:12:34:56", EFIVARS "Boot000A" GUID, "PXE");
	tree_file(&t, "proc/cmdline", "BOOTIF=01-0c-42-a1-00-00-10\n");
	expect_pxe(&t, "0c:42:a1:00:00:10", "proc/cmdline BOOTIF", "PXE");
	tree_done(&t);
}

static void test_command_line(void **state)
{
	static const struct {
		const char *text, *pxe;
	} cases[] = {
		{ "a BOOTIF=01-aa-bb-cc-dd-ee-ff b\n", "01-aa-bb-cc-dd-ee-ff" },
		{ "BOOTIF=AA:BB BOOTIF=2\n", "AA:BB" }, /* as it stands there; the first one */
		{ "XBOOTIF=1 bootif=2\n", NULL },
		{ "BOOTIF=", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_file(&t, "proc/cmdline", cases[i].text);
		struct hwp_inventory *inv = tree_probe(&t, HWP_BOOT);
		const struct hwp_boot *b = hwp_get_boot(inv);
		assert_string_equal(b->command_line.s, cases[i].text); /* with its newline */
		assert_string_equal(b->pxe_interface.s ? b->pxe_interface.s : "",
				    cases[i].pxe ? cases[i].pxe : "");
		assert_string_equal(b->current_boot_mode.s, "bios");
		assert_string_equal(b->secure_boot_state.s, "NotSupported");
		assert_null(b->device_type.s);
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define MOK EFIVARS "MokSBState-605dab50-e046-4300-abb6-3d810dd8b23a"

/* Each variable counts in one state of Secure Boot only: there it is read. */
static void test_secure_boot_details(void **state)
{
	static const struct {
		char secure, setup, mok; /* 2 = absent */
		int setup_mode, shim;    /* -1 = not told */
	} cases[] = {
		{ 0, 0, 2, 0, -1 },  { 0, 1, 1, 1, -1 }, { 0, 2, 2, -1, -1 },
		{ 1, 0, 2, -1, -1 }, { 1, 0, 1, -1, 0 }, { 1, 0, 0, -1, 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		print_message("case %zu\n", i);
		tree_init(&t);
		const char values[] = { cases[i].secure, cases[i].setup, cases[i].mok };
		const char *const names[] = { EFIVAR, EFIVARS "SetupMode" GUID, MOK };
		for (int k = 0; k < 3; k++)
			if (values[k] != 2)
				tree_write(&t, names[k], (const char[]){ 6, 0, 0, 0, values[k] },
					   5);
		struct hwp_inventory *inv = tree_probe_all(&t, HWP_BOOT);
		const struct hwp_boot *b = hwp_get_boot(inv);
		assert_int_equal(b->setup_mode.source ? b->setup_mode.v : -1, cases[i].setup_mode);
		assert_int_equal(b->shim_validation.source ? b->shim_validation.v : -1,
				 cases[i].shim);
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* "HTTP", a MAC node, a URI node. */
static void test_http_boot(void **state)
{
	uint8_t option[256] = { 7,  0, 0, 0, 1, 0, 0, 0, 37 + 4 + 25 + 4, 0, 'H', 0, 0, 0, 3, 11,
				37, 0, 2, 0, 0, 0, 0, 9 };
	size_t at = 14 + 37;
	memcpy(option + at, "\3\x18\x1d\0http://192.0.2.1/boot.efi\x7f\xff\4", 4 + 25 + 4);
	struct tree t;
	tree_init(&t);
	tree_write(&t, EFIVARS "BootCurrent" GUID, "\6\0\0\0\x0b\0", 6);
	tree_write(&t, EFIVARS "Boot000B" GUID, option, at + 33);
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_BOOT);
	const struct hwp_boot *b = hwp_get_boot(inv);
	assert_string_equal(b->boot_uri.s, "http://192.0.2.1/boot.efi");
	assert_string_equal(b->boot_entry.s, "H");
	assert_int_equal(b->boot_current.v, 11);
	assert_string_equal(b->boot_current.source, EFIVARS "BootCurrent" GUID);
	assert_string_equal(b->pxe_mac.s, "02:00:00:00:00:09");
	hwp_unref(inv);
	tree_done(&t);
}

static void test_bootif(void **state)
{
	static const struct {
		const char *bootif, *mac;
	} cases[] = {
		{ "01-AA-bb-cc-dd-ee-0f", "aa:bb:cc:dd:ee:0f" },
		{ "aa-bb-cc-dd-ee-ff", "aa:bb:cc:dd:ee:ff" },
		{ "01:aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:ff" },
		{ "01-aa-bb-cc-dd-ee-ff-", NULL },
		{ "01-aa-bb-cc-dd-ee-ff-00", NULL },
		{ "01-aa-bb-cc-dd-ee", "01:aa:bb:cc:dd:ee" },
		{ "01-aa-bb-cc-dd", NULL },
		{ "01-aa-bb-cc-dd-ee-f", NULL },
		{ "01- a-bb-cc-dd-ee-ff", NULL },
		{ "01--a-bb-cc-dd-ee-ff", NULL },
		{ "-", NULL },
		{ "eth0", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		char line[64];
		print_message("%s\n", cases[i].bootif);
		snprintf(line, sizeof(line), "BOOTIF=%s\n", cases[i].bootif);
		tree_init(&t);
		tree_file(&t, "proc/cmdline", line);
		expect_pxe(&t, cases[i].mac, "proc/cmdline BOOTIF", NULL);
		tree_done(&t);
	}
}

/* Lengths that no variable has: the variable is named, the rest is there. */
static void test_wild_variables(void **state)
{
	static char longest[64 << 10];
	static const struct {
		const char *current;
		size_t current_len, entry_len;
		const char *source; /* NULL = no error */
	} cases[] = {
		{ "\6\0\0\0\x0a\0", 6, sizeof(pxe_option), NULL },
		{ "\6\0\0\0\x0a\0", 6, 5000, NULL }, /* what is passed to the program is long */
		{ "\6\0\0\0\x0a\0", 6, sizeof(longest) - 1, NULL },
		{ "\6\0\0\0\x0a\0", 6, sizeof(longest), EFIVARS "Boot000A" GUID },
		{ "\6\0\0\0\x0a\0", 6, 3, EFIVARS "Boot000A" GUID },
		{ "\6\0\0\0\x0a\0", 6, 9, EFIVARS "Boot000A" GUID },
		{ "\6\0\0\0\x0a\0\0", 7, 0, EFIVARS "BootCurrent" GUID },
		{ "\6\0\0\0\x0a", 5, 0, EFIVARS "BootCurrent" GUID },
		{ "\6\0", 2, 0, EFIVARS "BootCurrent" GUID },
		{ longest, sizeof(longest), 0, EFIVARS "BootCurrent" GUID },
	};
	memcpy(longest, pxe_option, sizeof(pxe_option));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct hwp_inventory *inv = NULL;
		const struct hwp_error *errors;
		print_message("case %zu\n", i);
		tree_init(&t);
		tree_write(&t, EFIVARS "BootCurrent" GUID, cases[i].current, cases[i].current_len);
		tree_write(&t, EFIVARS "Boot000A" GUID, longest, cases[i].entry_len);
		assert_int_equal(
			tree_try(&t, (struct hwp_options){ .parts = HWP_BOOT, .flags = HWP_MORE },
				 &inv),
			0);
		size_t n = hwp_errors(inv, &errors);
		assert_int_equal(n, cases[i].source ? 1 : 0);
		if (n)
			assert_string_equal(errors[0].source, cases[i].source);
		else
			assert_string_equal(hwp_get_boot(inv)->boot_entry.s, "PXE");
		assert_string_equal(hwp_get_boot(inv)->current_boot_mode.s, "uefi");
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Four kilobytes, with bytes that are no text: all of it is kept, as text. */
static void test_odd_command_line(void **state)
{
	char text[4096];
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i + 8 < sizeof(text); i += 16)
		memcpy(text + i, "\xff\xc3(\x01 \"", 6);
	memcpy(text + 4000, " BOOTIF=01-aa-bb-cc-dd-ee-ff \n", 30);
	struct tree t;
	tree_init(&t);
	tree_write(&t, "proc/cmdline", text, sizeof(text));
	struct hwp_inventory *inv = tree_probe_all(&t, HWP_BOOT);
	const struct hwp_boot *b = hwp_get_boot(inv);
	assert_string_equal(b->pxe_mac.s, "aa:bb:cc:dd:ee:ff");
	assert_int_equal(b->command_line.s[strlen(b->command_line.s) - 1], 'x');
	assert_true(strlen(b->command_line.s) >= sizeof(text));
	char *json = hwp_to_json(inv, HWP_JSON_ASSISTED, 0);
	assert_non_null(json);
	assert_null(strchr(json, '\x01'));
	assert_null(strchr(json, '\xff'));
	free(json);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secure_boot),
		cmocka_unit_test(test_device_type),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_secure_boot_details),
		cmocka_unit_test(test_http_boot),
		cmocka_unit_test(test_bootif),
		cmocka_unit_test(test_wild_variables),
		cmocka_unit_test(test_odd_command_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
