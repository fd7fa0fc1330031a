/*
 * Every file of every recorded machine is removed, emptied, filled with garbage and made unreadable in turn: the probe
 * goes on, and only the parts that are made from that file may change.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include "common/str.h"
#include "hwprobe/inventory_json.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

enum { GARBAGE_BYTES = 65536, FILES_MAX = 4096 };

/* Which parts a file feeds; the first line that starts the path counts. */
static const struct {
	const char *prefix;
	unsigned parts;
} feeds[] = {
	{ "cpuid.txt", HWP_CPU | HWP_VENDOR | HWP_NICS },
	{ "dev/", HWP_DISKS },
	{ "ethtool.txt", HWP_NICS },
	{ "ipmi.txt", HWP_BMC },
	{ "netlink/ethtool-", HWP_NICS },
	{ "netlink/link.nl", HWP_NICS | HWP_ROUTES | HWP_HOSTNAME },
	{ "netlink/addr.nl", HWP_NICS | HWP_HOSTNAME },
	{ "netlink/route4.nl", HWP_ROUTES },
	{ "netlink/route6.nl", HWP_ROUTES | HWP_NICS },
	{ "netlink/nexthop.nl", HWP_ROUTES },
	{ "proc/cmdline", HWP_BOOT },
	{ "proc/cpuinfo", HWP_CPU | HWP_VENDOR },
	{ "proc/meminfo", HWP_MEMORY },
	{ "proc/self/mountinfo", HWP_DISKS | HWP_BOOT },
	{ "proc/swaps", HWP_DISKS | HWP_MEMORY },
	{ "proc/sys/kernel/hostname", HWP_HOSTNAME },
	{ "proc/xen/", HWP_VENDOR },
	{ "proc/sysinfo", HWP_CPU | HWP_VENDOR },
	{ "run/NetworkManager/", HWP_NICS },
	{ "run/systemd/netif/", HWP_NICS },
	{ "run/udev/data/b", HWP_DISKS },
	{ "run/udev/data/n", HWP_NICS },
	{ "sys/bus/pci/", HWP_GPUS },
	{ "sys/class/dmi/", HWP_VENDOR },
	{ "sys/class/iscsi", HWP_DISKS },
	{ "sys/class/tpm/", HWP_TPM },
	{ "sys/devices/system/cpu/", HWP_CPU },
	{ "sys/devices/system/memory/", HWP_MEMORY },
	{ "sys/devices/system/node/", HWP_CPU | HWP_MEMORY },
	{ "sys/devices/", HWP_DISKS | HWP_NICS | HWP_HOSTNAME },
	{ "sys/firmware/acpi/", HWP_TPM },
	{ "sys/firmware/devicetree/", HWP_CPU | HWP_VENDOR },
	{ "sys/firmware/dmi/", HWP_CPU | HWP_MEMORY | HWP_VENDOR | HWP_NICS | HWP_BMC },
	{ "sys/firmware/efi/", HWP_BOOT },
	{ "sys/firmware/ibft/", HWP_DISKS },
	{ "sys/hypervisor/", HWP_VENDOR },
	{ "uname", HWP_CPU | HWP_HOSTNAME },
};

static unsigned fed_by(const char *path)
{
	/* The folder of a TPM lies with the device it is on: sys/devices/pnp0/00:00/tpm/tpm0. */
	if (str_starts(path, "sys/devices/") && strstr(path, "/tpm/tpm"))
		return HWP_TPM;
	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++)
		if (str_starts(path, feeds[i].prefix))
			return feeds[i].parts;
	return 0;
}

static struct hwp_inventory *probe_more(struct tree *t)
{
	struct hwp_inventory *inv = NULL;
	struct hwp_options opt = { .flags = HWP_MORE };
	assert_int_equal(tree_try(t, opt, &inv), 0);
	return inv;
}

/* Which part a value of the full format belongs to; others belong to none and are told apart by what was damaged. */
static const struct {
	const char *key;
	unsigned part;
} parts_of_keys[] = {
	{ "cpu", HWP_CPU },
	{ "memory", HWP_MEMORY },
	{ "disks", HWP_DISKS },
	{ "degraded", HWP_DISKS },
	{ "interfaces", HWP_NICS },
	{ "routes", HWP_ROUTES },
	{ "boot", HWP_BOOT },
	{ "system_vendor", HWP_VENDOR },
	{ "gpus", HWP_GPUS },
	{ "tpm_version", HWP_TPM },
	{ "tpm_present_without_driver", HWP_TPM },
	{ "bmc", HWP_BMC },
	{ "bmc_address", HWP_BMC },
	{ "bmc_v6address", HWP_BMC },
	{ "hostname", HWP_HOSTNAME },
};

/* What differs, with all that only the full format shows. */
static unsigned changed_parts(const json_t *a, const struct hwp_inventory *inv)
{
	unsigned changed = 0;
	json_t *b = inventory_json(inv, true);
	assert_non_null(b);
	for (size_t i = 0; i < sizeof(parts_of_keys) / sizeof(parts_of_keys[0]); i++) {
		const json_t *x = json_object_get(a, parts_of_keys[i].key),
			     *y = json_object_get(b, parts_of_keys[i].key);
		if (x != y && !(x && y && json_equal(x, y)))
			changed |= parts_of_keys[i].part;
	}
	json_decref(b);
	return changed;
}

/* --- a copy of a machine ------------------------------------------------------------------------------------- */

static struct {
	struct tree tree;
	size_t skip; /* length of the original's name and slash */
	char *files[FILES_MAX];
	size_t n;
} copy; /* nftw() takes no argument for its callback */

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type == FTW_D)
		return 0;
	const char *name = path + copy.skip;
	char target[1024];
	if (type == FTW_SL || type == FTW_SLN) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		tree_link(&copy.tree, name, target);
		return 0;
	}
	char *data = NULL;
	size_t len = 0;
	if (file_read_at(AT_FDCWD, path, 1 << 20, &data, &len, NULL) < 0 || copy.n == FILES_MAX)
		return -1;
	tree_write(&copy.tree, name, data, len);
	free(data);
	copy.files[copy.n++] = strdup(name);
	return 0;
}

/* --- damage --------------------------------------------------------------------------------------------------- */

static void remove_file(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void empty_file(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void fill_with_garbage(const char *path)
{
	static unsigned char data[GARBAGE_BYTES];
	uint32_t x = 12345;
	for (size_t i = 0; i < sizeof(data); i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (unsigned char)(x >> 24);
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, sizeof(data), f), sizeof(data));
	assert_int_equal(fclose(f), 0);
}

/* read(2) of it fails. */
static void make_unreadable(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
}

static const struct {
	const char *name;
	void (*apply)(const char *path);
} damages[] = {
	{ "removed", remove_file },
	{ "emptied", empty_file },
	{ "garbage", fill_with_garbage },
	{ "unreadable", make_unreadable },
};

static int damage_one(const char *name, const json_t *whole)
{
	char path[512];
	char *data = NULL;
	size_t len = 0;
	int bad = 0;
	snprintf(path, sizeof(path), "%s/%s", copy.tree.dir, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &data, &len, NULL), 0);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		damages[i].apply(path);
		struct hwp_inventory *inv = probe_more(&copy.tree);
		unsigned changed = changed_parts(whole, inv);
		if (changed & ~fed_by(name)) {
			fprintf(stderr, "%s %s: parts %x changed, only %x may\n", name,
				damages[i].name, changed, fed_by(name));
			bad++;
		}
		hwp_unref(inv);
		(void)rmdir(path);
		tree_write(&copy.tree, name, data, len);
	}
	free(data);
	return bad;
}

static void test_machine(void **state)
{
	char root[1024];
	int bad = 0;
	snprintf(root, sizeof(root), "%s/root", (const char *)*state);
	tree_init(&copy.tree);
	copy.skip = strlen(root) + 1;
	copy.n = 0;
	assert_int_equal(nftw(root, copy_one, 16, FTW_PHYS), 0);
	assert_true(copy.n > 0);

	struct hwp_inventory *inv = probe_more(&copy.tree);
	json_t *whole = inventory_json(inv, true);
	assert_non_null(whole);
	for (size_t i = 0; i < copy.n; i++) {
		bad += damage_one(copy.files[i], whole);
		free(copy.files[i]);
	}
	/* Everything was put back. */
	struct hwp_inventory *again = probe_more(&copy.tree);
	assert_int_equal(hwp_diff(inv, again, NULL), 0);
	assert_int_equal(changed_parts(whole, again), 0);
	hwp_unref(again);
	hwp_unref(inv);
	json_decref(whole);
	tree_done(&copy.tree);
	assert_int_equal(bad, 0);
}

/* What was damaged is told, where the file is one that must hold something. */
static void test_errors_are_recorded(void **state)
{
	static const struct {
		const char *name;
		void (*apply)(const char *path);
		const char *part;
	} cases[] = {
		{ "sys/firmware/dmi/tables/DMI", fill_with_garbage, NULL },
		{ "sys/block/vda/size", fill_with_garbage, "disks" },
		{ "proc/meminfo", fill_with_garbage, "memory" },
		{ "proc/meminfo", make_unreadable, "memory" },
		{ "proc/self/mountinfo", make_unreadable, "boot" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		char path[512];
		const struct hwp_error *errors;
		tree_init(&t);
		tree_file(&t, cases[i].name, "x");
		snprintf(path, sizeof(path), "%s/%s", t.dir, cases[i].name);
		cases[i].apply(path);
		struct hwp_inventory *inv = tree_probe(&t, HWP_ALL);
		size_t n = hwp_errors(inv, &errors);
		if (cases[i].part) {
			assert_true(n > 0);
			assert_string_equal(errors[0].part, cases[i].part);
			assert_true(str_starts(errors[0].source, cases[i].name));
			assert_non_null(strstr(t.log, cases[i].name));
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	char *paths[EXPECTED_MACHINES_MAX];
	size_t n = expected_machines("tests/data/roots", paths);
	struct CMUnitTest tests[EXPECTED_MACHINES_MAX + 1] = { cmocka_unit_test(
		test_errors_are_recorded) };
	for (size_t i = 0; i < n; i++)
		tests[i + 1] = (struct CMUnitTest){ .name = strrchr(paths[i], '/') + 1,
						    .test_func = test_machine,
						    .initial_state = paths[i] };
	if (!n) {
		fprintf(stderr, "no machine in tests/data/roots: run from the top folder\n");
		return 1;
	}
	int failed = _cmocka_run_group_tests("damage", tests, n + 1, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	return failed;
}
