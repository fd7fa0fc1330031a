#include "service/host_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "common/cleanup.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/str.h"

#define FOLDER "logs"
#define TMP_PREFIX "tmp-"
#define SUFFIX ".tar.gz"
#define TIDY_SOON_S 1
#define TIDY_EVERY_S 600
#define WRITE_BACK (1u << 20) /* so that the sync at the end finds little to do */

struct host_logs {
	struct service *svc;
	int dirfd;
	uint64_t used; /* bytes of all files, uploads too */
	unsigned n_uploads;
	struct host_logs_file *uploads; /* all that are on their way */
	struct event *tidy;
};

struct host_logs_file {
	struct host_logs *logs;
	struct host_logs_file *next;
	char infra_env_id[UUID_LEN + 1];
	int fd;
	char tmp[32];
	uint64_t len, written_back;
	uint64_t older; /* bytes that it will take the place of: they do not count */
};

/* "INFRA_ENV_ID.HOST_ID.tar.gz" */
static void name_of(const char *infra_env_id, const char *host_id, char ret[HOST_LOGS_NAME_LEN])
{
	snprintf(ret, HOST_LOGS_NAME_LEN, "%s.%s" SUFFIX, infra_env_id, host_id);
}

static bool has_owner(const struct host_logs *l, const char *name)
{
	char id[UUID_LEN + 1], host_id[UUID_LEN + 1], again[HOST_LOGS_NAME_LEN];

	if (strlen(name) != 2 * UUID_LEN + 1 + strlen(SUFFIX))
		return false;
	memcpy(id, name, UUID_LEN);
	memcpy(host_id, name + UUID_LEN + 1, UUID_LEN);
	id[UUID_LEN] = host_id[UUID_LEN] = '\0';
	name_of(id, host_id, again);
	const struct host *h = strcmp(again, name) ? NULL : state_host(l->svc->state, id, host_id);
	return h && h->logs_collected_at;
}

/* --- tidying --- */

static void tidy_entry(struct host_logs *l, const char *name, bool with_tmp)
{
	bool is_tmp = str_starts(name, TMP_PREFIX);
	struct stat st;

	if (is_tmp ? with_tmp : !has_owner(l, name)) {
		if (unlinkat(l->dirfd, name, 0) < 0 && errno != ENOENT)
			log_warning("cannot remove " FOLDER "/%s: %s", name, strerror(errno));
		return;
	}
	if (fstatat(l->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		l->used += (uint64_t)st.st_size;
}

static void tidy(struct host_logs *l, bool with_tmp)
{
	AUTO(closep) int fd = openat(l->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		log_warning("cannot list the folder " FOLDER ": %s", strerror(errno));
		return;
	}
	(void)TAKE_FD(fd); /* the stream owns it */
	l->used = 0;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] != '.')
			tidy_entry(l, e->d_name, with_tmp);
	}
}

static void tidy_in(struct host_logs *l, time_t seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	if (l->tidy)
		evtimer_add(l->tidy, &tv);
}

static void on_tidy(evutil_socket_t fd, short what, void *ctx)
{
	struct host_logs *l = ctx;

	host_logs_tidy(l);
	tidy_in(l, TIDY_EVERY_S);
}

void host_logs_tidy(struct host_logs *l)
{
	tidy(l, false);
}

void host_logs_tidy_soon(struct host_logs *l)
{
	if (l)
		tidy_in(l, TIDY_SOON_S);
}

int host_logs_new(struct service *svc, struct host_logs **ret, struct fault *err)
{
	int r = dir_make_at(svc->state_dirfd, FOLDER, 0700, err);
	if (r < 0)
		return r;
	struct host_logs *l = calloc(1, sizeof(*l));
	if (!l)
		return fault_oom(err);
	l->svc = svc;
	l->dirfd =
		openat(svc->state_dirfd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (l->dirfd < 0) {
		r = fault_set(err, -errno, "cannot open the folder " FOLDER ": %s",
			      strerror(errno));
		free(l);
		return r;
	}
	l->tidy = evtimer_new(svc->base, on_tidy, l);
	tidy(l, true);
	tidy_in(l, TIDY_EVERY_S);
	*ret = l;
	return 0;
}

void host_logs_free(struct host_logs *l)
{
	if (!l)
		return;
	if (l->tidy)
		event_free(l->tidy);
	close(l->dirfd);
	free(l);
}

/* --- taking --- */

/* A disk that logs have filled would stop the store, and with it everything. */
static bool is_disk_full(const struct host_logs *l, uint64_t more)
{
	uint64_t reserve = l->svc->config->logs_reserve;
	struct statvfs st;

	if (fstatvfs(l->dirfd, &st) < 0)
		return false;
	uint64_t room = (uint64_t)st.f_bavail * st.f_frsize;
	return room < reserve || room - reserve < more;
}

static bool is_within_quota(const struct host_logs *l, uint64_t more, uint64_t older)
{
	uint64_t quota = l->svc->config->logs_quota, used = l->used - MIN_OF(l->used, older);

	return used <= quota && more <= quota - used;
}

/* Is there room for @more bytes? What belongs to nobody any more goes first. */
static int make_room(struct host_logs *l, uint64_t more, uint64_t older, struct fault *err)
{
	if (is_within_quota(l, more, older) && !is_disk_full(l, more))
		return 0;
	host_logs_tidy(l);
	if (is_disk_full(l, more))
		return fault_set(err, -EAGAIN,
				 "the disk has no room for logs of hosts (logs_reserve)");
	if (is_within_quota(l, more, older))
		return 0;
	return fault_set(
		err, -EAGAIN,
		"there is no room for more logs of hosts: %llu bytes are the most (logs_quota), deleting hosts makes room",
		(unsigned long long)l->svc->config->logs_quota);
}

static uint64_t size_of(const struct host_logs *l, const char *name)
{
	struct stat st;

	return fstatat(l->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size : 0;
}

/* Slow senders are let be, so that all places could be taken by those who have one infra-env's token: it has no more than its share. */
static int check_places(const struct host_logs *l, const char *infra_env_id, struct fault *err)
{
	unsigned n = 0;

	for (const struct host_logs_file *f = l->uploads; f; f = f->next)
		n += !strcmp(f->infra_env_id, infra_env_id);
	if (l->n_uploads < HOST_LOGS_UPLOADS_MAX && n < HOST_LOGS_UPLOADS_SHARE)
		return 0;
	return fault_set(err, -EAGAIN, "%u hosts are sending their logs, try again later",
			 l->n_uploads);
}

int host_logs_begin(struct host_logs *l, const struct host *h, struct host_logs_file **ret,
		    struct fault *err)
{
	char name[HOST_LOGS_NAME_LEN];
	uint64_t n;

	name_of(h->infra_env_id, h->id, name);
	uint64_t older = size_of(l, name);
	int r = check_places(l, h->infra_env_id, err);
	if (r == 0)
		r = make_room(l, 1, older, err);
	if (r < 0)
		return r;
	struct host_logs_file *f = calloc(1, sizeof(*f));
	if (!f)
		return fault_oom(err);
	random_bytes(&n, sizeof(n));
	snprintf(f->tmp, sizeof(f->tmp), TMP_PREFIX "%016llx", (unsigned long long)n);
	f->fd = openat(l->dirfd, f->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		r = fault_set(err, -errno, "cannot make a file for logs: %s", strerror(errno));
		free(f);
		return r;
	}
	f->logs = l;
	f->older = older;
	memcpy(f->infra_env_id, h->infra_env_id, sizeof(f->infra_env_id));
	f->next = l->uploads;
	l->uploads = f;
	l->n_uploads++;
	*ret = f;
	return 0;
}

static void file_free(struct host_logs_file *f)
{
	struct host_logs_file **at = &f->logs->uploads;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->logs->n_uploads--;
	close(f->fd);
	free(f);
}

void host_logs_abandon(struct host_logs_file *f)
{
	if (!f)
		return;
	struct host_logs *l = f->logs;
	(void)unlinkat(l->dirfd, f->tmp, 0);
	/* a tidy may have counted in between, before all of it was written */
	l->used -= MIN_OF(l->used, f->len);
	file_free(f);
}

int host_logs_write(struct host_logs_file *f, const void *data, size_t len, struct fault *err)
{
	struct host_logs *l = f->logs;
	uint64_t max = l->svc->config->logs_max_size;

	if (len > max || f->len > max - len)
		return fault_set(err, -E2BIG,
				 "the logs of a host have more than %llu bytes (logs_max_size)",
				 (unsigned long long)max);
	int r = make_room(l, len, f->older, err);
	if (r == 0)
		r = fd_write(f->fd, data, len);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return fault_set(err, r == -ENOSPC || r == -EDQUOT ? -EAGAIN : r,
				 "cannot write logs: %s", strerror(-r));
	f->len += len;
	l->used += len;
	if (f->len - f->written_back >= WRITE_BACK) {
		(void)sync_file_range(f->fd, (off_t)f->written_back,
				      (off_t)(f->len - f->written_back), SYNC_FILE_RANGE_WRITE);
		f->written_back = f->len;
	}
	return 0;
}

int host_logs_finish(struct host_logs_file *f, const struct host *h, struct fault *err)
{
	struct host_logs *l = f->logs;
	char name[HOST_LOGS_NAME_LEN];

	name_of(h->infra_env_id, h->id, name);
	int r = fd_sync(f->fd, f->tmp, err);
	uint64_t older = r == 0 ? size_of(l, name) : 0;
	if (r == 0 && renameat(l->dirfd, f->tmp, l->dirfd, name) < 0)
		r = fault_set(err, -errno, "cannot move logs to their place: %s", strerror(errno));
	if (r < 0) {
		host_logs_abandon(f);
		return r;
	}
	l->used -= MIN_OF(l->used, older);
	r = fd_sync(l->dirfd, FOLDER, err);
	file_free(f);
	return r;
}

/* --- giving --- */

int host_logs_find(const struct host_logs *l, const struct host *h,
		   char ret_name[HOST_LOGS_NAME_LEN], uint64_t *ret_size, struct fault *err)
{
	name_of(h->infra_env_id, h->id, ret_name);
	uint64_t size = h->logs_collected_at ? size_of(l, ret_name) : 0;
	if (!size)
		return fault_set(err, -ENOENT, "no logs of host %s are there", h->id);
	*ret_size = size;
	return 0;
}

int host_logs_dirfd(const struct host_logs *l)
{
	return l->dirfd;
}
