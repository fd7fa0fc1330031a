/*
 * A disk image as independent zstd frames (.raw.zst) and their index (.slx). The calling thread
 * reads and writes in order, workers hash and compress: the result does not depend on their number.
 */
#include "imagebuilder/imagebuilder.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "imagebuilder/os_image.h"

#define THREADS_MAX 64
#define LEVEL_DEFAULT 3
#define ENTRIES_STEP 4096

enum slot_state { SLOT_FREE, SLOT_FULL, SLOT_BUSY, SLOT_DONE };

struct slot {
	enum slot_state state;
	uint8_t *raw, *frame;
	size_t raw_len, frame_len; /* frame_len may be a ZSTD error */
	struct slx_entry entry;
};

struct convert {
	const struct os_image_spec *spec;
	struct os_source *source;
	int payload_fd;
	size_t frame_max;
	struct slx index;
	struct os_image_layout layout;
	struct slot *slots;
	uint32_t slots_n, entries_room;
	uint32_t next_work; /* the chunk that the next idle worker takes */
	uint32_t filled;    /* chunks given to the workers */
	bool is_stopping;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t threads[THREADS_MAX];
	unsigned threads_n;
	struct progress *progress;
};

static bool is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && !memcmp(p, p + 1, len - 1);
}

static void slot_work(const struct convert *c, ZSTD_CCtx *z, struct slot *s)
{
	sha256(s->raw, s->raw_len, s->entry.hash);
	s->entry.flags = is_zero(s->raw, s->raw_len) ? SLX_ENTRY_ZERO : 0;
	s->frame_len = ZSTD_compress2(z, s->frame, c->frame_max, s->raw, s->raw_len);
}

static ZSTD_CCtx *cctx_new(const struct convert *c)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	int level = c->spec->compression_level ? c->spec->compression_level : LEVEL_DEFAULT;

	if (!z)
		return NULL;
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	return z;
}

static void *worker(void *ctx)
{
	struct convert *c = ctx;
	ZSTD_CCtx *z = cctx_new(c);

	pthread_mutex_lock(&c->lock);
	while (!c->is_stopping) {
		if (c->next_work == c->filled) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		struct slot *s = &c->slots[c->next_work++ % c->slots_n];

		s->state = SLOT_BUSY;
		pthread_mutex_unlock(&c->lock);
		if (z)
			slot_work(c, z, s);
		else
			s->frame_len = (size_t)-1; /* as ZSTD's error codes */
		pthread_mutex_lock(&c->lock);
		s->state = SLOT_DONE;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	ZSTD_freeCCtx(z);
	return NULL;
}

static int entry_add(struct convert *c, const struct slx_entry *e, struct fault *err)
{
	if (c->index.count == c->entries_room) {
		uint32_t room = c->entries_room + ENTRIES_STEP;
		struct slx_entry *more = room > SLX_ENTRIES_MAX
						 ? NULL
						 : realloc(c->index.entries, room * sizeof(*more));

		if (room > SLX_ENTRIES_MAX)
			return fault_set(
				err, -EFBIG,
				"the image has more than %u chunks of %u bytes; use larger chunks",
				SLX_ENTRIES_MAX, c->index.chunk_size);
		if (!more)
			return fault_oom(err);
		c->index.entries = more;
		c->entries_room = room;
	}
	c->index.entries[c->index.count++] = *e;
	return 0;
}

/* Waits for chunk @i, appends its frame to the payload. */
static int slot_finish(struct convert *c, uint32_t i, struct fault *err)
{
	struct slot *s = &c->slots[i % c->slots_n];

	pthread_mutex_lock(&c->lock);
	while (s->state != SLOT_DONE)
		pthread_cond_wait(&c->changed, &c->lock);
	s->state = SLOT_FREE;
	pthread_mutex_unlock(&c->lock);

	if (ZSTD_isError(s->frame_len))
		return fault_set(err, -ENOMEM, "zstd: %s", ZSTD_getErrorName(s->frame_len));
	int r = fd_write(c->payload_fd, s->frame, s->frame_len);
	if (r < 0)
		return fault_set(err, r, "cannot write the payload: %s", strerror(-r));
	s->entry.offset = c->index.payload_size;
	s->entry.length = (uint32_t)s->frame_len;
	c->index.payload_size += s->frame_len;
	c->index.image_size += s->raw_len;
	return entry_add(c, &s->entry, err);
}

/*
 * Reads the next chunk into its slot. 1 = there is one, 0 = end. The last chunk is filled up to a
 * whole sector with zeros.
 */
static int slot_fill(struct convert *c, uint32_t i, struct fault *err)
{
	struct slot *s = &c->slots[i % c->slots_n];
	uint64_t before = os_source_consumed(c->source);
	ssize_t n = os_source_read(c->source, s->raw, c->index.chunk_size, err);

	if (n <= 0)
		return (int)n;
	progress_add(c->progress, os_source_consumed(c->source) - before);
	s->raw_len = (size_t)n;
	if (i == 0) {
		int r = os_image_layout(s->raw, s->raw_len, &c->layout, err);

		if (r < 0)
			return r;
		c->index.sector_size = c->layout.sector_size;
	}
	size_t odd = s->raw_len % c->layout.sector_size;
	if (odd) {
		memset(s->raw + s->raw_len, 0, c->layout.sector_size - odd);
		s->raw_len += c->layout.sector_size - odd;
	}
	return 1;
}

static int convert_chunks(struct convert *c, struct fault *err)
{
	uint32_t finished = 0;
	int r = 1;

	while (r > 0) {
		if (progress_cancelled(c->progress))
			return fault_set(err, -ECANCELED, "cancelled");
		if (c->filled - finished == c->slots_n) {
			r = slot_finish(c, finished++, err);
			if (r < 0)
				return r;
		}
		r = slot_fill(c, c->filled, err);
		if (r <= 0)
			break;
		pthread_mutex_lock(&c->lock);
		c->slots[c->filled++ % c->slots_n].state = SLOT_FULL;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
	}
	while (r == 0 && finished < c->filled)
		r = slot_finish(c, finished++, err);
	return r;
}

static int threads_start(struct convert *c, struct fault *err)
{
	unsigned want = c->spec->threads ? c->spec->threads
					 : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

	want = MIN_OF(MAX_OF(want, 1u), (unsigned)THREADS_MAX);
	c->slots_n = want * 2 + 2;
	c->slots = calloc(c->slots_n, sizeof(*c->slots));
	if (!c->slots)
		return fault_oom(err);
	for (uint32_t i = 0; i < c->slots_n; i++) {
		c->slots[i].raw = malloc(c->index.chunk_size);
		c->slots[i].frame = malloc(c->frame_max);
		if (!c->slots[i].raw || !c->slots[i].frame)
			return fault_oom(err);
	}
	for (; c->threads_n < want; c->threads_n++) {
		int r = -pthread_create(&c->threads[c->threads_n], NULL, worker, c);

		if (r < 0)
			return fault_set(err, r, "cannot start a thread: %s", strerror(-r));
	}
	return 0;
}

static void convert_done(struct convert *c)
{
	pthread_mutex_lock(&c->lock);
	c->is_stopping = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	while (c->threads_n > 0)
		pthread_join(c->threads[--c->threads_n], NULL);
	for (uint32_t i = 0; c->slots && i < c->slots_n; i++) {
		free(c->slots[i].raw);
		free(c->slots[i].frame);
	}
	free(c->slots);
	os_source_free(c->source);
	slx_done(&c->index);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
}

static int whole_check(struct convert *c, const struct slot *last, struct fault *err)
{
	if (c->index.image_size < OS_IMAGE_MIN)
		return fault_set(err, -EMEDIUMTYPE, "%llu bytes are no disk image",
				 (unsigned long long)c->index.image_size);
	/*
	 * A fixed VHD is a raw image with a footer (Virtual Hard Disk specification, "Hard Disk
	 * Footer Format").
	 */
	if (last->raw_len >= 512 && !memcmp(last->raw + last->raw_len - 512, "conectix", 8))
		return fault_set(
			err, -EMEDIUMTYPE,
			"this is a fixed VHD image; convert it to raw first: qemu-img convert -f vpc -O raw IN OUT");
	if (c->index.image_size < c->layout.end_bytes)
		return fault_set(
			err, -EBADMSG,
			"the image was cut short: %llu bytes, but its partition table needs %llu",
			(unsigned long long)c->index.image_size,
			(unsigned long long)c->layout.end_bytes);
	return os_source_finish(c->source, err);
}

static int index_write(struct convert *c, int index_fd, struct fault *err)
{
	AUTO(freep) void *data = NULL;
	size_t len;
	int r = slx_format(&c->index, &data, &len, err);

	if (r < 0)
		return r;
	r = fd_write(index_fd, data, len);
	if (r < 0)
		return fault_set(err, r, "cannot write the index: %s", strerror(-r));
	return fd_sync(index_fd, "the index", err);
}

static int spec_apply(struct convert *c, struct fault *err)
{
	const struct os_image_spec *spec = c->spec;
	uint32_t chunk = spec->chunk_size ? spec->chunk_size : SLX_CHUNK_DEFAULT;

	/* The first chunk must show the whole partition table. */
	if (chunk < OS_IMAGE_HEAD || chunk > SLX_CHUNK_MAX || (chunk & (chunk - 1)))
		return fault_set(err, -EINVAL, "chunk size %u is not a power of two from %u to %u",
				 chunk, OS_IMAGE_HEAD, SLX_CHUNK_MAX);
	if (spec->label && !str_copy(c->index.label, sizeof(c->index.label), spec->label))
		return fault_set(err, -EINVAL, "the label is longer than %zu bytes",
				 sizeof(c->index.label) - 1);
	c->index.chunk_size = chunk;
	c->index.codec = SLX_CODEC_ZSTD;
	c->index.hash = 1;
	c->index.created = spec->created;
	c->frame_max = ZSTD_compressBound(chunk);
	return 0;
}

static int convert(struct convert *c, int index_fd, struct fault *err)
{
	int r = spec_apply(c, err);

	if (r == 0)
		r = os_source_open(c->spec->in_fd, &c->source, err);
	if (r < 0)
		return r;
	progress_step(c->progress, "convert", 1000, os_source_size(c->source));
	r = threads_start(c, err);
	if (r == 0)
		r = convert_chunks(c, err);
	if (r < 0)
		return r;
	if (c->index.count == 0)
		return fault_set(err, -EMEDIUMTYPE, "the image is empty");
	r = whole_check(c, &c->slots[(c->index.count - 1) % c->slots_n], err);
	if (r == 0)
		r = fd_sync(c->payload_fd, "the payload", err);
	return r < 0 ? r : index_write(c, index_fd, err);
}

int os_image_convert(const struct os_image_spec *spec, int payload_fd, int index_fd,
		     struct slx *ret_index, struct progress *p, struct fault *err)
{
	struct convert c = {
		.spec = spec,
		.payload_fd = payload_fd,
		.progress = p,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int r = convert(&c, index_fd, err);

	if (r == 0 && ret_index) {
		*ret_index = c.index;
		c.index.entries = NULL;
	}
	if (r == 0)
		progress_end(p);
	convert_done(&c);
	return r;
}
