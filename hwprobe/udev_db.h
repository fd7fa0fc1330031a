#pragma once
/*
 * One record of the udev database (/run/udev/data/b8:0), systemd src/libsystemd/sd-device/sd-device.c:
 * lines "S:link", "L:priority", "E:KEY=value", "I:usec", "G:tag", "V:version".
 */
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "hwprobe/arena.h"

/* With those of systemd 252: "N:node" of old, "R:" of symlinks, "W:" of inotify, "Q:" of current tags. */
#define UDEV_LINE_KINDS "SLEIGVNRWQ"

enum { UDEV_LINES_MAX = 4096, UDEV_RECORD_MAX = 256 << 10, UDEV_VERSION_KNOWN = 1 };

/* An E: line; udev writes about forty of them for a disk. */
struct udev_entry {
	uint32_t at, key_len; /* of the key in the text; '=' and the value follow */
};

struct udev_record {
	char *text; /* owned by whoever read it; lines end in NUL after udev_record_parse() */
	size_t len;
	bool is_there;       /* a record with at least one line */
	bool is_initialized; /* has an I: line */
	int link_priority;
	int version; /* of the format; 0 = not told (before systemd 247) */
	struct udev_entry *entries;
	size_t entry_count;
};

/* Splits @text in place; what else is needed lies in @a. A line that is none of the known kinds is skipped. */
void udev_record_parse(struct udev_record *r, struct arena *a, char *text, size_t len);
/* Value of an E: line (the last one of several); NULL = absent or empty. Borrowed from the text. */
const char *udev_get(const struct udev_record *r, const char *key);
/* S: lines one by one ("disk/by-id/…"): start with *@pos = 0; NULL = no more. */
const char *udev_next_link(const struct udev_record *r, size_t *pos);
/* Undoes udev's encoding of bytes in values (\xNN), trims and collapses runs of blanks. In place; returns the first character. */
char *udev_decode(char *text);
