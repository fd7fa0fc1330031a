#pragma once
/*
 * The objects of the service: one struct, one row each; the APIs are views on them. Strings are owned by the object, NULL = unset.
 * Times are microseconds since the epoch (0 = unset).
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/secret.h"
#include "common/str.h"
#include "common/wire/stage.h"

enum host_status {
	HOST_DISCOVERING,
	HOST_KNOWN,
	HOST_DISCONNECTED,
	HOST_INSUFFICIENT,
	HOST_DISABLED,
	HOST_PREPARING_FOR_INSTALLATION,
	HOST_PREPARING_FAILED,
	HOST_PREPARING_SUCCESSFUL,
	HOST_PENDING_FOR_INPUT,
	HOST_INSTALLING,
	HOST_INSTALLING_IN_PROGRESS,
	HOST_INSTALLING_PENDING_USER_ACTION,
	HOST_RESETTING,
	HOST_RESETTING_PENDING_USER_ACTION,
	HOST_INSTALLED,
	HOST_ERROR,
	HOST_CANCELLED,
	HOST_ADDED_TO_EXISTING_CLUSTER,
	HOST_BINDING,
	HOST_DISCOVERING_UNBOUND,
	HOST_KNOWN_UNBOUND,
	HOST_INSUFFICIENT_UNBOUND,
	HOST_DISCONNECTED_UNBOUND,
	HOST_DISABLED_UNBOUND,
	HOST_UNBINDING,
	HOST_UNBINDING_PENDING_USER_ACTION,
	HOST_RECLAIMING,
	HOST_RECLAIMING_REBOOTING,
	HOST_STATUS_COUNT
};
const char *host_status_name(enum host_status s);
int host_status_parse(const char *name, enum host_status *ret); /* -EINVAL */

enum host_kind { HOST_KIND_HOST, HOST_KIND_DAY2 /* AddToExistingClusterHost */ };
enum host_role {
	ROLE_AUTO_ASSIGN,
	ROLE_MASTER,
	ROLE_ARBITER,
	ROLE_WORKER,
	ROLE_BOOTSTRAP,
	ROLE_COUNT
};
const char *host_role_name(enum host_role r);
int host_role_parse(const char *name, enum host_role *ret);

struct infra_env {
	char id[UUID_LEN + 1];
	char cluster_id[UUID_LEN + 1]; /* "" = pool */
	char *name, *openshift_version, *cpu_architecture, *image_type;
	char *ssh_authorized_key, *http_proxy, *https_proxy, *no_proxy;
	char *additional_ntp_sources, *ntp_sources;
	char *static_network_config; /* JSON text of the sorted array */
	char *ignition_config_override, *kernel_arguments /* JSON text */, *additional_trust_bundle,
		*rendezvous_ip;
	int64_t network_discovery_delay_seconds;
	struct secret pull_secret;
	char *image_token_key; /* revokes download handles when it changes */
	int64_t token_epoch;   /* agent tokens with iat (s) before this are revoked; 0 = none */
	char *user_name, *org_id, *email_domain;
	int64_t created_at, updated_at;
	int64_t posted_since_us; /* not stored: events that its agents posted since then */
	unsigned posted;
};

struct cluster {
	char id[UUID_LEN + 1];
	char openshift_cluster_id[UUID_LEN + 1];
	char *name, *api_vip_dns_name, *base_dns_domain, *openshift_version, *cpu_architecture;
	char *ssh_public_key, *http_proxy, *https_proxy, *no_proxy, *additional_ntp_source,
		*ntp_sources;
	char *ignition_endpoint_url, *ignition_endpoint_ca; /* ca: base64 PEM */
	char *extra; /* JSON object text: fields that are stored and shown without effect (networks, vips, tags, …) */
	struct secret pull_secret;
	char *user_name, *org_id, *email_domain;
	int64_t status_updated_at, created_at, updated_at;
};

struct host {
	char id[UUID_LEN + 1], infra_env_id[UUID_LEN + 1]; /* the key is the pair */
	char cluster_id[UUID_LEN + 1];                     /* "" = unbound */
	enum host_kind kind;
	enum host_status status;
	char *status_info;
	int64_t status_updated_at;
	enum host_role role, suggested_role;
	bool bootstrap;
	bool slipway_agent; /* said so by the request header Slipway-Agent (DESIGN §5) */
	char *inventory;    /* JSON text after the service's own additions; NULL = none yet */
	char *inventory_hostname; /* from inventory, so that names cost no parsing: host_note_inventory() */
	char *connectivity, *api_vip_connectivity, *tang_connectivity, *ntp_sources,
		*domain_name_resolutions;
	size_t findings_len; /* bytes of these six, as counted last: host_count_findings(); not stored */
	char *validations_info;   /* JSON text */
	char *requested_hostname; /* what the user asked for; NULL = the inventory's */
	char *installation_disk_id, *installation_disk_path, *disks_to_be_formatted,
		*skip_formatting_disks;
	char *formatting_disks; /* named by a person to be formatted; comma separated */
	char *installer_args, *installer_version, *ignition_config_overrides,
		*machine_config_pool_name, *node_labels;
	char *ignition_endpoint_http_headers; /* JSON text */
	struct secret ignition_endpoint_token;
	char *target_ignition; /* made when install was called (assisted-v2 §8.7) */
	char *install_id;      /* UUID of the running or last installation */
	char *discovery_agent_version, *disks_info, *images_status, *logs_info, *user_name;
	int media_disconnected; /* 0 unknown, 1 connected, 2 disconnected: media_status */
	enum stage stage;       /* host.progress.current_stage as stored */
	char *stage_text;       /* as sent; may be a stage outside the role's list */
	char *progress_info;
	int64_t stage_started_at, stage_updated_at;
	bool stage_timed_out, connection_timed_out;
	int64_t checked_in_at; /* memory first; written in batches */
	int64_t timestamp;     /* the host's clock at its last poll, seconds */
	int64_t registered_at, created_at, updated_at, logs_started_at, logs_collected_at;
};

struct api_event {
	int64_t id;
	char *name, *severity, *category, *message, *props;
	char cluster_id[UUID_LEN + 1], host_id[UUID_LEN + 1], infra_env_id[UUID_LEN + 1];
	int64_t event_time;
};

struct os_image {
	char id[65]; /* hex of the .slx image id */
	char *label; /* file name it was added from, for people */
	char *version, *cpu_architecture;
	uint64_t image_size, payload_size;
	int64_t created_at;
	bool is_default;
};

void infra_env_done(struct infra_env *i);
void cluster_done(struct cluster *c);
void host_done(struct host *h);
void api_event_done(struct api_event *e);
void os_image_done(struct os_image *o);

/* Deep copies, for "change a copy, store it, then swap it in". 0 or -ENOMEM. */
int infra_env_copy(const struct infra_env *from, struct infra_env *to);
int cluster_copy(const struct cluster *from, struct cluster *to);
int host_copy(const struct host *from, struct host *to);

/* The effective name: requested, else the inventory's, else the id (assisted-v2 §3.3). Owned by the caller. */
char *host_effective_name(const struct host *h);
/* The same without a copy; valid until @h changes. Never NULL. */
const char *host_name(const struct host *h);
/* To be called after h->inventory was changed: sets inventory_hostname. 0 or -ENOMEM. */
int host_note_inventory(struct host *h);
/* Bytes of what steps found (inventory … domain_name_resolutions); notes them in findings_len. */
size_t host_count_findings(struct host *h);
/* Makes a registration's clean start: inventory, progress, logs, checks (assisted-v2 §7.2). */
void host_clear_findings(struct host *h);
