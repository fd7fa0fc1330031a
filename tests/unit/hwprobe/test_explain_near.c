/* What is told to somebody who asks for a value that there is not: why, and what is called nearly so. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static const struct {
	const char *path, *why, *near;
} cases[] = {
	{ "x", "the inventory has no \"x\"", "cpu, bmc" },
	{ "cpus.count", "the inventory has no \"cpus\"", "cpu, gpus" },
	{ "serial_number", "the inventory has no \"serial_number\"",
	  "system_vendor.serial_number" },
	{ "CPU", "the inventory has no \"CPU\"", "cpu" },
	{ "disk", "the inventory has no \"disk\"", "disks" },
	{ "warnings", "the inventory has no \"warnings\"", "disks[0].warnings" },
	{ "disks.sda.serail", "disks[0] has no \"serail\"", "disks[0].serial" },
	{ "disks.sda.eligible", "disks[0] has no \"eligible\"",
	  "disks[0].installation_eligibility.eligible" },
	{ "disks.sda1", "the list disks has [0] to [1], no \"sda1\"", "disks.sda" },
	{ "disks[2].serial", "the list disks has [0] to [1], no \"[2]\"", "disks.sda, disks.sdb" },
	{ "disks.sda.partitions[1]", "the list disks[0].partitions has [0] only, no \"[1]\"",
	  "disks[0].partitions.sda1" },
	{ "gpus[0].name", "the list gpus is empty", "gpus" },
	{ "disks.sda.serial.vlaue", "there is no \"vlaue\" in disks[0].serial, which is a value",
	  "disks[0].serial" },
	{ "disks.sda.serial[0]", "there is no \"[0]\" in disks[0].serial, which is a value",
	  "disks[0].serial" },
	{ "disks.", "the list disks has [0] to [1], no \"\"", "disks.sda, disks.sdb" },
	{ "memory.usable_byte", "memory has no \"usable_byte\"", "memory.usable_bytes" },
};

static struct hwp_inventory *inventory(struct tree *t)
{
	tree_init(t);
	tree_files(t, "sys/block/sda/size", "2048\n", "sys/block/sda/sda1/partition", "1\n",
		   "sys/block/sda/device/vpd_pg80", "", "sys/block/sdb/size", "2048\n", NULL);
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .flags = HWP_EXPLAIN | HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	return inv;
}

static void test_cases(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *why = NULL, *near = NULL;
		if (hwp_explain_missing(inv, cases[i].path, &why, &near) < 0)
			fail_msg("%s: no answer", cases[i].path);
		if (strcmp(why, cases[i].why) || strcmp(near, cases[i].near))
			fail_msg("%s: \"%s\", near it \"%s\"", cases[i].path, why, near);
		free(why);
		free(near);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* Where there is a value, nothing is missing; what is near can be asked for. */
static void test_there(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t);
	char *why = NULL, *near = NULL, *text = NULL, *save = NULL;
	assert_int_equal(hwp_explain_missing(inv, "disks.sda.name", &why, &near), -EEXIST);
	assert_null(why);
	assert_null(near);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hwp_explain_missing(inv, cases[i].path, &why, &near), 0);
		for (char *name = strtok_r(near, ", ", &save); name;
		     name = strtok_r(NULL, ", ", &save)) {
			if (hwp_explain(inv, name, &text) < 0)
				fail_msg("%s is named as near to %s", name, cases[i].path);
			free(text);
		}
		free(why);
		free(near);
	}
	hwp_unref(inv);
	tree_done(&t);
}

/* Words of any length, with any bytes. */
static void test_long_words(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = inventory(&t);
	char *why = NULL, *near = NULL, path[4096];
	for (size_t n = 1; n < sizeof(path); n = n * 2 + 1) {
		memset(path, n % 4 ? 'd' : '\x80', n);
		path[n] = '\0';
		assert_int_equal(hwp_explain_missing(inv, path, &why, &near), 0);
		assert_true(strlen(why) < 512 && *near);
		free(why);
		free(near);
	}
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_there),
		cmocka_unit_test(test_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
