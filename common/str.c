#include "common/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/cleanup.h"

/* --- numbers ------------------------------------------------------------------------------- */

/* The digits at the start of @s; *ret_end is behind them. -EINVAL without any, -ERANGE. */
static int digits(const char *s, uint64_t *ret, const char **ret_end)
{
	uint64_t v = 0;
	const char *p = s;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	}
	if (p == s)
		return -EINVAL;
	*ret = v;
	*ret_end = p;
	return 0;
}

int str_to_u64(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	if (!s)
		return -EINVAL;
	int r = digits(s, &v, &end);
	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = v;
	return 0;
}

int str_to_i64(const char *s, int64_t *ret)
{
	if (!s)
		return -EINVAL;
	bool negative = *s == '-';
	uint64_t v;
	int r = str_to_u64(s + negative, &v);
	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int str_to_bool(const char *s, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "no", false },  { "true", true }, { "false", false },
		{ "on", true },  { "off", false }, { "1", true },    { "0", false },
	};
	for (size_t i = 0; s && i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(s, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int number_with_unit(const char *s, const struct unit *units, size_t n, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	if (!s)
		return -EINVAL;
	int r = digits(s, &v, &end);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].factor, &v))
			return -ERANGE;
		*ret = v;
		return 0;
	}
	return -EINVAL;
}

int str_to_size(const char *s, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", 1ull << 10 },
		{ "KiB", 1ull << 10 },
		{ "kB", 1000ull },
		{ "KB", 1000ull },
		{ "M", 1ull << 20 },
		{ "MiB", 1ull << 20 },
		{ "MB", 1000000ull },
		{ "G", 1ull << 30 },
		{ "GiB", 1ull << 30 },
		{ "GB", 1000000000ull },
		{ "T", 1ull << 40 },
		{ "TiB", 1ull << 40 },
		{ "TB", 1000000000000ull },
	};
	return number_with_unit(s, units, ARRAY_SIZE(units), ret_bytes);
}

int str_to_ms(const char *s, uint64_t *ret_ms)
{
	static const struct unit units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	return number_with_unit(s, units, ARRAY_SIZE(units), ret_ms);
}

/* --- plain strings ------------------------------------------------------------------------- */

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	if (!s)
		return false;
	size_t len = strlen(s), tail = strlen(suffix);
	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

bool str_empty(const char *s)
{
	return !s || !*s;
}

char *str_trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	size_t len = strlen(s);
	while (len > 0 && isspace((unsigned char)s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

char *str_dup(const char *s)
{
	return s ? strdup(s) : NULL;
}

char *str_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

int str_set(char **dst, const char *s)
{
	char *copy = str_dup(s);
	if (s && !copy)
		return -ENOMEM;
	free(*dst);
	*dst = copy;
	return 0;
}

bool str_copy(char *dst, size_t size, const char *s)
{
	size_t len = strlen(s);
	if (size == 0)
		return false;
	size_t fits = MIN_OF(len, size - 1);
	memmove(dst, s, fits);
	dst[fits] = '\0';
	return fits == len;
}

/* --- UTF-8 --------------------------------------------------------------------------------- */

/*
 * Length of the valid sequence at @s (RFC 3629: shortest form, no surrogates, up to U+10FFFF), 0 = none. The NUL that ends
 * the string is no continuation byte, so nothing behind it is read.
 */
static size_t utf8_sequence(const unsigned char *s, uint32_t *ret_point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		uint32_t point = s[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i <= f; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (s[i] & 0x3f);
		}
		if (point < forms[f].min || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return 0;
		*ret_point = point;
		return f + 1;
	}
	return 0;
}

static bool is_control(uint32_t point)
{
	return (point < 0x20 && point != '\t' && point != '\n') || (point >= 0x7f && point < 0xa0);
}

bool str_is_text(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	while (*p) {
		uint32_t point;
		size_t len = utf8_sequence(p, &point);
		if (len == 0 || is_control(point))
			return false;
		p += len;
	}
	return true;
}

void str_make_utf8(char *s)
{
	unsigned char *p = (unsigned char *)s;
	while (*p) {
		uint32_t point;
		size_t len = *p < 0x80 ? 1 : utf8_sequence(p, &point);
		if (len == 0) {
			*p = '?';
			len = 1;
		}
		p += len;
	}
}

/* --- UUIDs and MAC addresses --------------------------------------------------------------- */

/* Does @s follow @pattern, where 'x' is a hex digit and all else itself? */
static bool matches(const char *s, const char *pattern)
{
	if (!s)
		return false;
	for (; *pattern; s++, pattern++) {
		if (*pattern == 'x' ? !isxdigit((unsigned char)*s) : *s != *pattern)
			return false;
	}
	return *s == '\0';
}

bool uuid_is_valid(const char *s)
{
	return matches(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

bool mac_is_valid(const char *s)
{
	return matches(s, "xx:xx:xx:xx:xx:xx");
}

void uuid_format(const uint8_t bytes[16], char ret[UUID_LEN + 1])
{
	char hex[33];
	hex_encode(bytes, 16, hex);
	snprintf(ret, UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

void uuid_random(char ret[UUID_LEN + 1])
{
	uint8_t b[16];
	/* up to 256 bytes come whole and without EINTR once the pool is ready: getrandom(2) */
	while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		;
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4, RFC 9562 §5.4 */
	b[8] = (b[8] & 0x3f) | 0x80; /* variant */
	uuid_format(b, ret);
}
