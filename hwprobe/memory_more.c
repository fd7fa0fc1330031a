/* What only the full format shows: the modules, huge pages, swap. */
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/cpuinfo.h"
#include "hwprobe/memory.h"
#include "hwprobe/mountinfo.h"
#include "hwprobe/probe.h"

#define HUGEPAGES_DIR "sys/kernel/mm/hugepages"

/* DSP0134 7.18, memory device. */
enum {
	DEVICE_LEN_MIN = 0x15,
	DEVICE_LOCATOR = 0x10,
	DEVICE_BANK = 0x11,
	DEVICE_TYPE = 0x12,
	DEVICE_SPEED = 0x15,
	DEVICE_MANUFACTURER = 0x17,
	DEVICE_SERIAL = 0x18,
	DEVICE_PART = 0x1a,
	DEVICE_EXTENDED_SPEED = 0x54,
	SPEED_UNKNOWN = 0,
	SPEED_EXTENDED = 0xffff,
	ARRAY_CORRECTION = 0x06,
	ARRAY_USE = 0x05,
	ARRAY_USE_SYSTEM = 3,
};

/* DSP0134 table 78 (version 3.7); 2 is "Unknown". */
static const char *const device_types[] = {
	[0x01] = "Other",        [0x03] = "DRAM",   [0x04] = "EDRAM",
	[0x05] = "VRAM",         [0x06] = "SRAM",   [0x07] = "RAM",
	[0x08] = "ROM",          [0x09] = "Flash",  [0x0a] = "EEPROM",
	[0x0b] = "FEPROM",       [0x0c] = "EPROM",  [0x0d] = "CDRAM",
	[0x0e] = "3DRAM",        [0x0f] = "SDRAM",  [0x10] = "SGRAM",
	[0x11] = "RDRAM",        [0x12] = "DDR",    [0x13] = "DDR2",
	[0x14] = "DDR2 FB-DIMM", [0x18] = "DDR3",   [0x19] = "FBD2",
	[0x1a] = "DDR4",         [0x1b] = "LPDDR",  [0x1c] = "LPDDR2",
	[0x1d] = "LPDDR3",       [0x1e] = "LPDDR4", [0x1f] = "Logical non-volatile device",
	[0x20] = "HBM",          [0x21] = "HBM2",   [0x22] = "DDR5",
	[0x23] = "LPDDR5",       [0x24] = "HBM3",
};

/* DSP0134 table 73. */
static const char *const corrections[] = {
	[3] = "none", [4] = "parity", [5] = "single-bit ECC", [6] = "multi-bit ECC", [7] = "CRC",
};

static const char *name_in(const char *const *names, size_t n, uint8_t number)
{
	return number < n ? names[number] : NULL;
}

static void put_string(struct survey *s, struct hwp_str *dst, const struct smbios_item *i,
		       size_t offset)
{
	char text[256];
	put_str(s, dst, smbios_str(i, offset, text, sizeof(text)), "smbios type 17");
}

static void add_dimm(struct survey *s, struct hwp_dimm **dimms, const struct smbios_item *i)
{
	struct hwp_memory *m = &s->inv->memory;
	struct hwp_dimm *d = arena_append(s->mem, dimms, &m->dimm_count, sizeof(*d));
	if (!d)
		return;
	m->dimms = *dimms;
	put_string(s, &d->locator, i, DEVICE_LOCATOR);
	put_string(s, &d->bank, i, DEVICE_BANK);
	uint64_t bytes = smbios_device_bytes(i);
	if (bytes <= INT64_MAX)
		put_num(s, &d->size_bytes, (int64_t)bytes, "smbios type 17");
	if (!bytes)
		return; /* what is said of an empty slot means nothing */
	put_str(s, &d->type,
		name_in(device_types, ARRAY_SIZE(device_types), smbios_u8(i, DEVICE_TYPE)),
		"smbios type 17");
	uint32_t speed = smbios_u16(i, DEVICE_SPEED);
	if (speed == SPEED_EXTENDED)
		speed = smbios_u32(i, DEVICE_EXTENDED_SPEED) & 0x7fffffff;
	if (speed != SPEED_UNKNOWN)
		put_num(s, &d->speed_mts, speed, "smbios type 17");
	put_string(s, &d->manufacturer, i, DEVICE_MANUFACTURER);
	put_string(s, &d->part_number, i, DEVICE_PART);
	put_string(s, &d->serial_number, i, DEVICE_SERIAL);
}

static void find_modules(struct survey *s)
{
	struct hwp_dimm *dimms = NULL;
	struct hwp_memory *m = &s->inv->memory;
	struct smbios_item i = { 0 };
	for (int n = 0; n < SMBIOS_STRUCTURES_MAX && smbios_next(survey_smbios(s), &i); n++) {
		if (i.type == SMBIOS_MEMORY_DEVICE && i.len >= DEVICE_LEN_MIN)
			add_dimm(s, &dimms, &i);
		if (i.type == SMBIOS_MEMORY_ARRAY && smbios_u8(&i, ARRAY_USE) == ARRAY_USE_SYSTEM &&
		    !m->error_correction.s)
			put_str(s, &m->error_correction,
				name_in(corrections, ARRAY_SIZE(corrections),
					smbios_u8(&i, ARRAY_CORRECTION)),
				"smbios type 16");
	}
}

void memory_find_hugepages(struct survey *s, const char *dir, const struct hwp_hugepages **ret,
			   size_t *ret_count)
{
	struct hwp_hugepages *pools = NULL;
	struct root_names names = attr_list(s, "%s", dir);
	for (size_t i = 0; i < names.n; i++) {
		unsigned long kib = 0;
		char rest;
		if (sscanf(names.v[i], "hugepages-%lukB%c", &kib, &rest) != 1 || !kib ||
		    kib > INT64_MAX / 1024)
			continue;
		struct hwp_hugepages *p = arena_append(s->mem, &pools, ret_count, sizeof(*p));
		if (!p)
			return;
		*ret = pools;
		put_num(s, &p->size_bytes, (int64_t)kib * 1024, dir);
		put_attr_num(s, &p->total, "%s/%s/nr_hugepages", dir, names.v[i]);
		put_attr_num(s, &p->free, "%s/%s/free_hugepages", dir, names.v[i]);
		/* The nodes have no reserved ones of their own. */
		put_attr_num(s, &p->reserved, "%s/%s/resv_hugepages", dir, names.v[i]);
		put_attr_num(s, &p->surplus, "%s/%s/surplus_hugepages", dir, names.v[i]);
	}
}

/* "Hugepagesize:       2048 kB" */
static void put_kib(struct survey *s, struct hwp_num *dst, const char *text, const char *key)
{
	int64_t kib;
	char *value = cpuinfo_get(s->tmp, text, key);
	if (!value)
		return;
	value[strcspn(value, " ")] = '\0';
	if (str_to_i64(value, &kib) == 0 && kib >= 0 && kib <= INT64_MAX / 1024)
		put_num(s, dst, kib * 1024, arena_printf(s->tmp, "proc/meminfo %s", key));
}

enum { SWAPS_MAX = 1024 };

/* A line "/dev/sda2  partition  2097148  0  -2" (kernel mm/swapfile.c); blanks in names are octal escapes. */
static void add_swap(struct survey *s, struct hwp_swap **list, const char *line)
{
	char name[512], type[32];
	long long size_kib, used_kib;
	int priority;
	struct hwp_memory *m = &s->inv->memory;
	if (sscanf(line, "%511s %31s %lld %lld %d", name, type, &size_kib, &used_kib, &priority) !=
		    5 ||
	    name[0] != '/' || size_kib < 0 || used_kib < 0 || size_kib > INT64_MAX / 1024 ||
	    used_kib > size_kib || m->swap_count == SWAPS_MAX)
		return;
	struct hwp_swap *w = arena_append(s->mem, list, &m->swap_count, sizeof(*w));
	if (!w)
		return;
	m->swap = *list;
	put_str(s, &w->name, mountinfo_unescape(name), "proc/swaps");
	put_str(s, &w->type, type, "proc/swaps");
	put_num(s, &w->size_bytes, size_kib * 1024, "proc/swaps");
	put_num(s, &w->used_bytes, used_kib * 1024, "proc/swaps");
	put_num(s, &w->priority, priority, "proc/swaps");
}

static void find_swap(struct survey *s)
{
	char *text = NULL, *save = NULL;
	struct hwp_swap *list = NULL;
	if (attr_file(s, "proc/swaps", ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_swap(s, &list, line);
}

void memory_find_more(struct survey *s)
{
	struct hwp_memory *m = &s->inv->memory;
	char *text = NULL;
	find_modules(s);
	memory_find_hugepages(s, HUGEPAGES_DIR, &m->hugepages, &m->hugepages_count);
	find_swap(s);
	if (attr_file(s, "proc/meminfo", ROOT_TABLE_MAX, &text, NULL) < 0)
		return;
	put_kib(s, &m->default_hugepage_bytes, text, "Hugepagesize");
	put_kib(s, &m->swap_bytes, text, "SwapTotal");
}
