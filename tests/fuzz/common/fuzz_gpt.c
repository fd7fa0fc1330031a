/*
 * Partition tables: the first byte chooses sector size and whether the checksums are made right
 * first (so that what lies behind them is reached). Whatever is accepted must survive relocation
 * and being written and parsed again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/crc32.h"
#include "common/gpt.h"

#define HEAD (256u << 10)

static void checksums_fix(uint8_t *head, uint32_t sector)
{
	uint32_t crc, count;
	uint64_t lba;

	memcpy(head + sector, "EFI PART", 8);
	memcpy(head + sector + 12, "\x5c\0\0\0", 4);
	memcpy(&lba, head + sector + 72, 8);
	memcpy(&count, head + sector + 80, 4);
	if (count <= GPT_ENTRIES_MAX && lba < HEAD / sector &&
	    lba * sector + count * 128ull <= HEAD) {
		crc = crc32_update(0, head + lba * sector, count * 128);
		memcpy(head + sector + 88, &crc, 4);
	}
	memset(head + sector + 16, 0, 4);
	crc = crc32_update(0, head + sector, 92);
	memcpy(head + sector + 16, &crc, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) uint8_t *head = calloc(1, HEAD);
	AUTO(gpt_done) struct gpt g = { 0 }, again = { 0 };
	AUTO(freep) void *backup = NULL;
	uint32_t sector = size && data[0] & 1 ? 4096 : 512;
	size_t len;
	uint64_t offset, end;

	if (!size || !head)
		return 0;
	memcpy(head, data + 1, MIN_OF(size - 1, (size_t)HEAD));
	if (data[0] & 2)
		checksums_fix(head, sector);
	(void)mbr_check(head, HEAD, &end, NULL);
	(void)gpt_sector_size(head, HEAD);
	if (gpt_parse(head, HEAD, sector, &g, NULL) < 0 || gpt_relocate(&g, 1ull << 40, NULL) < 0)
		return 0;
	if (gpt_put_primary(&g, head, HEAD, NULL) < 0 ||
	    gpt_make_backup(&g, &backup, &len, &offset, NULL) < 0)
		abort();
	if (gpt_parse(head, HEAD, sector, &again, NULL) < 0 || offset + len != 1ull << 40 ||
	    memcmp(g.entries, again.entries, g.count * 128))
		abort();
	return 0;
}
