#include "agent/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/install.h"
#include "common/cleanup.h"

#define STEP_TIMEOUT_MS 200 /* how late a cancellation may be noticed */
#define SAMPLES 8

struct writer {
	struct writer_spec spec;
	const struct slx *slx;
	struct chunk_pool *pool;
	uint8_t *present;        /* bitmap: on the disk (written or found) */
	uint8_t *safe;           /* bitmap: on the disk and flushed */
	uint8_t *flushing;       /* bitmap: what the flush that is running makes safe */
	uint8_t *tries;          /* per chunk: how often it was asked for */
	uint8_t *bad;            /* bitmap: read back wrong */
	uint64_t total, written; /* bytes of non-zero chunks */
	uint64_t verified;       /* bytes of all chunks */
	uint64_t since_flush, flush_bytes, reused;
	uint64_t written_flushing; /* w->written when the flush that is running began */
	bool is_flushing;
	uint32_t repaired;
};

static bool bit(const uint8_t *map, uint32_t i)
{
	return map[i / 8] >> (i % 8) & 1;
}

static void bit_set(uint8_t *map, uint32_t i, bool value)
{
	if (value)
		map[i / 8] |= (uint8_t)(1 << (i % 8));
	else
		map[i / 8] &= (uint8_t) ~(1 << (i % 8));
}

static bool is_zero_chunk(const struct writer *w, uint32_t i)
{
	return w->slx->entries[i].flags & SLX_ENTRY_ZERO;
}

static uint64_t offset_of(const struct writer *w, uint32_t i)
{
	return (uint64_t)i * w->slx->chunk_size;
}

static int cancelled(const struct writer *w, struct fault *err)
{
	if (w->spec.cancel && *w->spec.cancel)
		return fault_set(err, -ECANCELED, "the installation was stopped");
	return 0;
}

static int io_fault(const struct writer *w, const char *what, int code, uint32_t chunk,
		    struct fault *err)
{
	const struct disk_id *id = &w->spec.disk->id;

	return fault_set(err, code, "%s: %s on %s (%s) at offset %llu%s", what, strerror(-code),
			 id->name, *id->serial ? id->serial : "no serial number",
			 (unsigned long long)offset_of(w, chunk),
			 code == -EIO ? "; medium error, replace the disk" : "");
}

int writer_new(const struct writer_spec *spec, struct writer **ret, struct fault *err)
{
	AUTO(writer_freep) struct writer *w = calloc(1, sizeof(*w));
	size_t map = spec->slx->count / 8 + 1;

	if (!w)
		return fault_oom(err);
	w->spec = *spec;
	w->slx = spec->slx;
	w->present = calloc(1, map);
	w->safe = calloc(1, map);
	w->flushing = calloc(1, map);
	w->bad = calloc(1, map);
	w->tries = calloc(1, spec->slx->count);
	if (!w->present || !w->safe || !w->flushing || !w->bad || !w->tries)
		return fault_oom(err);
	for (uint32_t i = spec->first_chunk; i < spec->slx->count; i++)
		if (!is_zero_chunk(w, i))
			w->total += slx_chunk_len(w->slx, i);
	w->flush_bytes = MIN_OF(MAX_OF(w->total / 32, WRITER_FLUSH_MIN), WRITER_FLUSH_MAX);
	int r = chunk_pool_new(spec->disk, spec->slx, WRITER_THREADS, &w->pool, err);
	if (r == 0)
		*ret = TAKE(w);
	return r;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	chunk_pool_free(w->pool);
	free(w->present);
	free(w->safe);
	free(w->flushing);
	free(w->bad);
	free(w->tries);
	free(w);
}

void writer_freep(struct writer **w)
{
	writer_free(*w);
}

uint64_t writer_reused_bytes(const struct writer *w)
{
	return w->reused;
}

uint32_t writer_repaired(const struct writer *w)
{
	return w->repaired;
}

/* --- reading chunks: survey and verification --------------------------------------------- */

typedef int check_done(struct writer *w, const struct chunk_job *job, struct fault *err);

/* Takes every finished job; @done sees it before it is released. */
static int reap_checks(struct writer *w, check_done *done, struct fault *err)
{
	struct chunk_job *job;
	int r = 0;

	while ((job = chunk_pool_reap(w->pool))) {
		if (r == 0)
			r = done(w, job, err);
		chunk_pool_release(w->pool, job);
	}
	return r;
}

/*
 * Reads and checks all chunks that are in @map (NULL = all), zero ones only @with_zeros, and tells
 * @done about each.
 */
static int check_chunks(struct writer *w, const uint8_t *map, bool with_zeros, check_done *done,
			struct fault *err)
{
	int r = 0;

	for (uint32_t i = w->spec.first_chunk; r == 0 && i < w->slx->count; i++) {
		struct chunk_job *job;

		if ((is_zero_chunk(w, i) && !with_zeros) || (map && !bit(map, i)))
			continue;
		while (r == 0 && !(job = chunk_pool_take(w->pool))) {
			chunk_pool_wait(w->pool);
			r = reap_checks(w, done, err);
		}
		if (r == 0)
			r = cancelled(w, err);
		if (r == 0)
			chunk_pool_submit(w->pool, job, CHUNK_CHECK, i);
		else if (job)
			chunk_pool_release(w->pool, job);
	}
	while (chunk_pool_wait(w->pool)) {
		int late = reap_checks(w, done, err);

		r = r < 0 ? r : late;
	}
	return r;
}

static int survey_done(struct writer *w, const struct chunk_job *job, struct fault *err)
{
	if (job->result == 0) {
		bit_set(w->present, job->index, true);
		bit_set(w->safe, job->index, true);
	}
	return 0; /* unreadable is as good as absent: the write will tell */
}

/* A few chunks spread over the image; any that is there makes the rest worth reading. */
static int survey_samples(struct writer *w, bool *ret_found, struct fault *err)
{
	AUTO(freep) uint8_t *map = calloc(1, w->slx->count / 8 + 1);
	uint32_t span = w->slx->count - w->spec.first_chunk;

	if (!map)
		return fault_oom(err);
	for (uint32_t s = 0; s < SAMPLES; s++) {
		uint32_t i = w->spec.first_chunk + (uint32_t)((uint64_t)span * s / SAMPLES);

		while (i < w->slx->count && (is_zero_chunk(w, i) || bit(map, i)))
			i++;
		if (i < w->slx->count)
			bit_set(map, i, true);
	}
	int r = check_chunks(w, map, false, survey_done, err);
	*ret_found = false;
	for (uint32_t i = 0; i < w->slx->count; i++)
		*ret_found |= bit(w->present, i);
	return r;
}

int writer_survey(struct writer *w, const uint8_t *hint, struct fault *err)
{
	bool is_worth = true;
	int r = hint ? 0 : survey_samples(w, &is_worth, err);

	if (r == 0 && is_worth)
		r = check_chunks(w, hint, false, survey_done, err);
	for (uint32_t i = w->spec.first_chunk; i < w->slx->count; i++)
		if (bit(w->present, i))
			w->reused += slx_chunk_len(w->slx, i);
	w->written = w->reused;
	return r;
}

/* --- flushing ---------------------------------------------------------------------------- */

static void flush_begin(struct writer *w)
{
	memcpy(w->flushing, w->present, w->slx->count / 8 + 1);
	w->written_flushing = w->written;
	w->since_flush = 0;
}

static int flush_done(struct writer *w, int r, struct fault *err)
{
	const struct disk_id *id = &w->spec.disk->id;

	/* After one failed flush nothing is known about what was written since the last one. */
	if (r < 0)
		return fault_set(err, r, "flush: %s on %s (%s)", strerror(-r), id->name,
				 id->serial);
	memcpy(w->safe, w->flushing, w->slx->count / 8 + 1);
	if (w->spec.flushed)
		w->spec.flushed(w->spec.ctx, w->written_flushing, w->total, w->safe);
	return 0;
}

/* With no job running. */
static int flush(struct writer *w, struct fault *err)
{
	flush_begin(w);
	return flush_done(w, w->spec.disk->ops->flush(w->spec.disk), err);
}

/*
 * The same by a worker, while others go on writing: the device would be idle otherwise, and a flush
 * takes as long as dozens of chunks. One at a time.
 */
static void flush_submit(struct writer *w)
{
	struct chunk_job *job = w->is_flushing ? NULL : chunk_pool_take(w->pool);

	if (!job)
		return;
	w->is_flushing = true;
	flush_begin(w);
	chunk_pool_submit(w->pool, job, CHUNK_FLUSH, 0);
}

/* --- zero chunks ------------------------------------------------------------------------- */

static int zero_done(struct writer *w, const struct chunk_job *job, struct fault *err)
{
	return job->result < 0 ? io_fault(w, "write zeros", job->result, job->index, err) : 0;
}

static int zero_by_writing(struct writer *w, uint32_t first, uint32_t end, struct fault *err)
{
	int r = 0;

	for (uint32_t i = first; r == 0 && i < end; i++) {
		struct chunk_job *job;

		while (r == 0 && !(job = chunk_pool_take(w->pool))) {
			chunk_pool_wait(w->pool);
			r = reap_checks(w, zero_done, err);
		}
		if (r == 0)
			r = cancelled(w, err);
		if (r == 0)
			chunk_pool_submit(w->pool, job, CHUNK_ZERO, i);
		else if (job)
			chunk_pool_release(w->pool, job);
	}
	while (chunk_pool_wait(w->pool)) {
		int late = reap_checks(w, zero_done, err);

		r = r < 0 ? r : late;
	}
	return r;
}

static int zero_run(struct writer *w, uint32_t first, uint32_t end, struct fault *err)
{
	struct disk *d = w->spec.disk;
	uint64_t stop = MIN_OF(offset_of(w, end), w->slx->image_size);
	int r = d->ops->zero(d, offset_of(w, first), stop - offset_of(w, first));

	if (r == -EOPNOTSUPP)
		return zero_by_writing(w, first, end, err);
	return r < 0 ? io_fault(w, "zero", r, first, err) : 0;
}

static int zero_all(struct writer *w, struct fault *err)
{
	uint32_t most = (uint32_t)(WRITER_ZERO_MAX / w->slx->chunk_size), i = w->spec.first_chunk;
	int r = 0;

	while (r == 0 && i < w->slx->count) {
		uint32_t end = i;

		while (end < w->slx->count && end - i < most && is_zero_chunk(w, end))
			end++;
		if (end > i)
			r = zero_run(w, i, end, err);
		for (uint32_t z = i; z < end; z++)
			bit_set(w->present, z, true);
		i = end > i ? end : i + 1;
		if (r == 0)
			r = cancelled(w, err);
		/* Requests go out meanwhile, so that the network does not wait for the disk. */
		if (r == 0 && end > i)
			r = stream_step(w->spec.stream, NULL, -1, 0, NULL, err);
	}
	return r;
}

/* --- fetching and writing ---------------------------------------------------------------- */

static int ask(struct writer *w, uint32_t first, uint32_t count, struct fault *err)
{
	for (uint32_t i = first; i < first + count; i++)
		w->tries[i]++;
	return stream_want(w->spec.stream, first, count, err);
}

static int ask_missing(struct writer *w, struct fault *err)
{
	uint32_t i = w->spec.first_chunk;
	int r = 0;

	while (r == 0 && i < w->slx->count) {
		uint32_t end = i;

		while (end < w->slx->count && !is_zero_chunk(w, end) && !bit(w->present, end))
			end++;
		if (end > i)
			r = ask(w, i, end - i, err);
		i = end > i ? end : i + 1;
	}
	return r;
}

static int ask_again(struct writer *w, uint32_t i, const char *why, struct fault *err)
{
	if (w->tries[i] >= INSTALL_CHUNK_TRIES)
		return fault_set(err, -EBADMSG, "chunk %u (offset %llu) %s %d times", i,
				 (unsigned long long)offset_of(w, i), why, w->tries[i]);
	return ask(w, i, 1, err);
}

static int write_done(struct writer *w, const struct chunk_job *job, struct fault *err)
{
	if (job->kind == CHUNK_FLUSH) {
		w->is_flushing = false;
		return flush_done(w, job->result, err);
	}
	if (job->result == -EBADMSG)
		return ask_again(w, job->index, "arrived with a wrong digest", err);
	if (job->result < 0)
		return io_fault(w, "write", job->result, job->index, err);
	bit_set(w->present, job->index, true);
	w->written += job->len;
	w->since_flush += job->len;
	return 0;
}

/*
 * One turn: a chunk that has come goes to the workers, what they have finished is noted, and
 * flushed when it is much.
 */
static int receive_turn(struct writer *w, struct chunk_job **job, struct fault *err)
{
	struct stream *s = w->spec.stream;
	uint32_t index;

	if (!*job)
		*job = chunk_pool_take(w->pool);
	int r = stream_step(s, *job && s->wanted_n ? (*job)->data : NULL, chunk_pool_fd(w->pool),
			    STEP_TIMEOUT_MS, &index, err);
	if (r < 0)
		return r;
	if (r == 1) {
		chunk_pool_submit(w->pool, *job, CHUNK_WRITE, index);
		*job = NULL;
	}
	r = reap_checks(w, write_done, err);
	if (r == 0 && w->since_flush >= w->flush_bytes)
		flush_submit(w);
	return r == 0 ? cancelled(w, err) : r;
}

/* Receives chunks and has them written until none is wanted and none is on its way. */
static int receive_all(struct writer *w, struct fault *err)
{
	struct chunk_job *job = NULL;
	int r = 0;

	while (r == 0 && (w->spec.stream->wanted_n > 0 || chunk_pool_running(w->pool) > 0))
		r = receive_turn(w, &job, err);
	if (job)
		chunk_pool_release(w->pool, job);
	while (chunk_pool_wait(w->pool)) {
		int late = reap_checks(w, write_done, err);

		r = r < 0 ? r : late;
	}
	return r;
}

int writer_fill(struct writer *w, struct fault *err)
{
	int r = ask_missing(w, err);

	if (r == 0)
		r = stream_step(w->spec.stream, NULL, -1, 0, NULL, err);
	if (r == 0)
		r = zero_all(w, err);
	if (r == 0)
		r = receive_all(w, err);
	/* What has come so far is there for the next try, when the trouble is not the disk's. */
	if (r == -EPIPE || r == -EREMOTEIO || r == -EBADMSG || r == -ECANCELED)
		(void)flush(w, NULL);
	return r < 0 ? r : flush(w, err);
}

/* --- verification ------------------------------------------------------------------------ */

static int verify_done(struct writer *w, const struct chunk_job *job, struct fault *err)
{
	if (job->result < 0 && job->result != -EBADMSG)
		return io_fault(w, "read back", job->result, job->index, err);
	bit_set(w->bad, job->index, job->result < 0);
	if (job->result < 0)
		return 0;
	w->verified += job->len;
	if (w->spec.verified)
		w->spec.verified(w->spec.ctx, w->verified,
				 w->slx->image_size - offset_of(w, w->spec.first_chunk));
	return 0;
}

/* Zeros are not asked for: they are written. */
static int zero_again(struct writer *w, uint32_t i, struct fault *err)
{
	if (++w->tries[i] >= INSTALL_CHUNK_TRIES)
		return fault_set(
			err, -EBADMSG,
			"chunk %u (offset %llu) was read back with other bytes than zeros %d times",
			i, (unsigned long long)offset_of(w, i), w->tries[i]);
	return zero_by_writing(w, i, i + 1, err);
}

static int ask_bad(struct writer *w, uint32_t *ret_n, struct fault *err)
{
	uint32_t n = 0;
	int r = 0;

	for (uint32_t i = w->spec.first_chunk; r == 0 && i < w->slx->count; i++) {
		if (!bit(w->bad, i))
			continue;
		n++;
		if (is_zero_chunk(w, i)) {
			r = zero_again(w, i, err);
			continue;
		}
		bit_set(w->present, i, false);
		w->written -= slx_chunk_len(w->slx, i);
		r = ask_again(w, i, "was read back from the disk with other bytes than written",
			      err);
	}
	*ret_n = n;
	return r;
}

int writer_verify(struct writer *w, struct fault *err)
{
	AUTO(freep) uint8_t *again = calloc(1, w->slx->count / 8 + 1);
	uint32_t bad = 0;

	if (!again)
		return fault_oom(err);
	w->verified = 0;
	int r = check_chunks(w, NULL, true, verify_done, err);
	if (r == 0)
		r = ask_bad(w, &bad, err);
	while (r == 0 && bad > 0) {
		w->repaired += bad;
		memcpy(again, w->bad, w->slx->count / 8 + 1);
		r = receive_all(w, err);
		if (r == 0)
			r = flush(w, err);
		if (r == 0)
			r = check_chunks(w, again, true, verify_done, err);
		if (r == 0)
			r = ask_bad(w, &bad, err);
	}
	return r;
}
