#pragma once
/*
 * Logs that hosts have sent: files in DIR/logs, outside of the store. A file belongs to the host named by it as long as that host's
 * logs_collected_at is set; any other is removed by host_logs_tidy(). Names that begin with "tmp-" are uploads on their way.
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "service/service.h"

#define HOST_LOGS_UPLOADS_MAX 32   /* at once */
#define HOST_LOGS_UPLOADS_SHARE 24 /* of one infra-env */
#define HOST_LOGS_NAME_LEN (2 * UUID_LEN + 16)

struct host_logs;

/* Opens and tidies the folder. */
int host_logs_new(struct service *svc, struct host_logs **ret, struct fault *err);
void host_logs_free(struct host_logs *l);

/* --- taking --- */
struct host_logs_file;
/* -EAGAIN: too many at once, or no room for any more (503). */
int host_logs_begin(struct host_logs *l, const struct host *h, struct host_logs_file **ret,
		    struct fault *err);
/* -E2BIG: more than one host may send; -EAGAIN: no room. */
int host_logs_write(struct host_logs_file *f, const void *data, size_t len, struct fault *err);
/*
 * Makes it the logs of @h, durable, in the place of older ones. The caller then sets h->logs_collected_at. Frees @f, whatever happens.
 */
int host_logs_finish(struct host_logs_file *f, const struct host *h, struct fault *err);
/* Takes it back; NULL is fine. */
void host_logs_abandon(struct host_logs_file *f);

/* --- giving --- */
/* The file of @h and its size. -ENOENT. */
int host_logs_find(const struct host_logs *l, const struct host *h,
		   char ret_name[HOST_LOGS_NAME_LEN], uint64_t *ret_size, struct fault *err);
int host_logs_dirfd(const struct host_logs *l);

/* --- tidying --- */
/* Removes what belongs to no host and counts what is there. */
void host_logs_tidy(struct host_logs *l);
/* Hosts may have gone with the running request: tidies when it has been committed. */
void host_logs_tidy_soon(struct host_logs *l);
