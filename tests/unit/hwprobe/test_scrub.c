/*
 * The machines of tests/data/roots, scrubbed: nothing that names one of them is left anywhere, in whatever spelling, and what is left
 * still is the same machine.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include "common/str.h"
#include "hwprobe/scrub.h"
#include "tests/unit/hwprobe/copied.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

/* --- whole machines ------------------------------------------------------------------------------------------- */

static struct {
	struct tree tree;
	size_t skip;
	const char *needle; /* looked for by find_one() */
	size_t needle_len;
} copy; /* nftw() takes no argument for its callback */

static int find_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char target[1024];
	char *data = NULL;
	size_t len = 0;
	bool is_found = strstr(path + copy.skip, copy.needle) != NULL;
	if (type == FTW_SL || type == FTW_SLN) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		is_found |= n > 0 && memmem(target, (size_t)n, copy.needle, copy.needle_len);
	} else if (type == FTW_F && file_read_at(AT_FDCWD, path, 1 << 20, &data, &len, NULL) == 0) {
		is_found |= memmem(data, len, copy.needle, copy.needle_len) != NULL;
	}
	free(data);
	if (is_found)
		fprintf(stderr, "%s is left in %s\n", copy.needle, path);
	return is_found;
}

/* A name without a digit, or one that firmware puts into every machine, may stay. */
static void expect_gone(const char *text)
{
	if (!text || strlen(text) < SCRUB_SHORT || !strpbrk(text, "123456789"))
		return;
	if (str_starts(text, "0x"))
		text += 2;
	copy.needle = text;
	copy.needle_len = strlen(text);
	copy.skip = strlen(copy.tree.dir);
	assert_int_equal(nftw(copy.tree.dir, find_one, 16, FTW_PHYS), 0);
}

static void expect_nobody(const struct hwp_inventory *inv)
{
	for (size_t i = 0; i < hwp_disk_count(inv); i++) {
		expect_gone(hwp_disk_at(inv, i)->serial.s);
		expect_gone(hwp_disk_at(inv, i)->wwn.s);
		for (size_t k = 0; k < hwp_disk_at(inv, i)->partition_count; k++)
			expect_gone(hwp_disk_at(inv, i)->partitions[k].uuid.s);
	}
	for (size_t i = 0; i < hwp_nic_count(inv); i++)
		expect_gone(hwp_nic_at(inv, i)->mac_address.s);
	const struct hwp_vendor *v = hwp_get_system_vendor(inv);
	expect_gone(v->serial_number.s);
	expect_gone(v->uuid.s);
	expect_gone(v->board_serial.s);
	expect_gone(v->chassis_serial.s);
	for (size_t i = 0; i < hwp_get_memory(inv)->dimm_count; i++)
		expect_gone(hwp_get_memory(inv)->dimms[i].serial_number.s);
}

static void expect_same_disk(const struct hwp_disk *a, const struct hwp_disk *b)
{
	assert_string_equal(a->name.s, b->name.s);
	assert_int_equal(a->size_bytes.v, b->size_bytes.v);
	assert_string_equal(a->drive_type.s, b->drive_type.s);
	assert_int_equal(a->reason_count, b->reason_count);
	assert_int_equal(a->bootable.v, b->bootable.v);
	assert_int_equal(a->is_installation_media.v, b->is_installation_media.v);
	assert_int_equal(a->has_uuid.v, b->has_uuid.v);
	assert_int_equal(!a->by_id.s, !b->by_id.s);
	assert_int_equal(!a->by_path.s, !b->by_path.s);
	assert_int_equal(!a->serial.s, !b->serial.s);
	assert_int_equal(!a->wwn.s, !b->wwn.s);
	/* Where the id was one of the links, it still is. */
	assert_int_equal(str_eq(a->id.s, a->by_id.s), str_eq(b->id.s, b->by_id.s));
	if (a->wwn.s && a->by_id.s)
		assert_int_equal(str_ends(a->by_id.s, a->wwn.s), str_ends(b->by_id.s, b->wwn.s));
}

static void expect_same_nic(const struct hwp_nic *a, const struct hwp_nic *b)
{
	if (!str_starts(a->name.s, "enx")) /* udev makes such names of the MAC address */
		assert_string_equal(a->name.s, b->name.s);
	assert_string_equal(a->type.s, b->type.s);
	assert_int_equal(!a->mac_address.s, !b->mac_address.s);
	if (a->mac_address.s) /* the vendor's half */
		assert_memory_equal(a->mac_address.s, b->mac_address.s, 8);
	assert_int_equal(a->ipv4_addresses.n, b->ipv4_addresses.n);
	assert_int_equal(a->ipv6_addresses.n, b->ipv6_addresses.n);
	for (size_t i = 0; i < a->ipv6_addresses.n;
	     i++) /* prefix lengths: routes still cover them */
		assert_string_equal(strchr(a->ipv6_addresses.v[i], '/'),
				    strchr(b->ipv6_addresses.v[i], '/'));
}

static void expect_same_machine(const struct hwp_inventory *a, const struct hwp_inventory *b)
{
	/* A line of the mount table that cannot be read is not kept. */
	assert_true(hwp_errors(a, NULL) >= hwp_errors(b, NULL));
	assert_int_equal(hwp_disk_count(a), hwp_disk_count(b));
	for (size_t i = 0; i < hwp_disk_count(a); i++)
		expect_same_disk(hwp_disk_at(a, i), hwp_disk_at(b, i));
	assert_int_equal(hwp_nic_count(a), hwp_nic_count(b));
	for (size_t i = 0; i < hwp_nic_count(a); i++)
		expect_same_nic(hwp_nic_at(a, i), hwp_nic_at(b, i));
	assert_int_equal(hwp_route_count(a), hwp_route_count(b));
	unsigned changed = 0;
	assert_true(hwp_diff(a, b, &changed) >= 0);
	assert_int_equal(changed & (HWP_CPU | HWP_MEMORY | HWP_GPUS | HWP_TPM), 0);
}

static void test_machine(void **state)
{
	const struct hwp_options opt = { .flags = HWP_MORE };
	struct hwp_inventory *before = NULL, *after = NULL;
	copy_tree(&copy.tree, *state, NULL);
	assert_int_equal(tree_try(&copy.tree, opt, &before), 0);
	int dir = open(copy.tree.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(scrub_tree(dir), 0);
	close(dir);
	assert_int_equal(tree_try(&copy.tree, opt, &after), 0);
	expect_same_machine(before, after);
	expect_nobody(before);
	hwp_unref(before);
	hwp_unref(after);
	tree_done(&copy.tree);
}

/* --- names like words ------------------------------------------------------------------------------------------ */

static char *read_tree(struct tree *t, const char *name)
{
	char path[512], *data = NULL;
	size_t len;
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 16, &data, &len, NULL), 0);
	return data;
}

/* The value of the line that begins so; @ret has room for any here. */
static void value_in(const char *text, const char *begin, char ret[64])
{
	const char *p = strstr(text, begin);
	if (!p)
		fail_msg("no %s in %s", begin, text);
	p += strlen(begin);
	snprintf(ret, 64, "%.*s", (int)strcspn(p, "\n"), p);
}

/* Short names and those of letters alone vanish where names stand, and the same words stay elsewhere. */
static void test_names_like_words(void **state)
{
	static const char *const files[] = {
		"sys/block/vda/serial",
		"PLAIN\n",
		"sys/block/vda/device/model",
		"PLAIN host\n",
		"proc/sys/kernel/hostname",
		"host\n",
		"uname",
		"Linux\nhost\n6.1\n#1\nx86_64\n",
		"run/udev/data/b254:0",
		"S:disk/by-id/virtio-PLAIN\nS:disk/by-path/pci-PLAIN-host\nI:1\nE:ID_SERIAL=PLAIN\n"
		"E:ID_MODEL=PLAIN_host\nE:ID_FS_LABEL=host:0\nE:ID_FS_LABEL_ENC=host\\x3a0",
		"run/udev/data/b9:0",
		"S:disk/by-id/md-name-host:0\nS:md/host:0\nE:MD_NAME=host:0\nE:ID_FS_TYPE=host\n",
		"run/udev/data/b9:1",
		"E:MD_NAME=elsewhere:1\nS:disk/by-id/md-name-elsewhere:1\nE:ID_FS_LABEL=EFI\n",
		"run/udev/data/b8:0",
		"E:ID_SERIAL_SHORT=Z19X\nS:disk/by-id/ata-DISK_Z19X\nE:ID_PATH=a-Z19X\n",
		NULL
	};
	static const struct {
		const char *file, *begin, *was;
		bool is_kept;
	} values[] = {
		{ "sys/block/vda/serial", "", "PLAIN", false },
		{ "sys/block/vda/device/model", "", "PLAIN host", true },
		{ "proc/sys/kernel/hostname", "", "host", false },
		{ "uname", "Linux\n", "host", false },
		{ "run/udev/data/b254:0", "S:disk/by-id/virtio-", "PLAIN", false },
		{ "run/udev/data/b254:0", "S:disk/by-path/", "pci-PLAIN-host", true },
		{ "run/udev/data/b254:0", "E:ID_SERIAL=", "PLAIN", false },
		{ "run/udev/data/b254:0", "E:ID_MODEL=", "PLAIN_host", true },
		{ "run/udev/data/b254:0", "E:ID_FS_LABEL=", "host:0", false },
		{ "run/udev/data/b254:0", "E:ID_FS_LABEL_ENC=", "host\\x3a0", false },
		{ "run/udev/data/b9:0", "S:disk/by-id/md-name-", "host:0", false },
		{ "run/udev/data/b9:0", "S:md/", "host:0", false },
		{ "run/udev/data/b9:0", "E:MD_NAME=", "host:0", false },
		{ "run/udev/data/b9:0", "E:ID_FS_TYPE=", "host", true },
		{ "run/udev/data/b9:1", "E:MD_NAME=", "elsewhere:1", false },
		{ "run/udev/data/b9:1", "S:disk/by-id/md-name-", "elsewhere:1", false },
		{ "run/udev/data/b9:1", "E:ID_FS_LABEL=", "EFI", true },
		{ "run/udev/data/b8:0", "E:ID_SERIAL_SHORT=", "Z19X", false },
		{ "run/udev/data/b8:0", "S:disk/by-id/ata-", "DISK_Z19X", false },
		{ "run/udev/data/b8:0", "E:ID_PATH=", "a-Z19X", true },
	};
	struct tree t;
	char serial[64], link[64], path[256], target[64];
	tree_init(&t);
	tree_add(&t, files);
	tree_link(&t, "dev/disk/by-id/virtio-PLAIN", "../../vda");
	tree_link(&t, "dev/disk/by-path/pci-PLAIN-host", "../../vda");
	int dir = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(scrub_tree(dir), 0);
	close(dir);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char *data = read_tree(&t, values[i].file), is[64];
		value_in(data, values[i].begin, is);
		assert_int_equal(strlen(is), strlen(values[i].was));
		if (!strcmp(is, values[i].was) != values[i].is_kept)
			fail_msg("%s: %s%s became %s", values[i].file, values[i].begin,
				 values[i].was, is);
		free(data);
	}
	/* The same everywhere, so that the record fits together. */
	char *data = read_tree(&t, "sys/block/vda/serial");
	value_in(data, "", serial);
	free(data);
	data = read_tree(&t, "run/udev/data/b254:0");
	value_in(data, "S:disk/by-id/virtio-", link);
	free(data);
	assert_string_equal(serial, link);
	snprintf(path, sizeof(path), "%s/dev/disk/by-id/virtio-%s", t.dir, serial);
	assert_int_equal(readlink(path, target, sizeof(target)), strlen("../../vda"));
	snprintf(path, sizeof(path), "%s/dev/disk/by-path/pci-PLAIN-host", t.dir);
	assert_int_equal(readlink(path, target, sizeof(target)), strlen("../../vda"));
	tree_done(&t);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(test_names_like_words),
	};
	return expected_run("scrub", "tests/data/roots", own, sizeof(own) / sizeof(own[0]),
			    test_machine);
}
