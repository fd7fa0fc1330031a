#pragma once
/*
 * The rules of the assisted-install protocol as pure functions over the model: no store, no clock, no network. The API and the
 * state machine call them; tests call them with tables.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/fault.h"
#include "service/model.h"

/* What was just made of a host's inventory, so that the checks that follow need not parse it again. */
struct rule_parsed {
	const char *text;  /* the host's inventory, borrowed */
	json_t *inventory; /* owned; NULL = none */
};
/* To be called before the host can change or go. */
void rule_parsed_done(struct rule_parsed *p);

/* What a rule may look at besides the host. */
struct rule_ctx {
	const struct infra_env *infra_env; /* never NULL */
	const struct cluster *cluster;     /* NULL = pool host */
	const struct host *const *peers;   /* the other hosts of the cluster */
	size_t n_peers;
	int64_t now_us;
	int64_t silence_from_us; /* no silence and no stage is counted from before this moment */
	const struct rule_config *config;
	struct rule_parsed *parsed; /* NULL = nothing is kept */
	const char *
		os_image_url; /* payload for this host, where it differs from config's; NULL = config's */
};

/* Service settings that rules need; defaults by rule_config_init(). Strings borrowed. */
struct rule_config {
	uint64_t max_disconnection_ms;   /* 3 min: HOST_MAX_DISCONNECTION_TIME */
	uint64_t instruction_interval_s; /* 60 */
	uint64_t slow_interval_s; /* 120, for states that wait for a person; never shorter than instruction_interval_s */
	uint64_t no_progress_timeout_ms;        /* 20 min: installing without a first report */
	uint64_t stage_timeout_ms[STAGE_COUNT]; /* assisted-v2 §7.5 */
	const char *agent_image, *installer_image, *controller_image; /* component-versions */
	bool upgrade_agent;                                           /* ENABLE_UPGRADE_AGENT */
	uint64_t inventory_max_size, disk_min_size; /* extra inventory arguments; 0 = not sent */
	const char *
		os_image_url; /* plain HTTP URL of the default payload; NULL = no --image-url is added */
	const char *disabled_validations; /* csv or NULL */
	const char *disabled_steps;       /* csv or NULL */
};
void rule_config_init(struct rule_config *c);

/* --- inventory.c: what the service adds to a posted inventory (assisted-v2 §5.2, §6.3, §6.4) --- */
/*
 * Checks and completes @text: fills installation_eligibility and ids, drops virtual interfaces; chooses the
 * installation disk (keeping h's when still eligible) and computes disks_to_be_formatted, into @h. Only fields of the schema survive.
 * -EINVAL when it is no inventory.
 */
int inventory_apply(const struct rule_ctx *ctx, struct host *h, const char *text, size_t len,
		    struct fault *err);
/* Finds a disk by id, by_path or "/dev/NAME" among eligible ones; 1 found, 0 not. *ret_disk borrowed from @inventory. */
int inventory_find_disk(json_t *inventory, const char *id, bool eligible_only, json_t **ret_disk);

/* --- validate.c: validations (assisted-v2 §7.4) --- */
enum validation_status {
	VALIDATION_SUCCESS,
	VALIDATION_FAILURE,
	VALIDATION_PENDING,
	VALIDATION_ERROR,
	VALIDATION_DISABLED
};
struct validation {
	const char *category, *id; /* static */
	enum validation_status status;
	char *message; /* owned */
	bool blocking;
	bool hardware_minimum; /* one of the "min hardware" set of §7.3 rule 6 */
};
struct validations {
	struct validation *v;
	size_t n;
};
int host_validate(const struct rule_ctx *ctx, const struct host *h, struct validations *ret,
		  struct fault *err);
void validations_done(struct validations *v);
/* The JSON text of host.validations_info; NULL = no memory. */
char *validations_text(const struct validations *v);

/* --- refresh.c: which status a host should have now (assisted-v2 §7.3) --- */
/* Sets validations_info, and status, status_info, stage_timed_out where a rule says so; true in *ret_changed when the status moved. */
int host_refresh(const struct rule_ctx *ctx, struct host *h, bool *ret_changed, struct fault *err);
/* When host_refresh() should run next for this host because of time alone (disconnection, stage time-out); 0 = never. */
int64_t host_next_refresh_us(const struct rule_ctx *ctx, const struct host *h);

/* --- instructions.c: the answer to GET …/instructions, and replies (assisted-v2 §5) --- */
json_t *host_instructions(const struct rule_ctx *ctx, const struct host *h,
			  struct fault *err); /* new reference */
/*
 * Applies one reply to @h. 0 = taken (perhaps ignored); -EINVAL = 400; -EPERM = wrong state (500 outside).
 * *ret_event_name: static name of an event worth writing, or NULL.
 */
int host_reply_apply(const struct rule_ctx *ctx, struct host *h, json_t *reply,
		     const char **ret_event_name, struct fault *err);

/* --- ignition.c: documents (assisted-v2 §8.1–8.3, §8.7) --- */
/* @with_network: static network settings too; media with an initrd of their own for them have them there (assisted-v2 §8.3). */
int ignition_discovery(const struct infra_env *ie, const struct rule_config *c,
		       const char *service_url, const char *agent_token, const char *service_ca_pem,
		       bool with_network, char **ret_text, struct fault *err);
int ignition_target(const struct rule_ctx *ctx, const struct host *h, char **ret_text,
		    struct fault *err);
/* Is it an Ignition 3.x configuration? */
int ignition_check(const char *text, struct fault *err);
/* The URL of the cluster's machine configuration for this host and its CA (assisted-v2 §5.4); both owned by the caller, ca may be NULL. */
int ignition_source_url(const struct rule_ctx *ctx, const struct host *h, char **ret_url,
			char **ret_ca_base64, struct fault *err);
