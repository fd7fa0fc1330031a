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

/* A database that somebody names and that is not there is told; without a GPU nobody needs it. */
static void test_missing_database(void **state)
{
	static const struct {
		const char *class;
		size_t gpus, errors;
	} cases[] = { { "0x030000\n", 1, 1 }, { "0x060100\n", 0, 0 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		struct hwp_inventory *inv = NULL;
		const struct hwp_error *errors;
		tree_init(&t);
		tree_file(&t, "sys/bus/pci/devices/0000:01:00.0/class", cases[i].class);
		assert_int_equal(tree_try(&t,
					  (struct hwp_options){ .parts = HWP_GPUS,
								.pci_ids = "/nonexistent/pci.ids" },
					  &inv),
				 0);
		assert_int_equal(hwp_gpu_count(inv), cases[i].gpus);
		assert_int_equal(hwp_errors(inv, &errors), cases[i].errors);
		if (cases[i].errors) {
			assert_string_equal(errors[0].source, "/nonexistent/pci.ids");
			assert_int_equal(errors[0].err, ENOENT);
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

#define GPU "sys/devices/pci0000:00/0000:00:01.0/0000:01:00."

static void test_more(void **state)
{
	struct tree t;
	struct hwp_inventory *inv = NULL;
	tree_init(&t);
	tree_files(
		&t, GPU "0/class", "0x030200\n", GPU "0/subsystem_vendor", "0x10de\n",
		GPU "0/subsystem_device", "0x12a2\n", GPU "0/numa_node", "1\n", GPU "0/boot_vga",
		"1\n", GPU "0/resource",
		"0x00000000fa000000 0x00000000faffffff 0x0000000000040200\n"
		"0x0000383fe0000000 0x0000383fefffffff 0x000000000014220c\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x000000000000e000 0x00000000ffffffff 0x0000000000040101\n" /* ports */
		"garbage\n0x0 0x0 0x0\n"
		"0x0000000000000000 0x000000ffffffffff 0x0000000000000200\n", /* no BAR any more */
		GPU "1/class", "0x030200\n", GPU "1/numa_node", "-1\n", GPU "1/boot_vga", "0\n",
		NULL);
	tree_link(&t, "sys/bus/pci/devices/0000:01:00.0",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0");
	tree_link(&t, "sys/bus/pci/devices/0000:01:00.1",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.1");
	tree_link(&t, GPU "0/driver", "../../../../bus/pci/drivers/nvidia");
	tree_link(&t, GPU "1/physfn", "../0000:01:00.0");
	assert_int_equal(
		tree_try(&t, (struct hwp_options){ .parts = HWP_GPUS, .flags = HWP_MORE }, &inv),
		0);
	assert_int_equal(hwp_gpu_count(inv), 2);
	const struct hwp_gpu *a = hwp_gpu_at(inv, 0), *b = hwp_gpu_at(inv, 1);
	assert_string_equal(a->driver.s, "nvidia");
	assert_string_equal(a->subsystem_vendor_id.s, "10de");
	assert_string_equal(a->subsystem_device_id.s, "12a2");
	assert_int_equal(a->numa_node.v, 1);
	assert_int_equal(a->memory_bytes.v, 256 << 20);
	assert_true(a->is_boot_display.v);
	assert_false(a->is_virtual_function.v);
	assert_null(a->physical_function.s);
	assert_null(b->driver.s);
	assert_null(b->numa_node.source); /* -1 = no node */
	assert_null(b->memory_bytes.source);
	assert_false(b->is_boot_display.v);
	assert_true(b->is_virtual_function.v);
	assert_string_equal(b->physical_function.s, "0000:01:00.0");
	assert_int_equal(hwp_errors(inv, NULL), 0);
	hwp_unref(inv);
	inv = tree_probe(&t, HWP_GPUS);
	assert_null(hwp_gpu_at(inv, 0)->driver.s);
	hwp_unref(inv);
	tree_done(&t);
}

static void test_broken_ids(void **state)
{
	static const char *const ids[] = { "10de", "0x10dex", "0x110de", "0x" };
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct tree t;
		tree_init(&t);
		tree_files(&t, "sys/bus/pci/devices/0000:01:00.0/class", "0x030000",
			   "sys/bus/pci/devices/0000:01:00.0/vendor", ids[i],
			   "sys/bus/pci/devices/0000:01:00.0/device", "0x0001", NULL);
		struct hwp_inventory *inv = tree_probe(&t, HWP_GPUS);
		/* It is listed all the same, without the id. */
		assert_int_equal(hwp_gpu_count(inv), 1);
		if (hwp_gpu_at(inv, 0)->vendor_id.s)
			fail_msg("%s was taken for an id", ids[i]);
		assert_string_equal(hwp_gpu_at(inv, 0)->device_id.s, "0001");
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_missing_database),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_broken_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
