#include "hwprobe/device_read.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"
#include "hwprobe/explain.h"
#include "hwprobe/record.h"

enum { ERRNO_MAX = 4096 }; /* include/linux/err.h MAX_ERRNO */

/*
 * Shared by the pass and one worker; the last one to leave frees it. A request is handed over and back by semaphores: one call
 * of the kernel on either side, where a condition with its lock takes four.
 */
struct device_reader {
	sem_t asked, answered;
	atomic_int refs;
	atomic_bool is_over; /* nobody waits for an answer any more */
	atomic_bool is_done; /* with the request */
	device_read_fn *read;
	char path[ROOT_PATH_MAX]; /* absolute */
	uint64_t offset;
	size_t len;
	ssize_t result;
	unsigned char data[DEVICE_READ_MAX]; /* last: pages that are not used are never touched */
};

int device_node_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_node(const char *path, uint64_t offset, void *data, size_t len)
{
	AUTO(closep) int fd = device_node_open(path);
	return fd < 0 ? fd : fd_pread(fd, data, len, offset);
}

static void reader_leave(struct device_reader *r)
{
	if (atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	sem_destroy(&r->asked);
	sem_destroy(&r->answered);
	free(r);
}

static void *work(void *arg)
{
	struct device_reader *r = arg;
	for (;;) {
		while (sem_wait(&r->asked) < 0 && errno == EINTR)
			;
		if (atomic_load(&r->is_over))
			break;
		r->result = r->read(r->path, r->offset, r->data, r->len);
		atomic_store(&r->is_done, true);
		sem_post(&r->answered);
	}
	reader_leave(r);
	return NULL;
}

static struct device_reader *reader_new(void)
{
	struct device_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	sem_init(&r->asked, 0, 0);
	sem_init(&r->answered, 0, 0);
	atomic_init(&r->refs, 2);
	return r;
}

int device_worker_start(struct survey *s, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	pthread_t thread;
	if (s->workers == DEVICE_WORKERS_MAX)
		return -ETIMEDOUT; /* enough hang already */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int rc = pthread_create(&thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return -rc;
	pthread_detach(thread);
	s->workers++;
	return 0;
}

static int reader_start(struct survey *s)
{
	struct device_reader *r = reader_new();
	int rc = r ? device_worker_start(s, work, r) : -ENOMEM;
	if (!rc) {
		s->reader = r;
		return 0;
	}
	if (r) {
		reader_leave(r);
		reader_leave(r);
	}
	return rc;
}

void device_reader_close(struct survey *s)
{
	struct device_reader *r = TAKE(s->reader);
	if (!r)
		return;
	atomic_store(&r->is_over, true);
	sem_post(&r->asked);
	reader_leave(r);
}

static struct timespec time_limit(const struct survey *s)
{
	int64_t end_ms = MIN_OF(time_mono_ms() + s->opt->device_timeout_ms, s->deadline_ms);
	return (struct timespec){ .tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000 };
}

static ssize_t ask(struct survey *s, device_read_fn *fn, const char *path, uint64_t offset,
		   void *data, size_t len)
{
	struct device_reader *r = s->reader;
	struct timespec end = time_limit(s);
	int rc;
	snprintf(r->path, sizeof(r->path), "/%s", path);
	r->read = fn;
	r->offset = offset;
	r->len = len;
	atomic_store(&r->is_done, false);
	sem_post(&r->asked);
	while ((rc = sem_clockwait(&r->answered, CLOCK_MONOTONIC, &end)) < 0 && errno == EINTR)
		;
	/* The load is what thread checkers can see, which do not know sem_clockwait(3). */
	if (rc == 0 && atomic_load(&r->is_done)) {
		if (r->result > 0)
			memcpy(data, r->data, (size_t)r->result);
		return r->result;
	}
	device_reader_close(s);
	return -ETIMEDOUT;
}

ssize_t device_ask(struct survey *s, device_read_fn *fn, const char *path, uint64_t offset,
		   void *data, size_t len)
{
	if (!s->root->is_live)
		return -EINVAL;
	if (len > DEVICE_READ_MAX || strlen(path) + 2 > ROOT_PATH_MAX)
		return -EMSGSIZE;
	int rc = s->reader ? 0 : reader_start(s);
	return rc < 0 ? rc : ask(s, fn, path, offset, data, len);
}

/* "dev/sda.errno": a device that could not be read is recorded, too. 0 = it is not. */
static int recorded_errno(struct survey *s, const char *path)
{
	char name[ROOT_PATH_MAX], text[16];
	int64_t err;
	if (snprintf(name, sizeof(name), "%s.errno", path) >= (int)sizeof(name) ||
	    root_attr(s->root, name, text, sizeof(text)) < 0)
		return 0;
	return str_to_i64(str_trim(text), &err) == 0 && err > 0 && err < ERRNO_MAX ? (int)err : 0;
}

static ssize_t recorded(struct survey *s, const char *path, uint64_t offset, void *data, size_t len)
{
	int err = recorded_errno(s, path);
	if (err)
		return -err;
	AUTO(closep) int fd = root_fd(s->root, path, O_RDONLY);
	return fd < 0 ? fd : fd_pread(fd, data, len, offset);
}

void device_record_errno(struct survey *s, const char *path, int err)
{
	char name[ROOT_PATH_MAX], text[16];
	snprintf(text, sizeof(text), "%d\n", err);
	if (err != ENOENT && snprintf(name, sizeof(name), "%s.errno", path) < (int)sizeof(name))
		record_file(s->root, name, text, strlen(text));
}

/* From the node, or from the file of that name in a recorded tree. */
static ssize_t read_somewhere(struct survey *s, const char *path, uint64_t offset, void *data,
			      size_t len)
{
	if (len > DEVICE_READ_MAX || strlen(path) + 2 > ROOT_PATH_MAX)
		return -EMSGSIZE;
	if (!s->root->is_live)
		return recorded(s, path, offset, data, len);
	return device_ask(s, s->read_device ? s->read_device : read_node, path, offset, data, len);
}

ssize_t device_read(struct survey *s, const char *path, uint64_t offset, void *data, size_t len)
{
	ssize_t n = read_somewhere(s, path, offset, data, len);
	if (n > 0)
		record_device(s->root, path, offset, data, (size_t)n);
	if (n < 0 && s->root->is_live)
		device_record_errno(s, path, (int)-n);
	explain_read(s, path, n < 0 ? (int)-n : 0);
	return n;
}

/* In a recorded tree: what ends the file ends the device. */
static ssize_t recorded_tail(struct survey *s, const char *path, void *data, size_t len)
{
	struct stat st;
	AUTO(closep) int fd = root_fd(s->root, path, O_RDONLY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	size_t n = MIN_OF(len, (size_t)st.st_size);
	ssize_t got = fd_pread(fd, (char *)data + len - n, n, (uint64_t)st.st_size - n);
	return got < 0 ? got : (ssize_t)len;
}

ssize_t device_read_tail(struct survey *s, const char *path, uint64_t size, void *data, size_t len)
{
	char tail[ROOT_PATH_MAX];
	if (size < len || snprintf(tail, sizeof(tail), "%s.tail", path) >= (int)sizeof(tail))
		return -EMSGSIZE;
	memset(data, 0, len);
	if (!s->root->is_live)
		return recorded_tail(s, tail, data, len);
	ssize_t n = read_somewhere(s, path, size - len, data, len);
	if (n == (ssize_t)len)
		record_device(s->root, tail, 0, data, len);
	return n;
}
