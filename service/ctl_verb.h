#pragma once
/*
 * Inside of the control socket: one const record per verb. A verb answers at once, or starts a job in a child process and answers when that has ended.
 */
#include <jansson.h>
#include <stdbool.h>
#include "common/fault.h"
#include "common/progress.h"
#include "service/images.h"
#include "service/service.h"

struct ctl_call;

struct ctl_verb {
	const char *name;
	bool needs_fd; /* the request carries a descriptor */
	/*
	 * 0 = done, *ret: object with the result's members (new reference; NULL = none). CTL_LATER = a job runs. Negative = failure; changes of the state
	 * are taken back.
	 */
	int (*run)(struct ctl_call *c, json_t **ret, struct fault *err);
};
#define CTL_LATER 1

/* Work in a child process: it can be long, crash or be killed without harm to the service. */
struct ctl_job {
	/* In the child. Everything but @keep_fds and the standard descriptors is closed there. */
	int (*work)(const struct ctl_job *job, struct progress *p, struct fault *err);
	/* In the service, when the work has ended well; as ctl_verb.run, without CTL_LATER. */
	int (*finish)(struct ctl_call *c, json_t **ret, struct fault *err);
	/* In the service, however it ended: takes back what is left over. */
	void (*cleanup)(struct ctl_call *c);
	int keep_fds[2]; /* borrowed; -1 = none */
	char tmp[32];    /* folder that the work fills */
	enum images_kind kind;
	int tmp_fd; /* of that folder; owned */
	struct os_image_spec os_spec;
};

struct ctl_call {
	struct service *service;
	json_t *args; /* object, borrowed */
	int fd;       /* what came with the request; -1 = none; owned by the connection */
	struct ctl_job job;
	bool has_job;
};

extern const struct ctl_verb *const ctl_verbs[]; /* NULL-terminated */

/* --- ctl_job.c --- */
struct ctl_child;
typedef void (*ctl_child_progress)(void *ctx, const char *json, size_t len);
/* @code: 0, or the work's (or its crash's) negative errno with @why. Called once; the child is gone then. */
typedef void (*ctl_child_done)(void *ctx, int code, const struct fault *why);
int ctl_child_start(struct event_base *base, const struct ctl_job *job, ctl_child_progress progress,
		    ctl_child_done done, void *ctx, struct ctl_child **ret, struct fault *err);
/* Kills the child and forgets it; done() is not called. NULL is fine. */
void ctl_child_free(struct ctl_child *c);
