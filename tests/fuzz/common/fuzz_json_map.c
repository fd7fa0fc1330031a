/* JSON text into a struct by a table, and back: what was decoded must be decoded again from its encoding. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
	char *s;
	json_t *any;
};

struct outer {
	char *s;
	bool b;
	int64_t i;
	uint64_t u;
	double d;
	struct inner inner;
	struct json_strs strs;
};

static const struct json_field inner_fields[] = {
	JSON_FIELD(inner, s, "s", JSON_F_STR, JSON_REQUIRED),
	JSON_FIELD(inner, any, "any", JSON_F_JSON, JSON_OMIT_EMPTY),
	JSON_FIELD_END,
};

static const struct json_field outer_fields[] = {
	JSON_FIELD(outer, s, "s", JSON_F_STR, JSON_OMIT_EMPTY),
	JSON_FIELD(outer, b, "b", JSON_F_BOOL, 0),
	JSON_FIELD(outer, i, "i", JSON_F_I64, 0),
	JSON_FIELD(outer, u, "u", JSON_F_U64, JSON_OMIT_EMPTY),
	JSON_FIELD(outer, d, "d", JSON_F_DOUBLE, 0),
	JSON_FIELD_SUB(outer, inner, "inner", inner_fields, 0),
	JSON_FIELD(outer, strs, "strs", JSON_F_STRS, 0),
	JSON_FIELD_END,
};

static void decode(json_t *v, unsigned options)
{
	struct outer o = { 0 }, again = { 0 };
	struct fault err = FAULT_INIT;
	int r = json_map_decode(outer_fields, v, &o, options, &err);
	if (r < 0 && !err.text[0])
		abort();
	if (r == 0) {
		AUTO(json_decrefp) json_t *back = json_map_encode(outer_fields, &o);
		if (!back ||
		    json_map_decode(outer_fields, back, &again, JSON_REJECT_UNKNOWN, &err) < 0)
			abort();
		json_map_done(outer_fields, &again);
	}
	json_map_done(outer_fields, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int lenient = 0; lenient < 2; lenient++) {
		struct fault err = FAULT_INIT;
		AUTO(json_decrefp)
		json_t *v = json_parse((const char *)data, size, 1 << 16, lenient, &err);
		if (!v && !err.text[0])
			abort();
		if (!v)
			continue;
		AUTO(freep) char *text = json_text(v, lenient);
		if (!text)
			abort();
		decode(v, 0);
		decode(v, JSON_REJECT_UNKNOWN | JSON_ANY_CASE);
	}
	return 0;
}
