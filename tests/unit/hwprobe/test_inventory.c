/* The snapshot: what was not asked for is not there, nothing is behind the end of a list, the last reference frees it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include "hwprobe/inventory.h"
#include "tests/unit/hwprobe/tree.h"

static void test_parts(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, "proc/sys/kernel/hostname", "x\n", "sys/block/sda/size", "2048\n", NULL);
	struct hwp_inventory *all = tree_probe(&t, HWP_ALL), *none = tree_probe(&t, HWP_GPUS);
	assert_int_equal(hwp_get_parts(all), HWP_ALL);
	assert_int_equal(hwp_get_parts(none), HWP_GPUS);
	assert_non_null(hwp_get_cpu(all));
	assert_null(hwp_get_cpu(none));
	assert_non_null(hwp_get_memory(all));
	assert_null(hwp_get_memory(none));
	assert_non_null(hwp_get_boot(all));
	assert_null(hwp_get_boot(none));
	assert_non_null(hwp_get_system_vendor(all));
	assert_null(hwp_get_system_vendor(none));
	assert_non_null(hwp_get_clock(all));
	assert_null(hwp_get_clock(none));
	assert_string_equal(hwp_get_hostname(all), "x");
	assert_null(hwp_get_hostname(none));
	assert_string_equal(hwp_get_tpm_version(all), "none");
	assert_null(hwp_get_tpm_version(none));
	assert_non_null(hwp_get_tpm(all));
	assert_null(hwp_get_tpm(none));
	assert_non_null(hwp_get_bmc(all));
	assert_null(hwp_get_bmc(none));
	assert_string_equal(hwp_get_bmc_address(all, AF_INET), "0.0.0.0");
	assert_string_equal(hwp_get_bmc_address(all, AF_INET6), "::/0");
	assert_null(hwp_get_bmc_address(none, AF_INET));
	assert_int_equal(hwp_disk_count(all), 1);
	assert_int_equal(hwp_disk_count(none), 0);
	assert_null(hwp_disk_at(none, 0));
	hwp_unref(all);
	hwp_unref(none);
	tree_done(&t);
}

static void test_ends(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(&t, "sys/block/sda/size", "2048\n", "sys/block/sdb/size", "2048\n", NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
	assert_non_null(hwp_disk_at(inv, 1));
	assert_null(hwp_disk_at(inv, 2));
	assert_null(hwp_disk_at(inv, SIZE_MAX));
	assert_null(hwp_nic_at(inv, 0));
	assert_null(hwp_route_at(inv, 0));
	assert_null(hwp_gpu_at(inv, 0));
	hwp_unref(inv);
	hwp_unref(NULL);
	tree_done(&t);
}

static void test_find(void **state)
{
	struct tree t;
	tree_init(&t);
	tree_files(
		&t, "sys/block/sda/size", "2048\n", "sys/block/sda/dev", "8:0\n",
		"sys/block/sdb/size", "2048\n", "run/udev/data/b8:0",
		"I:1\nS:disk/by-id/wwn-0x5000c500a1b2c3d4\nS:disk/by-path/pci-0-ata-1\nE:ID_PATH=pci-0-ata-1\n",
		NULL);
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	const struct hwp_disk *a = hwp_disk_at(inv, 0), *b = hwp_disk_at(inv, 1);
	assert_ptr_equal(hwp_disk_find(inv, "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"), a);
	assert_ptr_equal(hwp_disk_find(inv, "/dev/disk/by-path/pci-0-ata-1"), a);
	assert_ptr_equal(hwp_disk_find(inv, "/dev/sda"), a);
	assert_ptr_equal(hwp_disk_find(inv, "/dev/sdb"), b);
	assert_null(hwp_disk_find(inv, "/dev/sd"));
	assert_null(hwp_disk_find(inv, ""));
	hwp_unref(inv);
	tree_done(&t);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *take_and_give_back(void *arg)
{
	struct hwp_inventory *inv = arg;
	for (int i = 0; i < ROUNDS; i++)
		hwp_unref(hwp_ref(inv));
	hwp_unref(inv); /* this thread's own */
	return NULL;
}

/* By several threads at once: the sanitizer would see it freed too early, or never. */
static void test_references(void **state)
{
	struct tree t;
	pthread_t threads[THREADS];
	tree_init(&t);
	tree_file(&t, "proc/sys/kernel/hostname", "x\n");
	struct hwp_inventory *inv = tree_probe(&t, HWP_HOSTNAME);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, take_and_give_back, hwp_ref(inv)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(inv->refs, 1);
	assert_string_equal(hwp_get_hostname(inv), "x");
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_references),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
