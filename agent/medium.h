#pragma once
/*
 * The medium that the live system runs from, where it is mounted (a CoreOS live ISO; Slipway's own
 * discovery system is in memory). Virtual media of a BMC get lost: the service is told, by exit code
 * 256 of the steps, before the machine stumbles over it. A read of a lost medium may take minutes, so
 * it happens in a thread.
 */
#include <event2/event.h>
#include <stdbool.h>
#include "common/fault.h"

#define MEDIUM_MOUNT "/run/media/iso"
#define MEDIUM_NAME_MAX 256
#define MEDIUM_WAIT_MS 10000 /* a read that takes longer is taken as failed */

/*
 * What is mounted at @where by the mountinfo below @rootfd ("/" or a made-up tree): 1 and its source,
 * 0 = nothing is. The last of several mounts counts.
 */
int medium_find(int rootfd, const char *where, char ret_source[MEDIUM_NAME_MAX]);
/* Two bytes from the device itself, not from the cache. 0 or -errno. May block for long. */
int medium_read(const char *source);

/* @code: of medium_read(); -ETIMEDOUT; -EBUSY: an earlier read still hangs. */
typedef void (*medium_fn)(void *ctx, int code);
struct medium;
struct medium *medium_new(struct event_base *base, const char *source); /* NULL = no memory */
/* Calls @fn once, on the loop; at once where the answer is known. One check at a time: else -EALREADY and no call. */
int medium_check(struct medium *m, int wait_ms, medium_fn fn, void *ctx);
/* A check that runs is not answered any more. NULL is fine. */
void medium_free(struct medium *m);

/*
 * Keeps all that is mapped from files (the program, its libraries) in memory: a page that must come
 * from a lost medium kills the process. Returns the number of bytes, or -errno.
 */
int64_t medium_pin(void);
