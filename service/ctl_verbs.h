#pragma once
/*
 * The list of verbs of the control socket, and what several of them need.
 */
#include "service/ctl_verb.h"

extern const struct ctl_verb ctl_status, ctl_backup;
extern const struct ctl_verb ctl_base_image_add, ctl_base_image_list, ctl_base_image_remove;
extern const struct ctl_verb ctl_os_image_add, ctl_os_image_list, ctl_os_image_remove,
	ctl_os_image_default;
extern const struct ctl_verb ctl_tokens_agent, ctl_tokens_user, ctl_tokens_revoke;
extern const struct ctl_verb ctl_users_list, ctl_users_add, ctl_users_passwd, ctl_users_remove;

/* A text argument; NULL = absent, empty, or no text. */
const char *ctl_arg(const struct ctl_call *c, const char *name);
/* The same, but needed: NULL with a fault. */
const char *ctl_arg_needed(const struct ctl_call *c, const char *name, struct fault *err);
/* {"id","arch",…} of a base image: new reference. */
json_t *ctl_base_image_json(const struct base_image *b);
/* Begins a job that fills a new folder of @kind. Returns CTL_LATER or an error. */
int ctl_job_begin(struct ctl_call *c, enum images_kind kind, struct fault *err);
