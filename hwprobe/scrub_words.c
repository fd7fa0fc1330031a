/* The kernel's command line and its tables of words, scrubbed. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/scrub.h"

/* --- the command line ------------------------------------------------------------------------------------------ */

/* Behind the "="; of a word without one, what could be an address: anything with a digit. */
static char *value_of(const char *word)
{
	const char *value = strchr(word, '=');
	if (value)
		return (char *)value + 1;
	return (char *)word + (strpbrk(word, "0123456789") ? 0 : strlen(word));
}

/* Words whose value tells how the machine was booted, but not whose it is: unless it names a server. */
static bool is_harmless(const char *word)
{
	static const char *const keys[] = {
		"console=", "root=live:",   "coreos.liveiso=", "coreos.live.",    "earlycon=",
		"rd.live.", "mitigations=", "systemd.unit=",   "inst.stage2=hd:", "inst.repo=hd:"
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_starts(word, keys[i]))
			return true;
	return strlen(value_of(word)) < SCRUB_SHORT - 1;
}

/* "BOOTIF=01-aa-bb-cc-dd-ee-ff": the address as elsewhere, in front of it the kind of hardware. */
static bool replace_bootif(const struct scrub *s, char *word)
{
	static const char key[] = "BOOTIF=";
	enum { MAC_TEXT_LEN = 17 };
	size_t len = strlen(word);
	uint8_t mac[6];
	if (!str_starts(word, key) || len < strlen(key) + MAC_TEXT_LEN)
		return false;
	char *text = word + len - MAC_TEXT_LEN, hex[3];
	bool is_upper = strpbrk(text, "ABCDEF");
	for (size_t i = 0; i < sizeof(mac); i++) {
		unsigned b;
		if (!isxdigit((unsigned char)text[3 * i]) ||
		    !isxdigit((unsigned char)text[3 * i + 1]) ||
		    sscanf(text + 3 * i, "%2x", &b) != 1)
			return false;
		mac[i] = (uint8_t)b;
	}
	scrub_mac(s, mac);
	for (size_t i = 0; i < sizeof(mac); i++) {
		snprintf(hex, sizeof(hex), is_upper ? "%02X" : "%02x", mac[i]);
		memcpy(text + 3 * i, hex, 2);
	}
	return true;
}

static void in_word(const struct scrub *s, char *word)
{
	char *server = strstr(word, "://");
	if (replace_bootif(s, word))
		return;
	if (!is_harmless(word))
		scrub_shape_any(s, value_of(word), strlen(value_of(word)));
	else if (server)
		scrub_shape_any(s, server, strlen(server));
	else
		scrub_apply(s, word, strlen(word));
}

static size_t count_quotes(const char *word, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += word[i] == '"';
	return n;
}

size_t scrub_cmdline(const struct scrub *s, char *data, size_t len)
{
	bool is_quoted = false; /* key="one two": the second word belongs to the value */
	for (char *p = data; *p;) {
		p += strspn(p, " \t\n");
		size_t n = strcspn(p, " \t\n");
		char after = p[n];
		p[n] = '\0';
		if (is_quoted)
			scrub_shape_any(s, p, n);
		else
			in_word(s, p);
		is_quoted ^= count_quotes(p, n) & 1;
		p[n] = after;
		p += n;
	}
	return len;
}

/* --- tables ---------------------------------------------------------------------------------------------------- */

struct secret_key {
	const char *key; /* "VM%": two digits follow */
	char separator;
};

/* z/Architecture Principles of Operation, STSI: the serial number of the machine, names of the partition and the guests. */
static const struct secret_key sysinfo_keys[] = {
	{ "Sequence Code", ':' }, { "LPAR Name", ':' }, { "LPAR Extended Name", ':' },
	{ "LPAR UUID", ':' },     { "VM% Name", ':' },  { "VM% Extended Name", ':' },
	{ "VM% UUID", ':' },
};

/* Of small arm boards; on s390x the serial number of the machine and that of the CPU. */
static const struct secret_key cpuinfo_keys[] = {
	{ "Serial", ':' },
	{ "identification", '=' },
};

/* Behind the key at the start of @line; NULL = it is another. */
static const char *skip_key(const char *line, const char *key)
{
	for (; *key; key++) {
		if (*key != '%') {
			if (*line++ != *key)
				return NULL;
			continue;
		}
		if (!isdigit((unsigned char)line[0]) || !isdigit((unsigned char)line[1]))
			return NULL;
		line += 2;
	}
	return line;
}

/* Shapes the value behind "key :" up to a comma or the end of the line. */
static void in_value(const struct scrub *s, char *text, const struct secret_key *k)
{
	const char *p = skip_key(text, k->key);
	if (!p)
		return;
	p += strspn(p, " \t");
	if (*p != k->separator)
		return;
	p++;
	p += strspn(p, " \t");
	size_t n = strcspn(p, k->separator == '=' ? ",\n" : "\n");
	scrub_shape(s, (char *)p, n);
}

/* A key may stand at the start of a line, or, with '=', behind a comma or a colon. */
static size_t in_table(const struct scrub *s, char *data, size_t len, const struct secret_key *keys,
		       size_t key_count)
{
	bool is_start = true;
	for (char *p = data; *p; p++) {
		for (size_t i = 0; is_start && i < key_count; i++)
			in_value(s, p, &keys[i]);
		is_start = strchr("\n,:", *p) || (is_start && *p == ' ');
	}
	return len;
}

size_t scrub_sysinfo(const struct scrub *s, char *data, size_t len)
{
	return in_table(s, data, len, sysinfo_keys, ARRAY_SIZE(sysinfo_keys));
}

size_t scrub_cpuinfo(const struct scrub *s, char *data, size_t len)
{
	return in_table(s, data, len, cpuinfo_keys, ARRAY_SIZE(cpuinfo_keys));
}
