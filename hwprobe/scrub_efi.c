/* A boot entry of UEFI firmware (EFI_LOAD_OPTION, UEFI 2.10, 3.1.3) as efivarfs shows it: four bytes of attributes in front. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "hwprobe/scrub.h"

enum {
	DESCRIPTION_AT = 10, /* attributes of the variable, of the entry, length of its paths */
	PATHS_LEN_AT = 8,
	NODE_HEADER_LEN = 4,
	/* UEFI 2.10, 10.3 */
	HARDWARE = 1,
	ACPI = 2,
	MESSAGING = 3,
	MEDIA = 4,
	MESSAGING_MAC = 11,
	MESSAGING_URI = 24,
	MEDIA_FILE = 4,
	MAC_LEN = 6,
};

/* "525400123456" as the same address is replaced elsewhere; false = it is none. */
static bool replace_mac(const struct scrub *s, char *word, size_t len)
{
	uint8_t mac[MAC_LEN];
	unsigned b;
	if (len != 2 * MAC_LEN || strspn(word, "0123456789abcdefABCDEF") < len)
		return false;
	for (size_t i = 0; i < MAC_LEN; i++) {
		sscanf(word + 2 * i, "%2x", &b);
		mac[i] = (uint8_t)b;
	}
	scrub_mac(s, mac);
	for (size_t i = 0; i < MAC_LEN; i++) {
		char hex[3];
		snprintf(hex, sizeof(hex), "%02X", mac[i]);
		memcpy(word + 2 * i, hex, 2);
	}
	return true;
}

/* "UEFI PXEv4 (MAC:525400123456)", "UEFI Example 970 S466NX0K123456": long words with digits are addresses and serial numbers. */
static void in_words(const struct scrub *s, char *text)
{
	for (char *p = text; *p;) {
		size_t n = 0, digits = 0;
		for (; isalnum((unsigned char)p[n]); n++)
			digits += isdigit((unsigned char)p[n]) != 0;
		if (n >= SCRUB_LONG && digits && !replace_mac(s, p, n))
			scrub_shape(s, p, n);
		p += n ? n : 1;
	}
	scrub_apply(s, text, strlen(text));
}

/* The offset behind the text of 16-bit units that starts at @at; 0 = it does not end. */
static size_t in_description(const struct scrub *s, uint8_t *data, size_t len, size_t at)
{
	size_t units = 0;
	while (at + 2 * units + 2 <= len && (data[at + 2 * units] | data[at + 2 * units + 1]))
		units++;
	if (at + 2 * units + 2 > len)
		return 0;
	AUTO(freep) char *text = calloc(1, units + 1);
	if (!text)
		return 0;
	for (size_t i = 0; i < units; i++)
		text[i] = (char)(data[at + 2 * i + 1] ? '_' : data[at + 2 * i]);
	in_words(s, text);
	for (size_t i = 0; i < units; i++)
		if (!data[at + 2 * i + 1])
			data[at + 2 * i] = (uint8_t)text[i];
	return at + 2 * units + 2;
}

static void in_uri(const struct scrub *s, char *uri, size_t len)
{
	static const char mark[] = "://";
	char *p = memmem(uri, len, mark, strlen(mark));
	p = p ? p + strlen(mark) : uri;
	scrub_shape(s, p, len - (size_t)(p - uri));
}

/* Where the firmware finds the device tells nothing, but a MAC or IP address, the UUID of a partition and what else names it do. */
static void in_node(const struct scrub *s, uint8_t *node, size_t len)
{
	uint8_t *body = node + NODE_HEADER_LEN;
	size_t n = len - NODE_HEADER_LEN;
	if (node[0] == HARDWARE || node[0] == ACPI || (node[0] == MEDIA && node[1] == MEDIA_FILE))
		return;
	if (node[0] == MESSAGING && node[1] == MESSAGING_MAC && n >= MAC_LEN)
		scrub_mac(s, body);
	else if (node[0] == MESSAGING && node[1] == MESSAGING_URI)
		in_uri(s, (char *)body, n);
	else
		memset(body, 0, n);
}

/* Bytes of whole nodes. */
static size_t in_nodes(const struct scrub *s, uint8_t *data, size_t len)
{
	size_t at = 0;
	while (len - at >= NODE_HEADER_LEN) {
		size_t node = data[at + 2] | (size_t)data[at + 3] << 8;
		if (node < NODE_HEADER_LEN || node > len - at)
			break;
		in_node(s, data + at, node);
		at += node;
	}
	return at;
}

void scrub_efi(const struct scrub *s, char *data, size_t len)
{
	uint8_t *p = (uint8_t *)data;
	if (len <= 16) /* numbers and switches */
		return;
	size_t at = in_description(s, p, len, DESCRIPTION_AT);
	size_t paths = p[PATHS_LEN_AT] | (size_t)p[PATHS_LEN_AT + 1] << 8;
	if (!at) { /* it is broken, and stays so */
		memset(p + DESCRIPTION_AT, 0xff, len - DESCRIPTION_AT);
		return;
	}
	if (paths < len - at)
		/* What is passed to the program: a command line, perhaps. */
		memset(p + at + paths, 0, len - at - paths);
	else
		paths = len - at;
	size_t done = in_nodes(s, p + at, paths);
	memset(p + at + done, 0, paths - done);
}
