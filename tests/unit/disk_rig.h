#pragma once
/*
 * A small disk image with a real GUID partition table, for the tests of importer and installer:
 * made in memory, contents fixed by a seed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/gpt.h"

#define RIG_MIB (1u << 20)

struct rig_part {
	const uint8_t *type;
	const char *name;
	uint32_t first_mib, count_mib;
	uint8_t guid_byte;
};

static inline void rig_noise(uint8_t *p, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (uint8_t)(seed >> 24);
	}
}

/*
 * Protective MBR with boot code, primary and backup table over @size bytes at @image (zeroed by the
 * caller).
 */
static inline void rig_table(uint8_t *image, uint64_t size, uint32_t sector,
			     const struct rig_part *parts, size_t n)
{
	struct gpt_entry entries[128] = { 0 };
	uint64_t last = size / sector - 1, array = 128 * GPT_ENTRY_SIZE / sector;
	struct gpt g = {
		.sector_size = sector,
		.alternate_lba = last,
		.first_usable = 2 + array,
		.last_usable = last - array - 1,
		.entries_lba = 2,
		.count = 128,
		.entries = entries,
	};
	void *backup;
	size_t len;
	uint64_t offset;

	memset(g.disk_guid, 0xD1, 16);
	for (size_t i = 0; i < n; i++) {
		struct gpt_entry *e = &entries[i];

		memcpy(e->type, parts[i].type, 16);
		memset(e->guid, parts[i].guid_byte, 16);
		e->first_lba = (uint64_t)parts[i].first_mib * RIG_MIB / sector;
		e->last_lba =
			(uint64_t)(parts[i].first_mib + parts[i].count_mib) * RIG_MIB / sector - 1;
		for (size_t c = 0; parts[i].name[c]; c++)
			e->name[c] = (uint16_t)parts[i].name[c];
	}
	memcpy(image,
	       "\xeb\x63\x90"
	       "boot code",
	       12);
	image[446 + 4] = 0xEE;
	image[446 + 8] = 1;
	image[510] = 0x55;
	image[511] = 0xAA;
	if (gpt_put_primary(&g, image, RIG_MIB, NULL) < 0 ||
	    gpt_make_backup(&g, &backup, &len, &offset, NULL) < 0)
		abort();
	memcpy(image + offset, backup, len);
	free(backup);
}

/*
 * @mib (>= 16) MiB: BIOS boot at 1, ESP at 2 (noise), zeros, a Linux partition from 6 to one MiB
 * before the end with noise in its first half. The caller frees it.
 */
static inline uint8_t *rig_image(uint32_t mib, uint32_t sector, uint32_t seed)
{
	const struct rig_part parts[] = {
		{ gpt_type_bios_boot, "bios", 1, 1, 0xB1 },
		{ gpt_type_esp, "esp", 2, 3, 0xE5 },
		{ gpt_type_linux, "root", 6, mib - 7, 0x60 },
	};
	uint8_t *image = calloc(mib, RIG_MIB);

	if (!image)
		abort();
	rig_table(image, (uint64_t)mib * RIG_MIB, sector, parts, 3);
	rig_noise(image + 1 * RIG_MIB, RIG_MIB / 2, seed + 1);
	rig_noise(image + 2 * RIG_MIB, 3 * RIG_MIB, seed + 2);
	rig_noise(image + 6 * RIG_MIB, (size_t)(mib - 7) / 2 * RIG_MIB, seed + 3);
	return image;
}
