/* Two inventories are the same when their assisted documents would be: compared member by member, no document is written. */
#include <errno.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"

static const char *text_or_empty(const char *s)
{
	return s ? s : "";
}

static bool is_same_str(const void *a, const void *b)
{
	const struct hwp_str *x = a, *y = b;
	return !strcmp(text_or_empty(x->s), text_or_empty(y->s));
}

static bool is_same_num(const void *a, const void *b)
{
	return ((const struct hwp_num *)a)->v == ((const struct hwp_num *)b)->v;
}

static bool is_same_real(const void *a, const void *b)
{
	return ((const struct hwp_real *)a)->v == ((const struct hwp_real *)b)->v;
}

static bool is_same_bool(const void *a, const void *b)
{
	return ((const struct hwp_bool *)a)->v == ((const struct hwp_bool *)b)->v;
}

static bool is_same_strs(const void *a, const void *b)
{
	const struct hwp_strs *x = a, *y = b;
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!str_eq(x->v[i], y->v[i]))
			return false;
	return true;
}

/* By enum value_kind; the sources do not count. */
static bool (*const is_same[])(const void *a, const void *b) = {
	[VALUE_STR] = is_same_str,   [VALUE_NUM] = is_same_num,   [VALUE_REAL] = is_same_real,
	[VALUE_BOOL] = is_same_bool, [VALUE_STRS] = is_same_strs,
};

static bool is_same_field(const struct field *f, const void *a, const void *b);

/* Lists inside of objects are not in the assisted document. */
static bool is_same_object(const struct field *table, const void *a, const void *b)
{
	for (const struct field *f = table; f->key; f++)
		if (f->kind != VALUE_LIST && !is_same_field(f, a, b))
			return false;
	return true;
}

static bool has_same_reasons(const struct hwp_disk *a, const struct hwp_disk *b)
{
	if (a->reason_count != b->reason_count)
		return false;
	for (size_t i = 0; i < a->reason_count; i++)
		if (!str_eq(a->reasons[i].text, b->reasons[i].text))
			return false;
	return true;
}

static bool is_same_list(const struct field *f, const void *a, const void *b)
{
	size_t n = *(const size_t *)((const char *)a + f->count_offset);
	if (n != *(const size_t *)((const char *)b + f->count_offset))
		return false;
	const char *x = *(const char *const *)((const char *)a + f->offset);
	const char *y = *(const char *const *)((const char *)b + f->offset);
	for (size_t i = 0; i < n; i++, x += f->item_size, y += f->item_size) {
		if (!is_same_object(f->items, x, y))
			return false;
		if (f->items == disk_fields &&
		    !has_same_reasons((const struct hwp_disk *)x, (const struct hwp_disk *)y))
			return false;
	}
	return true;
}

static bool is_same_field(const struct field *f, const void *a, const void *b)
{
	if (f->kind == VALUE_LIST)
		return is_same_list(f, a, b);
	const void *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
	if (f->kind == VALUE_OBJECT)
		return is_same_object(f->items, x, y);
	return !(f->flags & FIELD_WIRE) || f->flags & FIELD_VARIES || is_same[f->kind](x, y);
}

/* Which key of inventory_fields belongs to which part. */
static const struct {
	unsigned part;
	const char *key;
} part_keys[] = {
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

static unsigned part_of(const struct field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_keys); i++)
		if (!strcmp(f->key, part_keys[i].key))
			return part_keys[i].part;
	return 0;
}

int hwp_diff(const struct hwp_inventory *a, const struct hwp_inventory *b,
	     unsigned *ret_changed_parts)
{
	if (!a || !b)
		return -EINVAL;
	unsigned changed = a->parts ^ b->parts;
	unsigned to_compare = a->parts & b->parts & ~inventory_shared_parts(a, b);
	for (const struct field *f = inventory_fields; f->key; f++)
		if (to_compare & part_of(f) && !is_same_field(f, a, b))
			changed |= part_of(f);
	if (ret_changed_parts)
		*ret_changed_parts = changed;
	return changed != 0;
}
