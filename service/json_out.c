#include "service/json_out.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

static void put(struct json_out *o, const char *text, size_t len)
{
	if (o->r == 0)
		o->r = buf_append(o->b, text, len);
}

#define CHUNK 4096 /* bytes of a string that are escaped at a time */

/* What stands for a character: itself, or backslash and this letter; 'u' = by number (RFC 8259 §7). */
static char escape_letter(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	default:
		return c < 0x20 ? 'u' : 0;
	}
}

static char *put_escape(char *p, unsigned char c, char letter)
{
	static const char hex[] = "0123456789abcdef";

	*p++ = '\\';
	*p++ = letter;
	if (letter == 'u') {
		*p++ = '0';
		*p++ = '0';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* The highest bit of the first byte (in memory) that must be escaped; bits above it mean nothing. 0 = there is none. */
static uint64_t specials(uint64_t v)
{
	uint64_t quote = v ^ EACH('"'), slash = v ^ EACH('\\');

	return (((v - EACH(0x20u)) & ~v) | ((quote - EACH(1u)) & ~quote) |
		((slash - EACH(1u)) & ~slash)) &
	       EACH(0x80u);
}

/* Escapes @len bytes straight into the buffer, which has room for six times as many. */
static void put_chunk(struct buf *b, const char *s, size_t len)
{
	char *p = b->data + b->len;
	size_t i = 0;

	/* eight bytes at a time: what a list of hosts costs is mostly this */
	while (len - i >= 8) {
		uint64_t v, found;
		memcpy(&v, s + i, sizeof(v));
		memcpy(p, &v, sizeof(v));
		found = specials(le64toh(v));
		size_t clean = found ? (size_t)__builtin_ctzll(found) / 8 : 8;
		p += clean;
		i += clean;
		if (found) {
			unsigned char c = (unsigned char)s[i++];
			p = put_escape(p, c, escape_letter(c));
		}
	}
	for (; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		char letter = c >= 0x20 && c != '"' && c != '\\' ? 0 : escape_letter(c);
		if (letter)
			p = put_escape(p, c, letter);
		else
			*p++ = (char)c;
	}
	b->len = (size_t)(p - b->data);
	*p = '\0';
}

static void put_string(struct json_out *o, const char *s)
{
	size_t left = strlen(s);

	put(o, "\"", 1);
	while (left && o->r == 0) {
		size_t n = left < CHUNK ? left : CHUNK;
		o->r = buf_reserve(o->b, n * 6);
		if (o->r == 0)
			put_chunk(o->b, s, n);
		s += n;
		left -= n;
	}
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
