#include "agent/chunk_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include "common/cleanup.h"

#define THREADS_MAX 16
#define JOBS_MIN 4
#define JOBS_MAX 16
#define POOL_BYTES (32u << 20) /* all buffers together, unless JOBS_MIN chunks are more */
#define PAGE 4096

struct chunk_pool {
	struct disk *disk;
	const struct slx *slx;
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	struct chunk_job jobs[JOBS_MAX];
	struct chunk_job *free_jobs, *queue, **queue_end, *done, **done_end;
	unsigned running; /* submitted and not yet done */
	bool is_stopping;
	int event_fd;
	pthread_t threads[THREADS_MAX];
	unsigned threads_n;
};

void *chunk_alloc(size_t len)
{
	size_t rounded = (len + PAGE - 1) / PAGE * PAGE;
	void *p = aligned_alloc(PAGE, rounded);

	if (p)
		memset(p, 0, rounded);
	return p;
}

bool chunk_is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;

	return len == 0 || (p[0] == 0 && !memcmp(p, p + 1, len - 1));
}

static int compare(const struct chunk_pool *p, const struct chunk_job *job)
{
	uint8_t digest[SHA256_LEN];

	if (p->slx->entries[job->index].flags & SLX_ENTRY_ZERO)
		return chunk_is_zero(job->data, job->len) ? 0 : -EBADMSG;
	sha256(job->data, job->len, digest);
	return memcmp(digest, p->slx->entries[job->index].hash, SHA256_LEN) ? -EBADMSG : 0;
}

/* A failed write is tried once more: some controllers recover from the first error. */
static int write_twice(struct disk *d, const struct chunk_job *job, uint64_t offset)
{
	int r = d->ops->write(d, job->data, job->len, offset);

	return r == -EIO ? d->ops->write(d, job->data, job->len, offset) : r;
}

static int job_run(const struct chunk_pool *p, struct chunk_job *job)
{
	struct disk *d = p->disk;
	uint64_t offset = (uint64_t)job->index * p->slx->chunk_size;
	int r;

	switch (job->kind) {
	case CHUNK_WRITE:
		r = compare(p, job);
		return r < 0 ? r : write_twice(d, job, offset);
	case CHUNK_CHECK:
		r = d->ops->read(d, job->data, job->len, offset);
		return r < 0 ? r : compare(p, job);
	case CHUNK_ZERO:
		r = d->ops->read(d, job->data, job->len, offset);
		if (r == 0 && chunk_is_zero(job->data, job->len))
			return 0;
		memset(job->data, 0, job->len);
		return write_twice(d, job, offset);
	case CHUNK_FLUSH:
		return d->ops->flush(d);
	}
	return -EINVAL;
}

static void done_put(struct chunk_pool *p, struct chunk_job *job)
{
	uint64_t one = 1;

	job->next = NULL;
	*p->done_end = job;
	p->done_end = &job->next;
	p->running--;
	pthread_cond_signal(&p->finished);
	(void)!write(p->event_fd, &one, sizeof(one));
}

static void *worker(void *ctx)
{
	struct chunk_pool *p = ctx;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct chunk_job *job = p->queue;

		if (!job && p->is_stopping)
			break;
		if (!job) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		p->queue = job->next;
		if (!p->queue)
			p->queue_end = &p->queue;
		pthread_mutex_unlock(&p->lock);
		job->result = job_run(p, job);
		pthread_mutex_lock(&p->lock);
		done_put(p, job);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int pool_start(struct chunk_pool *p, unsigned threads, struct fault *err)
{
	unsigned jobs = MIN_OF(MAX_OF(POOL_BYTES / p->slx->chunk_size, (unsigned)JOBS_MIN),
			       (unsigned)JOBS_MAX);

	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event_fd < 0)
		return fault_set(err, -errno, "cannot make an eventfd: %s", strerror(errno));
	for (unsigned i = 0; i < jobs; i++) {
		p->jobs[i].data = chunk_alloc(p->slx->chunk_size);
		if (!p->jobs[i].data)
			return fault_oom(err);
		chunk_pool_release(p, &p->jobs[i]);
	}
	threads = MIN_OF(MAX_OF(threads, 1u), (unsigned)THREADS_MAX);
	for (; p->threads_n < threads; p->threads_n++) {
		int r = -pthread_create(&p->threads[p->threads_n], NULL, worker, p);

		if (r < 0)
			return fault_set(err, r, "cannot start a thread: %s", strerror(-r));
	}
	return 0;
}

int chunk_pool_new(struct disk *d, const struct slx *slx, unsigned threads, struct chunk_pool **ret,
		   struct fault *err)
{
	AUTO(chunk_pool_freep) struct chunk_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return fault_oom(err);
	p->disk = d;
	p->slx = slx;
	p->event_fd = -1;
	p->queue_end = &p->queue;
	p->done_end = &p->done;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->finished, NULL);
	int r = pool_start(p, threads, err);
	if (r == 0)
		*ret = TAKE(p);
	return r;
}

void chunk_pool_free(struct chunk_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	while (p->threads_n > 0)
		pthread_join(p->threads[--p->threads_n], NULL);
	for (int i = 0; i < JOBS_MAX; i++)
		free(p->jobs[i].data);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->finished);
	closep(&p->event_fd);
	free(p);
}

void chunk_pool_freep(struct chunk_pool **p)
{
	chunk_pool_free(*p);
}

struct chunk_job *chunk_pool_take(struct chunk_pool *p)
{
	struct chunk_job *job = p->free_jobs;

	if (job)
		p->free_jobs = job->next;
	return job;
}

void chunk_pool_release(struct chunk_pool *p, struct chunk_job *job)
{
	job->next = p->free_jobs;
	p->free_jobs = job;
}

void chunk_pool_submit(struct chunk_pool *p, struct chunk_job *job, enum chunk_job_kind kind,
		       uint32_t index)
{
	job->kind = kind;
	job->index = index;
	job->len = kind == CHUNK_FLUSH ? 0 : slx_chunk_len(p->slx, index);
	job->result = 0;
	job->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->queue_end = job;
	p->queue_end = &job->next;
	p->running++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

struct chunk_job *chunk_pool_reap(struct chunk_pool *p)
{
	uint64_t count;

	pthread_mutex_lock(&p->lock);
	struct chunk_job *job = p->done;
	if (job) {
		p->done = job->next;
		if (!p->done)
			p->done_end = &p->done;
	} else {
		(void)!read(p->event_fd, &count, sizeof(count));
	}
	pthread_mutex_unlock(&p->lock);
	return job;
}

bool chunk_pool_wait(struct chunk_pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->done && p->running > 0)
		pthread_cond_wait(&p->finished, &p->lock);
	bool is_done = p->done != NULL;
	pthread_mutex_unlock(&p->lock);
	return is_done;
}

unsigned chunk_pool_running(struct chunk_pool *p)
{
	pthread_mutex_lock(&p->lock);
	unsigned n = p->running;
	pthread_mutex_unlock(&p->lock);
	return n;
}

int chunk_pool_fd(const struct chunk_pool *p)
{
	return p->event_fd;
}
