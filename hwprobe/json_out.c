#include "hwprobe/json_out.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"

enum {
	INT_DIGITS_MAX = 20, /* of -9223372036854775808 */
	ESCAPE_MAX = 6,      /* \u001F */
};

void json_out_init(struct json_out *o, size_t max_bytes)
{
	o->has_failed = false;
	buf_init(&o->text, max_bytes);
}

void json_out_done(struct json_out *o)
{
	buf_done(&o->text);
}

char *json_out_take(struct json_out *o)
{
	return o->has_failed ? NULL : buf_take(&o->text);
}

/* Where the next bytes go: there is room for @len. NULL = failed, now or before. */
static char *room(struct json_out *o, size_t len)
{
	if (o->has_failed || buf_reserve(&o->text, len) < 0) {
		o->has_failed = true;
		return NULL;
	}
	return o->text.data + o->text.len;
}

static void end_at(struct json_out *o, char *end)
{
	*end = '\0';
	o->text.len = (size_t)(end - o->text.data);
}

/* What a value cannot end with. */
static bool is_begin(char c)
{
	return c == '{' || c == '[' || c == ':';
}

/* room() for a value or a key, behind a comma where one belongs: the byte before tells. */
static char *item(struct json_out *o, size_t len)
{
	char *p = room(o, len + 1);
	if (p && o->text.len && !is_begin(p[-1]))
		*p++ = ',';
	return p;
}

static void put_raw(struct json_out *o, const char *text, size_t len)
{
	char *p = item(o, len);
	if (p)
		end_at(o, mempcpy(p, text, len));
}

void json_out_open(struct json_out *o, char bracket)
{
	put_raw(o, &bracket, 1);
}

void json_out_close(struct json_out *o, char bracket)
{
	char *p = room(o, 1);
	if (!p)
		return;
	*p++ = bracket == '{' ? '}' : ']';
	end_at(o, p);
}

void json_out_key(struct json_out *o, const char *key)
{
	size_t len = strlen(key);
	char *p = item(o, len + strlen("\"\":"));
	if (!p)
		return;
	*p++ = '"';
	p = mempcpy(p, key, len);
	*p++ = '"';
	*p++ = ':';
	end_at(o, p);
}

/* How many bytes from the start stand for themselves in a JSON string (RFC 8259 section 7). NUL does not. */
static size_t plain_length(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	while (*p >= ' ' && *p != '"' && *p != '\\')
		p++;
	return (size_t)(p - (const unsigned char *)s);
}

/* Writes @c at @p as what stands for it; returns the end. */
static char *escape(char *p, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, letter */
	*p++ = '\\';
	for (const char *s = shorts; *s; s += 2) {
		if ((unsigned char)*s == c) {
			*p++ = s[1];
			return p;
		}
	}
	p = mempcpy(p, "u00", 3);
	*p++ = digits[c >> 4];
	*p++ = digits[c & 0xf];
	return p;
}

/* The rest of a string, from its first byte that must be escaped to the quote behind it. */
static void put_escaped(struct json_out *o, const char *s)
{
	while (*s) {
		size_t n = plain_length(s + 1);
		char *p = room(o, ESCAPE_MAX + n);
		if (!p)
			return;
		p = escape(p, (unsigned char)*s);
		end_at(o, mempcpy(p, s + 1, n));
		s += 1 + n;
	}
	char *p = room(o, 1);
	if (!p)
		return;
	*p++ = '"';
	end_at(o, p);
}

void json_out_str(struct json_out *o, const char *s)
{
	if (!s) {
		o->has_failed = true;
		return;
	}
	size_t n = plain_length(s);
	char *p = item(o, n + strlen("\"\""));
	if (!p)
		return;
	*p++ = '"';
	p = mempcpy(p, s, n);
	if (s[n]) {
		end_at(o, p);
		put_escaped(o, s + n);
		return;
	}
	*p++ = '"';
	end_at(o, p);
}

void json_out_int(struct json_out *o, int64_t v)
{
	char text[INT_DIGITS_MAX], *end = text + sizeof(text), *p = end;
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
	do
		*--p = (char)('0' + rest % 10);
	while (rest /= 10);
	if (v < 0)
		*--p = '-';
	put_raw(o, p, (size_t)(end - p));
}

/* There are one or two in an inventory: whose text they have to match prints them. */
void json_out_real(struct json_out *o, double v)
{
	AUTO(json_decrefp) json_t *number = json_real(v);
	AUTO(freep)
	char *text = number ? json_dumps(number, JSON_ENCODE_ANY |
							 JSON_REAL_PRECISION(JSON_OUT_REAL_DIGITS))
			    : NULL;
	if (!text) {
		o->has_failed = true;
		return;
	}
	put_raw(o, text, strlen(text));
}

void json_out_bool(struct json_out *o, bool v)
{
	if (v)
		put_raw(o, "true", 4);
	else
		put_raw(o, "false", 5);
}
