#pragma once
/*
 * CRC-32 as GPT, gzip and zlib use it (IEEE 802.3, reflected, polynomial 0xEDB88320).
 */
#include <stddef.h>
#include <stdint.h>

/* @crc: 0 at the start, then the result so far. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t len);
