/* The boot signature, and which devices are not even opened. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static void test_bootable(void **state)
{
	static const struct {
		const char *disks, *name, *files[6];
		bool is_read;
	} tests[] = {
		{ "sda 8:0", "sda", { NULL }, true },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "running" }, true },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "offline" }, false },
		{ "sda 8:0", "sda", { "sys/block/sda/device/state", "blocked" }, false },
		{ "nvme0n1 259:0", "nvme0n1", { "sys/block/nvme0n1/device/state", "live" }, true },
		{ "nvme0n1 259:0",
		  "nvme0n1",
		  { "sys/block/nvme0n1/device/state", "connecting" },
		  false },
		/* Native multipath: the controllers are in the folder of the subsystem. */
		{ "nvme0n1 259:0",
		  "nvme0n1",
		  { "sys/block/nvme0n1/device/nvme0/state", "connecting" },
		  false },
		{ "nvme0n1 259:0",
		  "nvme0n1",
		  { "sys/block/nvme0n1/device/nvme0/state", "connecting",
		    "sys/block/nvme0n1/device/nvme12/state", "live" },
		  true },
		{ "nvme3n2 259:0",
		  "nvme3n2",
		  { "sys/block/nvme3n2/device/nvme0/state", "live",
		    "sys/block/nvme3n2/device/nvme0/nvme3c0n2/ana_state", "inaccessible",
		    "sys/block/nvme3n2/device/nvme0/nvme3c0n1/ana_state", "optimized" },
		  false },
		{ "nvme3n2 259:0",
		  "nvme3n2",
		  { "sys/block/nvme3n2/device/nvme0/state", "live",
		    "sys/block/nvme3n2/device/nvme0/nvme3c0n2/ana_state", "non-optimized" },
		  true },
		{ "sr0 11:0", "sr0", { NULL }, false },
		{ "fd0 2:0", "fd0", { NULL }, false },
		{ "dm-0 253:0", "dm-0", { "sys/block/dm-0/dm/uuid", "LVM-x" }, true },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "LVM-x", "sys/block/dm-0/dm/suspended", "1" },
		  false },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x" },
		  false }, /* no path at all */
		{ "dm-0 253:0 sda 8:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "sys/block/dm-0/slaves/sda/x", "" },
		  true },
		{ "dm-0 253:0 sda 8:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "sys/block/dm-0/slaves/sda/x", "",
		    "sys/block/sda/device/state", "offline" },
		  false },
		{ "dm-0 253:0 dm-1 253:1",
		  "dm-1",
		  { "sys/block/dm-0/dm/uuid", "mpath-x", "sys/block/dm-1/dm/uuid", "LVM-x",
		    "sys/block/dm-1/slaves/dm-0/x", "" },
		  false }, /* stands on a map without a path */
		{ "dm-0 253:0 dm-1 253:1",
		  "dm-1",
		  { "sys/block/dm-0/dm/suspended", "1", "sys/block/dm-1/dm/uuid", "LVM-x",
		    "sys/block/dm-1/slaves/dm-0/x", "" },
		  false },
		{ "dm-0 253:0 dm-1 253:1",
		  "dm-1",
		  { "sys/block/dm-0/dm/uuid", "CRYPT-x", "sys/block/dm-1/dm/uuid", "LVM-x",
		    "sys/block/dm-1/slaves/dm-0/x", "" },
		  true },
		{ "dm-0 253:0 sda 8:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "LVM-x", "sys/block/dm-0/slaves/sda/x", "",
		    "sys/block/sda/device/state", "blocked" },
		  false },
		{ "dm-0 253:0",
		  "dm-0",
		  { "sys/block/dm-0/dm/uuid", "LVM-x", "sys/block/dm-0/slaves/dm-0/x", "" },
		  false }, /* a damaged tree: it stands on itself */
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char path[64], sector[512] = { 0 };
		memcpy(sector + 510, "\x55\xaa", 2);
		tree_init(&t);
		add_disks(&t, tests[i].disks);
		for (int k = 0; k < 6 && tests[i].files[k]; k += 2)
			tree_file(&t, tests[i].files[k], tests[i].files[k + 1]);
		snprintf(path, sizeof(path), "dev/%s", tests[i].name);
		tree_write(&t, path, sector, sizeof(sector));
		struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
		if (disk(inv, tests[i].name)->bootable.v != tests[i].is_read)
			fail_msg("case %zu: %s", i, tests[i].name);
		hwp_unref(inv);
		struct hwp_inventory *untouched = NULL;
		assert_int_equal(tree_try(&t,
					  (struct hwp_options){ .parts = HWP_DISKS,
								.flags = HWP_NO_DEVICE_READ },
					  &untouched),
				 0);
		assert_false(disk(untouched, tests[i].name)->bootable.v);
		hwp_unref(untouched);
		tree_done(&t);
	}
}

/* A device that would not answer is told, and costs nothing but its own values. */
static void test_stuck(void **state)
{
	struct tree t;
	const struct hwp_error *errors;
	char sector[512] = { 0 };
	memcpy(sector + 510, "\x55\xaa", 2);
	tree_init(&t);
	add_disks(&t, "sda 8:0 sdb 8:16 dm-0 253:0 dm-1 253:1 sr0 11:0");
	tree_files(&t, "sys/block/sda/device/state", "offline", "sys/block/dm-0/dm/uuid", "LVM-x",
		   "sys/block/dm-0/dm/suspended", "1", "sys/block/dm-1/dm/uuid", "mpath-x",
		   "sys/block/dm-1/slaves/sda/x", "", "sys/block/sr0/device/state", "offline",
		   NULL);
	tree_write(&t, "dev/sdb", sector, sizeof(sector));
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_true(disk(inv, "sdb")->bootable.v);
	assert_null(disk(inv, "sda")->bootable.source);
	assert_null(disk(inv, "dm-0")->bootable.source);
	assert_int_equal(disk(inv, "dm-0")->size_bytes.v, 1 << 20);
	assert_int_equal(hwp_errors(inv, &errors), 3);
	static const char *const stuck[] = { "sys/block/dm-0", "sys/block/dm-1", "sys/block/sda" };
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(errors[i].source, stuck[i]);
		assert_int_equal(errors[i].err, EBUSY);
	}
	hwp_unref(inv);
	tree_done(&t);
}

static void test_code(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
		bool has_code, is_active;
	} tests[] = {
		{ 0, 0xeb, true, false },    { 439, 1, true, false },
		{ 440, 0x78, false, false }, { 446, 0x80, false, true },
		{ 494, 0x80, false, true },  { 447, 0x80, false, false },
		{ 446, 0x01, false, false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct tree t;
		char sector[512] = { 0 };
		memcpy(sector + 510, "\x55\xaa", 2);
		sector[tests[i].at] = (char)tests[i].byte;
		tree_init(&t);
		add_disks(&t, "sda 8:0");
		tree_write(&t, "dev/sda", sector, sizeof(sector));
		struct hwp_inventory *inv = probe_more(&t, HWP_DISKS);
		const struct hwp_disk_boot *b = &disk(inv, "sda")->boot;
		if (b->mbr_code.v != tests[i].has_code || b->active.v != tests[i].is_active)
			fail_msg("byte %zu", tests[i].at);
		assert_string_equal(b->mbr_code.source, "LBA 0");
		hwp_unref(inv);
		tree_done(&t);
	}
}

/* Half a sector is none. */
static void test_short(void **state)
{
	struct tree t;
	tree_init(&t);
	add_disks(&t, "sda 8:0");
	tree_write(&t, "dev/sda", "\x55\xaa", 2);
	struct hwp_inventory *inv = tree_probe(&t, HWP_DISKS);
	assert_null(disk(inv, "sda")->bootable.source);
	hwp_unref(inv);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootable),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
