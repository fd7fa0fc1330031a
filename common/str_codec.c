/* Hex, base64 (RFC 4648) and percent-encoding of str.h. */
#include "common/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(const void *data, size_t len, char *ret)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++) {
		*ret++ = hex_digits[p[i] >> 4];
		*ret++ = hex_digits[p[i] & 15];
	}
	*ret = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *s, void *ret, size_t len)
{
	if (!s || strnlen(s, 2 * len + 1) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++) {
		if (hex_value(s[i]) < 0)
			return -EINVAL;
	}
	uint8_t *out = ret;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_value(s[2 * i]) << 4 | hex_value(s[2 * i + 1]));
	return 0;
}

/* --- base64 -------------------------------------------------------------------------------- */

struct alphabet {
	char extra[2]; /* digits 62 and 63 */
	bool padding;
};
static const struct alphabet standard = { { '+', '/' }, true };
static const struct alphabet url_safe = { { '-', '_' }, false };

static char sextet_char(const struct alphabet *a, unsigned v)
{
	static const char common[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	return v < 62 ? common[v] : a->extra[v - 62];
}

static int sextet_value(const struct alphabet *a, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == a->extra[0])
		return 62;
	return c == a->extra[1] ? 63 : -1;
}

static char *encode(const struct alphabet *a, const void *data, size_t len)
{
	size_t size;
	if (__builtin_mul_overflow(len / 3 + 1, (size_t)4, &size) || size == SIZE_MAX)
		return NULL;
	char *text = malloc(size + 1);
	if (!text)
		return NULL;
	const uint8_t *p = data;
	char *out = text;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = MIN_OF(len - i, (size_t)3);
		uint32_t v = (uint32_t)p[i] << 16;
		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		for (size_t k = 0; k < 4; k++) {
			if (k <= n)
				*out++ = sextet_char(a, v >> (18 - 6 * k) & 63);
			else if (a->padding)
				*out++ = '=';
		}
	}
	*out = '\0';
	return text;
}

/* Takes the padding off: *len without it. RFC 4648 §4: the text with padding is a multiple of four. */
static int strip_padding(const struct alphabet *a, const char *s, size_t *len)
{
	if (!a->padding)
		return 0;
	if (*len % 4)
		return -EINVAL;
	for (int i = 0; i < 2 && *len > 0 && s[*len - 1] == '='; i++)
		(*len)--;
	return 0;
}

static int decode(const struct alphabet *a, const char *s, size_t len, void **ret_data,
		  size_t *ret_len)
{
	if (strip_padding(a, s, &len) < 0 || len % 4 == 1)
		return -EINVAL;
	AUTO(freep) uint8_t *data = malloc(len / 4 * 3 + 4);
	if (!data)
		return -ENOMEM;
	size_t n = 0;
	uint32_t v = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < len; i++) {
		int d = sextet_value(a, s[i]);
		if (d < 0)
			return -EINVAL;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			data[n++] = (uint8_t)(v >> bits);
		}
	}
	/* RFC 4648 §3.5: left-over bits are zero, so that a value has one text only */
	if (v & ((1u << bits) - 1))
		return -EINVAL;
	data[n] = '\0';
	*ret_data = TAKE(data);
	*ret_len = n;
	return 0;
}

char *base64_encode(const void *data, size_t len)
{
	return encode(&standard, data, len);
}

char *base64url_encode(const void *data, size_t len)
{
	return encode(&url_safe, data, len);
}

int base64_decode(const char *s, size_t len, void **ret_data, size_t *ret_len)
{
	return decode(&standard, s, len, ret_data, ret_len);
}

int base64url_decode(const char *s, size_t len, void **ret_data, size_t *ret_len)
{
	return decode(&url_safe, s, len, ret_data, ret_len);
}

/* --- URLs ---------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

char *url_encode(const char *s, bool keep_slash)
{
	static const char upper[] = "0123456789ABCDEF"; /* RFC 3986 §2.1 */
	char *text = malloc(3 * strlen(s) + 1);
	if (!text)
		return NULL;
	char *out = text;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (is_unreserved(*s) || (keep_slash && c == '/')) {
			*out++ = *s;
			continue;
		}
		*out++ = '%';
		*out++ = upper[c >> 4];
		*out++ = upper[c & 15];
	}
	*out = '\0';
	return text;
}
