/*
 * A look at the disks that events name shows what a look at all of them shows, whatever happened to a small machine. That recorded machines
 * keep to it is in test_disk_refresh_machines.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/disk_facts.h"
#include "hwprobe/disk_refresh.h"
#include "tests/unit/hwprobe/disks.h"
#include "tests/unit/hwprobe/refreshed.h"

enum { MANY = 80, ROUNDS = 300, FILES_PER_CASE = 26 };

/* Instead of a text: the file or folder is removed. A text that starts with LINK_TO is the target of a link. */
#define GONE "(gone)"
#define LINK_TO "->"

static void remove_any(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		assert_int_equal(dir_remove_at(AT_FDCWD, path, NULL), 0);
}

static void apply(struct tree *t, const char *const *files)
{
	for (; *files; files += 2) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", t->dir, files[0]);
		if (!strcmp(files[1], GONE)) {
			remove_any(path);
		} else if (str_starts(files[1], LINK_TO)) {
			remove_any(path);
			tree_link(t, files[0], files[1] + strlen(LINK_TO));
		} else {
			tree_file(t, files[0], files[1]);
		}
	}
}

/* "sda sdb" */
static void split(char *text, char *names[DISK_NAMES_MAX + 2], struct root_names *ret)
{
	char *save = NULL;
	*ret = (struct root_names){ .v = names };
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(ret->n < DISK_NAMES_MAX + 2);
		names[ret->n++] = w;
	}
}

/* --- things that happen ------------------------------------------------------------------------------------------- */

#define DISK(name, number)                                                                         \
	"sys/block/" name "/size", "2048\n", "sys/block/" name "/dev", number "\n",                \
		"run/udev/data/b" number,                                                          \
		"I:1\nE:ID_PATH=pci-" name "\nS:disk/by-path/pci-" name "\nS:disk/by-id/wwn-" name \
		"\nE:ID_MODEL=" name "\n"

/* The machine before: sda, sdb with sdb1, sdc with a volume on it, sr0, loop0. */
static const char *const before[] = {
	DISK("sda", "8:0"),
	DISK("sdb", "8:16"),
	"sys/block/sdb/sdb1/partition",
	"1\n",
	"sys/block/sdb/sdb1/dev",
	"8:17\n",
	"sys/block/sdb/sdb1/size",
	"1024\n",
	"run/udev/data/b8:17",
	"I:1\nE:ID_FS_TYPE=ext4\nS:disk/by-id/wwn-sdb-part1\n",
	DISK("sdc", "8:32"),
	"sys/block/sdc/holders/dm-0",
	"",
	DISK("dm-0", "253:0"),
	"sys/block/dm-0/dm/uuid",
	"LVM-x\n",
	"sys/block/dm-0/dm/name",
	"vg-root\n",
	"sys/block/dm-0/slaves/sdc",
	"",
	DISK("sr0", "11:0"),
	"sys/block/loop0/size",
	"0\n",
	"proc/self/mountinfo",
	"21 1 253:0 / / rw - ext4 /dev/mapper/vg-root rw\n",
	"proc/swaps",
	"Filename Type Size Used Priority\n",
	NULL,
};

static const struct {
	const char *what;
	const char *first[FILES_PER_CASE]; /* besides */
	const char *then[FILES_PER_CASE];
	const char *names;
	bool is_single; /* can it be told without a look at all? */
} cases[] = {
	{ "nothing", {}, {}, "sda", true },
	{ "no disk is named", {}, {}, "", true },
	{ "a disk that was never there", {}, {}, "sdx", true },
	{ "a disk comes", {}, { DISK("sdd", "8:48") }, "sdd", true },
	{ "a disk comes and is not named", {}, { DISK("sdf", "8:80") }, "sda", true },
	{ "several come, in natural order",
	  {},
	  { DISK("sd!a10", "8:112"), DISK("sd!a9", "8:128"), DISK("aa", "8:144"),
	    DISK("vda", "9:1") },
	  "vda sd!a10 sd!a9 aa",
	  true },
	{ "a disk goes", {}, { "sys/block/sda", GONE, "run/udev/data/b8:0", GONE }, "sda", true },
	{ "a disk goes and is not named", {}, { "sys/block/sda", GONE }, "", true },
	{ "one goes, one comes",
	  {},
	  { "sys/block/sda", GONE, DISK("sdd", "8:48") },
	  "sda sdd",
	  true },
	{ "a disk grows", {}, { "sys/block/sda/size", "4096\n" }, "sda", true },
	{ "a disk with a partition grows", {}, { "sys/block/sdb/size", "4096\n" }, "sdb", true },
	{ "a partition comes",
	  {},
	  { "sys/block/sda/sda1/partition", "1\n", "sys/block/sda/sda1/dev", "8:1\n",
	    "sys/block/sda/sda1/size", "8\n" },
	  "sda",
	  true },
	{ "a partition goes", {}, { "sys/block/sdb/sdb1", GONE }, "sdb", true },
	{ "a file system is made",
	  {},
	  { "run/udev/data/b8:17", "I:1\nE:ID_FS_TYPE=xfs\n" },
	  "sdb",
	  true },
	{ "a medium is inserted", {}, { "sys/block/sr0/size", "4096\n" }, "sr0", true },
	{ "a loop device gets a file", {}, { "sys/block/loop0/size", "8\n" }, "loop0", true },
	{ "a loop device comes", {}, { "sys/block/loop7/size", "8\n" }, "loop7", true },
	{ "an empty card reader",
	  {},
	  { "sys/block/sdd/size", "0\n", "sys/block/sdd/removable", "1\n", "sys/block/sdd/dev",
	    "8:48\n", "run/udev/data/b8:48", "I:1\n" },
	  "sdd",
	  true },
	{ "a disk claims another one's name",
	  {},
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48", "I:1\nS:disk/by-id/wwn-sda\n" },
	  "sdd",
	  false },
	{ "a disk claims the name of a partition",
	  {},
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48", "I:1\nS:disk/by-id/wwn-sdb-part1\n" },
	  "sdd",
	  false },
	{ "a partition claims the name of a disk",
	  {},
	  { "run/udev/data/b8:17", "I:1\nS:disk/by-id/wwn-sda\nL:10\n" },
	  "sdb",
	  false },
	{ "a disk claims the name of an empty card reader",
	  { "sys/block/sde/size", "0\n", "sys/block/sde/removable", "1\n", "sys/block/sde/dev",
	    "8:64\n", "run/udev/data/b8:64", "I:1\nL:50\nS:disk/by-id/wwn-sdd\n" },
	  { DISK("sdd", "8:48") },
	  "sdd",
	  false },
	{ "a disk claims another one's place",
	  {},
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48", "I:1\nE:ID_PATH=pci-sda\n" },
	  "sdd",
	  false },
	{ "a name is given up",
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48", "I:1\nS:disk/by-id/wwn-sda\n" },
	  { "run/udev/data/b8:48", "I:1\n" },
	  "sdd",
	  false },
	{ "one of two with the same name goes",
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48", "I:1\nS:disk/by-id/wwn-sda\n" },
	  { "sys/block/sda", GONE },
	  "sda",
	  false },
	{ "one of two with the same place goes",
	  { DISK("sdd", "8:48"), "run/udev/data/b8:48",
	    "I:1\nE:ID_PATH=pci-sda\nS:disk/by-path/pci-sda\n" },
	  { "sys/block/sdd", GONE },
	  "sdd",
	  false },
	{ "a partition is mounted",
	  {},
	  { MOUNTS, "22 1 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n" },
	  "sdb",
	  false },
	{ "another disk is mounted",
	  {},
	  { MOUNTS, "22 1 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n", "sys/block/sda/size", "8\n" },
	  "sda",
	  false },
	{ "what is mounted stays so",
	  { MOUNTS, "22 1 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n" },
	  { "sys/block/sdb/size", "4096\n" },
	  "sdb",
	  true },
	{ "a swap area is taken into use",
	  {},
	  { SWAPS, "Filename\n/dev/sdb1 partition 8 0 -2\n" },
	  "sda",
	  false },
	{ "more of a swap area is used",
	  { SWAPS, "Filename\n/dev/sdb1 partition 8 0 -2\n" },
	  { SWAPS, "Filename\n/dev/sdb1 partition 8 4 -2\n" },
	  "sda",
	  true },
	{ "a btrfs gets a member",
	  { "sys/fs/btrfs/x/devices/sda", "" },
	  { "sys/fs/btrfs/x/devices/sdb1", "" },
	  "sda",
	  false },
	{ "a disk with a volume on it grows", {}, { "sys/block/sdc/size", "4096\n" }, "sdc", false },
	{ "a disk with a volume on it goes", {}, { "sys/block/sdc", GONE }, "sdc", false },
	{ "a volume grows", {}, { "sys/block/dm-0/size", "4096\n" }, "dm-0", false },
	{ "a volume goes",
	  {},
	  { "sys/block/dm-0", GONE, "sys/block/sdc/holders/dm-0", GONE },
	  "dm-0",
	  false },
	{ "a volume comes",
	  {},
	  { "sys/block/sda/holders/dm-1", "", DISK("dm-1", "253:1"), "sys/block/dm-1/dm/uuid",
	    "LVM-y\n", "sys/block/dm-1/slaves/sda", "" },
	  "dm-1 sda",
	  false },
	{ "an array comes",
	  {},
	  { "sys/block/sda/holders/md0", "", DISK("md0", "9:0"), "sys/block/md0/slaves/sda", "" },
	  "md0",
	  false },
	{ "a cache comes",
	  {},
	  { "sys/block/sda/holders/xcache0", "", DISK("xcache0", "252:0"),
	    "sys/block/xcache0/slaves/sda", "" },
	  "xcache0",
	  false },
	{ "a cache goes",
	  { "sys/block/sda/holders/xcache0", "", DISK("xcache0", "252:0"),
	    "sys/block/xcache0/slaves/sda", "" },
	  { "sys/block/xcache0", GONE, "sys/block/sda/holders/xcache0", GONE },
	  "xcache0",
	  false },
	{ "a holder comes with the disk",
	  {},
	  { DISK("sdd", "8:48"), "sys/block/sdd/holders/dm-0", "" },
	  "sdd",
	  false },
	{ "the disk of an appliance comes",
	  {},
	  { DISK("dm-1", "253:1"), "sys/block/dm-1/dm/name", "agentdata\n" },
	  "dm-1",
	  false },
	{ "in an appliance",
	  { DISK("dm-1", "253:1"), "sys/block/dm-1/dm/name", "agentdata\n" },
	  { DISK("sdd", "8:48") },
	  "sdd",
	  false },
	{ "udev has not seen the disk",
	  {},
	  { "sys/block/sdd/size", "8\n", "sys/block/sdd/dev", "8:48\n" },
	  "sdd",
	  false },
	{ "a disk that udev has not seen stays",
	  { "sys/block/sdd/size", "8\n", "sys/block/sdd/dev", "8:48\n" },
	  { "sys/block/sda/size", "8\n" },
	  "sda",
	  true },
	{ "such a disk has links all the same",
	  { "sys/block/sdd/size", "8\n", "sys/block/sdd/dev", "8:48\n", "dev/disk/by-id/wwn-x",
	    LINK_TO "../../sdd" },
	  { "run/udev/data/b8:0", "I:1\nS:disk/by-id/wwn-x\nS:disk/by-id/wwn-z\n",
	    "dev/disk/by-id/wwn-x", LINK_TO "../../sda" },
	  "sda",
	  false },
	{ "udev is gone", {}, { "run/udev", GONE }, "sda", false },
	{ "there is no udev", { "run/udev", GONE }, { "sys/block/sda/size", "8\n" }, "sda", false },
	{ "Fibre Channel",
	  {},
	  { "sys/block/sdd", LINK_TO "../devices/host1/rport-1:0-0/block/sdd",
	    "sys/devices/host1/rport-1:0-0/block/sdd/size", "8\n",
	    "sys/devices/host1/rport-1:0-0/block/sdd/dev", "8:48\n", "run/udev/data/b8:48",
	    "I:1\n" },
	  "sdd",
	  false },
	{ "an NVMe namespace comes", {}, { DISK("nvme0n1", "259:0") }, "nvme0n1", true },
	{ "an NVMe namespace with paths comes",
	  {},
	  { DISK("nvme0n1", "259:0"), "sys/block/nvme0c0n1/hidden", "1\n",
	    "sys/block/nvme0c0n1/size", "2048\n" },
	  "nvme0n1",
	  false },
	{ "a path of a namespace goes",
	  { DISK("nvme0n1", "259:0"), "sys/block/nvme0c0n1/hidden", "1\n",
	    "sys/block/nvme0c0n1/size", "2048\n" },
	  { "sys/block/nvme0c0n1", GONE },
	  "",
	  false },
	{ "a disk beside namespaces with paths",
	  { DISK("nvme0n1", "259:0"), "sys/block/nvme0c0n1/hidden", "1\n",
	    "sys/block/nvme0c0n1/size", "2048\n" },
	  { "sys/block/sda/size", "8\n" },
	  "sda",
	  true },
	{ "an attribute is nonsense", {}, { "sys/block/sda/size", "x\n" }, "sda", true },
	{ "it was nonsense, of another disk",
	  { "sys/block/sdb/size", "x\n" },
	  { "sys/block/sda/size", "y\n" },
	  "sda",
	  true },
	{ "it is none any more",
	  { "sys/block/sdb/size", "x\n", "sys/block/sda/size", "y\n" },
	  { "sys/block/sda/size", "8\n" },
	  "sda",
	  true },
	{ "an error of all disks stays",
	  { MOUNTS, "nonsense\n" },
	  { "sys/block/sda/size", "8\n" },
	  "sda",
	  true },
	{ "an error that is no disk's",
	  { "run/udev/data/b8:16", GONE, "run/udev/data/b8:16/folder", "" },
	  { "sys/block/sda/size", "8\n" },
	  "sda",
	  false },
	{ "too many", {}, {}, "sda a b c d e f g h i j k l m n o p", false },
};

static void run_case(size_t i)
{
	struct tree t;
	struct hwp_inventory *first, *single = NULL, *now, *whole;
	char text[256], *names[DISK_NAMES_MAX + 2];
	struct root_names list;
	tree_init(&t);
	apply(&t, before);
	apply(&t, cases[i].first);
	struct hwp_ctx *ctx = open_tree(&t);
	assert_int_equal(hwp_probe(ctx, 0, &first), 0);
	apply(&t, cases[i].then);
	str_copy(text, sizeof(text), cases[i].names);
	split(text, names, &list);

	int rc = disk_refresh(ctx, first, &list, &single);
	if (rc != (cases[i].is_single ? 0 : -EAGAIN))
		fail_msg("%s: %d", cases[i].what, rc);
	assert_int_equal(inventory_refresh(ctx, first, HWP_DISKS, &list, &now), 0);
	hwp_unref(first);
	hwp_unref(single);
	assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
	expect_same(cases[i].what, whole, now);
	hwp_unref(now);
	hwp_unref(whole);
	hwp_close(ctx);
	tree_done(&t);
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(i);
}

/* The same things one after the other, in any order: each look goes out from the last one. */
static void test_one_after_the_other(void **state)
{
	static const char *const nothing[] = { "sys", GONE,  "proc", GONE, "run",
					       GONE,  "dev", GONE,   NULL };
	struct tree t;
	struct hwp_inventory *last, *now, *whole;
	uint32_t random = 1;
	size_t singles = 0;
	tree_init(&t);
	apply(&t, before);
	struct hwp_ctx *ctx = open_tree(&t);
	assert_int_equal(hwp_probe(ctx, 0, &last), 0);
	for (int i = 0; i < ROUNDS; i++) {
		char text[256], *names[DISK_NAMES_MAX + 2];
		struct root_names list;
		random = random * 1664525 + 1013904223;
		size_t k = (random >> 16) % ARRAY_SIZE(cases);
		/* Now and then all is as it was; some things cannot be undone otherwise. */
		bool is_anew = i % 20 == 19;
		if (is_anew)
			apply(&t, nothing);
		apply(&t, is_anew ? before : cases[k].then);
		str_copy(text, sizeof(text), cases[k].names);
		split(text, names, &list);
		assert_int_equal(
			inventory_refresh(ctx, last, HWP_DISKS, is_anew ? NULL : &list, &now), 0);
		hwp_unref(last);
		last = now;
		singles += inventory_origin(last, HWP_DISKS)->source_count > 0;
		assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
		expect_same(cases[k].what, whole, last);
		hwp_unref(whole);
	}
	print_message("%zu of %d by single disks\n", singles, ROUNDS);
	assert_true(singles > ROUNDS / 5);
	hwp_unref(last);
	hwp_close(ctx);
	tree_done(&t);
}

static void add_virtual_disk(struct tree *t, int i)
{
	char path[64], text[64];
	snprintf(path, sizeof(path), "sys/block/vd%d/size", i);
	tree_file(t, path, "2048\n");
	snprintf(path, sizeof(path), "sys/block/vd%d/dev", i);
	snprintf(text, sizeof(text), "252:%d\n", i);
	tree_file(t, path, text);
	snprintf(path, sizeof(path), "run/udev/data/b252:%d", i);
	snprintf(text, sizeof(text), "I:1\nE:ID_PATH=vd%d\n", i);
	tree_file(t, path, text);
}

/* A watcher goes on for months: what the list is made of has a limit, and no snapshot keeps one that was put together. */
static void test_nothing_piles_up(void **state)
{
	struct tree t;
	struct hwp_inventory *last, *now, *whole;
	char one[16], size[32], *name = one;
	size_t wholes = 0;
	tree_init(&t);
	for (int i = 0; i < MANY; i++)
		add_virtual_disk(&t, i);
	struct hwp_ctx *ctx = open_tree(&t);
	assert_int_equal(hwp_probe(ctx, 0, &last), 0);
	for (int i = 0; i < ROUNDS; i++) {
		char path[64];
		snprintf(one, sizeof(one), "vd%d", i * 7 % MANY);
		snprintf(path, sizeof(path), "sys/block/vd%d/size", i * 7 % MANY);
		snprintf(size, sizeof(size), "%d\n", i + 4096);
		tree_file(&t, path, size);
		const struct root_names list = { .v = &name, .n = 1 };
		assert_int_equal(inventory_refresh(ctx, last,
						   i % 3 ? HWP_DISKS : HWP_DISKS | HWP_HOSTNAME,
						   &list, &now),
				 0);
		hwp_unref(last);
		last = now;
		const struct hwp_inventory *disks = inventory_origin(last, HWP_DISKS);
		assert_true(disks->source_count <= DISK_SOURCES_MAX);
		wholes += !disks->source_count;
		for (size_t k = 0; k < disks->source_count; k++)
			assert_int_equal(disks->sources[k]->source_count, 0);
		assert_int_equal(disk(last, one)->size_bytes.v, (i + 4096) * 512LL);
	}
	/* It starts anew now and then, not each time. */
	assert_in_range(wholes, 1, ROUNDS / 50);
	assert_int_equal(hwp_probe(ctx, 0, &whole), 0);
	expect_same("in the end", whole, last);
	hwp_unref(whole);
	hwp_unref(last);
	hwp_close(ctx);
	tree_done(&t);
}

/* Of a snapshot of another context, of other parts: all disks are looked at. */
static void test_foreign_snapshots(void **state)
{
	struct tree t;
	struct hwp_inventory *last, *single = NULL, *now;
	char *name = (char *)"sda";
	const struct root_names list = { .v = &name, .n = 1 };
	tree_init(&t);
	apply(&t, before);
	struct hwp_ctx *ctx = open_tree(&t), *other = open_tree(&t);
	assert_int_equal(hwp_probe(ctx, 0, &last), 0);
	assert_int_equal(disk_refresh(other, last, &list, &single), -EAGAIN);
	hwp_unref(last);
	assert_int_equal(hwp_probe(ctx, HWP_HOSTNAME, &last), 0);
	assert_int_equal(disk_refresh(ctx, last, &list, &single), -EAGAIN);
	assert_int_equal(inventory_refresh(ctx, last, HWP_DISKS, &list, &now), 0);
	assert_int_equal(hwp_disk_count(now), 5);
	assert_null(single);
	hwp_unref(now);
	hwp_unref(last);
	hwp_close(ctx);
	hwp_close(other);
	tree_done(&t);
}

/* A data base that cannot be read: nobody knows whether the disks that stay would say so, too. */
static void test_error_of_no_disk(void **state)
{
	struct tree t;
	struct hwp_ctx *ctx;
	struct hwp_inventory *last, *single = NULL, *now;
	char *name = (char *)"nvme0n1";
	const struct root_names list = { .v = &name, .n = 1 };
	tree_init(&t);
	apply(&t, before);
	const struct hwp_options opt = { .size = sizeof(opt),
					 .sysroot = t.dir,
					 .parts = HWP_DISKS,
					 .flags = HWP_MORE,
					 .pci_ids = "/nowhere/pci.ids" };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, 0, &last), 0);
	assert_int_equal(hwp_errors(last, NULL), 0);
	apply(&t,
	      (const char *const[]){ DISK("nvme0n1", "259:0"),
				     "sys/block/nvme0n1/device/device/vendor", "0x1b36\n", NULL });
	assert_int_equal(disk_refresh(ctx, last, &list, &single), -EAGAIN);
	assert_int_equal(inventory_refresh(ctx, last, HWP_DISKS, &list, &now), 0);
	assert_int_equal(hwp_errors(now, NULL), 1);
	hwp_unref(now);
	hwp_unref(last);
	hwp_close(ctx);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_nothing_piles_up),
		cmocka_unit_test(test_foreign_snapshots),
		cmocka_unit_test(test_error_of_no_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
