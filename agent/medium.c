#include "agent/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/str.h"

#define MOUNTINFO_MAX (4u << 20)
#define CACHED_BYTES (1u << 20)

/* What loop and thread have in common; the last one frees it. */
struct shared {
	atomic_int users;
	atomic_bool is_reading;
	char source[MEDIUM_NAME_MAX];
};

struct medium {
	struct event_base *base;
	struct shared *shared;
	struct event *event;
	int fd; /* the thread's word comes here; -1 = no check runs */
	medium_fn fn;
	void *ctx;
};

/* proc_pid_mountinfo(5): id parent MAJ:MIN root mountpoint options [optional…] - type source options */
int medium_find(int rootfd, const char *where, char ret_source[MEDIUM_NAME_MAX])
{
	AUTO(freep) char *text = NULL;
	char *save = NULL;
	size_t len;
	int found = 0;

	if (file_read_at(rootfd, "proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, NULL) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char point[4096], source[4096];
		const char *dash = strstr(line, " - ");

		if (dash && sscanf(line, "%*u %*u %*s %*s %4095s", point) == 1 &&
		    sscanf(dash + 3, "%*s %4095s", source) == 1 && str_eq(point, where) &&
		    str_copy(ret_source, MEDIUM_NAME_MAX, source))
			found = 1;
	}
	return found;
}

int medium_read(const char *source)
{
	AUTO(closep) int fd = open(source, O_RDONLY | O_CLOEXEC);
	char two[2];

	if (fd < 0)
		return -errno;
	(void)posix_fadvise(fd, 0, CACHED_BYTES, POSIX_FADV_DONTNEED);
	ssize_t n = fd_pread(fd, two, sizeof(two), 0);
	if (n < 0)
		return (int)n;
	return n == sizeof(two) ? 0 : -EIO;
}

static void shared_drop(struct shared *s)
{
	if (atomic_fetch_sub(&s->users, 1) == 1)
		free(s);
}

struct medium *medium_new(struct event_base *base, const char *source)
{
	struct medium *m = calloc(1, sizeof(*m));
	struct shared *s = calloc(1, sizeof(*s));

	if (!m || !s || !str_copy(s->source, sizeof(s->source), source)) {
		free(m);
		free(s);
		return NULL;
	}
	atomic_init(&s->users, 1);
	*m = (struct medium){ .base = base, .shared = s, .fd = -1 };
	return m;
}

struct job {
	struct shared *shared;
	int fd; /* owned */
};

static void *thread_main(void *arg)
{
	struct job job = *(struct job *)arg;

	free(arg);
	int32_t code = medium_read(job.shared->source);
	/* First, so that who has the answer may ask again. */
	atomic_store(&job.shared->is_reading, false);
	(void)!write(job.fd, &code, sizeof(code)); /* nobody may be listening any more */
	close(job.fd);
	shared_drop(job.shared);
	return NULL;
}

static void check_end(struct medium *m)
{
	if (m->event)
		event_free(m->event);
	m->event = NULL;
	closep(&m->fd);
	m->fd = -1;
}

static void on_word(evutil_socket_t fd, short what, void *ctx)
{
	struct medium *m = ctx;
	int32_t code = -ETIMEDOUT;

	if ((what & EV_READ) && read(fd, &code, sizeof(code)) != sizeof(code))
		code = -EIO;
	check_end(m);
	m->fn(m->ctx, code);
}

static int thread_start(struct medium *m, int fd)
{
	struct job *job = malloc(sizeof(*job));
	pthread_attr_t attr;
	pthread_t thread;

	if (!job) {
		close(fd);
		return -ENOMEM;
	}
	*job = (struct job){ m->shared, fd };
	atomic_fetch_add(&m->shared->users, 1);
	atomic_store(&m->shared->is_reading, true);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	int r = -pthread_create(&thread, &attr, thread_main, job);
	pthread_attr_destroy(&attr);
	if (r < 0) {
		atomic_store(&m->shared->is_reading, false);
		shared_drop(m->shared);
		close(fd);
		free(job);
	}
	return r;
}

int medium_check(struct medium *m, int wait_ms, medium_fn fn, void *ctx)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	int fds[2];

	if (m->fd >= 0)
		return -EALREADY;
	if (atomic_load(&m->shared->is_reading)) {
		fn(ctx, -EBUSY);
		return 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	m->fd = fds[0];
	m->fn = fn;
	m->ctx = ctx;
	int r = thread_start(m, fds[1]);
	m->event = r < 0 ? NULL : event_new(m->base, m->fd, EV_READ, on_word, m);
	if (r == 0 && (!m->event || event_add(m->event, &wait) < 0))
		r = -ENOMEM;
	if (r < 0)
		check_end(m);
	return r;
}

void medium_free(struct medium *m)
{
	if (!m)
		return;
	check_end(m);
	shared_drop(m->shared);
	free(m);
}

/* proc_pid_maps(5): START-END perms offset dev inode path */
int64_t medium_pin(void)
{
	AUTO(freep) char *text = NULL;
	char *save = NULL;
	int64_t total = 0;
	size_t len;
	int r = file_read_at(AT_FDCWD, "/proc/self/maps", MOUNTINFO_MAX, &text, &len, NULL);

	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, end, inode;
		char readable;

		if (sscanf(line, "%lx-%lx %c%*s %*s %*s %lu", &start, &end, &readable, &inode) !=
			    4 ||
		    readable != 'r' || !inode || end <= start)
			continue;
		if (mlock((const void *)start, end - start) < 0)
			return -errno;
		total += (int64_t)(end - start);
	}
	return total;
}
