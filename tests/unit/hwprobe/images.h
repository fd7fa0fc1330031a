#pragma once
/* Disks as recorded trees hold them, made of the few bytes that their formats prescribe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include "tests/unit/hwprobe/tree.h"

enum { IMAGE_HEAD = 68 << 10, IMAGE_TAIL = 64 << 10 };

struct image {
	uint64_t size;
	char head[IMAGE_HEAD], tail[IMAGE_TAIL];
};

/* Bytes at @offset of the disk: in its head or in its tail. */
UNUSED static void image_put(struct image *i, uint64_t offset, const void *data, size_t len)
{
	if (offset + len <= IMAGE_HEAD) {
		memcpy(i->head + offset, data, len);
		return;
	}
	uint64_t at = offset - (i->size - IMAGE_TAIL);
	if (len > IMAGE_TAIL || at > IMAGE_TAIL - len)
		abort();
	memcpy(i->tail + at, data, len);
}

/* An entry of the MBR's partition table, in sectors. */
UNUSED static void image_mbr_entry(struct image *i, int number, bool is_active, uint8_t type,
				   uint32_t first, uint32_t count)
{
	uint8_t e[16] = { is_active ? 0x80 : 0, [4] = type };
	first = htole32(first);
	count = htole32(count);
	memcpy(e + 8, &first, 4);
	memcpy(e + 12, &count, 4);
	image_put(i, 446 + 16 * ((uint64_t)number - 1), e, sizeof(e));
	image_put(i, 510, "\x55\xaa", 2);
}

/* Swap space, util-linux include/swapheader.h: version 1, label and UUID behind the boot bits, the magic at the end of the page. */
UNUSED static void image_swap(struct image *i, const char *label)
{
	const uint32_t version = htole32(1), last = htole32(100);
	image_put(i, 1024, &version, 4);
	image_put(i, 1028, &last, 4);
	image_put(i, 1036, "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55", 16);
	image_put(i, 1052, label, strlen(label));
	image_put(i, 4086, "SWAPSPACE2", 10);
}

/* Intel Matrix RAID: the anchor in the last sector but one. */
UNUSED static void image_imsm(struct image *i)
{
	image_put(i, i->size - 1024, "Intel Raid ISM Cfg Sig. 1.1.00\0\0", 32);
}

/* ISO 9660 with a label; ECMA-119 8.4; an El Torito boot record in the sector behind. */
UNUSED static void image_iso(struct image *i, const char *label)
{
	char name[32];
	memset(name, ' ', sizeof(name));
	memcpy(name, label, strlen(label));
	image_put(i, 32768, "\1CD001\1", 7);
	image_put(i, 32768 + 40, name, sizeof(name));
	image_put(i, 17 * 2048, "\0CD001\1EL TORITO SPECIFICATION", 30);
}

UNUSED static void image_write(const struct image *i, struct tree *t, const char *name)
{
	char path[128];
	tree_write(t, name, i->head, i->size < IMAGE_HEAD ? i->size : IMAGE_HEAD);
	if (i->size < IMAGE_HEAD + IMAGE_TAIL)
		return;
	snprintf(path, sizeof(path), "%s.tail", name);
	tree_write(t, path, i->tail, IMAGE_TAIL);
}
