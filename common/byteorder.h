#pragma once
/* Numbers at any address in the byte order of a disk or a network. */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTEORDER_READER(name, type, convert)  \
	static inline type name(const void *p) \
	{                                      \
		type v;                        \
                                               \
		memcpy(&v, p, sizeof(v));      \
		return convert(v);             \
	}

BYTEORDER_READER(le16_at, uint16_t, le16toh)
BYTEORDER_READER(le32_at, uint32_t, le32toh)
BYTEORDER_READER(le64_at, uint64_t, le64toh)
BYTEORDER_READER(be32_at, uint32_t, be32toh)
BYTEORDER_READER(be64_at, uint64_t, be64toh)

#undef BYTEORDER_READER
