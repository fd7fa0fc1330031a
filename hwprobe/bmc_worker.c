#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include "common/cleanup.h"
#include "common/str.h"
#include "hwprobe/bmc.h"

/* Shared by the context and the thread; the last one to leave frees it. */
struct bmc_worker {
	pthread_mutex_t lock;
	pthread_cond_t done;
	int refs;
	bool is_done, has_more;
	unsigned timeout_ms;
	ipmi_exchange_fn *exchange;
	struct bmc_answer answer;
};

/* Called with the lock held; gives it up. */
static void leave(struct bmc_worker *w)
{
	bool is_last = --w->refs == 0;
	pthread_mutex_unlock(&w->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->done);
	free(w->answer.transcript);
	free(w);
}

static void talk(const struct bmc_worker *w, struct bmc_answer *ret)
{
	AUTO(ipmi_done) struct ipmi i;
	AUTO(buf_done) struct buf transcript;
	buf_init(&transcript, IPMI_TRANSCRIPT_MAX);
	ret->rc = ipmi_open(&i, w->exchange, w->timeout_ms);
	i.transcript = &transcript;
	if (!ret->rc)
		ret->rc = bmc_ask(&i, w->has_more, &ret->info);
	if (transcript.len)
		ret->transcript = buf_take(&transcript);
}

static void *work(void *arg)
{
	struct bmc_worker *w = arg;
	struct bmc_answer answer = { 0 };
	talk(w, &answer);
	pthread_mutex_lock(&w->lock);
	w->answer = answer;
	w->is_done = true;
	pthread_cond_signal(&w->done);
	leave(w);
	return NULL;
}

static struct bmc_worker *new_worker(void)
{
	struct bmc_worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	if (!w)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	w->refs = 2;
	return w;
}

int bmc_worker_start(struct bmc_worker **ret, ipmi_exchange_fn *exchange, unsigned timeout_ms,
		     bool has_more)
{
	sigset_t all, before;
	pthread_t thread;
	struct bmc_worker *w = new_worker();
	if (!w)
		return -ENOMEM;
	w->exchange = exchange;
	w->timeout_ms = timeout_ms;
	w->has_more = has_more;
	sigfillset(&all); /* signals are the program's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int rc = pthread_create(&thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		w->refs = 1;
		bmc_worker_leave(w);
		return -rc;
	}
	pthread_detach(thread);
	*ret = w;
	return 0;
}

int bmc_worker_wait(struct bmc_worker *w, int64_t end_ms, struct bmc_answer *ret)
{
	const struct timespec end = { .tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000 };
	int rc = 0;
	pthread_mutex_lock(&w->lock);
	while (!w->is_done && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&w->done, &w->lock, &end);
	bool is_done = w->is_done;
	if (is_done) {
		*ret = w->answer;
		w->answer.transcript = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	return is_done ? 0 : -ETIMEDOUT;
}

void bmc_worker_leave(struct bmc_worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	leave(w);
}
