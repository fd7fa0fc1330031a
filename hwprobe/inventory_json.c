/* Both formats from the tables of fields.h, written straight into one text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/fields.h"
#include "hwprobe/inventory.h"
#include "hwprobe/inventory_cut.h"
#include "hwprobe/json_out.h"

#define SCHEMA "slipway.hwprobe/1"

/* Far more than 15,000 disks need, the most that were seen on a machine. */
enum { DOCUMENT_MAX_BYTES = 1 << 30 };

struct encoder {
	struct json_out out;
	bool is_full;
};

/* --- values -------------------------------------------------------------------------------------------------- */

static bool is_str_empty(const void *p)
{
	const struct hwp_str *str = p;
	return !str->s || !*str->s;
}

static bool is_num_empty(const void *p)
{
	return !((const struct hwp_num *)p)->v;
}

static bool is_real_empty(const void *p)
{
	return ((const struct hwp_real *)p)->v == 0;
}

static bool is_bool_empty(const void *p)
{
	return !((const struct hwp_bool *)p)->v;
}

static bool is_strs_empty(const void *p)
{
	return !((const struct hwp_strs *)p)->n;
}

static void put_str(struct json_out *o, const void *p)
{
	json_out_str(o, ((const struct hwp_str *)p)->s);
}

static void put_num(struct json_out *o, const void *p)
{
	json_out_int(o, ((const struct hwp_num *)p)->v);
}

static void put_real(struct json_out *o, const void *p)
{
	json_out_real(o, ((const struct hwp_real *)p)->v);
}

static void put_bool(struct json_out *o, const void *p)
{
	json_out_bool(o, ((const struct hwp_bool *)p)->v);
}

static void put_strs(struct json_out *o, const void *p)
{
	const struct hwp_strs *strs = p;
	json_out_open(o, '[');
	for (size_t i = 0; i < strs->n; i++)
		json_out_str(o, strs->v[i]);
	json_out_close(o, '[');
}

#define KIND(name)                                               \
	{                                                        \
		.is_empty = is_##name##_empty, .put = put_##name \
	}

/* By enum value_kind: whether Go's omitempty sees it as empty, and its text. */
static const struct {
	bool (*is_empty)(const void *p);
	void (*put)(struct json_out *o, const void *p);
} kinds[] = {
	[VALUE_STR] = KIND(str),   [VALUE_NUM] = KIND(num),   [VALUE_REAL] = KIND(real),
	[VALUE_BOOL] = KIND(bool), [VALUE_STRS] = KIND(strs),
};

/* --- fields ------------------------------------------------------------------------------------------------------ */

static const void *member(const struct field *f, const void *base)
{
	return (const char *)base + f->offset;
}

static size_t count_of(const struct field *f, const void *base)
{
	return *(const size_t *)((const char *)base + f->count_offset);
}

static bool is_value_in_assisted(const struct field *f, const void *base)
{
	return f->flags & FIELD_WIRE &&
	       (f->flags & FIELD_ALWAYS || !kinds[f->kind].is_empty(member(f, base)));
}

/* Zero and false are told when they have a source, an empty text is not. */
static bool is_value_in_full(const struct field *f, const void *base)
{
	return field_source(f, base) && !(f->flags & FIELD_WIRE_ONLY) &&
	       !(f->kind == VALUE_STR && is_str_empty(member(f, base)));
}

static bool has_any(const struct encoder *e, const struct field *table, const void *base);

/* An object in an object: when anything is in it; a list in an object: in the full format. */
static bool is_in(const struct encoder *e, const struct field *f, const void *base)
{
	if (f->kind == VALUE_OBJECT)
		return has_any(e, f->items, member(f, base));
	if (f->kind == VALUE_LIST)
		return e->is_full && count_of(f, base);
	return e->is_full ? is_value_in_full(f, base) : is_value_in_assisted(f, base);
}

static bool has_any(const struct encoder *e, const struct field *table, const void *base)
{
	for (const struct field *f = table; f->key; f++)
		if (is_in(e, f, base))
			return true;
	return false;
}

static void put_with_source(struct encoder *e, const struct field *f, const void *base)
{
	const void *p = member(f, base);
	json_out_open(&e->out, '{');
	json_out_key(&e->out, "value");
	kinds[f->kind].put(&e->out, p);
	json_out_key(&e->out, "source");
	json_out_str(&e->out, field_source(f, base));
	if (f->flags & FIELD_FIRMWARE && hwp_is_placeholder(((const struct hwp_str *)p)->s)) {
		json_out_key(&e->out, "placeholder");
		json_out_bool(&e->out, true);
	}
	json_out_close(&e->out, '{');
}

static void put_object(struct encoder *e, const struct field *table, const void *base);

static void put_list(struct encoder *e, const struct field *table, const void *items, size_t n,
		     size_t item_size)
{
	json_out_open(&e->out, '[');
	for (size_t i = 0; i < n; i++)
		put_object(e, table, (const char *)items + i * item_size);
	json_out_close(&e->out, '[');
}

static void put_field(struct encoder *e, const struct field *f, const void *base)
{
	if (!is_in(e, f, base))
		return;
	const void *p = member(f, base);
	json_out_key(&e->out, f->key);
	if (f->kind == VALUE_OBJECT)
		put_object(e, f->items, p);
	else if (f->kind == VALUE_LIST)
		put_list(e, f->items, *(void *const *)p, count_of(f, base), f->item_size);
	else if (e->is_full)
		put_with_source(e, f, base);
	else
		kinds[f->kind].put(&e->out, p);
}

static void put_fields(struct encoder *e, const struct field *table, const void *base)
{
	for (const struct field *f = table; f->key; f++)
		put_field(e, f, base);
}

static void put_object(struct encoder *e, const struct field *table, const void *base)
{
	json_out_open(&e->out, '{');
	put_fields(e, table, base);
	json_out_close(&e->out, '{');
}

/* --- what the tables do not tell --------------------------------------------------------------------------------- */

static void put_key_and_text(struct encoder *e, const char *key, const char *text)
{
	json_out_key(&e->out, key);
	json_out_str(&e->out, text);
}

static void put_reason(struct encoder *e, const struct hwp_reason *r)
{
	if (!e->is_full) {
		json_out_str(&e->out, r->text);
		return;
	}
	json_out_open(&e->out, '{');
	put_key_and_text(e, "code", r->code);
	put_key_and_text(e, "text", r->text);
	if (r->source)
		put_key_and_text(e, "source", r->source);
	json_out_close(&e->out, '{');
}

static void put_reasons(struct encoder *e, const char *key, const struct hwp_reason *list, size_t n)
{
	json_out_key(&e->out, key);
	json_out_open(&e->out, '[');
	for (size_t i = 0; i < n; i++)
		put_reason(e, &list[i]);
	json_out_close(&e->out, '[');
}

static void put_disk(struct encoder *e, const struct hwp_disk *d)
{
	json_out_open(&e->out, '{');
	put_fields(e, disk_fields, d);
	json_out_key(&e->out, "installation_eligibility");
	json_out_open(&e->out, '{');
	json_out_key(&e->out, "eligible");
	json_out_bool(&e->out, d->reason_count == 0);
	put_reasons(e, "not_eligible_reasons", d->reasons, d->reason_count);
	json_out_close(&e->out, '{');
	if (e->is_full && d->warning_count)
		put_reasons(e, "warnings", d->warnings, d->warning_count);
	json_out_close(&e->out, '{');
}

static void put_disks(struct encoder *e, const struct hwp_inventory *inv)
{
	json_out_key(&e->out, "disks");
	json_out_open(&e->out, '[');
	for (size_t i = 0; i < hwp_disk_count(inv); i++)
		put_disk(e, &inv->disks[i]);
	json_out_close(&e->out, '[');
}

static void put_errors(struct encoder *e, const struct hwp_inventory *inv)
{
	json_out_key(&e->out, "errors");
	json_out_open(&e->out, '[');
	for (size_t i = 0; i < inv->error_count; i++) {
		const struct hwp_error *x = &inv->errors[i];
		json_out_open(&e->out, '{');
		put_key_and_text(e, "part", x->part);
		put_key_and_text(e, "source", x->source);
		json_out_key(&e->out, "errno");
		json_out_int(&e->out, x->err);
		put_key_and_text(e, "detail", x->detail);
		json_out_close(&e->out, '{');
	}
	json_out_close(&e->out, '[');
}

/* What belongs to no list and only the full format shows. */
static void put_more(struct encoder *e, const struct hwp_inventory *inv)
{
	static const struct field tpm = {
		.key = "tpm_present_without_driver",
		.kind = VALUE_BOOL,
	};
	static const struct field bmc = {
		.key = "bmc",
		.kind = VALUE_OBJECT,
		.items = bmc_fields,
	};
	static const struct field degraded = { .key = "degraded", .kind = VALUE_STRS };
	if (inv->parts & HWP_TPM)
		put_field(e, &tpm, &inv->tpm.is_without_driver);
	if (inv->parts & HWP_BMC)
		put_field(e, &bmc, &inv->bmc);
	put_field(e, &degraded, &inv->degraded);
}

static void put_text(struct encoder *e, const char *key, const struct hwp_str *str)
{
	const struct field f = { .key = key, .kind = VALUE_STR, .flags = FIELD_WIRE };
	put_field(e, &f, str);
}

static void put_part(struct encoder *e, const char *key, const struct field *table,
		     const void *base)
{
	json_out_key(&e->out, key);
	put_object(e, table, base);
}

static void put_objects(struct encoder *e, const struct hwp_inventory *inv)
{
	if (inv->parts & HWP_BMC) {
		put_text(e, "bmc_address", &inv->bmc.address);
		put_text(e, "bmc_v6address", &inv->bmc.v6address);
	}
	if (inv->parts & HWP_BOOT)
		put_part(e, "boot", boot_fields, &inv->boot);
	if (inv->parts & HWP_CLOCK && e->is_full)
		put_part(e, "clock", clock_fields, &inv->clock);
	if (inv->parts & HWP_CPU)
		put_part(e, "cpu", cpu_fields, &inv->cpu);
	if (inv->parts & HWP_HOSTNAME)
		put_text(e, "hostname", &inv->hostname);
	if (inv->parts & HWP_MEMORY)
		put_part(e, "memory", memory_fields, &inv->memory);
	if (inv->parts & HWP_VENDOR)
		put_part(e, "system_vendor", vendor_fields, &inv->vendor);
	if (inv->parts & HWP_TPM)
		put_text(e, "tpm_version", &inv->tpm.version);
}

/* They are there even when their part was not asked for: their keys are never omitted. */
static void put_lists(struct encoder *e, const struct hwp_inventory *inv)
{
	put_disks(e, inv);
	json_out_key(&e->out, "gpus");
	put_list(e, gpu_fields, inv->gpus, hwp_gpu_count(inv), sizeof(*inv->gpus));
	json_out_key(&e->out, "interfaces");
	put_list(e, nic_fields, inv->nics, hwp_nic_count(inv), sizeof(*inv->nics));
	json_out_key(&e->out, "routes");
	put_list(e, route_fields, inv->routes, hwp_route_count(inv), sizeof(*inv->routes));
}

/* New text; NULL = no memory. */
static char *document(const struct hwp_inventory *inv, bool is_full)
{
	struct encoder e = { .is_full = is_full };
	json_out_init(&e.out, DOCUMENT_MAX_BYTES);
	json_out_open(&e.out, '{');
	if (is_full)
		put_key_and_text(&e, "schema", SCHEMA);
	put_objects(&e, inv);
	put_lists(&e, inv);
	if (is_full) {
		put_more(&e, inv);
		put_errors(&e, inv);
	}
	json_out_close(&e.out, '{');
	char *text = json_out_take(&e.out);
	json_out_done(&e.out);
	return text;
}

char *hwp_to_json(const struct hwp_inventory *inv, enum hwp_format format, size_t max_bytes)
{
	if (!inv || (unsigned)format > HWP_TEXT)
		return NULL;
	if (format == HWP_TEXT)
		return hwp_to_text(inv, 0);
	AUTO(freep) char *text = document(inv, format == HWP_JSON_FULL);
	if (text && format == HWP_JSON_ASSISTED && max_bytes && strlen(text) > max_bytes)
		return inventory_cut(text, max_bytes);
	return TAKE(text);
}

int hwp_write(const struct hwp_inventory *inv, enum hwp_format format, size_t max_bytes,
	      int (*sink)(void *data, const void *bytes, size_t len), void *data)
{
	if (!inv || !sink || (unsigned)format > HWP_TEXT)
		return -EINVAL;
	AUTO(freep) char *text = hwp_to_json(inv, format, max_bytes);
	return text ? sink(data, text, strlen(text)) : -ENOMEM;
}
