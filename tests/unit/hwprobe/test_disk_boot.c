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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
