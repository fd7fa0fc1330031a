/*
 * A change of a network link or of a block device wakes the monitor; nothing else does. The link is one in a network namespace of its
 * own, so as root only.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "common/str.h"
#include "hwprobe/monitor.c"
#include "tests/unit/hwprobe/loop.h"

enum { WAIT_MS = 5000 };

static void bring_up_loopback(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

static void test_link_comes_up(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_monitor *m;
	struct hwp_inventory *before, *after;
	unsigned changed = 1;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	assert_int_equal(hwp_monitor_open(ctx, HWP_NICS | HWP_DISKS, &m), 0);
	assert_int_equal(hwp_probe(ctx, HWP_NICS, &before), 0);

	struct pollfd p = { .fd = hwp_monitor_fd(m), .events = POLLIN };
	assert_int_equal(hwp_monitor_dispatch(m, &changed), 0);
	assert_int_equal(changed, 0);
	bring_up_loopback();
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(hwp_monitor_dispatch(m, &changed), 1);
	assert_int_equal(changed, HWP_NICS);

	assert_int_equal(hwp_probe(ctx, HWP_NICS, &after), 0);
	assert_int_equal(hwp_diff(before, after, &changed), 1);
	assert_int_equal(changed, HWP_NICS);
	assert_int_equal(hwp_nic_at(after, 0)->ipv4_addresses.n, 1);
	hwp_unref(before);
	hwp_unref(after);
	hwp_monitor_close(m);
	hwp_close(ctx);
}

/* DHCP names a machine when it has been up for a while. */
static void test_hostname_changes(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_monitor *m;
	unsigned changed = 1;
	if (unshare(CLONE_NEWUTS) < 0) {
		print_message("no namespace of names: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(sethostname("before", 6), 0);
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	assert_int_equal(hwp_monitor_open(ctx, HWP_HOSTNAME, &m), 0);
	struct pollfd p = { .fd = hwp_monitor_fd(m), .events = POLLIN };
	assert_int_equal(hwp_monitor_dispatch(m, &changed), 0);
	for (int i = 0; i < 3; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "after%d", i);
		assert_int_equal(sethostname(name, (size_t)n), 0);
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(hwp_monitor_dispatch(m, &changed), 1);
		assert_int_equal(changed, HWP_HOSTNAME);
		assert_int_equal(hwp_monitor_dispatch(m, &changed), 0);
	}
	assert_int_equal(poll(&p, 1, 0), 0); /* and then there is silence */
	hwp_monitor_close(m);
	hwp_close(ctx);
}

/* A block device that gets a size is an event of the disks, told at once. */
static void test_block_device(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_monitor *m;
	unsigned changed = 0;
	char name[LOOP_NAME_MAX], file[] = "/tmp/hwprobe-monitor-XXXXXX";
	int fd = mkstemp(file);
	assert_true(fd >= 0);
	unlink(file);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(hwp_open(&ctx, NULL), 0);
	assert_int_equal(hwp_monitor_open(ctx, HWP_DISKS, &m), 0);
	struct pollfd p = { .fd = hwp_monitor_fd(m), .events = POLLIN };
	int64_t start = time_mono_ms();
	int loop = loop_attach(fd, name);
	while (loop >= 0 && !changed && poll(&p, 1, WAIT_MS) == 1)
		assert_true(hwp_monitor_dispatch(m, &changed) >= 0);
	print_message("%s\n", loop < 0 ? strerror(-loop) : name);
	print_message("told after %d ms\n", (int)(time_mono_ms() - start));
	hwp_monitor_close(m);
	hwp_close(ctx);
	close(fd);
	if (loop < 0)
		skip();
	loop_detach(loop);
	assert_int_equal(changed, HWP_DISKS);
}

/* Which disks the events concern; "*" = any. */
static void test_names_of_disks(void **state)
{
	static const struct {
		const char *path;
		bool is_partition;
		const char *want; /* all of this row's part of the list */
	} rows[] = {
		{ "/devices/pci0000:00/0000:00:03.0/host0/block/sda", false, "sda" },
		{ "/devices/pci0000:00/0000:00:03.0/host0/block/sda/sda1", true, "sda" },
		{ "/devices/virtual/block/dm-0", false, "sda dm-0" },
		{ "/devices/mmc0/block/mmcblk0/mmcblk0boot0", false, "sda dm-0 mmcblk0boot0" },
		{ "/devices/mmc0/block/mmcblk0/mmcblk0p1", true, "sda dm-0 mmcblk0boot0 mmcblk0" },
		{ "/devices/cciss0/block/cciss!c0d0/cciss!c0d0p1", true,
		  "sda dm-0 mmcblk0boot0 mmcblk0 cciss!c0d0" },
		{ NULL, false, "*" },
		{ "nothing", false, "*" },
		{ "/nothing", true, "*" },
		{ "/devices/block/", false, "*" },
		{ "/devices/block/"
		  "0123456789012345678901234567890123456789012345678901234567890123456789",
		  false, "*" },
	};
	struct hwp_monitor m = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char list[1024] = "";
		m.is_any_disk = false;
		note_disk(&m, rows[i].path, rows[i].is_partition);
		for (size_t k = 0; k < m.disk_count; k++)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 k ? " " : "", m.disks[k]);
		assert_string_equal(m.is_any_disk ? "*" : list, rows[i].want);
	}

	/* There is room for so many; more means all. */
	for (size_t i = 0; i <= DISK_NAMES_MAX; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/devices/block/vd%zu", i);
		note_disk(&m, path, false);
	}
	assert_true(m.is_any_disk);
	assert_int_equal(m.disk_count, DISK_NAMES_MAX);
}

/* Most functions that come and go are none: by the properties that the kernel gives them. */
static void test_gpus(void **state)
{
	static const struct {
		const char *rules, *class, *ids;
		bool may_be;
	} rows[] = {
		{ NULL, "20000", "1AF4:1041", false },
		{ NULL, "10802", "1B36:0010", false },
		{ NULL, "30000", "1234:1111", true },
		{ NULL, "30200", "10DE:20B5", true },
		{ NULL, "120000", "1DA3:1060", true },
		{ NULL, NULL, "1AF4:1041", true },
		{ NULL, "20000", NULL, true },
		{ NULL, "x", "1AF4:1041", true },
		{ NULL, "20000x", "1AF4:1041", true },
		{ NULL, "2000000", "1AF4:1041", true },
		{ NULL, "20000", "1AF4", true },
		{ NULL, "20000", "1AF4:10410", true },
		{ NULL, "20000", "1AF4:1041:", true },
		{ "vendors:\n- \"0200 1af4\"\n", "20000", "1AF4:1041", true },
		{ "vendors:\n- \"0200 1af4\"\n", "30000", "1234:1111", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gpu_rules rules = { 0 };
		if (rows[i].rules)
			assert_int_equal(gpu_rules_parse(&rules, rows[i].rules, NULL), 0);
		if (may_be_gpu(&rules, rows[i].class, rows[i].ids) != rows[i].may_be)
			fail_msg("row %zu", i);
		gpu_rules_done(&rules);
	}
}

/* What was told is looked at once; what is asked for besides is looked at, too; nothing else is. */
static void test_refresh(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_monitor *m;
	struct hwp_inventory *first, *second, *third;
	const unsigned parts = HWP_DISKS | HWP_MEMORY | HWP_HOSTNAME;
	const struct hwp_options opt = { .size = sizeof(opt), .flags = HWP_NO_DEVICE_READ };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_monitor_open(ctx, HWP_DISKS, &m), 0);
	assert_int_equal(hwp_probe(ctx, parts, &first), 0);

	assert_int_equal(hwp_monitor_refresh(m, first, 0, &second), 0);
	assert_int_equal(inventory_shared_parts(first, second), parts);
	hwp_unref(second);
	m->pending = HWP_DISKS;
	note_disk(m, "/devices/virtual/block/none", false);
	assert_int_equal(hwp_monitor_refresh(m, first, HWP_HOSTNAME, &second), 0);
	assert_int_equal(inventory_shared_parts(first, second), HWP_MEMORY);
	assert_int_equal(hwp_diff(first, second, NULL), 0);
	assert_int_equal(m->pending | m->disk_count | m->is_any_disk, 0);
	assert_int_equal(hwp_monitor_refresh(m, second, 0, &third), 0);
	assert_int_equal(inventory_shared_parts(second, third), parts);
	hwp_unref(first);
	hwp_unref(second);
	hwp_unref(third);
	hwp_monitor_close(m);
	hwp_close(ctx);
}

static void test_only_the_running_machine(void **state)
{
	struct hwp_ctx *ctx;
	struct hwp_monitor *m = NULL;
	struct hwp_options opt = { .size = sizeof(opt),
				   .sysroot = "tests/data/roots/arm-devicetree/root" };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_monitor_open(ctx, 0, &m), -EINVAL);
	assert_null(m);
	hwp_monitor_close(NULL);
	hwp_close(ctx);
}

int main(void)
{
	/* Devices first: the other tests leave the network namespace, where events of devices are told. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_device),
		cmocka_unit_test(test_names_of_disks),
		cmocka_unit_test(test_gpus),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_only_the_running_machine),
		cmocka_unit_test(test_link_comes_up),
		cmocka_unit_test(test_hostname_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
