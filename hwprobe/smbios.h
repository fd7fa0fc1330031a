#pragma once
/*
 * SMBIOS structure table as the kernel exports it (/sys/firmware/dmi/tables/DMI); DSP0134. Nothing in it is trusted:
 * every structure and every string is checked against the end of the table.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMBIOS_STRUCTURES_MAX = 65536 };

enum smbios_type {
	SMBIOS_FIRMWARE = 0,
	SMBIOS_SYSTEM = 1,
	SMBIOS_BOARD = 2,
	SMBIOS_CHASSIS = 3,
	SMBIOS_PROCESSOR = 4,
	SMBIOS_SLOT = 9,
	SMBIOS_MEMORY_ARRAY = 16,
	SMBIOS_MEMORY_DEVICE = 17,
	SMBIOS_IPMI = 38,
	SMBIOS_ONBOARD_DEVICE = 41,
	SMBIOS_END = 127,
};

struct smbios {
	const uint8_t *data; /* borrowed; NULL = no table */
	size_t len;
};

struct smbios_item {
	uint8_t type;
	uint8_t len; /* of the formatted area, header included: at least 4 */
	uint16_t handle;
	const uint8_t *data; /* the formatted area */
	const char *strings; /* the string set */
	size_t strings_len;  /* up to and with its closing NUL */
	size_t next;         /* offset of the next structure */
};

/* @data: borrowed. -EBADMSG when the first structure does not fit. */
int smbios_init(struct smbios *s, const void *data, size_t len);
/* Iterates: start with a zeroed *item. false at the end (also at a broken structure). */
bool smbios_next(const struct smbios *s, struct smbios_item *item);
/* Are there structures up to the end of the table, or up to the one that says that it is the end? */
bool smbios_is_whole(const struct smbios *s);
/* First structure of @type; false = none. */
bool smbios_find(const struct smbios *s, uint8_t type, struct smbios_item *ret);

/* Fields at @offset of the formatted area; 0 when the structure is too short. */
uint8_t smbios_u8(const struct smbios_item *i, size_t offset);
uint16_t smbios_u16(const struct smbios_item *i, size_t offset);
uint32_t smbios_u32(const struct smbios_item *i, size_t offset);
uint64_t smbios_u64(const struct smbios_item *i, size_t offset);
/* The string whose number stands at @offset, trimmed, at most @size-1 bytes; NULL = none. */
const char *smbios_str(const struct smbios_item *i, size_t offset, char *buf, size_t size);

/*
 * Installed RAM by types 16 and 17: slots of arrays that are system memory, volatile memory only.
 * 0 = unknown (no slot, or a slot whose size nobody knows).
 */
uint64_t smbios_memory_bytes(const struct smbios *s);
/* The size of what is in one slot (type 17), of whatever kind: 0 = empty, UINT64_MAX = unknown. */
uint64_t smbios_device_bytes(const struct smbios_item *i);
