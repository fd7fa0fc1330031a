#include "service/json_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

static void put(struct json_out *o, const char *text, size_t len)
{
	if (o->r == 0)
		o->r = buf_append(o->b, text, len);
}

/* RFC 8259 §7: quote, backslash and control characters are escaped; the rest goes as it is, in long runs. */
static void put_string(struct json_out *o, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	const char *run = s;

	put(o, "\"", 1);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(o, run, (size_t)(s - run));
		run = s + 1;
		switch (c) {
		case '"':
			put(o, "\\\"", 2);
			break;
		case '\\':
			put(o, "\\\\", 2);
			break;
		case '\n':
			put(o, "\\n", 2);
			break;
		case '\t':
			put(o, "\\t", 2);
			break;
		case '\r':
			put(o, "\\r", 2);
			break;
		default: {
			char u[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
			put(o, u, sizeof(u));
		}
		}
	}
	put(o, run, (size_t)(s - run));
	put(o, "\"", 1);
}

static void lead(struct json_out *o, const char *key)
{
	if (o->needs_comma)
		put(o, ",", 1);
	o->needs_comma = true;
	if (!key)
		return;
	put(o, "\"", 1);
	put(o, key, strlen(key)); /* names are ours: nothing to escape */
	put(o, "\":", 2);
}

void jo_object(struct json_out *o, const char *key)
{
	lead(o, key);
	put(o, "{", 1);
	o->needs_comma = false;
}

void jo_object_end(struct json_out *o)
{
	put(o, "}", 1);
	o->needs_comma = true;
}

void jo_array(struct json_out *o, const char *key)
{
	lead(o, key);
	put(o, "[", 1);
	o->needs_comma = false;
}

void jo_array_end(struct json_out *o)
{
	put(o, "]", 1);
	o->needs_comma = true;
}

void jo_null(struct json_out *o, const char *key)
{
	lead(o, key);
	put(o, "null", 4);
}

void jo_str(struct json_out *o, const char *key, const char *v)
{
	lead(o, key);
	put_string(o, v ? v : "");
}

void jo_int(struct json_out *o, const char *key, int64_t v)
{
	char text[24];

	lead(o, key);
	put(o, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, v));
}

void jo_bool(struct json_out *o, const char *key, bool v)
{
	lead(o, key);
	put(o, v ? "true" : "false", v ? 4 : 5);
}

void jo_raw(struct json_out *o, const char *key, const char *json)
{
	lead(o, key);
	put(o, json, strlen(json));
}

void jo_opt_str(struct json_out *o, const char *key, const char *v)
{
	if (!str_empty(v))
		jo_str(o, key, v);
}

void jo_opt_int(struct json_out *o, const char *key, int64_t v)
{
	if (v)
		jo_int(o, key, v);
}

void jo_opt_bool(struct json_out *o, const char *key, bool v)
{
	if (v)
		jo_bool(o, key, v);
}

void jo_time(struct json_out *o, const char *key, int64_t us)
{
	char text[TIME_TEXT_LEN];

	time_format_ms(us, text);
	jo_str(o, key, text);
}

void jo_time_nano(struct json_out *o, const char *key, int64_t us)
{
	char text[TIME_TEXT_LEN];

	time_format_nano(us, text);
	jo_str(o, key, text);
}
