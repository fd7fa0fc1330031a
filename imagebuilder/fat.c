#include "imagebuilder/fat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include "common/cleanup.h"

#define SECTOR 512u /* also the cluster size */
#define RESERVED 4u /* sectors before the first FAT */
#define ROOT_ENTRIES 512u
#define ENTRY 32u
#define ENTRIES_PER_DIR (SECTOR / ENTRY) /* a folder is one cluster */
#define CLUSTERS_MIN 4200u               /* FAT16 begins at 4085 */
#define CLUSTERS_MAX 65000u
#define ATTR_DIR 0x10u
#define ATTR_ARCHIVE 0x20u
#define ATTR_LABEL 0x08u
#define LABEL "EFI-SYSTEM "

struct fat {
	uint8_t *data;
	size_t len;
	uint32_t clusters, fat_sectors;
	uint32_t next; /* free cluster; all are used in order */
	uint16_t date, time;
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

static size_t sectors_of(size_t len)
{
	return (len + SECTOR - 1) / SECTOR;
}

static uint32_t data_start(const struct fat *f)
{
	return RESERVED + 2 * f->fat_sectors + ROOT_ENTRIES * ENTRY / SECTOR;
}

static uint8_t *cluster(const struct fat *f, uint32_t n)
{
	return f->data + (size_t)(data_start(f) + n - 2) * SECTOR;
}

/* FAT dates begin in 1980 and count two seconds. */
static void set_date(struct fat *f, int64_t epoch)
{
	time_t t = (time_t)MAX_OF(epoch, (int64_t)315532800);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year > 207)
		return;
	f->date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	f->time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

static int name_83(const char *name, char ret[11])
{
	const char *dot = strchr(name, '.');
	size_t base = dot ? (size_t)(dot - name) : strlen(name);
	size_t ext = dot ? strlen(dot + 1) : 0;

	if (!base || base > 8 || ext > 3 || (dot && strchr(dot + 1, '.')))
		return -EINVAL;
	memset(ret, ' ', 11);
	memcpy(ret, name, base);
	if (ext)
		memcpy(ret + 8, dot + 1, ext);
	return 0;
}

static void put_entry(const struct fat *f, uint8_t *e, const char name[11], unsigned attr,
		      uint32_t first, uint32_t len)
{
	memcpy(e, name, 11);
	e[11] = (uint8_t)attr;
	put16(e + 14, f->time); /* created */
	put16(e + 16, f->date);
	put16(e + 18, f->date); /* accessed */
	put16(e + 22, f->time); /* written */
	put16(e + 24, f->date);
	put16(e + 26, first);
	put32(e + 28, len);
}

/* A chain of clusters in both tables. */
static uint32_t allocate(struct fat *f, uint32_t n)
{
	uint32_t first = f->next;

	for (uint32_t i = 0; i < n; i++) {
		unsigned value = i + 1 == n ? 0xffff : first + i + 1;
		for (unsigned copy = 0; copy < 2; copy++)
			put16(f->data + (size_t)(RESERVED + copy * f->fat_sectors) * SECTOR +
				      (size_t)(first + i) * 2,
			      value);
	}
	f->next += n;
	return first;
}

static void put_boot_sector(struct fat *f, uint32_t serial)
{
	static const uint8_t jump[] = { 0xeb, 0x3c, 0x90 };
	uint8_t *b = f->data;
	size_t total = f->len / SECTOR;

	memcpy(b, jump, sizeof(jump));
	memcpy(b + 3, "SLIPWAY ", 8);
	put16(b + 11, SECTOR);
	b[13] = 1; /* sectors per cluster */
	put16(b + 14, RESERVED);
	b[16] = 2; /* tables */
	put16(b + 17, ROOT_ENTRIES);
	put16(b + 19, total < 65536 ? (unsigned)total : 0);
	b[21] = 0xf8; /* fixed disk */
	put16(b + 22, f->fat_sectors);
	put16(b + 24, 32); /* sectors per track, heads: for BIOSes that ask */
	put16(b + 26, 64);
	put32(b + 32, total < 65536 ? 0 : (uint32_t)total);
	b[36] = 0x80;
	b[38] = 0x29; /* serial, label and type follow */
	put32(b + 39, serial);
	memcpy(b + 43, LABEL, 11);
	memcpy(b + 54, "FAT16   ", 8);
	put16(b + 510, 0xaa55);
	for (unsigned copy = 0; copy < 2; copy++)
		memcpy(b + (size_t)(RESERVED + copy * f->fat_sectors) * SECTOR, "\xf8\xff\xff\xff",
		       4);
}

static int create(struct fat *f, uint32_t wanted)
{
	f->clusters = MAX_OF(wanted, CLUSTERS_MIN);
	if (f->clusters > CLUSTERS_MAX)
		return -EFBIG;
	f->fat_sectors = (uint32_t)sectors_of(((size_t)f->clusters + 2) * 2);
	f->next = 2;
	f->len = (size_t)(data_start(f) + f->clusters) * SECTOR;
	f->len = (f->len + 2047) & ~(size_t)2047; /* whole ISO blocks */
	f->data = calloc(1, f->len);
	return f->data ? 0 : -ENOMEM;
}

/* Each folder is one cluster, holding "." and ".."; *at moves into the last one. */
static int put_folders(struct fat *f, const char *const *folders, uint8_t **at)
{
	uint32_t parent = 0; /* the root's number in ".." */
	char name[11];

	for (; *folders; folders++) {
		if (name_83(*folders, name) < 0)
			return -EINVAL;
		uint32_t n = allocate(f, 1);
		put_entry(f, *at, name, ATTR_DIR, n, 0);
		*at = cluster(f, n);
		put_entry(f, *at, ".          ", ATTR_DIR, n, 0);
		put_entry(f, *at + ENTRY, "..         ", ATTR_DIR, parent, 0);
		*at += 2 * ENTRY;
		parent = n;
	}
	return 0;
}

static int put_files(struct fat *f, const struct fat_file *files, size_t n_files, uint8_t *at)
{
	char name[11];

	for (size_t i = 0; i < n_files; i++, at += ENTRY) {
		if (name_83(files[i].name, name) < 0)
			return -EINVAL;
		uint32_t first = files[i].len ? allocate(f, (uint32_t)sectors_of(files[i].len)) : 0;
		put_entry(f, at, name, ATTR_ARCHIVE, first, (uint32_t)files[i].len);
		if (files[i].len)
			memcpy(cluster(f, first), files[i].data, files[i].len);
	}
	return 0;
}

static int fill(struct fat *f, const char *const *folders, const struct fat_file *files,
		size_t n_files, uint32_t serial)
{
	uint8_t *root = f->data + (size_t)(RESERVED + 2 * f->fat_sectors) * SECTOR;

	put_boot_sector(f, serial);
	put_entry(f, root, LABEL, ATTR_LABEL, 0, 0);
	uint8_t *at = root + ENTRY;
	int r = put_folders(f, folders, &at);
	return r < 0 ? r : put_files(f, files, n_files, at);
}

int fat_image(const char *const *folders, const struct fat_file *files, size_t n_files,
	      int64_t epoch, uint32_t serial, void **ret, size_t *ret_len, struct fault *err)
{
	struct fat f = { 0 };
	size_t wanted = 64; /* folders and a little room */

	if (n_files > ENTRIES_PER_DIR - 2)
		return fault_set(err, -EINVAL, "too many files for the EFI system partition");
	for (size_t i = 0; i < n_files; i++) {
		if (files[i].len > FAT_SIZE_MAX)
			return fault_set(err, -EFBIG,
					 "%s is too large for the EFI system partition",
					 files[i].name);
		wanted += sectors_of(files[i].len);
	}
	int r = wanted > CLUSTERS_MAX ? -EFBIG : create(&f, (uint32_t)wanted);
	AUTO(freep) uint8_t *data = f.data;
	if (r == 0 && f.len > FAT_SIZE_MAX)
		r = -EFBIG;
	if (r == 0) {
		set_date(&f, epoch);
		r = fill(&f, folders, files, n_files, serial);
	}
	if (r < 0)
		return fault_set(err, r, "cannot make the EFI system partition: %s", strerror(-r));

	*ret = TAKE(data);
	*ret_len = f.len;
	return 0;
}
