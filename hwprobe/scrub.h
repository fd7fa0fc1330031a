#pragma once
/*
 * Takes out of a recorded machine what tells whose it is: serial numbers, WWNs, UUIDs, MAC and IP addresses, the host name, names of
 * targets, what stands on the command line. Each is replaced by something of the same length and shape, the same one wherever it
 * occurs (file contents, file names, link targets, binary tables), so that the record replays and its parts still fit together.
 * The replacements depend on a random key that is thrown away.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hwprobe/arena.h"

enum {
	SCRUB_SHORT =
		5, /* shorter texts occur by chance: they are replaced where secrets stand only */
	SCRUB_LONG = 8,        /* from here on a text need not stand alone */
	SCRUB_LONG_PLAIN = 12, /* the same for letters alone and digits alone */
	SCRUB_FILE_MAX = 64 << 20,
	SCRUB_ROOM = 64, /* by so much a file of one address may become longer */
	SCRUB_DEPTH_MAX = 64,
	SCRUB_INFINIBAND_LEN = 20, /* of a hardware address */
	SCRUB_SECRETS_MAX = 1 << 20,
};

struct scrub_secret {
	const uint8_t *bytes, *instead;
	size_t len;
	bool is_word; /* neither a letter nor a digit may stand beside it */
	bool is_by_place; /* a word like others: a secret only where secrets stand, scrub_apply_in_place() */
};

struct scrub {
	uint8_t key[16];
	struct arena mem;
	struct scrub_secret *v;
	size_t n;
};

/* Replaces everything below @dirfd. 0 or -errno; the folder is then to be thrown away. */
int scrub_tree(int dirfd);

/* --- scrub_secrets.c ---------------------------------------------------------------------------------------- */
/* A number that depends on the key and on @data only (SipHash-2-4). */
uint64_t scrub_hash(const struct scrub *s, const void *data, size_t len);
/* Digits become digits, letters letters of the same case, hex stays hex; the rest stays. Placeholders ("None") stay, too. */
void scrub_shape(const struct scrub *s, char *text, size_t len);
/* Of placeholders, too: what people choose may look like one. */
void scrub_shape_any(const struct scrub *s, char *text, size_t len);
/* A text that must vanish; white space at its ends does not count. */
void scrub_add(struct scrub *s, const char *text, size_t len);
/* The same for what surely is a secret, however short it is: "host", "PLAIN". */
void scrub_add_known(struct scrub *s, const char *text, size_t len);
/* A MAC address in all its spellings and as bytes; the vendor's half stays. */
void scrub_add_mac(struct scrub *s, const uint8_t mac[6]);
/* That of an interface, of InfiniBand, too; false = it is of another kind. @text: "52:54:00:…" and what no more belongs to it. */
bool scrub_add_hwaddr(struct scrub *s, const uint8_t *address, size_t len);
bool scrub_add_hwaddr_text(struct scrub *s, const char *text);
void scrub_mac(const struct scrub *s, uint8_t mac[6]);
/* An address of @len bytes (4, 16) of which @bits count: addresses that shared a prefix still share one. */
void scrub_ip(const struct scrub *s, uint8_t *ip, size_t len, unsigned bits);
/* Sorts for scrub_apply(). */
void scrub_ready(struct scrub *s);
/* Replaces in place; true = something was. */
bool scrub_apply(const struct scrub *s, void *data, size_t len);
/* scrub_apply() for what holds a serial number or a name: short ones are replaced, too. */
bool scrub_apply_in_place(const struct scrub *s, void *data, size_t len);

/* --- scrub_files.c: files whose format is known ------------------------------------------------------------- */
/* What the file says that must vanish elsewhere, too. */
void scrub_learn(struct scrub *s, const char *path, const char *data, size_t len);
/* The part of the path of a link in /dev that may hold a secret, as long or short as it is: behind "disk/by-id/", "md/". NULL = none. */
char *scrub_link_name(char *link);
/*
 * Rewrites the file's contents in place; the new length. Behind @data there is a NUL, and SCRUB_ROOM bytes where the file is an IP address.
 */
size_t scrub_file(const struct scrub *s, const char *path, char *data, size_t len);

/* --- scrub_lldp.c: what neighbours said (lldp.h) -------------------------------------------------------------- */
void scrub_learn_lldp(struct scrub *s, const char *data, size_t len);
void scrub_lldp(const struct scrub *s, char *data, size_t len);

/* --- scrub_lines.c: texts of lines ---------------------------------------------------------------------------- */
/* ethtool.txt */
void scrub_learn_drivers(struct scrub *s, const char *data, size_t len);
/* A lease of systemd-networkd: its address is kept, as it is in the dumps then, and nothing else. The new length. */
size_t scrub_lease(const struct scrub *s, char *data, size_t len);
/* An IP address and nothing else: it becomes what it is in the dumps, perhaps longer than before. */
size_t scrub_ip_text(const struct scrub *s, char *data, size_t len);

/* --- scrub_words.c: texts of words and of "key : value" ------------------------------------------------------- */
/* These keep the length. @data has a NUL behind it. */
size_t scrub_cmdline(const struct scrub *s, char *data, size_t len);
size_t scrub_sysinfo(const struct scrub *s, char *data, size_t len);
size_t scrub_cpuinfo(const struct scrub *s, char *data, size_t len);

/* --- scrub_efi.c ---------------------------------------------------------------------------------------------- */
/*
 * A boot entry of the firmware: MAC addresses as elsewhere, of a URI only what kind it is; of the description what looks like a serial number is
 * replaced. What names a device otherwise, and what is passed to the program, becomes zeros.
 */
void scrub_efi(const struct scrub *s, char *data, size_t len);

/* --- scrub_net.c: netlink dumps and the talk with the BMC ---------------------------------------------------- */
void scrub_learn_links(struct scrub *s, const char *data, size_t len);
void scrub_addresses(const struct scrub *s, char *data, size_t len);
void scrub_ipmi(const struct scrub *s, char *data, size_t len);
