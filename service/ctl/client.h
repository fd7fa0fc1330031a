#pragma once
/*
 * slipwayctl: talking to slipwayd over its control socket.
 */
#include <jansson.h>
#include <stdbool.h>
#include "common/fault.h"
#include "common/verb.h"

/* What the command line says; one per run. */
struct ctl {
	const char *state_dir;
	bool json;
	/* options of verbs */
	const char *label, *version, *arch, *role, *host_id, *ttl, *password_file;
	bool make_default;
};

#define CTL_STATE_DIR "/var/lib/slipway"

/*
 * Sends one request and waits for its end, showing progress on stderr. @args: object or NULL; takes the reference. @fd: passed
 * along, -1 = none. *ret: the result (new reference). Negative with a sentence when the service refuses or is not there.
 */
int ctl_request(const struct ctl *ctl, const char *verb, json_t *args, int fd, json_t **ret,
		struct fault *err);

/* Prints the sentence and returns EXIT_FAILED. */
int ctl_fail(const struct fault *err);
/* A request whose result only says that it was done: ctl_request(), then the JSON with --json. Returns the exit status. */
int ctl_simple(const struct ctl *ctl, const char *verb, json_t *args, int fd);
/* The result with --json. */
void ctl_print_json(const json_t *v);

/* Options that several verbs have. */
int ctl_set_json(void *ctx, const char *value, struct fault *err);

extern const struct verb verb_status, verb_backup;
extern const struct verb verb_base_image_add, verb_base_image_list, verb_base_image_remove;
extern const struct verb verb_os_image_add, verb_os_image_list, verb_os_image_remove,
	verb_os_image_default;
extern const struct verb verb_tokens_agent, verb_tokens_user, verb_tokens_revoke;
extern const struct verb verb_users_list, verb_users_add, verb_users_passwd, verb_users_remove;
