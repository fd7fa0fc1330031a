/*
 * The first MiB of the image: fetched before anything is touched, because it holds the partition
 * table, and kept in memory until the commit. It also shows that the image can be fetched at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/install_engine.h"
#include "common/cleanup.h"

#define STEP_TIMEOUT_MS 200

static int want_head(struct engine *e, struct fault *err)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < e->head_chunks; i++)
		if (!(e->slx.entries[i].flags & SLX_ENTRY_ZERO))
			r = stream_want(&e->stream, i, 1, err);
	return r;
}

static int chunk_take(struct engine *e, uint32_t i, const uint8_t *data, unsigned *tries,
		      struct fault *err)
{
	uint32_t len = slx_chunk_len(&e->slx, i);
	uint8_t digest[SHA256_LEN];

	sha256(data, len, digest);
	if (!memcmp(digest, e->slx.entries[i].hash, SHA256_LEN)) {
		memcpy(e->head + (size_t)i * e->slx.chunk_size, data, len);
		return 0;
	}
	/* Counted for the whole head: it is a few chunks at most. */
	if (++*tries >= INSTALL_CHUNK_TRIES)
		return fault_set(err, -EBADMSG,
				 "chunk %u (offset %llu) arrived with a wrong digest %u times", i,
				 (unsigned long long)i * e->slx.chunk_size, *tries);
	return stream_want(&e->stream, i, 1, err);
}

static int receive_head(struct engine *e, struct fault *err)
{
	AUTO(freep) uint8_t *data = malloc(e->slx.chunk_size);
	unsigned tries = 0;
	uint32_t index;
	int r = data ? want_head(e, err) : fault_oom(err);

	while (r == 0 && e->stream.wanted_n > 0) {
		if (e->sink && e->sink->cancel && *e->sink->cancel)
			return fault_set(err, -ECANCELED, "the installation was stopped");
		r = stream_step(&e->stream, data, -1, STEP_TIMEOUT_MS, &index, err);
		if (r == 1)
			r = chunk_take(e, index, data, &tries, err);
	}
	return r;
}

int engine_head(struct engine *e, struct fault *err)
{
	uint32_t chunk = e->slx.chunk_size;

	e->head_chunks = MAX_OF(COMMIT_HEAD_BYTES / chunk, 1u);
	e->head_len = (size_t)MIN_OF((uint64_t)e->head_chunks * chunk, e->slx.image_size);
	e->head = chunk_alloc((size_t)e->head_chunks * chunk);
	if (!e->head)
		return fault_oom(err);
	int r = receive_head(e, err);
	return r < 0 ? r : commit_prepare(&e->commit, e->head, &e->id, e->is_efi, err);
}

int engine_head_rest(struct engine *e, struct fault *err)
{
	struct disk *d = e->d;
	size_t len = e->head_len - COMMIT_HEAD_BYTES;
	AUTO(freep) uint8_t *back = chunk_alloc(len + 1);

	if (!len)
		return 0;
	if (!back)
		return fault_oom(err);
	int r = d->ops->write(d, e->head + COMMIT_HEAD_BYTES, len, COMMIT_HEAD_BYTES);
	if (r == 0)
		r = d->ops->flush(d);
	if (r == 0)
		r = d->ops->read(d, back, len, COMMIT_HEAD_BYTES);
	if (r < 0)
		return fault_set(err, r, "write: %s on %s (%s) at offset %u", strerror(-r),
				 d->id.name, d->id.serial, COMMIT_HEAD_BYTES);
	if (memcmp(back, e->head + COMMIT_HEAD_BYTES, len))
		return fault_set(
			err, -EIO,
			"%s (%s) gives back other bytes than written at offset %u; replace the disk",
			d->id.name, d->id.serial, COMMIT_HEAD_BYTES);
	return 0;
}
