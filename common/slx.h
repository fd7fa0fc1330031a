#pragma once
/*
 * The Slipway chunk index (.slx): little endian, fixed-size chunks of a disk image, each with the place of its zstd frame in the payload and the
 * SHA-256 of its uncompressed bytes. The payload is the concatenation of all frames (zero chunks too), so it is also a plain .raw.zst.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/digest.h"
#include "common/fault.h"

#define SLX_MAGIC "SLIPIDX1"
#define SLX_HEADER_SIZE 128
#define SLX_ENTRY_SIZE 48
#define SLX_CHUNK_MIN (64u << 10)
#define SLX_CHUNK_MAX (16u << 20)
#define SLX_CHUNK_DEFAULT (1u << 20)
#define SLX_ENTRIES_MAX (1u << 20)
#define SLX_FILE_MAX (SLX_HEADER_SIZE + (size_t)SLX_ENTRIES_MAX * SLX_ENTRY_SIZE + 4096)

enum slx_codec { SLX_CODEC_NONE = 0, SLX_CODEC_ZSTD = 1 };
enum { SLX_ENTRY_ZERO = 1u };

struct slx_entry {
	uint64_t offset;          /* in the payload, bytes */
	uint32_t length;          /* of the frame, bytes */
	uint32_t flags;           /* SLX_ENTRY_ZERO */
	uint8_t hash[SHA256_LEN]; /* of the uncompressed chunk */
};

struct slx {
	uint64_t image_size;  /* bytes, uncompressed; a multiple of sector_size */
	uint32_t chunk_size;  /* bytes, a power of two; the last chunk may be shorter */
	uint32_t sector_size; /* 512 or 4096 */
	uint32_t count;
	uint8_t codec;                /* enum slx_codec */
	uint8_t hash;                 /* 1 = SHA-256 */
	uint16_t flags;               /* 0 */
	uint64_t payload_size;        /* bytes */
	int64_t created;              /* seconds since the epoch: clock floor */
	uint8_t image_id[SHA256_LEN]; /* SHA-256 of the entry array */
	char label[33];               /* of the OS, NUL-terminated */
	struct slx_entry *entries;    /* owned, count of them */
};

/* Checks everything: magic, version, sizes, sums in 64 bit, ascending offsets within the payload, image id. -EBADMSG with a sentence. */
int slx_parse(const void *data, size_t len, struct slx *ret, struct fault *err);
/* Serialises after the same checks (computing image_id); without a signature. *ret_data owned by the caller. */
int slx_format(struct slx *s, void **ret_data, size_t *ret_len, struct fault *err);
void slx_done(struct slx *s);
/* Bytes of chunk @i: chunk_size but for the last. */
uint32_t slx_chunk_len(const struct slx *s, uint32_t i);
