#pragma once
/*
 * Settings of slipwayd: defaults, then /etc/slipway/slipwayd.conf, then the command line.
 */
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/wire/stage.h"

enum auth_mode { AUTH_MODE_LOCAL, AUTH_MODE_NONE };

struct service_config {
	char *https, *http; /* ADDR:PORT; http may be "off" */
	char *state_dir;
	char *auth;             /* "local" or "none" */
	char *store;            /* "sqlite" */
	bool plain_api;         /* the APIs on the plain listener too (auth=none implies it) */
	char *service_base_url; /* https://HOST:PORT, no path: goes into media; port 0 = the listener's */
	char *image_base_url;   /* what image-url answers with; NULL = service_base_url */
	char *payload_base_url; /* plain HTTP; NULL = http://<host of service_base_url>:<http port> */
	char *names;            /* csv: more names for the server certificate */
	char *default_version;
	char *agent_image, *installer_image, *controller_image, *service_image;
	bool upgrade_agent;
	char *disabled_validations, *disabled_steps; /* csv */
	uint64_t instruction_interval_ms, slow_interval_ms;
	uint64_t max_disconnection_ms, no_progress_timeout_ms;
	uint64_t stage_timeout_ms[STAGE_COUNT]; /* 0 = the default of rule_config_init() */
	uint64_t inventory_max_size, disk_min_size;
	uint64_t max_hosts; /* of one infra-env */
	uint64_t findings_quota; /* bytes that the hosts of one infra-env may report, beyond a share of each */
	uint64_t logs_max_size, logs_quota; /* bytes of one host's logs, of all */
	uint64_t logs_reserve;       /* bytes of the file system that logs leave to the store */
	uint64_t checkin_flush_ms;   /* check-in times are written this often */
	uint64_t agent_token_ttl_ms; /* 0 = agent tokens do not expire */
};

#define SERVICE_CONFIG_PATH "/etc/slipway/slipwayd.conf"

/* Defaults. 0 or -ENOMEM. */
int service_config_init(struct service_config *c);
/* Reads @path over what is there. -ENOENT when the file is not there; -EINVAL with "FILE:LINE: …". */
int service_config_load(struct service_config *c, const char *path, struct fault *err);
/* Is every value usable (auth, store, addresses, URLs)? -EINVAL with a sentence. */
int service_config_check(const struct service_config *c, struct fault *err);
enum auth_mode service_config_auth(const struct service_config *c);
void service_config_done(struct service_config *c);
