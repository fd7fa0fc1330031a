#pragma once
/*
 * The chunks of an image onto a disk: what is there already is found by its hash, the rest is asked
 * for, checked, written and flushed; then everything, zeros too, is read back past all caches, and
 * repaired by asking or zeroing again.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include "agent/chunk_pool.h"
#include "agent/disk.h"
#include "agent/stream.h"
#include "common/fault.h"
#include "common/slx.h"

/* Requests on the device at the same time: they block in it, so more than there are cores. */
#define WRITER_THREADS 8
/* Bytes per zeroing call: a device may block uninterruptibly that long. */
#define WRITER_ZERO_MAX (1ull << 30)
#define WRITER_FLUSH_MIN (16ull << 20)
#define WRITER_FLUSH_MAX (1ull << 30) /* a flush at least every so many bytes */

struct writer;
struct writer_spec {
	const struct slx *slx;
	struct disk *disk;
	struct stream *stream;
	uint32_t first_chunk;                /* the ones before it are the caller's */
	const volatile sig_atomic_t *cancel; /* may be NULL */
	/*
	 * After each flush: bytes of non-zero chunks that are safe, of how many; the bitmap of
	 * chunks (for the state file). May be NULL.
	 */
	void (*flushed)(void *ctx, uint64_t done, uint64_t total, const uint8_t *bitmap);
	/* While reading back. May be NULL. */
	void (*verified)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

int writer_new(const struct writer_spec *spec, struct writer **ret, struct fault *err);
void writer_free(struct writer *w);
void writer_freep(struct writer **w);

/*
 * Which chunks are already there? @hint: bitmap of chunks that a previous run has flushed; NULL = a
 * few samples decide whether the whole disk is worth reading. Only hashes count, never the hint.
 * Nothing is written.
 */
int writer_survey(struct writer *w, const uint8_t *hint, struct fault *err);
/* Zero chunks, then all chunks that are missing; flushed at the end. */
int writer_fill(struct writer *w, struct fault *err);
/*
 * Reads every chunk back; wrong ones are asked for (or zeroed) and written again,
 * INSTALL_CHUNK_TRIES times.
 */
int writer_verify(struct writer *w, struct fault *err);
/* Bytes found by the survey; chunks written again by writer_verify(). */
uint64_t writer_reused_bytes(const struct writer *w);
uint32_t writer_repaired(const struct writer *w);
