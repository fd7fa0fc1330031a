#include "hwprobe/device_heads.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "hwprobe/context.h"
#include "hwprobe/device_read.h"
#include "hwprobe/explain.h"
#include "hwprobe/record.h"

enum { BATCH_MAX = 256 };

struct item {
	const char *node; /* absolute; behind the last item */
	struct device_head head;
};

/*
 * Shared by the pass and the worker; the last one to leave unmaps it: with free(3) in a thread that has never allocated anything malloc
 * would make a heap for the thread first. Items before @at are finished and the pass's.
 */
struct batch {
	size_t size; /* of all of it */
	atomic_int refs;
	atomic_bool is_over;      /* nobody waits for the rest any more */
	atomic_size_t at;         /* the item at work */
	_Atomic int64_t since_ms; /* when it, or one behind it, was begun */
	sem_t finished;
	device_read_fn *read; /* instead of open and read; NULL = those */
	size_t n;
	struct item items[];
};

/* --- in the worker ------------------------------------------------------------------------------------------ */

static void batch_leave(struct batch *b)
{
	if (atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	sem_destroy(&b->finished);
	(void)munmap(b, b->size);
}

static ssize_t read_start(const struct batch *b, int fd, const char *node, void *data, size_t len)
{
	return b->read ? b->read(node, 0, data, len) : fd_pread(fd, data, len, 0);
}

/*
 * As far as the descriptor in one go: that is one command to the device, where two reads would be two. false = it failed, maybe behind
 * LBA 0.
 */
static bool read_both(const struct batch *b, int fd, const char *node, struct device_head *h)
{
	unsigned char data[HEAD_DESCRIPTOR_AT + HEAD_DESCRIPTOR_BYTES];
	ssize_t n = read_start(b, fd, node, data, sizeof(data));
	if (n < 0)
		return false;
	h->sector_result = MIN_OF(n, (ssize_t)sizeof(h->sector));
	memcpy(h->sector, data, (size_t)h->sector_result);
	h->descriptor_result = MAX_OF(n - HEAD_DESCRIPTOR_AT, (ssize_t)0);
	memcpy(h->descriptor, data + HEAD_DESCRIPTOR_AT, (size_t)h->descriptor_result);
	return true;
}

static void read_item(const struct batch *b, struct item *item)
{
	struct device_head *h = &item->head;
	AUTO(closep) int fd = b->read ? -1 : device_node_open(item->node);
	if (fd < 0 && !b->read)
		h->sector_result = fd;
	else if (!h->wants_descriptor || !read_both(b, fd, item->node, h))
		h->sector_result = read_start(b, fd, item->node, h->sector, sizeof(h->sector));
}

static void *work(void *arg)
{
	struct batch *b = arg;
	for (size_t i = 0; i < b->n && !atomic_load(&b->is_over); i++) {
		atomic_store(&b->since_ms, time_mono_ms());
		atomic_store(&b->at, i);
		read_item(b, &b->items[i]);
	}
	if (!atomic_load(&b->is_over))
		atomic_store(&b->at, b->n);
	sem_post(&b->finished);
	batch_leave(b);
	return NULL;
}

/* --- between the looks of a context -------------------------------------------------------------------------- */

/* Left behind by a look: until its worker comes back the device is not read again, which would leave one behind at each look. */
struct hung_head {
	struct hung_head *next;
	struct batch *batch;
	char path[];
};

/* Takes over the reference; without memory, or without a context, the device is just read again. */
static void hung_add(struct survey *s, struct batch *b, const char *path)
{
	struct hung_head *h = s->ctx ? malloc(sizeof(*h) + strlen(path) + 1) : NULL;
	if (!h) {
		batch_leave(b);
		return;
	}
	strcpy(h->path, path);
	h->batch = b;
	h->next = s->ctx->hung_heads;
	s->ctx->hung_heads = h;
}

static void hung_remove(struct hung_head **place)
{
	struct hung_head *h = *place;
	*place = h->next;
	batch_leave(h->batch);
	free(h);
}

/* Those whose worker has come back are over. */
static void hung_review(struct survey *s)
{
	for (struct hung_head **h = s->ctx ? &s->ctx->hung_heads : NULL; h && *h;)
		if (atomic_load(&(*h)->batch->refs) == 1)
			hung_remove(h);
		else
			h = &(*h)->next;
}

static bool is_hung(const struct survey *s, const char *path)
{
	for (const struct hung_head *h = s->ctx ? s->ctx->hung_heads : NULL; h; h = h->next)
		if (!strcmp(h->path, path))
			return true;
	return false;
}

void device_heads_forget(struct hwp_ctx *ctx)
{
	while (ctx->hung_heads)
		hung_remove(&ctx->hung_heads);
}

/* --- in the pass -------------------------------------------------------------------------------------------- */

static struct batch *batch_new(struct survey *s, const struct device_head *heads, size_t n)
{
	size_t bytes = sizeof(struct batch) + n * sizeof(struct item), names = 0;
	for (size_t i = 0; i < n; i++)
		names += strlen(heads[i].path) + strlen("/") + 1;
	struct batch *b = mmap(NULL, bytes + names, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED)
		return NULL;
	b->size = bytes + names;
	char *name = (char *)b + bytes;
	sem_init(&b->finished, 0, 0);
	atomic_init(&b->refs, 2);
	atomic_init(&b->since_ms, time_mono_ms());
	b->read = s->read_device;
	b->n = n;
	for (size_t i = 0; i < n; i++) {
		b->items[i].head.wants_descriptor = heads[i].wants_descriptor;
		b->items[i].node = name;
		*name = '/';
		name = stpcpy(name + 1, heads[i].path) + 1;
	}
	return b;
}

static int64_t limit_ms(const struct survey *s, struct batch *b)
{
	return MIN_OF(atomic_load(&b->since_ms) + s->opt->device_timeout_ms, s->deadline_ms);
}

/* Until all are read or one has taken too long; how many are. */
static size_t batch_wait(const struct survey *s, struct batch *b)
{
	for (;;) {
		int64_t end_ms = limit_ms(s, b);
		struct timespec end = { .tv_sec = end_ms / 1000,
					.tv_nsec = end_ms % 1000 * 1000000 };
		/* All of them; the load is what thread checkers can see, which do not know sem_clockwait(3). */
		if (sem_clockwait(&b->finished, CLOCK_MONOTONIC, &end) == 0)
			return atomic_load(&b->at);
		/* The item first: what was begun since then has a later limit. */
		size_t at = atomic_load(&b->at);
		if (errno != EINTR && time_mono_ms() >= limit_ms(s, b))
			return at;
	}
}

static void keep_result(struct survey *s, struct device_head *to, const struct device_head *from)
{
	const char *path = to->path;
	*to = *from;
	to->path = path;
	if (to->sector_result > 0)
		record_device(s->root, path, 0, to->sector, (size_t)to->sector_result);
	if (to->descriptor_result > 0)
		record_device(s->root, path, HEAD_DESCRIPTOR_AT, to->descriptor,
			      (size_t)to->descriptor_result);
	if (to->sector_result < 0)
		device_record_errno(s, path, (int)-to->sector_result);
}

static void fail(struct survey *s, struct device_head *h, int err)
{
	h->sector_result = -err;
	device_record_errno(s, h->path, err);
}

/* Reads some at the beginning of the list; how many are finished, those that hang included. */
static size_t read_batch(struct survey *s, struct device_head *heads, size_t n)
{
	struct batch *b = batch_new(s, heads, MIN_OF(n, (size_t)BATCH_MAX));
	int rc = b ? device_worker_start(s, work, b) : -ENOMEM;
	if (rc < 0) {
		for (size_t i = 0; i < n; i++)
			fail(s, &heads[i], -rc);
		if (b)
			(void)munmap(b, b->size);
		return n;
	}
	size_t count = b->n, done = batch_wait(s, b);
	atomic_store(&b->is_over, true);
	for (size_t i = 0; i < done; i++)
		keep_result(s, &heads[i], &b->items[i].head);
	if (done < count) {
		hung_add(s, b, heads[done].path);
		fail(s, &heads[done], ETIMEDOUT);
		return done + 1;
	}
	s->workers--; /* only those left behind count: there may be more batches than those */
	batch_leave(b);
	return done;
}

/* As read_batch(), of those that do not hang since an earlier look. */
static size_t read_some(struct survey *s, struct device_head *heads, size_t n)
{
	size_t count = 0;
	while (count < n && !is_hung(s, heads[count].path))
		count++;
	if (count)
		return read_batch(s, heads, count);
	fail(s, heads, ETIMEDOUT);
	return 1;
}

static void read_one_by_one(struct survey *s, struct device_head *heads, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct device_head *h = &heads[i];
		h->sector_result = device_read(s, h->path, 0, h->sector, sizeof(h->sector));
		if (h->wants_descriptor && h->sector_result == sizeof(h->sector))
			h->descriptor_result = device_read(s, h->path, HEAD_DESCRIPTOR_AT,
							   h->descriptor, sizeof(h->descriptor));
	}
}

void device_read_heads(struct survey *s, struct device_head *heads, size_t n)
{
	if (!s->root->is_live) {
		read_one_by_one(s, heads, n);
		return;
	}
	hung_review(s);
	for (size_t done = 0; done < n;)
		done += read_some(s, heads + done, n - done);
	for (size_t i = 0; i < n; i++)
		explain_read(s, heads[i].path,
			     heads[i].sector_result < 0 ? (int)-heads[i].sector_result : 0);
}
