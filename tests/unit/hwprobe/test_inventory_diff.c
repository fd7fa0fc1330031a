/* hwp_diff() against its definition: a part differs when the assisted document does, but for the frequency of the CPU. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"
#include "tests/unit/hwprobe/expected.h"
#include "tests/unit/hwprobe/tree.h"

static const struct {
	unsigned part;
	const char *key;
} keys[] = {
	{ HWP_CPU, "cpu" },
	{ HWP_MEMORY, "memory" },
	{ HWP_DISKS, "disks" },
	{ HWP_NICS, "interfaces" },
	{ HWP_ROUTES, "routes" },
	{ HWP_BOOT, "boot" },
	{ HWP_VENDOR, "system_vendor" },
	{ HWP_GPUS, "gpus" },
	{ HWP_TPM, "tpm_version" },
	{ HWP_BMC, "bmc_address" },
	{ HWP_BMC, "bmc_v6address" },
	{ HWP_HOSTNAME, "hostname" },
};

static bool has_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
	return x == y || (x && y && json_equal(x, y));
}

static json_t *document(const struct hwp_inventory *inv)
{
	json_t *v = expected_document(inv, false);
	assert_non_null(v);
	json_object_del(json_object_get(v, "cpu"), "frequency");
	return v;
}

static unsigned differing_keys(const json_t *a, const json_t *b)
{
	unsigned parts = 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!has_same(a, b, keys[i].key))
			parts |= keys[i].part;
	return parts;
}

/* Returns the parts that differ. */
static unsigned check(const char *what, const struct hwp_inventory *a,
		      const struct hwp_inventory *b)
{
	json_t *x = document(a), *y = document(b);
	unsigned want = (a->parts ^ b->parts) | differing_keys(x, y), got = ~want;
	int r = hwp_diff(a, b, &got);
	if (got != want || r != (want != 0))
		fail_msg("%s: hwp_diff() says %d, parts 0x%x; the documents differ in 0x%x", what,
			 r, got, want);
	json_decref(x);
	json_decref(y);
	return got;
}

/* --- each member ------------------------------------------------------------------------------------------------ */

/* A machine with one of each. */
struct machine {
	struct hwp_inventory inv;
	struct hwp_disk disk;
	struct hwp_nic nic;
	struct hwp_route route;
	struct hwp_gpu gpu;
};

static void machine_init(struct machine *m)
{
	*m = (struct machine){ .inv = { .parts = HWP_ALL } };
	m->inv.disks = &m->disk;
	m->inv.nics = &m->nic;
	m->inv.routes = &m->route;
	m->inv.gpus = &m->gpu;
	m->inv.disk_count = m->inv.nic_count = m->inv.route_count = m->inv.gpu_count = 1;
}

enum { VARIANTS = 5 };

/* Sources differ always: they must not count. */
static void set_value(enum value_kind kind, void *p, int variant)
{
	static const char *const sources[VARIANTS] = { NULL, "a", "b", "c", NULL };
	static const char *const texts[VARIANTS] = { NULL, "", "x", "xy", "x" };
	static const int numbers[VARIANTS] = { 0, 0, 1, 2, 1 };
	static const char *words[][2] = { { "x", "y" }, { "x", "z" } };
	const char *source = sources[variant];
	switch (kind) {
	case VALUE_STR:
		*(struct hwp_str *)p = (struct hwp_str){ texts[variant], source };
		break;
	case VALUE_NUM:
		*(struct hwp_num *)p = (struct hwp_num){ numbers[variant], source };
		break;
	case VALUE_REAL:
		*(struct hwp_real *)p = (struct hwp_real){ numbers[variant] / 2.0, source };
		break;
	case VALUE_BOOL:
		*(struct hwp_bool *)p = (struct hwp_bool){ numbers[variant], source };
		break;
	case VALUE_STRS:
		*(struct hwp_strs *)p = (struct hwp_strs){ .v = words[variant == 3],
							   .n = (size_t)numbers[variant],
							   .source = source };
		break;
	default:
		fail_msg("not a value");
	}
}

struct place {
	char path[64];
	const struct field *f;
	size_t offset; /* in struct machine */
};

/* All pairs of values; returns the parts that any of them made different. */
static unsigned check_place(const struct place *p)
{
	unsigned seen = 0;
	for (int i = 0; i < VARIANTS; i++) {
		for (int k = 0; k < VARIANTS; k++) {
			struct machine a, b;
			machine_init(&a);
			machine_init(&b);
			set_value(p->f->kind, (char *)&a + p->offset, i);
			set_value(p->f->kind, (char *)&b + p->offset, k);
			seen |= check(p->path, &a.inv, &b.inv);
		}
	}
	return seen;
}

/* Where the one item of a list of the inventory is. */
static size_t item_offset(const struct field *table)
{
	return table == disk_fields    ? offsetof(struct machine, disk)
	       : table == nic_fields   ? offsetof(struct machine, nic)
	       : table == route_fields ? offsetof(struct machine, route)
				       : offsetof(struct machine, gpu);
}

/* Each value of @table; returns the parts that were seen to differ. */
static unsigned check_table(const char *path, const struct field *table, size_t base)
{
	unsigned seen = 0;
	for (const struct field *f = table; f->key; f++) {
		struct place p = { .f = f, .offset = base + f->offset };
		snprintf(p.path, sizeof(p.path), "%s.%s", path, f->key);
		if (f->kind == VALUE_OBJECT)
			seen |= check_table(p.path, f->items, p.offset);
		else if (f->kind != VALUE_LIST)
			seen |= check_place(&p);
		else if (table == inventory_fields)
			seen |= check_table(p.path, f->items, item_offset(f->items));
	}
	return seen;
}

static void test_each_member(void **state)
{
	unsigned seen = check_table("", inventory_fields, offsetof(struct machine, inv));
	/* The clock is not in the document. */
	assert_int_equal(seen, HWP_ALL & ~HWP_CLOCK);
}

static void test_lists(void **state)
{
	static const size_t counts[] = {
		offsetof(struct hwp_inventory, disk_count),
		offsetof(struct hwp_inventory, nic_count),
		offsetof(struct hwp_inventory, route_count),
		offsetof(struct hwp_inventory, gpu_count),
	};
	unsigned seen = 0;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct machine a, b;
		machine_init(&a);
		machine_init(&b);
		*(size_t *)((char *)&b.inv + counts[i]) = 0;
		seen |= check("count", &a.inv, &b.inv);
		check("count", &b.inv, &b.inv);
	}
	assert_int_equal(seen, HWP_DISKS | HWP_NICS | HWP_ROUTES | HWP_GPUS);
}

static void test_reasons(void **state)
{
	struct hwp_reason one[] = { { .code = "c", .text = "too small" },
				    { .code = "c", .text = "removable" } };
	struct hwp_reason other[] = { { .code = "d", .text = "too small" },
				      { .code = "c", .text = "read-only" } };
	static const struct {
		size_t a, b;
		unsigned parts;
	} cases[] = { { 0, 0, 0 },
		      { 1, 1, 0 }, /* the code is not in the document */
		      { 2, 2, HWP_DISKS },
		      { 0, 1, HWP_DISKS },
		      { 2, 1, HWP_DISKS } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine a, b;
		machine_init(&a);
		machine_init(&b);
		a.disk.reasons = one;
		b.disk.reasons = other;
		a.disk.reason_count = cases[i].a;
		b.disk.reason_count = cases[i].b;
		assert_int_equal(check("reasons", &a.inv, &b.inv), cases[i].parts);
	}
}

static void test_parts_of_one_only(void **state)
{
	for (unsigned part = 1; part <= HWP_ALL; part <<= 1) {
		struct machine a, b;
		machine_init(&a);
		machine_init(&b);
		set_value(VALUE_STR, &b.disk.name, 2);
		set_value(VALUE_STR, &b.inv.tpm.version, 2);
		b.inv.parts = part;
		check("parts", &a.inv, &b.inv);
		a.inv.parts = 0;
		assert_int_equal(check("parts", &a.inv, &b.inv), part);
	}
}

static void test_probed_again(void **state)
{
	struct tree t;
	unsigned changed = 0;
	tree_init(&t);
	tree_files(&t, "sys/block/vda/size", "2048", "proc/cpuinfo",
		   "processor : 0\ncpu MHz : 1000\n", NULL);
	struct hwp_inventory *a = tree_probe(&t, HWP_ALL), *b = tree_probe(&t, HWP_ALL);
	assert_int_equal(hwp_diff(a, b, &changed), 0);
	hwp_unref(b);

	tree_file(&t, "proc/cpuinfo",
		  "processor : 0\ncpu MHz : 1001\n"); /* a clock that changes is no other machine */
	b = tree_probe(&t, HWP_ALL);
	assert_int_equal(hwp_diff(a, b, &changed), 0);
	hwp_unref(b);

	tree_files(&t, "sys/block/vda/size", "4096", "sys/class/tpm/tpm0/tpm_version_major", "2",
		   NULL);
	b = tree_probe(&t, HWP_ALL);
	assert_int_equal(hwp_diff(a, b, &changed), 1);
	assert_int_equal(changed, HWP_DISKS | HWP_TPM);
	hwp_unref(b);

	b = tree_probe(&t, HWP_CPU);
	assert_int_equal(hwp_diff(a, b, &changed), 1);
	assert_true(changed & HWP_MEMORY);
	assert_false(changed & HWP_CPU);
	hwp_unref(b);
	hwp_unref(a);
	tree_done(&t);
}

/* --- recorded machines -------------------------------------------------------------------------------------------- */

static struct hwp_inventory *probe(const char *dir)
{
	char root[1024];
	struct hwp_ctx *ctx;
	struct hwp_inventory *inv;
	snprintf(root, sizeof(root), "%s/root", dir);
	struct hwp_options opt = { .size = sizeof(opt), .sysroot = root };
	assert_int_equal(hwp_open(&ctx, &opt), 0);
	assert_int_equal(hwp_probe(ctx, 0, &inv), 0);
	hwp_close(ctx);
	return inv;
}

static void test_machine(void **state)
{
	struct hwp_inventory *inv = probe(*state), *again = probe(*state);
	struct hwp_inventory *other = probe("tests/data/roots/fc-multipath");
	assert_int_equal(check(*state, inv, again), 0);
	check(*state, inv, other);
	check(*state, other, inv);
	hwp_unref(inv);
	hwp_unref(again);
	hwp_unref(other);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(test_each_member),  cmocka_unit_test(test_lists),
		cmocka_unit_test(test_reasons),      cmocka_unit_test(test_parts_of_one_only),
		cmocka_unit_test(test_probed_again),
	};
	return expected_run("diff", "tests/data/roots", own, sizeof(own) / sizeof(own[0]),
			    test_machine);
}
