#include "hwprobe/efi_option.h"

#include <errno.h>
#include <string.h>

enum {
	HEADER_LEN = 6, /* attributes, length of the device paths */
	NODE_HEADER_LEN = 4,
	/* UEFI 2.10, 10.3.4.15 */
	MESSAGING = 3,
	MESSAGING_MAC = 11,
	MAC_BYTES_MAX = 32,
	MAC_NODE_LEN = NODE_HEADER_LEN + MAC_BYTES_MAX + 1,
	MESSAGING_URI = 24, /* 10.3.4.23: the rest of the node, without a NUL */
	END_OF_PATH = 0x7f,
};

/* One code unit as UTF-8 (surrogates and what else is no character: '?'). Bytes written; 0 = no room. */
static size_t put_unit(char *out, size_t room, unsigned c)
{
	if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c <= 0xdfff))
		c = '?';
	size_t need = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
	if (need > room)
		return 0;
	if (need == 1) {
		out[0] = (char)c;
	} else if (need == 2) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
	} else {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
	}
	return need;
}

/* Offset behind the text that starts at @at; 0 = it does not end. */
static size_t take_description(const uint8_t *data, size_t len, size_t at, char *out, size_t size)
{
	size_t n = 0;
	bool is_full = false;
	for (; at + 2 <= len; at += 2) {
		unsigned c = data[at] | (unsigned)data[at + 1] << 8;
		if (!c) {
			out[n] = '\0';
			return at + 2;
		}
		size_t put = is_full ? 0 : put_unit(out + n, size - 1 - n, c);
		is_full |= !put;
		n += put;
	}
	return 0;
}

static void take_uri(const uint8_t *text, size_t len, struct efi_option *o)
{
	size_t n = 0;
	for (size_t i = 0; i < len && text[i] && n + 1 < sizeof(o->uri); i++)
		o->uri[n++] = text[i] > ' ' && text[i] < 0x7f ? (char)text[i] : '?';
	o->uri[n] = '\0';
}

static void take_paths(const uint8_t *p, size_t len, struct efi_option *o)
{
	while (len >= NODE_HEADER_LEN && p[0] != END_OF_PATH) {
		size_t node = p[2] | (size_t)p[3] << 8;
		if (node < NODE_HEADER_LEN || node > len)
			return;
		/* Kinds of interface 0 and 1 (Ethernet) have six bytes. */
		if (p[0] == MESSAGING && p[1] == MESSAGING_MAC && node >= MAC_NODE_LEN &&
		    p[MAC_NODE_LEN - 1] <= 1) {
			memcpy(o->mac, p + NODE_HEADER_LEN, sizeof(o->mac));
			o->has_mac = true;
		}
		if (p[0] == MESSAGING && p[1] == MESSAGING_URI)
			take_uri(p + NODE_HEADER_LEN, node - NODE_HEADER_LEN, o);
		p += node;
		len -= node;
	}
}

int efi_option_parse(const uint8_t *data, size_t len, struct efi_option *ret)
{
	struct efi_option o = { 0 };
	if (len < HEADER_LEN)
		return -EBADMSG;
	size_t at = take_description(data, len, HEADER_LEN, o.description, sizeof(o.description));
	size_t paths = data[4] | (size_t)data[5] << 8;
	if (!at || paths > len - at)
		return -EBADMSG;
	take_paths(data + at, paths, &o);
	*ret = o;
	return 0;
}
