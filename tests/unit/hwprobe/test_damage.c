/*
 * Input files are removed, emptied, filled with garbage and made unreadable (read(2) fails): the probe goes on, and only the parts that
 * are made from them may change, in the full format and in that of the wire.
 *
 * Covered are, with each of the four damages:
 * - every file of every machine in tests/data/roots, together with the other files that feed the same parts;
 * - one file of every kind alone. Files are of one kind when the library finds them the same way: the size of any disk, the state of any
 *   memory block. The first machine that has the kind is taken.
 * With SLIPWAY_DAMAGE=all in the environment every file of every machine is damaged alone, which takes minutes with sanitizers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include "common/str.h"
#include "tests/unit/hwprobe/copied.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

enum { GARBAGE_BYTES = 65536, FILES_MAX = 4096, KINDS_MAX = 4096 };

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
	{ "netlink/route4.nl", HWP_ROUTES | HWP_NICS }, /* the origin of addresses */
	{ "netlink/route6.nl", HWP_ROUTES | HWP_NICS },
	{ "netlink/nexthop.nl", HWP_ROUTES },
	{ "proc/cmdline", HWP_BOOT | HWP_DISKS }, /* the label of the live medium */
	{ "proc/cpuinfo", HWP_CPU | HWP_VENDOR },
	{ "proc/meminfo", HWP_MEMORY },
	{ "proc/self/mountinfo", HWP_DISKS | HWP_BOOT },
	{ "proc/swaps", HWP_DISKS | HWP_MEMORY },
	{ "proc/sys/kernel/hostname", HWP_HOSTNAME },
	{ "proc/xen/", HWP_VENDOR },
	{ "proc/sysinfo", HWP_CPU | HWP_VENDOR },
	{ "run/NetworkManager/", HWP_NICS },
	{ "run/systemd/netif/", HWP_NICS },
	{ "run/udev/data/+dmi", HWP_MEMORY },
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
	{ "sys/firmware/ibft/ethernet", HWP_NICS },
	{ "sys/firmware/ibft/", HWP_DISKS },
	{ "sys/hypervisor/", HWP_VENDOR },
	{ "uname", HWP_CPU | HWP_HOSTNAME },
};

static unsigned fed_by(const char *path)
{
	/* The folder of a TPM lies with the device it is on: sys/devices/pnp0/00:00/tpm/tpm0, …/tpmrm/tpmrm0. */
	bool is_device = str_starts(path, "sys/devices/");
	if (is_device &&
	    (strstr(path, "/tpm/tpm") || strstr(path, "/tpmrm/tpm") || str_ends(path, "/caps")))
		return HWP_TPM;
	/* sys/bus/pci/devices holds links. */
	if (is_device &&
	    (str_ends(path, "/class") || str_ends(path, "/vendor") || str_ends(path, "/device")))
		return HWP_GPUS | HWP_DISKS | HWP_NICS | HWP_HOSTNAME;
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

/* What an inventory looks like in both formats. */
struct view {
	json_t *full, *wire;
};

static struct view view_of(const struct hwp_inventory *inv)
{
	struct view v = { .full = expected_document(inv, true),
			  .wire = expected_document(inv, false) };
	assert_non_null(v.full);
	assert_non_null(v.wire);
	return v;
}

static void view_done(struct view *v)
{
	json_decref(v->full);
	json_decref(v->wire);
}

static bool has_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
	return x == y || (x && y && json_equal(x, y));
}

static unsigned changed_parts(const struct view *a, const struct hwp_inventory *inv)
{
	unsigned changed = 0;
	struct view b = view_of(inv);
	for (size_t i = 0; i < sizeof(parts_of_keys) / sizeof(parts_of_keys[0]); i++) {
		const char *key = parts_of_keys[i].key;
		if (!has_same(a->full, b.full, key) || !has_same(a->wire, b.wire, key))
			changed |= parts_of_keys[i].part;
	}
	view_done(&b);
	return changed;
}

/* --- a copy of a machine ------------------------------------------------------------------------------------- */

struct file {
	char *name, *data;
	size_t len;
	unsigned parts; /* that it feeds */
};

static struct {
	struct tree tree;
	struct file files[FILES_MAX];
	size_t n;
} copy;

static void note_file(const char *name, const char *data, size_t len)
{
	assert_true(copy.n < FILES_MAX);
	struct file *f = &copy.files[copy.n++];
	*f = (struct file){ .name = strdup(name), .len = len, .parts = fed_by(name) };
	f->data = malloc(len + 1);
	assert_true(f->name && f->data);
	memcpy(f->data, data, len);
}

static void copy_machine(const char *machine)
{
	copy.n = 0;
	copy_tree(&copy.tree, machine, note_file);
	assert_true(copy.n > 0);
}

static void copy_done(void)
{
	for (size_t i = 0; i < copy.n; i++) {
		free(copy.files[i].name);
		free(copy.files[i].data);
	}
	tree_done(&copy.tree);
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

static void write_whole(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void fill_with_garbage(const char *path)
{
	static unsigned char data[GARBAGE_BYTES];
	static bool is_made;
	uint32_t x = 12345;
	for (size_t i = 0; i < sizeof(data) && !is_made; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (unsigned char)(x >> 24);
	}
	is_made = true;
	write_whole(path, data, sizeof(data));
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

static void path_of(const struct file *f, char path[512])
{
	assert_true(snprintf(path, 512, "%s/%s", copy.tree.dir, f->name) < 512);
}

static void put_back(const struct file *f)
{
	char path[512];
	path_of(f, path);
	(void)rmdir(path);
	write_whole(path, f->data, f->len);
}

/* Does all four to files that feed the same parts; how many changed another part. */
static int damage_files(struct file *const *files, size_t n, const struct view *whole)
{
	int bad = 0;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		char path[512];
		for (size_t j = 0; j < n; j++) {
			path_of(files[j], path);
			damages[i].apply(path);
		}
		struct hwp_inventory *inv = probe_more(&copy.tree);
		unsigned changed = changed_parts(whole, inv) & ~files[0]->parts;
		if (changed) {
			fprintf(stderr, "%s (%zu files) %s: parts %x changed, only %x may\n",
				files[0]->name, n, damages[i].name, changed, files[0]->parts);
			bad++;
		}
		hwp_unref(inv);
		for (size_t j = 0; j < n; j++)
			put_back(files[j]);
	}
	return bad;
}

/* Every file, together with those that feed the same parts. */
static int damage_together(const struct view *whole)
{
	static bool is_done[FILES_MAX];
	static struct file *group[FILES_MAX];
	int bad = 0;
	memset(is_done, 0, sizeof(is_done));
	for (size_t i = 0; i < copy.n; i++) {
		size_t n = 0;
		for (size_t j = i; j < copy.n; j++) {
			if (is_done[j] || copy.files[j].parts != copy.files[i].parts)
				continue;
			is_done[j] = true;
			group[n++] = &copy.files[j];
		}
		if (n)
			bad += damage_files(group, n, whole);
	}
	return bad;
}

/* Appends one component with numbers, decimal or hexadecimal, as '#'. */
static void add_component(char *kind, size_t size, const char *name, size_t len)
{
	size_t n = strlen(kind);
	if (n && n + 1 < size)
		kind[n++] = '/';
	for (size_t i = 0; i < len && n + 1 < size;) {
		size_t run = 0;
		bool is_number = false;
		for (; i + run < len && isxdigit((unsigned char)name[i + run]); run++)
			is_number |= isdigit((unsigned char)name[i + run]) != 0;
		kind[n++] = is_number ? '#' : name[i];
		i += is_number ? run : 1;
	}
	kind[n] = '\0';
}

static void add_components(char *kind, size_t size, const char *names)
{
	for (size_t len; *names; names += len + (names[len] == '/')) {
		len = strcspn(names, "/");
		add_component(kind, size, names, len);
	}
}

/* The last two components; NULL = there are fewer. */
static const char *last_two(const char *path)
{
	const char *two = NULL, *one = NULL;
	for (const char *p = path; (p = strchr(p, '/'));) {
		two = one;
		one = ++p;
	}
	return two;
}

/* A file of a disk, partition or interface, whatever its name. */
static bool add_below(char *kind, size_t size, const char *path, const char *class)
{
	const char *device = strstr(path, class), *rest, *slash;
	if (!device)
		return false;
	device += strlen(class);
	size_t len = strcspn(device, "/");
	rest = device + len;
	add_components(kind, size, class + 1);
	if (*rest && !strncmp(rest + 1, device, len) && (slash = strchr(rest + 1, '/'))) {
		add_component(kind, size, "partition", strlen("partition"));
		rest = slash;
	}
	add_components(kind, size, rest + (*rest == '/'));
	return true;
}

/* What of the name tells how the file is found: not where in sys/devices a device stands, nor what it is called. */
static void kind_of(const char *path, char *kind, size_t size)
{
	kind[0] = '\0';
	if (str_starts(path, "dev/")) { /* sda, sda.tail, nvme0n1 */
		snprintf(kind, size, "%.6s%s", path, strstr(path, ".tail") ? ".tail" : "");
		return;
	}
	if (!str_starts(path, "sys/devices/") || str_starts(path, "sys/devices/system/")) {
		add_components(kind, size, path);
		return;
	}
	snprintf(kind, size, "%s", strstr(path, "/virtual/") ? "virtual" : "device");
	if (!add_below(kind, size, path, "/block/") && !add_below(kind, size, path, "/net/"))
		add_components(kind, size, last_two(path));
}

/* Is the file of a kind that was not damaged alone yet? */
static bool is_new_kind(const char *name)
{
	static char *kinds[KINDS_MAX];
	static size_t n;
	char kind[512];
	const char *all = getenv("SLIPWAY_DAMAGE");
	if (all && !strcmp(all, "all"))
		return true;
	kind_of(name, kind, sizeof(kind));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(kinds[i], kind))
			return false;
	assert_true(n < KINDS_MAX);
	kinds[n++] = strdup(kind);
	return true;
}

static void test_machine(void **state)
{
	int bad = 0;
	copy_machine(*state);
	struct hwp_inventory *inv = probe_more(&copy.tree);
	struct view whole = view_of(inv);
	bad += damage_together(&whole);
	for (size_t i = 0; i < copy.n; i++) {
		struct file *f = &copy.files[i];
		if (is_new_kind(f->name))
			bad += damage_files(&f, 1, &whole);
	}
	/* Everything was put back. */
	struct hwp_inventory *again = probe_more(&copy.tree);
	assert_int_equal(hwp_diff(inv, again, NULL), 0);
	assert_int_equal(changed_parts(&whole, again), 0);
	hwp_unref(again);
	hwp_unref(inv);
	view_done(&whole);
	copy_done();
	assert_int_equal(bad, 0);
}

/* What was damaged is told, where the file is one that must hold something. */
static void test_errors_are_recorded(void **state)
{
	static const struct {
		const char *name;
		void (*apply)(const char *path);
		const char *part;
		const char *also[4]; /* what has to be there besides */
	} cases[] = {
		{ "sys/firmware/dmi/tables/DMI", fill_with_garbage, NULL },
		{ "sys/block/vda/size", fill_with_garbage, "disks" },
		{ "proc/meminfo", fill_with_garbage, "memory" },
		{ "proc/meminfo", make_unreadable, "memory" },
		{ "proc/self/mountinfo", make_unreadable, "boot" },
		{ "proc/cpuinfo", fill_with_garbage, "cpu" },
		{ "proc/swaps", fill_with_garbage, "disks" },
		{ "ipmi.txt", fill_with_garbage, "bmc" },
		{ "sys/devices/system/node/node0/cpulist", fill_with_garbage, "cpu" },
		{ "sys/devices/system/node/node0/meminfo", fill_with_garbage, "cpu" },
		{ "run/udev/data/b8:0",
		  fill_with_garbage,
		  "disks",
		  { "sys/block/sda/dev", "8:0\n", "sys/block/sda/size", "8\n" } },
		{ "run/udev/data/+dmi:id", fill_with_garbage, "memory" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree t;
		char path[512];
		const struct hwp_error *errors;
		tree_init(&t);
		tree_file(&t, cases[i].name, "x");
		for (size_t k = 0; k < 4 && cases[i].also[k]; k += 2)
			tree_file(&t, cases[i].also[k], cases[i].also[k + 1]);
		snprintf(path, sizeof(path), "%s/%s", t.dir, cases[i].name);
		cases[i].apply(path);
		struct hwp_inventory *inv = probe_more(&t);
		size_t n = hwp_errors(inv, &errors);
		if (cases[i].part) {
			if (!n || strcmp(errors[0].part, cases[i].part) ||
			    !str_starts(errors[0].source, cases[i].name))
				fail_msg("%s: %zu errors, the first of %s: %s", cases[i].name, n,
					 n ? errors[0].part : "none", n ? errors[0].source : "");
			assert_non_null(strstr(t.log, cases[i].name));
		}
		hwp_unref(inv);
		tree_done(&t);
	}
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(test_errors_are_recorded),
	};
	return expected_run("damage", "tests/data/roots", own, sizeof(own) / sizeof(own[0]),
			    test_machine);
}
