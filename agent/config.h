#pragma once
/*
 * What the agent is told: agent.conf (INI) and command-line options, which win. Relative file names in the file are relative to its folder.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "common/secret.h"

#define AGENT_CONF_DEFAULT "/etc/slipway/agent.conf"
#define AGENT_STATE_DIR_DEFAULT "/run/slipway"
#define AGENT_INTERVAL_DEFAULT_S \
	60                      /* what the original polls by when the service names no interval */
#define AGENT_TOKEN_MAX 4096    /* bytes of the token file */
#define AGENT_CA_MAX (1u << 20) /* bytes of the CA file */

struct agent_config {
	char *url;            /* service, without /api/assisted-install */
	char *infra_env_id;   /* UUID */
	char *token_file;     /* NULL = PULL_SECRET_TOKEN or no token */
	char *cacert;         /* NULL = the system's CAs */
	char *agent_version;  /* image reported as discovery_agent_version; NULL = the service's */
	char *ntp_sources;    /* comma separated, added to those of the step; NULL = none */
	char *host_id;        /* NULL = from the machine (host_id.h) */
	char *install_id;     /* installed system only */
	char *state_dir;      /* NULL = AGENT_STATE_DIR_DEFAULT */
	char *reboot_command; /* NULL = reboot(2) */
	char *user; /* of the network process; NULL = slipway, or uid 65534 where there is none */
	char *proxy_http, *proxy_https, *proxy_no;
	uint64_t interval_s; /* when the service names no interval; 0 = default */
	uint64_t created_s;  /* clock floor, seconds since the epoch; 0 = none */
	bool installed;      /* this is the installed system: report, never register */
	bool insecure;       /* no check of the server's certificate */
	bool no_disk_writes;
	bool sandbox_log; /* refused system calls are logged and allowed: for development */

	struct secret token; /* read from token_file or the environment */
	char *ca_pem;        /* read from cacert; NULL = the system's */
};

/*
 * Fills what @args leaves unset from the file and reads token and CA. @path: NULL = AGENT_CONF_DEFAULT, which may be absent; a named file may not.
 * @args: strings move into @ret. -EINVAL when url or infra_env_id are missing or malformed.
 */
int agent_config_load(const char *path, struct agent_config *args, struct agent_config *ret,
		      struct fault *err);
void agent_config_done(struct agent_config *c);
const char *agent_config_state_dir(const struct agent_config *c);

/* What the network process needs, as one JSON object (the token is in it: only for the socketpair). NULL = no memory. */
json_t *agent_config_encode(const struct agent_config *c);
/* Fills zeroed @ret; -EINVAL. */
int agent_config_decode(json_t *obj, struct agent_config *ret, struct fault *err);
