#include "hwprobe/smbios.h"

#include <errno.h>
#include <string.h>
#include "common/str.h"

enum { HEADER_LEN = 4 };

/* Offset behind the string set that starts at @start; 0 = it does not end inside the table. */
static size_t strings_end(const struct smbios *s, size_t start)
{
	for (size_t i = start; i + 1 < s->len; i++)
		if (!s->data[i] && !s->data[i + 1])
			return i + 2;
	return 0;
}

static bool item_at(const struct smbios *s, size_t at, struct smbios_item *ret)
{
	if (at > s->len || s->len - at < HEADER_LEN)
		return false;
	const uint8_t *p = s->data + at;
	if (p[1] < HEADER_LEN || p[1] > s->len - at)
		return false;
	size_t strings = at + p[1], end = strings_end(s, strings);
	/* The last structure of a table that was cut short still has its formatted area. */
	*ret = (struct smbios_item){
		.type = p[0],
		.len = p[1],
		.handle = (uint16_t)(p[2] | p[3] << 8),
		.data = p,
		.strings = (const char *)s->data + strings,
		.strings_len = end ? end - strings : 0,
		.next = end ? end : s->len,
	};
	return true;
}

int smbios_init(struct smbios *s, const void *data, size_t len)
{
	struct smbios table = { .data = data, .len = len };
	struct smbios_item first;
	if (!item_at(&table, 0, &first))
		return -EBADMSG;
	*s = table;
	return 0;
}

bool smbios_next(const struct smbios *s, struct smbios_item *item)
{
	if (!s->data || (item->data && item->type == SMBIOS_END))
		return false;
	return item_at(s, item->next, item);
}

bool smbios_is_whole(const struct smbios *s)
{
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(s, &i); n++)
		if (i.type != SMBIOS_END && !i.strings_len)
			return false;
	return i.type == SMBIOS_END || i.next >= s->len;
}

bool smbios_find(const struct smbios *s, uint8_t type, struct smbios_item *ret)
{
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(s, &i); n++) {
		if (i.type == type) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static uint64_t field(const struct smbios_item *i, size_t offset, size_t bytes)
{
	uint64_t v = 0;
	if (offset + bytes > i->len)
		return 0;
	for (size_t b = 0; b < bytes; b++)
		v |= (uint64_t)i->data[offset + b] << (8 * b);
	return v;
}

uint8_t smbios_u8(const struct smbios_item *i, size_t offset)
{
	return (uint8_t)field(i, offset, 1);
}

uint16_t smbios_u16(const struct smbios_item *i, size_t offset)
{
	return (uint16_t)field(i, offset, 2);
}

uint32_t smbios_u32(const struct smbios_item *i, size_t offset)
{
	return (uint32_t)field(i, offset, 4);
}

uint64_t smbios_u64(const struct smbios_item *i, size_t offset)
{
	return field(i, offset, 8);
}

const char *smbios_str(const struct smbios_item *i, size_t offset, char *buf, size_t size)
{
	unsigned number = smbios_u8(i, offset);
	if (!number)
		return NULL;

	const char *p = i->strings, *end = i->strings + i->strings_len;
	while (p < end && *p) {
		size_t len = strnlen(p, (size_t)(end - p));
		if (--number == 0) {
			size_t n = len < size - 1 ? len : size - 1;
			memcpy(buf, p, n);
			buf[n] = '\0';
			return str_trim(buf);
		}
		p += len + 1;
	}
	return NULL;
}

/* --- memory (DSP0134 7.17, 7.18) ---------------------------------------------------------------------- */

enum {
	ARRAY_USE = 0x05,
	ARRAY_USE_SYSTEM = 3,
	DEVICE_LEN_MIN = 0x15,
	DEVICE_ARRAY = 0x04,
	DEVICE_SIZE = 0x0c,
	DEVICE_TYPE = 0x12,
	DEVICE_TYPE_LOGICAL_NV = 0x1f,
	DEVICE_EXTENDED_SIZE = 0x1c,
	DEVICE_TECHNOLOGY = 0x28,
	TECHNOLOGY_NVDIMM_N = 4,
	TECHNOLOGY_PERSISTENT = 7,
	DEVICE_VOLATILE_SIZE = 0x3c,
};

/* What is known about memory arrays, one bit per handle. */
struct arrays {
	uint8_t is_known[8192], is_system[8192];
};

static void find_arrays(const struct smbios *s, struct arrays *a)
{
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(s, &i); n++) {
		uint8_t bit = (uint8_t)(1 << (i.handle & 7));
		if (i.type != SMBIOS_MEMORY_ARRAY || i.len <= ARRAY_USE ||
		    (a->is_known[i.handle >> 3] & bit))
			continue;
		a->is_known[i.handle >> 3] |= bit;
		if (smbios_u8(&i, ARRAY_USE) == ARRAY_USE_SYSTEM)
			a->is_system[i.handle >> 3] |= bit;
	}
}

/* Flash and BIOS chips have slots, too. A dangling handle counts as system memory. */
static bool is_system_memory(const struct arrays *a, uint16_t array)
{
	uint8_t bit = (uint8_t)(1 << (array & 7));
	return !(a->is_known[array >> 3] & bit) || (a->is_system[array >> 3] & bit);
}

static bool is_persistent(const struct smbios_item *i)
{
	uint8_t technology = smbios_u8(i, DEVICE_TECHNOLOGY);
	return i->len >= DEVICE_VOLATILE_SIZE + 8 && technology >= TECHNOLOGY_NVDIMM_N &&
	       technology <= TECHNOLOGY_PERSISTENT;
}

uint64_t smbios_device_bytes(const struct smbios_item *i)
{
	uint16_t size = smbios_u16(i, DEVICE_SIZE);
	if (size == 0xffff)
		return UINT64_MAX;
	if (size == 0x7fff && i->len >= DEVICE_EXTENDED_SIZE + 4)
		return (uint64_t)(smbios_u32(i, DEVICE_EXTENDED_SIZE) & 0x7fffffff) << 20;
	if (size & 0x8000)
		return (uint64_t)(size & 0x7fff) << 10;
	return (uint64_t)size << 20;
}

/* Bytes of RAM in one slot; 0 = empty, UINT64_MAX = unknown. */
static uint64_t ram_bytes(const struct smbios_item *i)
{
	if (!smbios_u16(i, DEVICE_SIZE) || smbios_u8(i, DEVICE_TYPE) == DEVICE_TYPE_LOGICAL_NV)
		return 0;
	/* Persistent and mixed modules say how much of them is volatile; all ones = unknown. */
	if (is_persistent(i) && smbios_u64(i, DEVICE_VOLATILE_SIZE) != UINT64_MAX)
		return smbios_u64(i, DEVICE_VOLATILE_SIZE);
	return smbios_device_bytes(i);
}

uint64_t smbios_memory_bytes(const struct smbios *s)
{
	uint64_t sum = 0;
	struct arrays arrays = { 0 };
	find_arrays(s, &arrays);
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(s, &i); n++) {
		if (i.type != SMBIOS_MEMORY_DEVICE || i.len < DEVICE_LEN_MIN ||
		    !is_system_memory(&arrays, smbios_u16(&i, DEVICE_ARRAY)))
			continue;
		uint64_t bytes = ram_bytes(&i);
		if (bytes == UINT64_MAX || __builtin_add_overflow(sum, bytes, &sum))
			return 0;
	}
	return sum > INT64_MAX ? 0 : sum;
}
