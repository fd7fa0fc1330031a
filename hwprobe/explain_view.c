#include "hwprobe/explain_view.h"

#include <string.h>
#include "common/cleanup.h"

#define SCHEMA "slipway.hwprobe/1"
#define CHECKED \
	"no reason in: name, dm/uuid, is_installation_media, iSCSI session and boot table, proc/self/mountinfo, proc/swaps"

struct reason_view {
	struct hwp_str code, text, source;
};

struct disk_view {
	struct {
		struct hwp_bool eligible;
		struct reason_view *reasons;
		size_t reason_count;
	} eligibility;
	struct reason_view *warnings;
	size_t warning_count;
};

struct error_view {
	struct hwp_str part, source, detail;
	struct hwp_num err;
};

struct whole_view {
	struct hwp_str schema, truncation;
	struct error_view *errors;
	size_t error_count;
};

#define F(st, kind_, member, key_)                                                          \
	{                                                                                   \
		.key = (key_), .kind = VALUE_##kind_, .offset = offsetof(struct st, member) \
	}
#define LIST(st, member, count, key_, item, table)                                            \
	{                                                                                     \
		.key = (key_), .kind = VALUE_LIST, .offset = offsetof(struct st, member),     \
		.count_offset = offsetof(struct st, count), .item_size = sizeof(struct item), \
		.items = (table)                                                              \
	}
#define END                 \
	{                   \
		.key = NULL \
	}

static const struct field reason_fields[] = {
	F(reason_view, STR, code, "code"),
	F(reason_view, STR, text, "text"),
	F(reason_view, STR, source, "source"),
	END,
};

static const struct field eligibility_fields[] = {
	F(disk_view, BOOL, eligibility.eligible, "eligible"),
	LIST(disk_view, eligibility.reasons, eligibility.reason_count, "not_eligible_reasons",
	     reason_view, reason_fields),
	END,
};

static const struct field disk_view_fields[] = {
	{ .key = "installation_eligibility", .kind = VALUE_OBJECT, .items = eligibility_fields },
	LIST(disk_view, warnings, warning_count, "warnings", reason_view, reason_fields),
	END,
};

static const struct field error_fields[] = {
	F(error_view, STR, part, "part"),
	F(error_view, STR, source, "source"),
	F(error_view, NUM, err, "errno"),
	F(error_view, STR, detail, "detail"),
	END,
};

static const struct field whole_view_fields[] = {
	F(whole_view, STR, schema, "schema"),
	F(whole_view, STR, truncation, "truncation"),
	LIST(whole_view, errors, error_count, "errors", error_view, error_fields),
	END,
};

const char *explain_view_nothing(const struct field *f)
{
	static const struct {
		const char *key, *text;
	} lists[] = {
		{ "not_eligible_reasons", CHECKED },
		{ "warnings", "nothing in: ID_FS_TYPE, holders, ro, queue/zoned, paths, ids of "
			      "other disks, loop/backing_file" },
		{ "errors", "nothing that was looked at has failed" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (!strcmp(f->key, lists[i].key))
			return lists[i].text;
	return NULL;
}

static struct reason_view *reasons(struct arena *a, const struct hwp_reason *list, size_t n)
{
	struct reason_view *v = arena_alloc(a, (n + 1) * sizeof(*v));
	for (size_t i = 0; v && i < n; i++) {
		const char *source = list[i].source ? list[i].source : "?";
		v[i].code = (struct hwp_str){ list[i].code, source };
		v[i].text = (struct hwp_str){ list[i].text, source };
		v[i].source = (struct hwp_str){ list[i].source, source };
	}
	return v;
}

/* "swap-active by proc/swaps, …" */
static const char *verdict_source(struct arena *a, const struct hwp_disk *d)
{
	const char *text = NULL;
	for (size_t i = 0; i < d->reason_count; i++)
		text = arena_printf(a, "%s%s%s by %s", text ? text : "", text ? ", " : "",
				    d->reasons[i].code, d->reasons[i].source);
	return text ? text : CHECKED;
}

static const struct disk_view *disk_view(struct arena *a, const struct hwp_disk *d)
{
	struct disk_view *v = arena_alloc(a, sizeof(*v));
	if (!v)
		return NULL;
	v->eligibility.eligible = (struct hwp_bool){ !d->reason_count, verdict_source(a, d) };
	v->eligibility.reasons = reasons(a, d->reasons, d->reason_count);
	v->eligibility.reason_count = v->eligibility.reasons ? d->reason_count : 0;
	v->warnings = reasons(a, d->warnings, d->warning_count);
	v->warning_count = v->warnings ? d->warning_count : 0;
	return v;
}

static const struct whole_view *whole_view(struct arena *a, const struct hwp_inventory *inv)
{
	struct whole_view *v = arena_alloc(a, sizeof(*v));
	if (!v)
		return NULL;
	v->schema = (struct hwp_str){ SCHEMA, "name of the full format" };
	v->errors = arena_alloc(a, (inv->error_count + 1) * sizeof(*v->errors));
	v->error_count = v->errors ? inv->error_count : 0;
	for (size_t i = 0; i < v->error_count; i++) {
		const struct hwp_error *e = &inv->errors[i];
		v->errors[i] = (struct error_view){
			.part = { e->part, e->source },
			.source = { e->source, e->source },
			.detail = { e->detail, e->source },
			.err = { e->err, e->source },
		};
	}
	return v;
}

const struct field *explain_view(struct arena *a, const struct hwp_inventory *inv,
				 const struct field *table, const void *base, const void **ret_base)
{
	if (table == inventory_fields)
		*ret_base = whole_view(a, inv);
	else if (table == disk_fields)
		*ret_base = disk_view(a, base);
	else
		return NULL;
	if (!*ret_base)
		return NULL;
	return table == disk_fields ? disk_view_fields : whole_view_fields;
}
