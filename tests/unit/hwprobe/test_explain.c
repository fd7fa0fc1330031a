/* Where a value came from and what was tried before, in the order in which it was. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static struct hwp_inventory *inventory(struct tree *t, unsigned flags)
{
	struct hwp_inventory *inv = NULL;
	tree_init(t);
	tree_files(t, "sys/block/sda/size", "2048\n", "sys/block/sda/dev", "8:0\n",
		   "sys/block/sda/device/model", "Disk\tX\n", "sys/block/sda/sda1/partition", "1\n",
		   "sys/block/sdb/size", "4096\n", "sys/block/sdb/device/serial", "S-7\n",
		   "run/udev/data/b8:0", "E:ID_SERIAL=A\nE:ID_SERIAL_SHORT=B\n", "proc/meminfo",
		   "nonsense\n", "proc/sys/kernel/hostname", "h\n", NULL);
	assert_int_equal(tree_try(t, (struct hwp_options){ .flags = flags }, &inv), 0);
	return inv;
}

static char *explain(const struct hwp_inventory *inv, const char *path)
{
	char *text = NULL;
	if (hwp_explain(inv, path, &text) < 0)
		fail_msg("%s cannot be explained", path);
	return text;
}

/* The lines are there, in this order. */
static void expect_lines(const struct hwp_inventory *inv, const char *path, const char *const *want)
{
	char *text = explain(inv, path), *p = text;
	for (; *want; want++) {
		char *found = strstr(p, *want);
		if (!found)
			fail_msg("%s: \"%s\" is missing in:\n%s", path, *want, text);
		p = found + strlen(*want);
	}
	free(text);
}

static const struct {
	const char *path, *lines[8];
} cases[] = {
	{ "disks[0].serial",
	  { "disks[0].serial: \"B\"\n", "  source: udev ID_SERIAL_SHORT\n", "  tried:\n",
	    "    udev SCSI_IDENT_SERIAL: nothing there\n",
	    "    udev ID_SCSI_SERIAL: nothing there\n", "    udev ID_SERIAL_SHORT: used\n" } },
	{ "disks.sdb.serial",
	  { "disks[1].serial: \"S-7\"\n", "udev ID_SERIAL: nothing there\n",
	    "    sys/block/sdb/serial: nothing there\n",
	    "    sys/block/sdb/device/serial: used\n" } },
	{ "disks.sda.model", { "\"Disk\\tX\"\n", "udev ID_MODEL: nothing there\n" } },
	{ "disks.sda.partitions.sda1.number",
	  { "disks[0].partitions[0].number: 1\n", "sda1/partition: used\n" } },
	{ "disks.sda.firmware",
	  { ": absent\n", "sys/block/sda/device/firmware_rev: nothing there\n",
	    "sys/block/sda/device/rev: nothing there\n" } },
	{ "disks.sda", { "disks[0].name: ", "disks[0].partitions[0].name: \"sda1\"" } },
	{ "hostname", { "hostname: \"h\"\n  source: " } },
	{ "memory.usable_bytes", { ": absent\n", "error: memory: proc/meminfo: no MemTotal" } },
	{ "disks.sda.bootable",
	  { ": absent\n", "  looked at dev/sda: No such file or directory\n" } },
	{ "bmc_address",
	  { ": \"0.0.0.0\"\n", "  tried:\n    looked at ipmi.txt: No such file or directory\n"
			       "    default: used\n" } },
	{ "system_vendor", { "system_vendor.manufacturer: absent\n" } },
};

static void test_explanations(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t, HWP_EXPLAIN | HWP_MORE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_lines(inv, cases[i].path, cases[i].lines);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_no_such_value(void **state)
{
	static const char *const wrong[] = {
		"x",          "disks[2]",   "disks.sdc",         "disks[",
		"disks[0",    "disks[]",    "disks[0].serial.x", "cpu[0]",
		"disks.sda.", "cpu..count", "disks[0]x"
	};
	struct tree t;
	char *text = NULL;
	struct hwp_inventory *inv = inventory(&t, HWP_EXPLAIN);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (hwp_explain(inv, wrong[i], &text) != -ENOENT)
			fail_msg("%s: %s", wrong[i], text);
	assert_null(text);
	hwp_unref(inv);
	tree_done(&t);
}

/* Without the flag the sources are told, and nothing was kept for it. */
static void test_not_asked_for(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t, 0);
	char *text = explain(inv, "disks[0].serial");
	assert_string_equal(text, "disks[0].serial: \"B\"\n  source: udev ID_SERIAL_SHORT\n"
				  "error: memory: proc/meminfo: no MemTotal in kB\n");
	free(text);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explanations),
		cmocka_unit_test(test_no_such_value),
		cmocka_unit_test(test_not_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
