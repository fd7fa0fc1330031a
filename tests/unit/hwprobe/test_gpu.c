/* PCI functions that are GPUs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/tree.h"

static void test_names(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	char ids[256];
	tree_init(&t);
	tree_files(
		&t, "sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n",
		"sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n",
		"sys/bus/pci/devices/0000:01:00.0/device", "0x1eb8\n",
		"sys/bus/pci/devices/10000:02:00.0/class", "0x120000",
		"sys/bus/pci/devices/0000:00:1f.0/class", "0x060100",
		"sys/bus/pci/devices/0000:00:1e.0/class", "garbage", "ids",
		"# c\n10dd  Before\n\t1eb8  Wrong\n10de  NVIDIA Corporation\n\t1eb8  TU104GL [Tesla T4]\n\t\t10de 12a2  Sub\nC 03  x\n",
		NULL);
	snprintf(ids, sizeof(ids), "%s/ids", t.dir);
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_GPUS, .pci_ids = ids }, &inv), 0);
	assert_int_equal(hwp_gpu_count(inv), 2);
	const struct hwp_gpu *g = hwp_gpu_at(inv, 0);
	assert_string_equal(g->address.s, "0000:01:00.0");
	assert_string_equal(g->vendor_id.s, "10de");
	assert_string_equal(g->device_id.s, "1eb8");
	assert_string_equal(g->vendor.s, "NVIDIA Corporation");
	assert_string_equal(g->name.s, "TU104GL [Tesla T4]");
	g = hwp_gpu_at(inv, 1);
	assert_string_equal(g->address.s, "10000:02:00.0");
	assert_null(g->vendor_id.s);
	assert_string_equal(g->vendor.s, "unknown");
	assert_int_equal(hwp_errors(inv, NULL), 1); /* the garbage */
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
