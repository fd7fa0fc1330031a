#pragma once
/*
 * Workers for chunks: hash and write, read and hash, zero. A bounded set of page-aligned buffers is
 * all the memory an installation uses. One thread owns the pool (takes, submits, reaps); the
 * workers only ever touch the disk and the buffers.
 */
#include <stdint.h>
#include "agent/disk.h"
#include "common/fault.h"
#include "common/slx.h"

enum chunk_job_kind {
	/*
	 * compare the buffer with the index, then write it; -EBADMSG: wrong digest, nothing written
	 */
	CHUNK_WRITE,
	/* read the chunk and compare it with the index; -EBADMSG: the disk holds something else */
	CHUNK_CHECK,
	CHUNK_ZERO, /* read the chunk; write zeros unless it is zero already */
	/* flush the device: what was finished before this was submitted is safe afterwards */
	CHUNK_FLUSH,
};

struct chunk_job {
	enum chunk_job_kind kind;
	uint32_t index;
	uint32_t len;  /* of the chunk */
	uint8_t *data; /* room for a whole chunk, page-aligned */
	int result;
	struct chunk_job *next;
};

struct chunk_pool;
int chunk_pool_new(struct disk *d, const struct slx *slx, unsigned threads, struct chunk_pool **ret,
		   struct fault *err);
/* Waits for what is running. */
void chunk_pool_free(struct chunk_pool *p);
void chunk_pool_freep(struct chunk_pool **p);

/* A free job, NULL when all are in use. Give it back by submit or release. */
struct chunk_job *chunk_pool_take(struct chunk_pool *p);
void chunk_pool_release(struct chunk_pool *p, struct chunk_job *job);
/* @index: of the chunk; ignored by CHUNK_FLUSH. */
void chunk_pool_submit(struct chunk_pool *p, struct chunk_job *job, enum chunk_job_kind kind,
		       uint32_t index);
/* A finished job, NULL when there is none now. The caller releases it. */
struct chunk_job *chunk_pool_reap(struct chunk_pool *p);
/* Blocks until a job is finished; false = none is running. */
bool chunk_pool_wait(struct chunk_pool *p);
unsigned chunk_pool_running(struct chunk_pool *p);
/* Readable (eventfd) when a job has finished since the last reap that gave NULL. */
int chunk_pool_fd(const struct chunk_pool *p);

/* Page-aligned, zeroed memory for direct I/O; NULL = none. free() it. */
void *chunk_alloc(size_t len);
bool chunk_is_zero(const void *data, size_t len);
