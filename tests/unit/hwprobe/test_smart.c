/* What drives say of their health, in recorded answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/hwprobe/disks.h"

static void expect_health(struct tree *t, const char *name, unsigned flags, const char *want)
{
	struct hwp_inventory *inv = NULL;
	assert_int_equal(
		tree_try(t, (struct hwp_options){ .parts = HWP_DISKS, .flags = flags }, &inv), 0);
	const char *smart = disk(inv, name)->smart.s;
	if (strcmp(smart ? smart : "", want))
		fail_msg("%s is %s, not %s", name, smart, want);
	hwp_unref(inv);
}

static void test_nvme(void **state)
{
	struct tree t;
	char log[512] = { 0 };
	tree_init(&t);
	add_disks(&t, "nvme0n1 259:0");
	expect_health(&t, "nvme0n1", HWP_SMART, "");
	tree_write(&t, "dev/nvme0n1.smart", log, sizeof(log));
	expect_health(&t, "nvme0n1", HWP_SMART, "ok");
	expect_health(&t, "nvme0n1", HWP_MORE, ""); /* on demand only */
	log[0] = 4;                                 /* reliability degraded */
	tree_write(&t, "dev/nvme0n1.smart", log, sizeof(log));
	expect_health(&t, "nvme0n1", HWP_SMART, "failing");
	tree_write(&t, "dev/nvme0n1.smart", log, sizeof(log) - 1);
	expect_health(&t, "nvme0n1", HWP_SMART, "");
	tree_write(&t, "dev/nvme0n1.smart", log, sizeof(log));
	tree_file(&t, "sys/block/nvme0n1/device/state", "dead");
	expect_health(&t, "nvme0n1", HWP_SMART, "");
	tree_done(&t);
}

static void place(struct tree *t, const char *where)
{
	char path[256];
	snprintf(path, sizeof(path), "sys/devices/%s/sda/size", where);
	tree_file(t, path, "2048");
	snprintf(path, sizeof(path), "../devices/%s/sda", where);
	tree_link(t, "sys/block/sda", path);
}

/* An ATA Status Return descriptor with what the drive left in its registers. */
static const struct {
	const char *sense;
	size_t len;
	const char *want;
} answers[] = {
	{ "\x72\x01\0\x1d\0\0\0\x0e\x09\x0c\0\0\0\0\0\0\0\x4f\0\xc2\0\x50", 22, "ok" },
	{ "\x72\x01\0\x1d\0\0\0\x0e\x09\x0c\0\0\0\0\0\0\0\xf4\0\x2c\0\x50", 22, "failing" },
	{ "\x72\x01\0\x1d\0\0\0\x0e\x09\x0c\0\0\0\0\0\0\0\xff\0\xff\0\x50", 22, "" },
	{ "\x72\x01\0\x1d\0\0\0\x0e\x00\x0c\0\0\0\0\0\0\0\x4f\0\xc2\0\x50", 22, "" },
	{ "\x70\x00\x01\0\0\0\0\x0a\x09\x0c\0\0\0\0\0\0\0\x4f\0\xc2\0\x50", 22, "" },
	{ "\x72\x01\0\x1d\0\0\0\x0e\x09\x0c\0\0\0\0\0\0\0\x4f\0\xc2\0", 21, "" },
	{ "", 0, "" },
};

static void test_ata(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct tree t;
		tree_init(&t);
		place(&t, "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block");
		tree_write(&t, "dev/sda.smart", answers[i].sense, answers[i].len);
		expect_health(&t, "sda", HWP_SMART, answers[i].want);
		tree_done(&t);
	}
}

/* Behind a USB bridge the question may hang the bridge; a SCSI disk has another. */
static void test_not_asked(void **state)
{
	static const char *const places[] = {
		"pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block",
		"pci0000:00/0000:00:03.0/virtio1/host0/target0:0:0/0:0:0:0/block",
		"pci0000:00/0000:00:05.0/host2/port-2:0/end_device-2:0/target2:0:0/2:0:0:0/block",
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct tree t;
		tree_init(&t);
		place(&t, places[i]);
		tree_write(&t, "dev/sda.smart", answers[0].sense, answers[0].len);
		expect_health(&t, "sda", HWP_SMART, "");
		tree_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_ata),
		cmocka_unit_test(test_not_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
