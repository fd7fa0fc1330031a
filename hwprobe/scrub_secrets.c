#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/hwprobe.h"
#include "hwprobe/scrub.h"

/* --- SipHash-2-4 (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012) --------------------------------- */

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t load(const uint8_t *p, size_t len)
{
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

uint64_t scrub_hash(const struct scrub *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t k0 = load(s->key, 8), k1 = load(s->key + 8, 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			  k1 ^ 0x7465646279746573 };
	size_t left = len;
	for (; left >= 8; left -= 8, p += 8)
		absorb(v, load(p, 8));
	absorb(v, load(p, left) | (uint64_t)len << 56);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- shapes ------------------------------------------------------------------------------------------------- */

enum { PLACEHOLDER_MAX = 64 };

/* What firmware and drives say instead of a serial number: tells nothing of whose it is, but much of the machine. */
static bool is_placeholder(const char *text, size_t len)
{
	static const char *const others[] = { "OracleCloud.com", "localhost",
					      "localhost.localdomain" };
	char copy[PLACEHOLDER_MAX];
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcasecmp(copy, others[i]))
			return true;
	return !len || hwp_is_placeholder(str_trim(copy));
}

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isalpha((unsigned char)text[i]) && !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

static char shaped(char c, unsigned random, bool is_in_hex)
{
	unsigned letters = is_in_hex ? 6 : 26;
	if (isdigit((unsigned char)c))
		return (char)('0' + random % 10);
	if (islower((unsigned char)c))
		return (char)('a' + random % letters);
	return isupper((unsigned char)c) ? (char)('A' + random % letters) : c;
}

void scrub_shape(const struct scrub *s, char *text, size_t len)
{
	if (!is_placeholder(text, len))
		scrub_shape_any(s, text, len);
}

void scrub_shape_any(const struct scrub *s, char *text, size_t len)
{
	bool is_in_hex = is_hex(text, len);
	uint64_t seed[2] = { scrub_hash(s, text, len), 0 };
	for (size_t i = 0; i < len; i++) {
		seed[1] = i;
		text[i] = shaped(text[i], (unsigned)(scrub_hash(s, seed, sizeof(seed)) >> 33),
				 is_in_hex);
	}
}

/* --- secrets ------------------------------------------------------------------------------------------------ */

/* NULL = it need not be kept. */
static struct scrub_secret *keep(struct scrub *s, const void *bytes, const void *instead,
				 size_t len, bool is_word)
{
	if (s->n == SCRUB_SECRETS_MAX || !memcmp(bytes, instead, len))
		return NULL;
	struct scrub_secret *x = arena_append(&s->mem, &s->v, &s->n, sizeof(*x));
	if (x)
		*x = (struct scrub_secret){
			.bytes = (uint8_t *)arena_copy(&s->mem, bytes, len),
			.instead = (uint8_t *)arena_copy(&s->mem, instead, len),
			.len = len,
			.is_word = is_word,
		};
	return x;
}

static bool has_digit(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)text[i]))
			return true;
	return false;
}

static bool has_letter(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isalpha((unsigned char)text[i]))
			return true;
	return false;
}

/* Without white space at its ends and what marks the kind of number: "0x5000…", "eui.0025…". */
static const char *bare(const char *text, size_t *len)
{
	static const char *const kinds[] = { "0x", "eui.", "naa.", "uuid.", "nvme." };
	while (*len && isspace((unsigned char)text[*len - 1]))
		--*len;
	for (; *len && isspace((unsigned char)*text); text++)
		--*len;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i]);
		if (*len <= n || strncmp(text, kinds[i], n) != 0)
			continue;
		*len -= n;
		return text + n;
	}
	return text;
}

static void add(struct scrub *s, const char *text, size_t len, bool is_known)
{
	text = bare(text, &len);
	/* Words of letters alone are seldom anybody's: only long ones are taken for that. */
	bool is_common = len < SCRUB_SHORT || (len < SCRUB_LONG && !has_digit(text, len));
	if (!len || (is_common && !is_known))
		return;
	char *instead = arena_copy(&s->mem, text, len);
	if (!instead)
		return;
	scrub_shape(s, instead, len);
	bool is_plain = !has_letter(text, len) || !has_digit(text, len);
	struct scrub_secret *x =
		keep(s, text, instead, len, len < (is_plain ? SCRUB_LONG_PLAIN : SCRUB_LONG));
	if (x)
		x->is_by_place = is_common;
}

void scrub_add(struct scrub *s, const char *text, size_t len)
{
	add(s, text, len, false);
}

void scrub_add_known(struct scrub *s, const char *text, size_t len)
{
	add(s, text, len, true);
}

void scrub_mac(const struct scrub *s, uint8_t mac[6])
{
	static const uint8_t none[6], all[6] = { 255, 255, 255, 255, 255, 255 };
	if (!memcmp(mac, none, 6) || !memcmp(mac, all, 6))
		return;
	uint64_t random = scrub_hash(s, mac, 6);
	memcpy(mac + 3, &random, 3);
}

enum { GUID_LEN = 8, GUID_VENDOR_LEN = 3, SPELT_MAX = 3 * GUID_LEN };

static size_t spell(char text[SPELT_MAX], const uint8_t *bytes, size_t len, const char *separator,
		    bool is_upper)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += (size_t)snprintf(text + n, SPELT_MAX - n, is_upper ? "%s%02X" : "%s%02x",
				      i ? separator : "", bytes[i]);
	return n;
}

/* As bytes and in all spellings. */
static void keep_spellings(struct scrub *s, const uint8_t *from, const uint8_t *to, size_t len)
{
	static const char *const separators[] = { ":", "-", "" };
	keep(s, from, to, len, false);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(separators); i++) {
		char from_text[SPELT_MAX], to_text[SPELT_MAX];
		size_t n = spell(from_text, from, len, separators[i / 2], i % 2);
		spell(to_text, to, len, separators[i / 2], i % 2);
		keep(s, from_text, to_text, n, false);
	}
}

void scrub_add_mac(struct scrub *s, const uint8_t mac[6])
{
	uint8_t to[6];
	memcpy(to, mac, 6);
	scrub_mac(s, to);
	keep_spellings(s, mac, to, 6);
}

/* InfiniBand: number of a queue pair, prefix of the subnet, GUID of the port; the last one names it (RFC 4391, 9.1.1). */
static void add_infiniband(struct scrub *s, const uint8_t address[SCRUB_INFINIBAND_LEN])
{
	static const uint8_t none[GUID_LEN];
	const uint8_t *guid = address + SCRUB_INFINIBAND_LEN - GUID_LEN;
	uint8_t to[GUID_LEN];
	if (!memcmp(guid, none, GUID_LEN))
		return;
	uint64_t random = scrub_hash(s, guid, GUID_LEN);
	memcpy(to, guid, GUID_LEN);
	memcpy(to + GUID_VENDOR_LEN, &random, GUID_LEN - GUID_VENDOR_LEN);
	keep_spellings(s, guid, to, GUID_LEN);
}

bool scrub_add_hwaddr(struct scrub *s, const uint8_t *address, size_t len)
{
	if (len == 6)
		scrub_add_mac(s, address);
	else if (len == SCRUB_INFINIBAND_LEN)
		add_infiniband(s, address);
	else
		return false;
	return true;
}

bool scrub_add_hwaddr_text(struct scrub *s, const char *text)
{
	uint8_t bytes[SCRUB_INFINIBAND_LEN];
	size_t n = 0;
	while (n < sizeof(bytes) && isxdigit((unsigned char)text[0]) &&
	       isxdigit((unsigned char)text[1])) {
		bytes[n++] = (uint8_t)strtoul((const char[]){ text[0], text[1], '\0' }, NULL, 16);
		text += 2;
		if (*text != ':')
			break;
		text++;
	}
	return !isxdigit((unsigned char)*text) && *text != ':' && scrub_add_hwaddr(s, bytes, n);
}

/* Bits that say what kind of address it is: private, link-local, loopback, … */
static unsigned kind_bits(const uint8_t *ip, size_t len)
{
	if (len != 4)
		return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80 ? 64 : 16;
	bool is_private = (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
			  (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254) ||
			  ip[0] == 127;
	return is_private ? 16 : 8;
}

void scrub_ip(const struct scrub *s, uint8_t *ip, size_t len, unsigned bits)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	uint8_t from[17] = { 0 };
	if ((len == 16 && (!memcmp(ip, loopback, 16) || ip[0] == 0xff)) ||
	    (len == 4 && (ip[0] == 127 || ip[0] == 0 || ip[0] >= 224)))
		return;
	memcpy(from, ip, len);
	for (unsigned bit = kind_bits(ip, len); bit < bits && bit < len * 8; bit++) {
		/* Whether a bit flips depends on all the bits before it (Xu et al.: Prefix-preserving IP address anonymization, 2002). */
		uint8_t prefix[18] = { 0 };
		memcpy(prefix, from, bit / 8);
		prefix[bit / 8] = (uint8_t)(from[bit / 8] & ~(0xff >> bit % 8));
		prefix[17] = (uint8_t)bit;
		if (scrub_hash(s, prefix, sizeof(prefix)) & 1)
			ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
}

static int longest_first(const void *a, const void *b)
{
	const struct scrub_secret *x = a, *y = b;
	return x->len != y->len ? (x->len < y->len) - (x->len > y->len)
				: memcmp(x->bytes, y->bytes, x->len);
}

void scrub_ready(struct scrub *s)
{
	size_t n = 0;
	if (!s->n)
		return;
	qsort(s->v, s->n, sizeof(*s->v), longest_first);
	for (size_t i = 0; i < s->n; i++)
		if (!n || longest_first(&s->v[n - 1], &s->v[i]))
			s->v[n++] = s->v[i];
	s->n = n;
}

static bool is_alone(const uint8_t *data, size_t len, const uint8_t *p, size_t n)
{
	return (p == data || !isalnum(p[-1])) && (p + n == data + len || !isalnum(p[n]));
}

static bool apply(const struct scrub *s, void *data, size_t len, bool is_place)
{
	/* What was replaced is not looked at again: a replacement may hold another secret by chance. */
	AUTO(freep) uint8_t *done = NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct scrub_secret *x = &s->v[i];
		uint8_t *p = data, *end = p + len;
		if (x->is_by_place && !is_place)
			continue;
		while ((p = memmem(p, (size_t)(end - p), x->bytes, x->len))) {
			size_t at = (size_t)(p - (uint8_t *)data);
			if (!done && !(done = calloc(1, len)))
				return false;
			if ((x->is_word && !is_alone(data, len, p, x->len)) ||
			    memchr(done + at, 1, x->len)) {
				p++;
				continue;
			}
			memcpy(p, x->instead, x->len);
			memset(done + at, 1, x->len);
			p += x->len;
		}
	}
	return done != NULL;
}

bool scrub_apply(const struct scrub *s, void *data, size_t len)
{
	return apply(s, data, len, false);
}

bool scrub_apply_in_place(const struct scrub *s, void *data, size_t len)
{
	return apply(s, data, len, true);
}
