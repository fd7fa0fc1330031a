#include "hwprobe/inventory_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/json_map.h"
#include "hwprobe/fields.h"

#define SCHEMA "slipway.hwprobe/1"

enum { REAL_DIGITS = 15 }; /* what a double holds for certain: 3187.2 stays 3187.2 */

/* A failed allocation anywhere makes the whole document fail. */
struct encoder {
	bool is_full, has_failed;
};

static void set(struct encoder *e, json_t *obj, const char *key, json_t *value)
{
	if (json_object_set_new(obj, key, value) < 0)
		e->has_failed = true;
}

static void append(struct encoder *e, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		e->has_failed = true;
}

static json_t *strs_json(struct encoder *e, const struct hwp_strs *strs)
{
	json_t *array = json_array();
	for (size_t i = 0; i < strs->n; i++)
		append(e, array, json_string(strs->v[i]));
	return array;
}

/* The value of one field; *ret_is_empty as Go's omitempty sees it, *ret_source NULL = absent. */
static json_t *value_json(struct encoder *e, const struct field *f, const void *base,
			  bool *ret_is_empty, const char **ret_source)
{
	const void *p = (const char *)base + f->offset;
	const struct hwp_str *str = p;
	const struct hwp_num *num = p;
	const struct hwp_real *real = p;
	const struct hwp_bool *flag = p;
	const struct hwp_strs *strs = p;
	switch (f->kind) {
	case VALUE_STR:
		*ret_is_empty = !str->s || !*str->s;
		*ret_source = str->source;
		return *ret_is_empty ? NULL : json_string(str->s);
	case VALUE_NUM:
		*ret_is_empty = !num->v;
		*ret_source = num->source;
		return json_integer(num->v);
	case VALUE_REAL:
		*ret_is_empty = real->v == 0;
		*ret_source = real->source;
		return json_real(real->v);
	case VALUE_BOOL:
		*ret_is_empty = !flag->v;
		*ret_source = flag->source;
		return json_boolean(flag->v);
	case VALUE_LIST:
	case VALUE_OBJECT:
		break;
	case VALUE_STRS:
		*ret_is_empty = !strs->n;
		*ret_source = strs->source;
		return strs_json(e, strs);
	}
	return NULL;
}

static void add_field(struct encoder *e, json_t *obj, const struct field *f, const void *base)
{
	bool is_empty = true;
	const char *source = NULL;
	AUTO(json_decrefp) json_t *value = value_json(e, f, base, &is_empty, &source);
	if (!e->is_full) {
		if ((f->flags & FIELD_WIRE) && (!is_empty || f->flags & FIELD_ALWAYS))
			set(e, obj, f->key, TAKE(value));
		return;
	}
	if (!source || !value || f->flags & FIELD_WIRE_ONLY)
		return;
	json_t *with_source = json_object();
	bool is_placeholder = f->flags & FIELD_FIRMWARE &&
			      hwp_is_placeholder(json_string_value(value));
	set(e, with_source, "value", TAKE(value));
	set(e, with_source, "source", json_string(source));
	if (is_placeholder)
		set(e, with_source, "placeholder", json_true());
	set(e, obj, f->key, with_source);
}

static json_t *list(struct encoder *e, const struct field *table, const void *items, size_t n,
		    size_t item_size);

static json_t *object(struct encoder *e, const struct field *table, const void *base);

/* An object in an object, when anything is in it. */
static void add_object(struct encoder *e, json_t *obj, const struct field *f, const void *base)
{
	AUTO(json_decrefp)
	json_t *inner = object(e, f->items, (const char *)base + f->offset);
	if (json_object_size(inner))
		set(e, obj, f->key, TAKE(inner));
}

static void add_list(struct encoder *e, json_t *obj, const struct field *f, const void *base)
{
	size_t n = *(const size_t *)((const char *)base + f->count_offset);
	if (n && e->is_full)
		set(e, obj, f->key,
		    list(e, f->items, *(void *const *)((const char *)base + f->offset), n,
			 f->item_size));
}

static json_t *object(struct encoder *e, const struct field *table, const void *base)
{
	json_t *obj = json_object();
	for (const struct field *f = table; f->key; f++) {
		if (f->kind == VALUE_OBJECT)
			add_object(e, obj, f, base);
		else if (f->kind == VALUE_LIST)
			add_list(e, obj, f, base);
		else
			add_field(e, obj, f, base);
	}
	return obj;
}

static json_t *list(struct encoder *e, const struct field *table, const void *items, size_t n,
		    size_t item_size)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		append(e, array, object(e, table, (const char *)items + i * item_size));
	return array;
}

static void add_str(struct encoder *e, json_t *obj, const char *key, const struct hwp_str *str)
{
	const struct field f = { .key = key, .kind = VALUE_STR, .flags = FIELD_WIRE };
	add_field(e, obj, &f, str);
}

static json_t *reasons(struct encoder *e, const struct hwp_reason *list, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *text = json_string(list[i].text);
		append(e, array,
		       e->is_full ? json_pack("{s:s, s:o}", "code", list[i].code, "text", text)
				  : text);
	}
	return array;
}

static json_t *eligibility(struct encoder *e, const struct hwp_disk *d)
{
	json_t *obj = json_object();
	set(e, obj, "eligible", json_boolean(d->reason_count == 0));
	set(e, obj, "not_eligible_reasons", reasons(e, d->reasons, d->reason_count));
	return obj;
}

static json_t *disks(struct encoder *e, const struct hwp_inventory *inv)
{
	json_t *array = json_array();
	for (size_t i = 0; i < hwp_disk_count(inv); i++) {
		const struct hwp_disk *d = &inv->disks[i];
		json_t *obj = object(e, disk_fields, d);
		set(e, obj, "installation_eligibility", eligibility(e, d));
		if (e->is_full && d->warning_count)
			set(e, obj, "warnings", reasons(e, d->warnings, d->warning_count));
		append(e, array, obj);
	}
	return array;
}

static json_t *errors(struct encoder *e, const struct hwp_inventory *inv)
{
	json_t *array = json_array();
	for (size_t i = 0; i < inv->error_count; i++) {
		const struct hwp_error *x = &inv->errors[i];
		append(e, array,
		       json_pack("{s:s, s:s, s:i, s:s}", "part", x->part, "source", x->source,
				 "errno", x->err, "detail", x->detail));
	}
	return array;
}

/* What belongs to no list and only the full format shows. */
static void add_more(struct encoder *e, json_t *obj, const struct hwp_inventory *inv)
{
	static const struct field tpm = {
		.key = "tpm_present_without_driver",
		.kind = VALUE_BOOL,
	};
	static const struct field bmc = { .key = "bmc", .items = bmc_fields };
	static const struct field degraded = { .key = "degraded", .kind = VALUE_STRS };
	if (inv->parts & HWP_TPM)
		add_field(e, obj, &tpm, &inv->tpm.is_without_driver);
	if (inv->parts & HWP_BMC)
		add_object(e, obj, &bmc, &inv->bmc);
	add_field(e, obj, &degraded, &inv->degraded);
}

static void add_objects(struct encoder *e, json_t *obj, const struct hwp_inventory *inv)
{
	if (inv->parts & HWP_BMC) {
		add_str(e, obj, "bmc_address", &inv->bmc.address);
		add_str(e, obj, "bmc_v6address", &inv->bmc.v6address);
	}
	if (inv->parts & HWP_BOOT)
		set(e, obj, "boot", object(e, boot_fields, &inv->boot));
	if (inv->parts & HWP_CLOCK && e->is_full)
		set(e, obj, "clock", object(e, clock_fields, &inv->clock));
	if (inv->parts & HWP_CPU)
		set(e, obj, "cpu", object(e, cpu_fields, &inv->cpu));
	if (inv->parts & HWP_HOSTNAME)
		add_str(e, obj, "hostname", &inv->hostname);
	if (inv->parts & HWP_MEMORY)
		set(e, obj, "memory", object(e, memory_fields, &inv->memory));
	if (inv->parts & HWP_VENDOR)
		set(e, obj, "system_vendor", object(e, vendor_fields, &inv->vendor));
	if (inv->parts & HWP_TPM)
		add_str(e, obj, "tpm_version", &inv->tpm.version);
}

json_t *inventory_json(const struct hwp_inventory *inv, bool is_full)
{
	struct encoder e = { .is_full = is_full };
	AUTO(json_decrefp) json_t *obj = json_object();
	if (is_full)
		set(&e, obj, "schema", json_string(SCHEMA));
	add_objects(&e, obj, inv);
	/* The lists are there even when their part was not asked for: their keys are never omitted. */
	set(&e, obj, "disks", disks(&e, inv));
	set(&e, obj, "gpus",
	    list(&e, gpu_fields, inv->gpus, hwp_gpu_count(inv), sizeof(*inv->gpus)));
	set(&e, obj, "interfaces",
	    list(&e, nic_fields, inv->nics, hwp_nic_count(inv), sizeof(*inv->nics)));
	set(&e, obj, "routes",
	    list(&e, route_fields, inv->routes, hwp_route_count(inv), sizeof(*inv->routes)));
	if (is_full) {
		add_more(&e, obj, inv);
		set(&e, obj, "errors", errors(&e, inv));
	}
	return e.has_failed ? NULL : TAKE(obj);
}

char *inventory_json_text(const json_t *v)
{
	return json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
}

char *hwp_to_json(const struct hwp_inventory *inv, enum hwp_format format, size_t max_bytes)
{
	if (format == HWP_TEXT)
		return hwp_to_text(inv, 0);
	AUTO(json_decrefp) json_t *v = inventory_json(inv, format == HWP_JSON_FULL);
	if (!v)
		return NULL;
	if (format == HWP_JSON_ASSISTED && max_bytes)
		return inventory_cut(v, max_bytes);
	return inventory_json_text(v);
}

int hwp_write(const struct hwp_inventory *inv, enum hwp_format format, size_t max_bytes,
	      int (*sink)(void *data, const void *bytes, size_t len), void *data)
{
	AUTO(freep) char *text = hwp_to_json(inv, format, max_bytes);
	return text ? sink(data, text, strlen(text)) : -ENOMEM;
}

/* --- difference ---------------------------------------------------------------------------------------------- */

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

/* The current clock, where nothing better is known, differs from one look to the next. */
static json_t *comparable(const struct hwp_inventory *inv, unsigned parts)
{
	struct hwp_inventory some = *inv; /* borrows everything */
	some.parts &= parts;
	json_t *v = inventory_json(&some, false);
	json_object_del(json_object_get(v, "cpu"), "frequency");
	return v;
}

int hwp_diff(const struct hwp_inventory *a, const struct hwp_inventory *b,
	     unsigned *ret_changed_parts)
{
	unsigned parts = ~inventory_shared_parts(a, b);
	AUTO(json_decrefp) json_t *x = comparable(a, parts);
	AUTO(json_decrefp) json_t *y = comparable(b, parts);
	if (!x || !y)
		return -ENOMEM;
	unsigned changed = a->parts ^ b->parts;
	for (size_t i = 0; i < ARRAY_SIZE(part_keys); i++) {
		const json_t *p = json_object_get(x, part_keys[i].key),
			     *q = json_object_get(y, part_keys[i].key);
		if (p != q && !(p && q && json_equal(p, q)))
			changed |= part_keys[i].part;
	}
	if (ret_changed_parts)
		*ret_changed_parts = changed;
	return changed != 0;
}
