#include "common/gpt.h"
#include <errno.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cleanup.h"
#include "common/crc32.h"

#define GPT_REVISION 0x00010000u
#define GPT_HEADER_LEN 92
#define MBR_TABLE 446
#define MBR_ENTRY 16
#define MBR_TYPE_PROTECTIVE 0xEE

/* The header as on disk, little endian (UEFI 5.3.2, table 5-5). */
struct raw_header {
	char signature[8];
	uint32_t revision, size, crc, reserved;
	uint64_t my_lba, alternate_lba, first_usable, last_usable;
	uint8_t disk_guid[16];
	uint64_t entries_lba;
	uint32_t count, entry_size, entries_crc;
} __attribute__((packed));
_Static_assert(sizeof(struct raw_header) == GPT_HEADER_LEN, "GPT header");
_Static_assert(sizeof(struct gpt_entry) == GPT_ENTRY_SIZE, "GPT entry");

#define GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                      \
	{                                                                                  \
		(a) & 0xFF, (a) >> 8 & 0xFF, (a) >> 16 & 0xFF, (a) >> 24 & 0xFF, (b)&0xFF, \
			(b) >> 8, (c)&0xFF, (c) >> 8, d0, d1, d2, d3, d4, d5, d6, d7       \
	}
const uint8_t gpt_type_esp[16] =
	GUID(0xC12A7328u, 0xF81F, 0x11D2, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B);
const uint8_t gpt_type_bios_boot[16] =
	GUID(0x21686148u, 0x6449, 0x6E6F, 0x74, 0x4E, 0x65, 0x65, 0x64, 0x45, 0x46, 0x49);
const uint8_t gpt_type_prep[16] =
	GUID(0x9E1A2D38u, 0xC612, 0x4316, 0xAA, 0x26, 0x8B, 0x49, 0x52, 0x1E, 0x5A, 0x8B);
const uint8_t gpt_type_linux[16] =
	GUID(0x0FC63DAFu, 0x8483, 0x4772, 0x8E, 0x79, 0x3D, 0x69, 0xD8, 0x47, 0x7D, 0xE4);
/* Discoverable Partitions Specification (UAPI group) */
const uint8_t gpt_type_linux_root_x86_64[16] =
	GUID(0x4F68BCE3u, 0xE8CD, 0x4DB1, 0x96, 0xE7, 0xFB, 0xCA, 0xF9, 0x84, 0xB7, 0x09);
const uint8_t gpt_type_linux_root_arm64[16] =
	GUID(0xB921B045u, 0x1DF0, 0x41C3, 0xAF, 0x44, 0x4C, 0x6F, 0x28, 0x0D, 0x3F, 0xAE);
const uint8_t gpt_type_gpfs[16] =
	GUID(0x37AFFC90u, 0xEF7D, 0x4E96, 0x91, 0xC3, 0x2D, 0x7A, 0xE0, 0x55, 0xB1, 0x74);
const uint8_t gpt_type_vmfs[16] =
	GUID(0xAA31E02Au, 0x400F, 0x11DB, 0x95, 0x90, 0x00, 0x0C, 0x29, 0x11, 0xD1, 0xB8);

uint32_t gpt_sector_size(const void *head, size_t len)
{
	static const uint32_t sizes[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (len >= sizes[i] + GPT_HEADER_LEN &&
		    !memcmp((const char *)head + sizes[i], "EFI PART", 8))
			return sizes[i];
	return 0;
}

bool gpt_entry_is_used(const struct gpt_entry *e)
{
	static const uint8_t unused[16];

	return memcmp(e->type, unused, sizeof(unused)) != 0;
}

static uint64_t array_sectors(const struct gpt *g)
{
	return ((uint64_t)g->count * GPT_ENTRY_SIZE + g->sector_size - 1) / g->sector_size;
}

static int header_check(const struct raw_header *h, const uint8_t *sector, uint32_t sector_size,
			struct fault *err)
{
	uint32_t size = le32toh(h->size);
	uint8_t copy[4096];

	if (le32toh(h->revision) != GPT_REVISION)
		return fault_set(err, -EBADMSG, "GPT: unknown revision %#x", le32toh(h->revision));
	if (size < GPT_HEADER_LEN || size > sector_size)
		return fault_set(err, -EBADMSG, "GPT: header size %u", size);
	memcpy(copy, sector, size);
	memset(copy + offsetof(struct raw_header, crc), 0, 4);
	if (crc32_update(0, copy, size) != le32toh(h->crc))
		return fault_set(err, -EBADMSG, "GPT: the header's checksum is wrong");
	if (le64toh(h->my_lba) != 1)
		return fault_set(err, -EBADMSG, "GPT: the header says it is at LBA %llu",
				 (unsigned long long)le64toh(h->my_lba));
	if (le32toh(h->entry_size) != GPT_ENTRY_SIZE)
		return fault_set(err, -EBADMSG, "GPT: entries of %u bytes", le32toh(h->entry_size));
	if (le32toh(h->count) == 0 || le32toh(h->count) > GPT_ENTRIES_MAX)
		return fault_set(err, -EBADMSG, "GPT: %u entries", le32toh(h->count));
	return 0;
}

static int protective_check(const uint8_t *mbr, struct fault *err)
{
	if (mbr[510] != 0x55 || mbr[511] != 0xAA)
		return fault_set(err, -EBADMSG, "GPT without the signature of a protective MBR");
	for (int i = 0; i < 4; i++)
		if (mbr[MBR_TABLE + i * MBR_ENTRY + 4] == MBR_TYPE_PROTECTIVE)
			return 0;
	return fault_set(err, -EBADMSG, "GPT without a protective MBR entry");
}

static int entry_cmp(const void *a, const void *b)
{
	const struct gpt_entry *x = *(const struct gpt_entry *const *)a,
			       *y = *(const struct gpt_entry *const *)b;

	return x->first_lba < y->first_lba ? -1 : x->first_lba > y->first_lba;
}

static int entries_check(const struct gpt *g, struct fault *err)
{
	const struct gpt_entry *used[GPT_ENTRIES_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		const struct gpt_entry *e = &g->entries[i];

		if (!gpt_entry_is_used(e))
			continue;
		if (e->first_lba > e->last_lba || e->first_lba < g->first_usable ||
		    e->last_lba > g->last_usable)
			return fault_set(
				err, -EBADMSG,
				"GPT: partition %u (%llu-%llu) is outside of the usable range",
				i + 1, (unsigned long long)e->first_lba,
				(unsigned long long)e->last_lba);
		used[n++] = e;
	}
	qsort(used, n, sizeof(*used), entry_cmp);
	for (size_t i = 1; i < n; i++)
		if (used[i]->first_lba <= used[i - 1]->last_lba)
			return fault_set(err, -EBADMSG, "GPT: partitions %td and %td overlap",
					 used[i - 1] - g->entries + 1, used[i] - g->entries + 1);
	return 0;
}

static void entries_to_host(struct gpt *g)
{
	for (uint32_t i = 0; i < g->count; i++) {
		struct gpt_entry *e = &g->entries[i];

		e->first_lba = le64toh(e->first_lba);
		e->last_lba = le64toh(e->last_lba);
		e->attributes = le64toh(e->attributes);
	}
}

static int header_take(const struct raw_header *h, size_t len, struct gpt *g, struct fault *err)
{
	g->alternate_lba = le64toh(h->alternate_lba);
	g->first_usable = le64toh(h->first_usable);
	g->last_usable = le64toh(h->last_usable);
	g->entries_lba = le64toh(h->entries_lba);
	g->count = le32toh(h->count);
	memcpy(g->disk_guid, h->disk_guid, 16);
	if (g->entries_lba < 2 || g->entries_lba > len / g->sector_size ||
	    g->entries_lba * g->sector_size + (uint64_t)g->count * GPT_ENTRY_SIZE > len)
		return fault_set(err, -EBADMSG,
				 "GPT: the entries at LBA %llu are not near the start",
				 (unsigned long long)g->entries_lba);
	if (g->first_usable < g->entries_lba + array_sectors(g) ||
	    g->first_usable > g->last_usable || g->last_usable >= g->alternate_lba)
		return fault_set(err, -EBADMSG, "GPT: usable range %llu-%llu, backup at %llu",
				 (unsigned long long)g->first_usable,
				 (unsigned long long)g->last_usable,
				 (unsigned long long)g->alternate_lba);
	return 0;
}

int gpt_parse(const void *head, size_t len, uint32_t sector_size, struct gpt *ret,
	      struct fault *err)
{
	struct gpt g = { .sector_size = sector_size };
	const uint8_t *bytes = head;
	struct raw_header h;

	if ((sector_size != 512 && sector_size != 4096) || len < 2ull * sector_size ||
	    memcmp(bytes + sector_size, "EFI PART", 8))
		return fault_set(err, -ENOENT, "no GUID partition table");
	memcpy(&h, bytes + sector_size, sizeof(h));

	int r = header_check(&h, bytes + sector_size, sector_size, err);
	if (r < 0)
		return r;
	r = protective_check(bytes, err);
	if (r < 0)
		return r;
	r = header_take(&h, len, &g, err);
	if (r < 0)
		return r;

	size_t array = (size_t)g.count * GPT_ENTRY_SIZE;
	const uint8_t *raw = bytes + g.entries_lba * sector_size;
	if (crc32_update(0, raw, array) != le32toh(h.entries_crc))
		return fault_set(err, -EBADMSG, "GPT: the checksum of the entries is wrong");

	AUTO(freep) struct gpt_entry *entries = malloc(array);
	if (!entries)
		return fault_oom(err);
	memcpy(entries, raw, array);
	g.entries = entries;
	entries_to_host(&g);
	r = entries_check(&g, err);
	if (r < 0)
		return r;
	(void)TAKE(entries);
	*ret = g;
	return 0;
}

void gpt_done(struct gpt *g)
{
	free(g->entries);
	*g = (struct gpt){ 0 };
}

uint64_t gpt_last_used(const struct gpt *g)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < g->count; i++)
		if (gpt_entry_is_used(&g->entries[i]))
			last = MAX_OF(last, g->entries[i].last_lba);
	return last;
}

const struct gpt_entry *gpt_find_type(const struct gpt *g, const uint8_t type[16])
{
	for (uint32_t i = 0; i < g->count; i++)
		if (!memcmp(g->entries[i].type, type, 16))
			return &g->entries[i];
	return NULL;
}

void gpt_entry_name(const struct gpt_entry *e, char ret[GPT_NAME_LEN + 1])
{
	size_t n = 0;

	for (; n < GPT_NAME_LEN && e->name[n]; n++) {
		uint16_t c = le16toh(e->name[n]);

		ret[n] = c >= 0x20 && c < 0x7F ? (char)c : '?';
	}
	ret[n] = '\0';
}

void gpt_guid_format(const uint8_t g[16], char ret[GPT_GUID_TEXT])
{
	snprintf(ret, GPT_GUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
		 g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
		 g[15]);
}

int gpt_relocate(struct gpt *g, uint64_t disk_bytes, struct fault *err)
{
	uint64_t sectors = disk_bytes / g->sector_size, array = array_sectors(g);

	if (sectors < g->first_usable + array + 2)
		return fault_set(err, -ENOSPC, "the disk is too small for a partition table");

	uint64_t last = sectors - 1, last_usable = last - array - 1;
	if (gpt_last_used(g) > last_usable)
		return fault_set(err, -ENOSPC,
				 "the last partition ends at sector %llu, the disk can hold %llu",
				 (unsigned long long)gpt_last_used(g),
				 (unsigned long long)last_usable);
	g->alternate_lba = last;
	g->last_usable = last_usable;
	return 0;
}

static void entries_put(const struct gpt *g, uint8_t *out)
{
	for (uint32_t i = 0; i < g->count; i++) {
		struct gpt_entry e = g->entries[i];

		e.first_lba = htole64(e.first_lba);
		e.last_lba = htole64(e.last_lba);
		e.attributes = htole64(e.attributes);
		memcpy(out + (size_t)i * GPT_ENTRY_SIZE, &e, sizeof(e));
	}
}

static void header_put(const struct gpt *g, bool is_backup, uint32_t entries_crc, uint8_t *sector)
{
	struct raw_header h = {
		.revision = htole32(GPT_REVISION),
		.size = htole32(GPT_HEADER_LEN),
		.my_lba = htole64(is_backup ? g->alternate_lba : 1),
		.alternate_lba = htole64(is_backup ? 1 : g->alternate_lba),
		.first_usable = htole64(g->first_usable),
		.last_usable = htole64(g->last_usable),
		.entries_lba =
			htole64(is_backup ? g->alternate_lba - array_sectors(g) : g->entries_lba),
		.count = htole32(g->count),
		.entry_size = htole32(GPT_ENTRY_SIZE),
		.entries_crc = htole32(entries_crc),
	};

	memcpy(h.signature, "EFI PART", 8);
	memcpy(h.disk_guid, g->disk_guid, 16);
	h.crc = htole32(crc32_update(0, &h, sizeof(h)));
	memset(sector, 0, g->sector_size);
	memcpy(sector, &h, sizeof(h));
}

static void protective_put(const struct gpt *g, uint8_t *mbr)
{
	uint32_t size = htole32((uint32_t)MIN_OF(g->alternate_lba, 0xFFFFFFFFull));
	uint8_t *first = mbr + MBR_TABLE;

	/*
	 * In a hybrid MBR the protective entry ends before the first real one: it stays as it is.
	 */
	for (int i = 1; i < 4; i++)
		if (first[i * MBR_ENTRY + 4])
			return;
	if (first[4] == MBR_TYPE_PROTECTIVE)
		memcpy(first + 12, &size, 4);
}

int gpt_put_primary(const struct gpt *g, void *head, size_t len, struct fault *err)
{
	uint8_t *bytes = head;
	uint64_t at = g->entries_lba * g->sector_size, array = (uint64_t)g->count * GPT_ENTRY_SIZE;

	if (at + array > len || g->sector_size * 2ull > len)
		return fault_set(err, -ENOSPC, "GPT: no room for the primary table");
	entries_put(g, bytes + at);
	header_put(g, false, crc32_update(0, bytes + at, array), bytes + g->sector_size);
	protective_put(g, bytes);
	return 0;
}

int gpt_make_backup(const struct gpt *g, void **ret_data, size_t *ret_len, uint64_t *ret_offset,
		    struct fault *err)
{
	size_t array = array_sectors(g) * g->sector_size, len = array + g->sector_size;
	AUTO(freep) uint8_t *data = calloc(1, len);

	if (!data)
		return fault_oom(err);
	entries_put(g, data);
	header_put(g, true, crc32_update(0, data, (size_t)g->count * GPT_ENTRY_SIZE), data + array);
	*ret_offset = (g->alternate_lba - array_sectors(g)) * g->sector_size;
	*ret_len = len;
	*ret_data = TAKE(data);
	return 0;
}

int mbr_check(const void *sector, size_t len, uint64_t *ret_end_bytes, struct fault *err)
{
	const uint8_t *mbr = sector;
	uint64_t end = 0;

	if (len < 512 || mbr[510] != 0x55 || mbr[511] != 0xAA)
		return fault_set(err, -ENOENT, "no partition table");
	for (int i = 0; i < 4; i++) {
		const uint8_t *e = mbr + MBR_TABLE + i * MBR_ENTRY;
		uint32_t start, count;

		memcpy(&start, e + 8, 4);
		memcpy(&count, e + 12, 4);
		if (e[0] & 0x7F)
			return fault_set(err, -EBADMSG, "MBR: partition %d has the status byte %#x",
					 i + 1, e[0]);
		if (e[4] == MBR_TYPE_PROTECTIVE)
			return fault_set(err, -EBADMSG,
					 "MBR: a protective entry without a GUID partition table");
		if (e[4] && count)
			end = MAX_OF(end, ((uint64_t)le32toh(start) + le32toh(count)) * 512);
	}
	if (!end)
		return fault_set(err, -ENOENT, "no partition table");
	*ret_end_bytes = end;
	return 0;
}
