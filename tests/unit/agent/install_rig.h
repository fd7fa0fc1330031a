#pragma once
/*
 * For the tests of the install engine: a disk in memory that logs, fails and loses power on demand,
 * and a thread that plays the network process.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent/disk.h"
#include "agent/install.h"
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/slx.h"
#include "tests/unit/disk_rig.h"

/* --- a disk in memory -------------------------------------------------------------------- */

struct mem_disk {
	struct disk d;
	pthread_mutex_t lock;
	uint64_t size;
	uint8_t *cache;   /* what reads give back */
	uint8_t *persist; /* what a power cut that loses everything unflushed leaves */
	struct {
		uint64_t offset, len;
	} pending[4096];
	size_t pending_n;
	unsigned writes, flushes, zeroed, reads; /* calls so far */
	unsigned cut_at; /* this write and all later calls fail; 0 = never */
	bool has_power;
	bool has_no_zero;       /* zero() answers EOPNOTSUPP */
	uint64_t corrupt_at;    /* reads of this byte give it inverted … */
	unsigned corrupt_times; /* … so many times */
	uint64_t fail_write_at; /* writes over this byte fail with EIO; 0 = none */
	unsigned fail_flush;    /* this flush fails; 0 = none */
	/* what the order of writes was */
	unsigned lba0_writes; /* non-zero data over byte 0 */
	bool was_lba0_alone;  /* nothing else was unflushed when that came */
	unsigned writes_after_lba0, flushes_after_lba0;
	volatile sig_atomic_t *cancel;
	unsigned cancel_at; /* write number */
};

static inline int mem_check(struct mem_disk *m, uint64_t offset, uint64_t len)
{
	if (!m->has_power)
		return -EIO;
	if (offset % m->d.id.sector_size || len % m->d.id.sector_size || offset + len > m->size)
		return -EINVAL;
	return 0;
}

static inline int mem_read(struct disk *d, void *data, size_t len, uint64_t offset)
{
	struct mem_disk *m = d->ctx;

	if ((uintptr_t)data % 512)
		return -EINVAL; /* what O_DIRECT says */
	pthread_mutex_lock(&m->lock);
	int r = mem_check(m, offset, len);
	m->reads++;
	if (r == 0)
		memcpy(data, m->cache + offset, len);
	if (r == 0 && m->corrupt_times && m->corrupt_at >= offset && m->corrupt_at < offset + len) {
		((uint8_t *)data)[m->corrupt_at - offset] ^= 0xFF;
		m->corrupt_times--;
	}
	pthread_mutex_unlock(&m->lock);
	return r;
}

static inline void mem_note(struct mem_disk *m, const uint8_t *data, uint64_t offset, size_t len)
{
	bool is_lba0 = false;

	for (size_t i = 0; offset == 0 && i < m->d.id.sector_size && i < len; i++)
		is_lba0 |= data[i] != 0;
	if (m->lba0_writes && !is_lba0)
		m->writes_after_lba0++;
	if (is_lba0) {
		m->lba0_writes++;
		m->was_lba0_alone = m->pending_n == 0 && len == m->d.id.sector_size;
	}
}

static inline int mem_write_locked(struct mem_disk *m, const void *data, size_t len,
				   uint64_t offset)
{
	int r = mem_check(m, offset, len);

	m->writes++;
	if (m->cancel && m->writes == m->cancel_at)
		*m->cancel = 1;
	if (r == 0 && m->cut_at && m->writes >= m->cut_at) {
		m->has_power = false;
		r = -EIO;
	}
	if (r == 0 && m->fail_write_at && m->fail_write_at >= offset &&
	    m->fail_write_at < offset + len)
		r = -EIO;
	if (r < 0)
		return r;
	mem_note(m, data, offset, len);
	memcpy(m->cache + offset, data, len);
	if (m->pending_n == ARRAY_SIZE(m->pending))
		abort();
	m->pending[m->pending_n].offset = offset;
	m->pending[m->pending_n++].len = len;
	return 0;
}

static inline int mem_write(struct disk *d, const void *data, size_t len, uint64_t offset)
{
	struct mem_disk *m = d->ctx;

	if ((uintptr_t)data % 512)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	int r = mem_write_locked(m, data, len, offset);
	pthread_mutex_unlock(&m->lock);
	return r;
}

static inline int mem_zero(struct disk *d, uint64_t offset, uint64_t len)
{
	struct mem_disk *m = d->ctx;
	AUTO(freep) uint8_t *zeros = calloc(1, len);

	if (m->has_no_zero)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&m->lock);
	m->zeroed++;
	int r = mem_write_locked(m, zeros, len, offset);
	pthread_mutex_unlock(&m->lock);
	return r;
}

static inline int mem_flush(struct disk *d)
{
	struct mem_disk *m = d->ctx;
	int r = 0;

	pthread_mutex_lock(&m->lock);
	m->flushes++;
	if (!m->has_power || m->flushes == m->fail_flush)
		r = -EIO;
	for (size_t i = 0; r == 0 && i < m->pending_n; i++)
		memcpy(m->persist + m->pending[i].offset, m->cache + m->pending[i].offset,
		       m->pending[i].len);
	if (r == 0) {
		m->pending_n = 0;
		m->flushes_after_lba0 += m->lba0_writes > 0;
	}
	pthread_mutex_unlock(&m->lock);
	return r;
}

static inline int mem_reread(struct disk *d)
{
	return 0;
}

static const struct disk_ops mem_ops = {
	.read = mem_read,
	.write = mem_write,
	.zero = mem_zero,
	.flush = mem_flush,
	.reread_table = mem_reread,
};

/* Full of old content: 0xAA everywhere. */
static inline struct mem_disk *mem_disk_new(uint64_t size, uint32_t sector)
{
	struct mem_disk *m = calloc(1, sizeof(*m));

	if (!m || !(m->cache = malloc(size)) || !(m->persist = malloc(size)))
		abort();
	m->d = (struct disk){ .ops = &mem_ops, .fd = -1, .direct_fd = -1, .ctx = m };
	m->d.id = (struct disk_id){ .name = "mem",
				    .serial = "S1",
				    .size_bytes = size,
				    .sector_size = sector,
				    .diskseq = 7 };
	m->size = size;
	m->has_power = true;
	pthread_mutex_init(&m->lock, NULL);
	memset(m->cache, 0xAA, size);
	memset(m->persist, 0xAA, size);
	return m;
}

static inline void mem_disk_free(struct mem_disk *m)
{
	free(m->cache);
	free(m->persist);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static inline void mem_disk_freep(struct mem_disk **m)
{
	if (*m)
		mem_disk_free(*m);
}

/* --- an index without a payload ---------------------------------------------------------- */

struct rig_index {
	void *data;
	size_t len;
	struct slx slx; /* parsed */
};

static inline void rig_index_done(struct rig_index *x)
{
	free(x->data);
	slx_done(&x->slx);
}

static inline void rig_index_make(struct rig_index *x, const uint8_t *image, uint64_t size,
				  uint32_t chunk, uint32_t sector)
{
	struct slx s = { .image_size = size,
			 .chunk_size = chunk,
			 .sector_size = sector,
			 .codec = SLX_CODEC_ZSTD,
			 .hash = 1 };

	s.count = (uint32_t)((size - 1) / chunk + 1);
	s.entries = calloc(s.count, sizeof(*s.entries));
	s.payload_size = s.count;
	for (uint32_t i = 0; i < s.count; i++) {
		const uint8_t *at = image + (uint64_t)i * chunk;
		uint32_t len = slx_chunk_len(&s, i);

		s.entries[i] = (struct slx_entry){ .offset = i, .length = 1 };
		s.entries[i].flags = at[0] == 0 && !memcmp(at, at + 1, len - 1) ? SLX_ENTRY_ZERO
										: 0;
		sha256(at, len, s.entries[i].hash);
	}
	if (slx_format(&s, &x->data, &x->len, NULL) < 0 ||
	    slx_parse(x->data, x->len, &x->slx, NULL) < 0)
		abort();
	slx_done(&s);
}

/* --- the other end of the stream --------------------------------------------------------- */

struct feeder {
	const uint8_t *image;
	const struct slx *slx;
	int fd;
	pthread_t thread;
	uint32_t wrong_chunk;           /* is sent with a flipped byte … */
	unsigned wrong_times;           /* … so many times */
	unsigned die_after;             /* chunks; 0 = never */
	const char *error_after;        /* an error frame instead of dying */
	int delay_us;                   /* per chunk */
	bool is_backwards;              /* answers each want from its end */
	struct install_frame bad_frame; /* instead of the chunk number die_after, when length > 0 */
	/* results */
	unsigned sent, zero_wanted;
	bool has_end;
	unsigned *per_chunk;
};

static inline bool feeder_send(struct feeder *f, uint32_t index)
{
	uint32_t len = slx_chunk_len(f->slx, index);
	struct install_frame frame = { .index = index, .length = len };
	AUTO(freep) uint8_t *data = malloc(len);

	memcpy(data, f->image + (uint64_t)index * f->slx->chunk_size, len);
	if (f->die_after && f->sent == f->die_after && f->bad_frame.length) {
		(void)!fd_write(f->fd, &f->bad_frame, sizeof(frame));
		return false;
	}
	if (f->die_after && f->sent == f->die_after) {
		frame = (struct install_frame){ .index = INSTALL_FRAME_ERROR,
						.length = f->error_after
								  ? (uint32_t)strlen(f->error_after)
								  : 0 };
		if (f->error_after && fd_write(f->fd, &frame, sizeof(frame)) == 0)
			(void)!fd_write(f->fd, f->error_after, frame.length);
		return false;
	}
	if (index == f->wrong_chunk && f->wrong_times) {
		f->wrong_times--;
		data[len / 2] ^= 1;
	}
	f->zero_wanted += f->slx->entries[index].flags & SLX_ENTRY_ZERO;
	f->sent++;
	f->per_chunk[index]++;
	if (f->delay_us)
		usleep((useconds_t)f->delay_us);
	return fd_write(f->fd, &frame, sizeof(frame)) == 0 && fd_write(f->fd, data, len) == 0;
}

static inline void *feeder_main(void *ctx)
{
	struct feeder *f = ctx;
	struct install_want w;
	bool is_alive = true;

	while (is_alive && fd_read(f->fd, &w, sizeof(w)) == sizeof(w)) {
		if (w.first == INSTALL_WANT_END) {
			f->has_end = true;
			break;
		}
		for (uint32_t i = 0; is_alive && i < w.count; i++)
			is_alive = feeder_send(f, f->is_backwards ? w.first + w.count - 1 - i
								  : w.first + i);
	}
	close(f->fd);
	return NULL;
}

/* Gives the writer's end. */
static inline int feeder_open(struct feeder *f, const uint8_t *image, const struct slx *slx)
{
	int fds[2];

	f->image = image;
	f->slx = slx;
	f->per_chunk = calloc(slx->count, sizeof(*f->per_chunk));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	f->fd = fds[0];
	return fds[1];
}

/* After a fork, if there is one: a thread of the parent may hold the sanitizer's locks. */
static inline void feeder_run(struct feeder *f)
{
	if (pthread_create(&f->thread, NULL, feeder_main, f) != 0)
		abort();
}

static inline int feeder_start(struct feeder *f, const uint8_t *image, const struct slx *slx)
{
	int fd = feeder_open(f, image, slx);

	feeder_run(f);
	return fd;
}

static inline void feeder_join(struct feeder *f)
{
	pthread_join(f->thread, NULL);
}

static inline void feeder_done(struct feeder *f)
{
	free(f->per_chunk);
}
