#pragma once
/*
 * A hand-made ISO 9660 image for tests: /BOOT/TOKEN.IMG;1 (4096 bytes at block 21), /README.;1 (5 bytes at block 20). 32 blocks.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TINY_BLOCK 2048u
#define TINY_BLOCKS 32u
#define TINY_SIZE (TINY_BLOCKS * TINY_BLOCK)
#define TINY_ROOT_LBA 18u
#define TINY_BOOT_LBA 19u
#define TINY_README_LBA 20u
#define TINY_TOKEN_LBA 21u
#define TINY_TOKEN_SIZE 4096u

struct tiny_iso {
	uint8_t data[TINY_SIZE];
};

static inline void tiny_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Returns where the next record goes. */
static inline uint8_t *tiny_record(uint8_t *rec, const char *name, size_t name_len, uint32_t lba,
				   uint32_t size, uint8_t flags)
{
	size_t len = 33 + name_len + (name_len % 2 ? 0 : 1);

	memset(rec, 0, len);
	rec[0] = (uint8_t)len;
	tiny_le32(rec + 2, lba);
	tiny_le32(rec + 10, size);
	rec[25] = flags;
	rec[32] = (uint8_t)name_len;
	memcpy(rec + 33, name, name_len);
	return rec + len;
}

static inline uint8_t *tiny_block(struct tiny_iso *iso, uint32_t lba)
{
	return iso->data + (size_t)lba * TINY_BLOCK;
}

static inline uint8_t *tiny_dots(uint8_t *at, uint32_t self, uint32_t parent)
{
	at = tiny_record(at, "\0", 1, self, TINY_BLOCK, 2);
	return tiny_record(at, "\1", 1, parent, TINY_BLOCK, 2);
}

static inline void tiny_iso_init(struct tiny_iso *iso)
{
	uint8_t *pvd = tiny_block(iso, 16);

	memset(iso, 0, sizeof(*iso));
	memcpy(pvd, "\1CD001\1", 7);
	memset(pvd + 40, ' ', 32);
	memcpy(pvd + 40, "TINY", 4);
	tiny_le32(pvd + 80, TINY_BLOCKS);
	tiny_record(pvd + 156, "\0", 1, TINY_ROOT_LBA, TINY_BLOCK, 2);
	memcpy(tiny_block(iso, 17), "\377CD001\1", 7);

	uint8_t *at = tiny_dots(tiny_block(iso, TINY_ROOT_LBA), TINY_ROOT_LBA, TINY_ROOT_LBA);
	at = tiny_record(at, "BOOT", 4, TINY_BOOT_LBA, TINY_BLOCK, 2);
	tiny_record(at, "README.;1", 9, TINY_README_LBA, 5, 0);
	memcpy(tiny_block(iso, TINY_README_LBA), "hello", 5);

	at = tiny_dots(tiny_block(iso, TINY_BOOT_LBA), TINY_BOOT_LBA, TINY_ROOT_LBA);
	tiny_record(at, "TOKEN.IMG;1", 11, TINY_TOKEN_LBA, TINY_TOKEN_SIZE, 0);
}

/* The record of /BOOT/TOKEN.IMG, to break it. */
static inline uint8_t *tiny_token_record(struct tiny_iso *iso)
{
	return tiny_block(iso, TINY_BOOT_LBA) + 2 * 34;
}

/* An unlinked file with these contents. */
static inline int tiny_file(const void *data, size_t len)
{
	FILE *f = tmpfile();
	int fd = f ? dup(fileno(f)) : -1;

	if (f)
		fclose(f);
	if (fd >= 0 && pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	return fd;
}
